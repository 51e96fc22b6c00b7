"""A personal value of an event: encrypted under its subject's key, bound to event and field.

Hashes and signatures of the log are over this form, so that verifying needs no key; and once the
key is destroyed, nobody can open the value any more, wherever a copy of the event is.
"""

import base64
import binascii
from collections.abc import Mapping
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.cipher import decrypted, encrypted

Sealed = Mapping[str, str | None]
"""`of`: whose key it is under (an id, never a name). `sealed`: nonce, ciphertext and tag of
AES-256-GCM in URL-safe base64; None where the subject was erased before the event was written."""

_FIELDS = {"of", "sealed"}


class CantOpen(ValueError):
    """The key is another one, or the value was changed or comes from another event."""


def is_sealed(value: object) -> bool:
    """Whether a value of an event is a sealed one."""
    return isinstance(value, Mapping) and value.keys() == _FIELDS


def seal(cipher: AESGCM | None, subject: UUID, event: UUID, field: str, value: str) -> Sealed:
    """Encrypt; without a cipher (the subject was erased) the value is lost on purpose."""
    if cipher is None:
        return {"of": str(subject), "sealed": None}
    content = encrypted(cipher, value.encode(), _bound(event, field))
    return {"of": str(subject), "sealed": base64.urlsafe_b64encode(content).decode().rstrip("=")}


def unseal(cipher: AESGCM, event: UUID, field: str, value: Sealed) -> str | None:
    """Decrypt; None where nothing was kept. Raises CantOpen."""
    text = value["sealed"]
    if text is None:
        return None
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return decrypted(cipher, content, _bound(event, field)).decode()
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise CantOpen(field) from error


def _bound(event: UUID, field: str) -> bytes:
    """A value copied into another event or field does not open there."""
    return event.bytes + field.encode()
