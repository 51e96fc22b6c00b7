"""An office with a mailbox whose people have addresses."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bot.email import boxes, letters
from bot.email.boxes import Box, Server
from bot.email.outbound import EmailOutbound
from core import people
from core.db import execute, fetch_all
from core.ids import new_id
from core.inbound import Answer, Inbound, Sender, Spot
from core.intake import accept
from core.messages import Message
from core.people import Person
from core.platform import Opening
from core.settings import EmailSettings, Settings
from core.unit import unit
from notifier.deliver import announce
from tests.core.house import Office, check_complete, check_events, open_office
from tests.fakes.mail.smtp import OutsideServer, outside_server, trust_file


@dataclass(slots=True)
class Post:
    """The office, its mailbox, the server outside, and hands to write and to look at letters."""

    office: Office
    box: Box
    outside: OutsideServer
    opening: Opening
    outbound: EmailOutbound
    keys: int = 0

    async def write(
        self,
        text: str,
        person: Person | None = None,
        *,
        thread: str | None = None,
        subject: str = "見積のお願い",
    ) -> Answer:
        """A mail of somebody's, taken in; and what follows of it is worked out and told."""
        self.keys += 1
        sender = self.sender(person or self.office.asker)
        message_id = f"<mail-{self.keys}@acme.example>"
        inbound = Inbound(
            sender=sender,
            spot=Spot(sender.account, thread or message_id),
            key=f"mail-{self.keys}",
            text=text,
            today=date(2026, 11, 25),
        )
        answer = await accept(self.office.house, inbound)
        if answer.task_id is not None:
            await self._keep(answer.task_id, message_id, person or self.office.asker, subject)
        await self.office.work()
        return answer

    def sender(self, person: Person) -> Sender:
        return Sender("email", "acme", f"{person.handle}@acme.example")

    async def _keep(self, task_id: UUID, message_id: str, person: Person, subject: str) -> None:
        """The row of the mail, as whoever deals with it leaves it."""
        async with self.office.house.engine.begin() as connection:
            await execute(
                connection,
                "insert into mails (id, organisation_id, mailbox_id, came_by, message_id, sha256,"
                " size, state, sender, subject, person_id, task_id) values (:id, :organisation_id,"
                " :mailbox_id, 'file', :message_id, :message_id, 1, 'done', :sender, :subject,"
                " :person_id, :task_id)",
                {
                    "id": new_id(),
                    "organisation_id": self.office.organisation.id,
                    "mailbox_id": self.box.id,
                    "message_id": message_id,
                    "sender": self.sender(person).account,
                    "subject": subject,
                    "person_id": person.id,
                    "task_id": task_id,
                },
            )

    async def tell(self, answer: Answer) -> None:
        """All that is due of a task, also what was put off."""
        assert answer.task_id is not None
        await self.office.execute("update deliveries set next_at = now() where next_at > now()")
        await self.office.execute("update threads set lease_until = null, lease_owner = null")
        await announce(
            self.office.house, self.office.organisation.id, answer.task_id, "another worker"
        )
        await self.office.work()

    def to(self, person: Person) -> list[EmailMessage]:
        """The letters that the server outside has taken for somebody, in order."""
        address = self.sender(person).account
        return [read(each.content) for each in self.outside.letters if each.recipient == address]

    async def states(self) -> list[str]:
        return [row.state for row in await self.rows("state")]

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
async def open_checked_post(
    database_url: str, folder: Path, patch: pytest.MonkeyPatch
) -> AsyncIterator[Post]:
    """The same where the server outside is believed, and whose events are looked at in the end."""
    patch.setenv("SSL_CERT_FILE", str(trust_file(folder)))
    async with open_post(database_url) as post:
        yield post
    await check_events(database_url)
    await check_complete(database_url)


@asynccontextmanager
async def open_post(database_url: str) -> AsyncIterator[Post]:
    """The office with a mailbox that sends by the server outside; it has to be believed."""
    async with outside_server() as outside, open_office(database_url) as office:
        server = Server(outside.host, outside.port, "quote", "starttls")
        box = Box(
            new_id(),
            office.organisation.id,
            "acme",
            "quote@miyabi.example",
            "quote",
            "見積 Miyabi",
            smtp=server,
            secrets={"smtp_password": outside.password},
        )
        settings = Settings.model_construct(email=EmailSettings())
        office.house = replace(office.house, public_url="https://miyabi.example")
        opening = Opening(settings, office.house, _read_file)
        outbound = EmailOutbound(opening)  # with the house that is whole
        office.house = replace(office.house, outbounds={"wall": office.wall, "email": outbound})
        async with unit(office.house) as work:
            await boxes.add(work, office.house, box)
            for person in (office.asker, office.boss):
                address = f"{person.handle}@acme.example"
                await people.link(work, person, Sender("email", "acme", address))
        try:
            yield Post(office, box, outside, opening, outbound)
        finally:
            await outbound.close()
            assert not outside.wrong, outside.wrong


async def _read_file(organisation_id: UUID, sha256: str) -> bytes:
    raise LookupError(sha256)
