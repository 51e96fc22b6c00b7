"""A company with a mailbox, and nothing that deals with what comes to it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from bot.email.boxes import Box
from core.house import House
from core.ids import new_id
from tests.core.house import Office, check_events, open_office

ADDRESS = "quote@miyabi.example"


@dataclass
class Post:
    """The company's house and its mailboxes."""

    office: Office
    box: Box

    @property
    def house(self) -> House:
        return self.office.house

    async def another_box(self, address: str) -> Box:
        """One more mailbox of the company."""
        return await _box(self.office, address)

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        async with self.house.engine.begin() as connection:
            return list(await connection.execute(text(sql), values))

    async def contents(self) -> list[bytes]:
        """The bytes of all mails that were stored, in the order in which they came."""
        found = await self.rows(
            "select content from mail_bytes b join mails m on m.id = b.mail_id"
            " order by m.received_at, m.id"
        )
        return [row.content for row in found]


async def _box(office: Office, address: str) -> Box:
    box = Box(new_id(), office.organisation.id, office.organisation.slug, address, "quote")
    async with office.house.engine.begin() as connection:
        await connection.execute(
            text(
                "insert into mailboxes (id, organisation_id, address, purpose)"
                " values (:id, :organisation_id, :address, :purpose)"
            ),
            {
                "id": box.id,
                "organisation_id": box.organisation_id,
                "address": address,
                "purpose": box.purpose,
            },
        )
    return box


@pytest.fixture
async def post(database_url: str) -> AsyncIterator[Post]:
    """A company with one mailbox."""
    async with open_office(database_url) as office:
        yield Post(office, await _box(office, ADDRESS))
    await check_events(database_url)
