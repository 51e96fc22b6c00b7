"""What our mails are called: Message-IDs that nobody else can make up.

The id of a letter is a UUID that anybody may see; the MAC beside it says that it is from us, so
that a mail which refers to one of our letters refers to one that there is.
"""

import base64
import binascii
import hmac
import re
from hashlib import sha256
from uuid import UUID

from bot.email.boxes import Box
from core.house import House

_USE = b"miyabi: message ids"
_MAC = 16  # bytes: 128 bits are not guessed

_OURS = re.compile(r"<?([a-z2-7]{26})\.([a-z2-7]{26})@[^\s<>@]+>?", re.IGNORECASE)


def message_id_of(house: House, box: Box, letter: UUID) -> str:
    """The Message-ID of a letter, with its angle brackets (RFC 5322, 3.6.4)."""
    domain = box.address.rpartition("@")[2]
    return f"<{base32(letter.bytes)}.{base32(mac_of(house, letter, _MAC))}@{domain}>"


def letter_of(house: House, message_id: str) -> UUID | None:
    """The letter that a Message-ID is of, in any case and with or without brackets; None for
    whatever we did not make. That there is such a letter, its row says."""
    found = _OURS.fullmatch(message_id.strip())
    return read(house, found[1], found[2], _MAC) if found is not None else None


def read(house: House, letter: str, mac: str, length: int) -> UUID | None:
    """A letter's id and MAC of so many bytes, in base 32, if the one is the other's."""
    identity, given = from_base32(letter), from_base32(mac)
    if identity is None or len(identity) != 16 or given is None:
        return None
    found = UUID(bytes=identity)
    return found if hmac.compare_digest(given, mac_of(house, found, length)) else None


def mac_of(house: House, letter: UUID, length: int) -> bytes:
    """What shows that a letter's id was given by us."""
    return hmac.digest(house.key_of(_USE), letter.bytes, sha256)[:length]


def base32(content: bytes) -> str:
    """In small letters and without padding: mail servers may change the case of an address."""
    return base64.b32encode(content).decode().rstrip("=").lower()


def from_base32(text: str) -> bytes | None:
    """The bytes of it, in any case; None for what is none, or not as we spell it."""
    try:
        content = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        return None
    # One spelling only: base 32 has spare bits at its end.
    return content if base32(content) == text.lower() else None
