"""Addresses that hold all there is to know, sealed: nothing of them is stored."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.cipher import decrypted, encrypted
from core import base64url
from core.house import House


def sealed_link(house: House, path: str, use: bytes, content: bytes) -> str | None:
    """An address below `path` that says this to us alone, for one use; None without a public
    address that is encrypted on its way."""
    if house.public_url is None or not house.public_url.startswith("https:"):
        return None
    sealed = encrypted(AESGCM(house.key_of(use)), content, use)
    return f"{house.public_url.rstrip('/')}{path}{base64url.spell(sealed)}"


def read_sealed(house: House, use: bytes, token: str) -> bytes | None:
    """What it says; None for whatever we did not make for this use."""
    sealed = base64url.read(token)
    if sealed is None:
        return None
    try:
        return decrypted(AESGCM(house.key_of(use)), sealed, use)
    except (ValueError, InvalidTag):
        return None
