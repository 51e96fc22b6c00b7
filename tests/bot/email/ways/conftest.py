"""A company with a mailbox, and nothing that deals with what comes to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from bot.email import boxes
from bot.email.boxes import Box, Server
from core.house import House
from core.ids import new_id
from core.unit import unit
from tests.core.house import Office, check_events, open_office
from tests.fakes.mail.dovecot import PASSWORD, Dovecot

ADDRESS = "quote@miyabi.example"


@dataclass
class Post:
    """The company's house and its mailboxes."""

    office: Office
    box: Box

    @property
    def house(self) -> House:
        return self.office.house

    async def another_box(self, address: str, **more: Any) -> Box:
        """One more mailbox of the company."""
        return await _box(self.office, address, **more)

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

    async def shown(self, sql: str) -> list[Any]:
        """The rows, once there are any."""
        async with asyncio.timeout(20):
            while not (rows := await self.rows(sql)):  # noqa: ASYNC110  # nothing tells
                await asyncio.sleep(0.02)
        return rows

    async def until(self, stored: int) -> list[bytes]:
        """What is stored, once there is so much of it."""
        async with asyncio.timeout(20):
            while len(found := await self.contents()) < stored:  # noqa: ASYNC110  # nothing tells
                await asyncio.sleep(0.02)
        return found


async def _box(office: Office, address: str, **more: Any) -> Box:
    given = {"purpose": "quote", **more}
    organisation = office.organisation
    box = Box(new_id(), organisation.id, organisation.slug, address, **given)
    async with unit(office.house) as work:
        await boxes.add(work, office.house, box)
    return box


@pytest.fixture
async def post(database_url: str) -> AsyncIterator[Post]:
    """A company with one mailbox."""
    async with open_office(database_url) as office:
        yield Post(office, await _box(office, ADDRESS))
    await check_events(database_url)


@dataclass
class Folder:
    """A mailbox at dovecot that is read by IMAP, and its owner's own session there."""

    post: Post
    dovecot: Dovecot
    user: str

    async def box(self, port: int | None = None, **more: Any) -> Box:
        """The mailbox as Miyabi knows it; behind another port, where one is given."""
        server = Server("127.0.0.1", port or self.dovecot.imap, self.user, "none")
        secrets = {"imap_password": PASSWORD}
        given = {"imap": server, "secrets": secrets, **more}
        return await self.post.another_box(f"{self.user}@miyabi.example", **given)

    async def append(self, *mails: bytes, folder: str = "INBOX", seen: bool = False) -> None:
        def put() -> None:
            with self.dovecot.mailbox(self.user) as session:
                if not session.folder.exists(folder):
                    session.folder.create(folder)
                for mail in mails:
                    session.append(mail, folder, flag_set=[r"\Seen"] if seen else None)

        await asyncio.to_thread(put)

    async def numbers(self, criteria: str, folder: str = "INBOX") -> list[str]:
        def look() -> list[str]:
            with self.dovecot.mailbox(self.user) as session:
                if not session.folder.exists(folder):
                    return []
                session.folder.set(folder)
                return session.numbers(criteria)

        return await asyncio.to_thread(look)

    async def until(self, criteria: str, count: int, folder: str = "INBOX") -> None:
        """Until so many are there."""
        async with asyncio.timeout(20):
            while len(await self.numbers(criteria, folder)) != count:  # noqa: ASYNC110  # likewise
                await asyncio.sleep(0.02)


@pytest.fixture
def folder(post: Post, dovecot: Dovecot) -> Folder:
    """A folder that nobody has used. It is there: two who look at it at first make it both."""
    user = f"u{uuid4().hex[:12]}"
    with dovecot.mailbox(user):
        return Folder(post, dovecot, user)


async def seen(condition: Callable[[], object]) -> None:
    """Wait until this is so."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.01)
