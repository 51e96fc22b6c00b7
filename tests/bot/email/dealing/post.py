"""A company that is written to: its mailbox, its people, and mails as they write them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from sqlalchemy import text

from bot.email import boxes, inbox
from bot.email.boxes import Box, Trust
from bot.email.claims import claim
from bot.email.door import Door
from bot.email.reading.mail import Mail
from bot.email.reading.parse import read_mail
from bot.email.verdicts import Outcome
from bot.email.working import deal_now, deal_with
from core import people
from core.ids import new_id
from core.inbound import Sender
from core.settings import EmailSettings
from core.unit import unit
from tests.core.house import Office

PROVIDER = "mx.provider.example"
ADDRESS = "miyabi@acme.example"
ASKER, BOSS = "asker@acme.example", "boss@acme.example"


def box_of(
    organisation_id: UUID, address: str, slug: str = "acme", purpose: str = "general"
) -> Box:
    """A mailbox whose provider is believed."""
    return Box(
        new_id(), organisation_id, slug, address, purpose,  # type: ignore[arg-type]
        trust=Trust(authserv_ids=(PROVIDER,), domains=("friends.example",)),
    )  # fmt: skip


def written(
    content: str = "letter hello",
    *,
    sender: str = ASKER,
    to: str = ADDRESS,
    subject: str | None = "Hello",
    message_id: str | None = "<1@acme.example>",
    references: Sequence[str] = (),
    dmarc: str | None = "pass",
    headers: Sequence[tuple[str, str]] = (),
    files: Sequence[tuple[str, str, bytes]] = (),
) -> bytes:
    """A mail. `dmarc`: what the provider says of it; None: it says nothing at all."""
    mail = EmailMessage()
    domain = sender.rpartition("@")[2]
    if dmarc is not None:
        mail["Authentication-Results"] = f"{PROVIDER}; dmarc={dmarc} header.from={domain}"
    mail["From"], mail["To"] = sender, to
    if subject is not None:
        mail["Subject"] = subject
    if message_id is not None:
        mail["Message-ID"] = message_id
    if references:
        mail["In-Reply-To"], mail["References"] = references[-1], " ".join(references)
    for name, value in headers:
        mail[name] = value
    mail.set_content(content)
    for name, kind, sent in files:
        mail.add_attachment(sent, *kind.split("/"), filename=name)
    return mail.as_bytes()


class Here:
    """Reads in this process: what a child is for has tests of its own."""

    async def read(self, raw: bytes) -> Mail:
        return read_mail(raw)


async def no_dns(name: str) -> bytes | None:
    return None


@dataclass(slots=True)
class Post:
    """The office, its mailbox, and hands that deal with mails as a worker does."""

    office: Office
    box: Box
    door: Door
    stored: list[UUID] = field(default_factory=list)

    async def store(self, raw: bytes, box: Box | None = None, **more: Any) -> UUID:
        """A mail comes to the mailbox; nobody has dealt with it yet."""
        mail_id = await inbox.store(
            self.office.house, box or self.box, raw, came_by="smtp", **more
        )  # fmt: skip
        assert mail_id is not None
        return mail_id

    async def deal(self, mail_id: UUID) -> Outcome:
        """What becomes of it, in the end."""
        outcome = await deal_now(self.door, self.office.organisation.id, mail_id)
        assert outcome is not None
        return outcome

    async def take(self, raw: bytes, box: Box | None = None, **more: Any) -> Outcome:
        """Both, one after the other."""
        return await self.deal(await self.store(raw, box, **more))

    async def try_once(self, mail_id: UUID) -> None:
        """One try; whatever comes of it."""
        came = await claim(self.office.house.engine, mail_id)
        assert came is not None
        await deal_with(self.door, came)

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        async with self.office.house.engine.connect() as connection:
            return list(await connection.execute(text(sql), values))

    async def count(self, table: str, where: str = "true") -> int:
        return int((await self.rows(f"select count(*) as n from {table} where {where}"))[0].n)

    async def state(self, mail_id: UUID) -> str:
        [row] = await self.rows("select state from mails where id = :id", id=mail_id)
        return str(row.state)

    async def answers(self) -> list[Any]:
        """The letters that answer mails, oldest first."""
        return await self.rows("select * from letters where mail_id is not null order by id")

    async def another_box(self, address: str, purpose: str = "general") -> Box:
        box = box_of(self.office.organisation.id, address, purpose=purpose)
        async with unit(self.office.house) as work:
            await boxes.add(work, self.office.house, box)
        return box


@asynccontextmanager
async def open_post(office: Office) -> AsyncIterator[Post]:
    """The office with a mailbox, and with addresses of who asks and who approves."""
    house = office.house
    async with unit(house) as work:
        for person, address in ((office.asker, ASKER), (office.boss, BOSS)):
            await people.link(work, person, Sender("email", office.organisation.slug, address))
    door = Door(house, EmailSettings(), Here(), no_dns)
    post = Post(office, box_of(office.organisation.id, ADDRESS), door)
    async with unit(house) as work:
        await boxes.add(work, house, post.box)
    yield post
