"""An office with a mailbox whose people have addresses."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from bot.email import boxes, letters
from bot.email.boxes import Box
from core import people
from core.db import fetch_all
from core.ids import new_id
from core.inbound import Sender
from core.messages import Message
from core.unit import unit
from tests.core.house import Office, open_office


@dataclass(slots=True)
class Post:
    """The office, its mailbox, and hands to look at its letters."""

    office: Office
    box: Box

    async def answer(
        self,
        text: str = "Hello",
        *,
        to: str = "stranger@else.example",
        message: Message | None = None,
        automatic: bool = False,
        task_id: UUID | None = None,
        person_id: UUID | None = None,
        subject: str | None = "見積のお願い",
    ) -> UUID | None:
        """Queue an answer as whoever deals with a mail does."""
        house = self.office.house
        async with unit(house) as work:
            return await letters.queue(
                work,
                house,
                self.box,
                recipient=to,
                message=message or Message(text, language="en"),
                subject=subject,
                mail_id=None,
                in_reply_to="<second@else.example>",
                references=["<second@else.example>", "<first@else.example>"],
                task_id=task_id,
                person_id=person_id,
                automatic=automatic,
            )

    async def rows(self, columns: str = "*") -> Sequence[Any]:
        async with self.office.house.engine.connect() as connection:
            return await fetch_all(
                connection,
                f"select {columns} from letters order by id",
                {},
            )

    async def contents(self) -> list[EmailMessage]:
        """All letters there are, read by the standard library."""
        return [read(row.content) for row in await self.rows("content")]


def read(content: bytes) -> EmailMessage:
    found = message_from_bytes(content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def said(letter: EmailMessage, kind: str = "plain") -> str:
    """Its text."""
    body = letter.get_body((kind,))
    assert body is not None
    return str(body.get_content())


@asynccontextmanager
async def open_post(database_url: str) -> AsyncIterator[Post]:
    async with open_office(database_url) as office:
        box = Box(new_id(), office.organisation.id, "acme", "quote@miyabi.example", "quote")
        async with unit(office.house) as work:
            await boxes.add(work, office.house, box)
            for person in (office.asker, office.boss):
                address = f"{person.handle}@acme.example"
                await people.link(work, person, Sender("email", "acme", address))
        yield Post(office, box)
