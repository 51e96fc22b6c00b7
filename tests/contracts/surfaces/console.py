"""The terminal: what is typed goes to the intake, and what is told stands in the database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from core.codec import load
from core.db import fetch_all, from_json
from core.documents import Files
from core.inbound import Answer, Click, Inbound, Sender, SentFile, Spot
from core.intake import accept
from core.messages import Message
from core.organisations import Organisation
from miyabi.build import Built, open_house
from miyabi.follow import Notices
from tests.contracts.surfaces.surface import BOSS, HANDLES, POOL, ROLES, Ground, hire


@dataclass(slots=True)
class ConsoleSurface:
    built: Built
    organisation: Organisation
    answers: dict[str, list[str]] = field(default_factory=dict)
    shown: dict[str, list[Message]] = field(default_factory=dict)
    noticed: dict[str, list[Message]] = field(default_factory=dict)
    thread: str = ""

    async def ask(self, who: str, words: str) -> object:
        self.thread = uuid4().hex
        return await self._act(self._inbound(who, text=words))

    async def again(self, delivered: object) -> None:
        assert isinstance(delivered, Inbound)
        answer = await accept(self.built.house, delivered)
        assert answer.repeated

    async def reply(self, who: str, words: str) -> None:
        await self._act(self._inbound(who, text=words))

    async def press(self, who: str, label: str, reason: str = "") -> object | None:
        button = next(b for b in self._card().buttons if b.label == label)
        return await self._act(self._inbound(who, click=Click(button.action, button.value, reason)))

    async def send_file(self, who: str, words: str, name: str, data: bytes) -> None:
        self.thread = uuid4().hex
        files = Files(self.built.house, self.organisation.id)
        sha256 = await files.put(data, "image/png")
        file = SentFile(sha256, name, "image/png", len(data))
        await self._act(self._inbound(who, text=words, files=(file,)))

    def seen_by(self, who: str) -> str:
        told = [part for message in self.shown.get(who, ()) for part in _words(message)]
        return "\n".join([*self.answers.get(who, ()), *told])

    def labels(self) -> Sequence[str]:
        return [button.label for button in self._card().buttons]

    def told(self, about: str) -> tuple[str, Sequence[str]]:
        found = self._told(about)
        return ("\n".join(_words(found)), [b.label for b in found.buttons]) if found else ("", [])

    async def press_told(self, who: str, about: str, label: str) -> str:
        found = self._told(about)
        assert found is not None
        button = next(b for b in found.buttons if b.label == label)
        await self._act(self._inbound(who, click=Click(button.action, button.value)))
        return self.answers[who][-1]

    def documents(self, who: str) -> int:
        return sum(len(message.files) for message in self.shown.get(who, ()))

    def refuse_once(self) -> Callable[[], bool]:
        return lambda: True  # nobody has to be called, so nobody refuses

    def wrongs(self) -> Sequence[object]:
        return ()

    async def follow(self) -> None:
        """Read what stands in everybody's conversations, again and again."""
        house, organisation_id = self.built.house, self.organisation.id
        notices = {who: Notices(house, organisation_id, HANDLES[who]) for who in HANDLES}
        while True:
            for who, handle in HANDLES.items():
                self.shown[who] = await self._standing(handle)
                self.noticed.setdefault(who, []).extend(await notices[who].fresh())
            await asyncio.sleep(0.05)

    def _told(self, about: str) -> Message | None:
        return next((m for m in reversed(self.noticed.get(BOSS, ())) if about in m.text), None)

    async def _standing(self, handle: str) -> list[Message]:
        async with self.built.house.engine.connect() as connection:
            rows = await fetch_all(
                connection,
                "select m.body from messages m join threads h on h.id = m.thread_id"
                " where m.organisation_id = :id and h.account = :account order by m.id",
                {"id": self.organisation.id, "account": handle},
            )
        return [load(Message, from_json(row.body)) for row in rows if row.body is not None]

    def _card(self) -> Message:
        return [m for m in self.shown.get(BOSS, ()) if "承認のお願い" in m.text][-1]

    def _inbound(self, who: str, **what: object) -> Inbound:
        sender = Sender("console", "local", HANDLES[who])
        return Inbound(sender, Spot(HANDLES[who], self.thread), uuid4().hex, **what)  # type: ignore[arg-type]

    async def _act(self, inbound: Inbound) -> Inbound:
        answer: Answer = await accept(self.built.house, inbound, click_patience=30)
        who = next(name for name, handle in HANDLES.items() if handle == inbound.sender.account)
        if answer.message is not None:
            self.answers.setdefault(who, []).append(answer.message.text)
        return inbound


def _words(message: Message) -> list[str]:
    pairs = [*message.fields, *message.totals, *message.sections]
    steps = [f"{'●' if step.state == 'done' else '○'} {step.label}" for step in message.progress]
    lines = [f"{line.name} {line.detail} {line.amount}" for line in message.lines]
    return [message.text, message.title, message.body, message.note, *steps, *lines,
            *(f"{pair.label} {pair.value}" for pair in pairs)]  # fmt: skip


@asynccontextmanager
async def surface(ground: Ground) -> AsyncIterator[ConsoleSurface]:
    async with open_house(ground.settings(), ground.services, pool_size=POOL) as built:
        accounts = {who: Sender("console", "local", HANDLES[who]) for who in ROLES}
        organisation = await hire(built.house, accounts)
        made = ConsoleSurface(built, organisation)
        following = asyncio.create_task(made.follow())
        try:
            yield made
        finally:
            following.cancel()
            await asyncio.wait([following])
