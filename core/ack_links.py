"""The address by which one person acknowledges one notice, where nothing can be pressed: a mail.

It leads to a page (web/acknowledging.py).
"""

from dataclasses import dataclass
from uuid import UUID

from core.house import House
from core.sealed_links import read_sealed, sealed_link

PATH = "/ack/"
_USE = b"miyabi: acknowledging"


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose address it is, and of which notice."""

    organisation_id: UUID
    notice_id: UUID
    person_id: UUID


def ack_link(house: House, asked: Asked) -> str | None:
    """The address of a page on which one person acknowledges one notice; None without a public
    address."""
    ids = (asked.organisation_id, asked.notice_id, asked.person_id)
    return sealed_link(house, PATH, _USE, b"".join(each.bytes for each in ids))


def read_ack(house: House, token: str) -> Asked | None:
    """Whose it is; None for whatever we did not make."""
    content = read_sealed(house, _USE, token)
    if content is None or len(content) != 48:
        return None
    return Asked(*(UUID(bytes=content[at : at + 16]) for at in (0, 16, 32)))
