"""Documents to search for, put straight into the index."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit.criteria import Criteria, DocumentPlace
from audit.documents import Entry, enter
from audit.search import Page, documents, prepare


def entry(organisation_id: UUID, number: str, **more: Any) -> Entry:
    """A document; what is not said of it does not matter."""
    usual: dict[str, Any] = {
        "dated": date(2026, 11, 25),
        "amount": 1000,
        "counterparty": "株式会社ABC商事",
        "kind": "quote",
        "stream": uuid4(),
        "retain_until": date(2035, 2, 25),
    }
    return Entry(id=uuid7(), organisation_id=organisation_id, number=number, **(usual | more))


@dataclass(frozen=True, slots=True)
class Shelf:
    """The documents of one organisation."""

    engine: AsyncEngine
    organisation_id: UUID

    async def put(self, entries: Iterable[Entry]) -> None:
        async with self.engine.begin() as connection:
            for each in entries:
                await enter(connection, each)

    async def add(self, number: str, **more: Any) -> Entry:
        made = entry(self.organisation_id, number, **more)
        await self.put([made])
        return made

    async def page(
        self, criteria: Criteria, after: DocumentPlace | None = None, limit: int = 50
    ) -> Page[DocumentPlace]:
        async with self.engine.begin() as connection:
            await prepare(connection)
            return await documents(
                connection, self.organisation_id, criteria, after=after, limit=limit
            )

    async def numbers(self, **criteria: Any) -> set[str]:
        """The numbers of all that fit."""
        page = await self.page(Criteria(**criteria), limit=1000)
        return {row.number for row in page.rows}
