"""The return path of a letter: an address of its own, so that whatever comes back says of which."""

import re
from uuid import UUID

from bot.email import ids
from bot.email.boxes import Box
from bot.email.tagged import tag_of, with_tag
from core.house import House

_MAC = 10  # bytes: with the id, the local part stays within the 64 octets of RFC 5321, 4.5.3.1.1

_TAG = re.compile(r"b-([a-z2-7]{26})-([a-z2-7]{16})", re.IGNORECASE)


def return_path(house: House, box: Box, letter: UUID) -> str:
    """The envelope's sender of a letter. Where it can have no tag, what comes back is told by its
    Message-ID."""
    mac = ids.base32(ids.mac_of(house, letter, _MAC))
    return with_tag(box, f"b-{ids.base32(letter.bytes)}-{mac}")


def read(house: House, box: Box, address: str) -> UUID | None:
    """The letter whose return path an address is; None for any other."""
    found = _TAG.fullmatch(tag_of(box, address))
    return ids.read(house, found[1], found[2], _MAC) if found is not None else None
