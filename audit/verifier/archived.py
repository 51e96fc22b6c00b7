"""Months that have left the database: which events need not be there any more.

That the archives hold them is not believed for standing in a table: who wants to know reads the
archives (`verify_bundle`). Their leaves stay in the tree, under the signed heads, like all others.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_ARCHIVES = text("""
    select month, first_leaf, end_leaf, strays, state, name, sha256, bytes from audit_archives
    where organisation_id = :organisation_id and state not in ('due', 'made')
    order by first_leaf
""")


@dataclass(frozen=True, slots=True)
class Archive:
    """A month's archive: leaves from `first` up to before `end`.

    `gone`: its events have left the database. `strays` are those that belong to a later month and
    leave with that. `name` in the store is None for one whose years are over.
    """

    organisation_id: UUID
    month: date
    first: int
    end: int
    strays: frozenset[UUID]
    gone: bool
    name: str | None
    sha256: str
    bytes: int


class Archived:
    """The archives of one organisation, in the order of their leaves."""

    def __init__(self, archives: Sequence[Archive]) -> None:
        self.archives = archives
        self._starts = [each.first for each in archives]
        self._last_gone = max((n for n, each in enumerate(archives) if each.gone), default=-1)

    def holds(self, leaf: int, id_: UUID) -> bool:
        """Whether this event is gone because it was archived."""
        place = bisect_right(self._starts, leaf) - 1
        if place < 0 or leaf >= self.archives[place].end:
            return False
        archive = self.archives[place]
        return self._last_gone > place if id_ in archive.strays else archive.gone


async def archived(connection: AsyncConnection, organisation_id: UUID) -> Archived:
    """What the database says of an organisation's archives."""
    rows = await connection.execute(_ARCHIVES, {"organisation_id": organisation_id})
    return Archived(
        [
            Archive(
                organisation_id=organisation_id,
                month=row.month,
                first=row.first_leaf,
                end=row.end_leaf,
                strays=frozenset(row.strays),
                gone=row.state in {"dropped", "expired"},
                name=row.name,
                sha256=row.sha256,
                bytes=row.bytes,
            )
            for row in rows
        ]
    )
