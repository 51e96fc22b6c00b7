"""Mail: the answers of people to letters, and a server outside that takes ours."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiohttp import ClientSession
from starlette.applications import Starlette

from bot.email import boxes, inbox
from bot.email.boxes import Box, Server, Trust
from bot.email.door import Door
from bot.email.working import deal_now
from core.ids import new_id
from core.inbound import Sender
from core.organisations import Organisation
from core.settings import EmailSettings
from core.unit import unit
from miyabi.build import Built, open_house
from tests.bot.email.dealing.post import PROVIDER, Here, no_dns, written
from tests.bot.email.out.post import read, said
from tests.contracts.surfaces.surface import BOSS, HANDLES, POOL, PUBLIC, ROLES, Ground, hire
from tests.fakes.mail.smtp import OutsideServer, outside_server, trust_file
from tests.running import at_port
from web import acknowledging

_PAGES = re.compile(rf"^(.+)\n{PUBLIC}(/ack/\S+)$", re.MULTILINE)
DESK = "quote@miyabi.example"


@dataclass(slots=True)
class EmailSurface:
    outside: OutsideServer
    built: Built
    organisation: Organisation
    box: Box
    door: Door
    numbers: list[int] = field(default_factory=list)

    async def ask(self, who: str, words: str) -> object:
        return await self._take(self._new(who, words))

    async def again(self, delivered: object) -> None:
        assert isinstance(delivered, bytes)
        await inbox.store(self.built.house, self.box, delivered, came_by="smtp")

    async def reply(self, who: str, words: str) -> None:
        await self._answer(who, self._letters(who)[-1], words)

    async def press(self, who: str, label: str, reason: str = "") -> object | None:
        return await self._answer(who, self._card(), f"{label} {reason}".strip())

    async def send_file(self, who: str, words: str, name: str, data: bytes) -> None:
        files = [(name, "image/png", data)]
        await self._take(self._new(who, words, files))

    def seen_by(self, who: str) -> str:
        return "\n".join(f"{m['Subject']}\n{said(m)}" for m in self._letters(who))

    def labels(self) -> Sequence[str]:
        return re.findall("「(承認|差し戻し|却下)」", said(self._card()))

    def told(self, about: str) -> tuple[str, Sequence[str]]:
        found = [m for m in self._letters(BOSS) if about in str(m["Subject"])][-1:]
        words = "\n".join(said(letter) for letter in found).replace("\r\n", "\n")
        return words, [label for label, _ in _PAGES.findall(words)]

    async def press_told(self, who: str, about: str, label: str) -> str:
        pages = dict(_PAGES.findall(self.told(about)[0]))
        page = pages[label]
        if who != BOSS:  # they never saw it, and know only what such addresses look like
            page = f"{page[:-8]}AAAAAAAA"
        app = Starlette(routes=acknowledging.routes(self.built.opening))
        async with at_port(app) as url, ClientSession(url) as client, client.post(page) as answer:
            return await answer.text()

    def documents(self, who: str) -> int:
        return sum(
            part.get_content_type() == "application/pdf"
            for letter in self._letters(who)
            for part in letter.iter_attachments()
        )

    def refuse_once(self) -> Callable[[], bool]:
        answers = self.outside.answers["MAIL"] = ["421 4.7.0 too many, try again later"]
        return lambda: not answers

    def wrongs(self) -> Sequence[object]:
        return self.outside.wrong

    def _letters(self, who: str) -> list[EmailMessage]:
        theirs = [each for each in self.outside.letters if each.recipient == address(who)]
        return [read(each.content) for each in theirs]

    def _card(self) -> EmailMessage:
        return [m for m in self._letters(BOSS) if "承認" in str(m["Subject"])][-1]

    def _new(self, who: str, words: str, files: Sequence[tuple[str, str, bytes]] = ()) -> bytes:
        mine, subject = address(who), "お願い"
        return written(
            words, sender=mine, to=DESK, subject=subject, message_id=self._id(), files=files
        )

    def _id(self) -> str:
        self.numbers.append(0)
        return f"<{len(self.numbers)}@acme.example>"

    async def _answer(self, who: str, letter: EmailMessage, words: str) -> bytes:
        quoted = "\n".join(f"> {line}" for line in said(letter).splitlines())
        return await self._take(
            written(
                f"{words}\n\nOn Thu, 26 Nov 2026 Miyabi <{DESK}> wrote:\n{quoted}\n",
                sender=address(who),
                to=str(letter["Reply-To"]),
                subject=f"Re: {letter['Subject']}",
                references=[*str(letter["References"] or "").split(), str(letter["Message-ID"])],
                message_id=self._id(),
            )
        )

    async def _take(self, raw: bytes) -> bytes:
        mail_id = await inbox.store(self.built.house, self.box, raw, came_by="smtp")
        assert mail_id is not None
        await deal_now(self.door, self.organisation.id, mail_id)
        return raw


def address(who: str) -> str:
    return f"{HANDLES[who]}@acme.example"


@asynccontextmanager
async def surface(ground: Ground) -> AsyncIterator[EmailSurface]:
    ground.patch.setenv("SSL_CERT_FILE", str(trust_file(ground.home)))
    async with (
        outside_server() as outside,
        open_house(ground.settings(), ground.services, pool_size=POOL) as built,
    ):
        accounts = {who: Sender("email", "default", address(who)) for who in ROLES}
        organisation = await hire(built.house, accounts)
        box = Box(
            new_id(),
            organisation.id,
            "default",
            DESK,
            "general",
            "見積 Miyabi",
            trust=Trust(authserv_ids=(PROVIDER,)),
            smtp=Server(outside.host, outside.port, "quote", "starttls"),
            secrets={"smtp_password": outside.password},
        )
        async with unit(built.house) as work:
            await boxes.add(work, built.house, box)
        door = Door(built.house, EmailSettings(), Here(), no_dns)
        yield EmailSurface(outside, built, organisation, box, door)
