"""AES-256-GCM as all that we keep is encrypted with it, and a key of its own for each use."""

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12  # bytes, what AES-GCM takes


def encrypted(cipher: AESGCM, content: bytes, bound: bytes) -> bytes:
    """A nonce of its own, ciphertext and tag; opens only for what it is bound to."""
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, content, bound)


def decrypted(cipher: AESGCM, content: bytes, bound: bytes) -> bytes:
    """What was encrypted. Raises InvalidTag, and ValueError for what is too short."""
    return cipher.decrypt(content[:_NONCE], content[_NONCE:], bound)


def derived(master: bytes, use: bytes) -> bytes:
    """The 32 bytes of one use, so that no other use of the secret can help against it."""
    return HKDF(SHA256(), 32, None, use).derive(master)
