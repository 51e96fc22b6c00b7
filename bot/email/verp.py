"""The return path of a letter: an address of its own, so that whatever comes back says of which."""

import re
from uuid import UUID

from bot.email import ids
from bot.email.boxes import Box
from core.house import House

_MAC = 10  # bytes: with the id, the local part stays within the 64 octets of RFC 5321, 4.5.3.1.1
_LONGEST_LOCAL = 64

_TAG = re.compile(r"b-([a-z2-7]{26})-([a-z2-7]{16})", re.IGNORECASE)


def return_path(house: House, box: Box, letter: UUID) -> str:
    """The envelope's sender of a letter. Where the provider delivers no tags, or there is no room
    for one, the mailbox's own address: what comes back is then told by its Message-ID."""
    local, _, domain = box.address.rpartition("@")
    mac = ids.base32(ids.mac_of(house, letter, _MAC))
    tagged = f"{local}+b-{ids.base32(letter.bytes)}-{mac}"
    if not box.plus or len(tagged) > _LONGEST_LOCAL:
        return box.address
    return f"{tagged}@{domain}"


def read(house: House, box: Box, address: str) -> UUID | None:
    """The letter whose return path an address is; None for any other."""
    local, _, domain = address.strip().strip("<>").lower().rpartition("@")
    own, _, own_domain = box.address.lower().rpartition("@")
    name, _, tag = local.partition("+")
    found = _TAG.fullmatch(tag)
    if found is None or (name, domain) != (own, own_domain):
        return None
    return ids.read(house, found[1], found[2], _MAC)
