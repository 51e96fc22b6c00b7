"""LINE, behind its fake: no threads, no edits, no files."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from core.inbound import Sender
from core.organisations import Organisation
from core.settings import LineSettings
from miyabi.build import Built, open_house
from tests.bot.line import conftest as line_office
from tests.contracts.surfaces.surface import BOSS, POOL, ROLES, Ground, hire
from tests.fakes.line.driver import Driver, Reply
from tests.fakes.line.reading import buttons, find, words
from tests.fakes.line.server import FakeLine
from tests.fakes.line.state import Said


@dataclass(slots=True)
class LineSurface:
    line: FakeLine
    built: Built
    organisation: Organisation
    people: Driver
    pressed: list[Any] = field(default_factory=list)

    async def ask(self, who: str, words: str) -> object:
        return await self.people.say(words, who)

    async def again(self, delivered: object) -> None:
        assert isinstance(delivered, Reply)
        await self.people.redeliver(*delivered.events)

    async def reply(self, who: str, words: str) -> None:
        await self.people.say(words, who)

    async def press(self, who: str, label: str, reason: str = "") -> object | None:
        button = find(buttons(self._card()), label)
        assert button is not None
        reply = await self.people.press_button(button, who, who)
        if reason:
            before = len(self.line.said(who))
            await self.line.wait_for(lambda: len(self.line.said(who)) > before)
            await self.people.say(reason, who)
        return reply

    async def send_file(self, who: str, words: str, name: str, data: bytes) -> None:
        make = self.people.make
        await self.people.deliver(make.text(words, who), make.image(data, who))

    def seen_by(self, who: str) -> str:
        return "\n".join(f"{said.text}\n{words(said)}" for said in self.line.said(who))

    def labels(self) -> Sequence[str]:
        return [button.label for button in buttons(self._card())]

    def told(self, about: str) -> tuple[str, Sequence[str]]:
        found = self._told(about)
        labels = [button.label for said in found for button in buttons(said)]
        return "\n".join(words(said) for said in found), labels

    async def press_told(self, who: str, about: str, label: str) -> str:
        [said] = self._told(about)
        button = find(buttons(said), label)
        assert button is not None
        before = len(self.line.said(who))
        await self.people.press_button(button, who, who)
        await self.line.wait_for(lambda: len(self.line.said(who)) > before)
        return words(self.line.said(who)[-1])

    def documents(self, who: str) -> int:
        found = [b for said in self.line.said(who) for b in buttons(said) if b.kind == "uri"]
        return sum("/d/" in b.action["uri"] for b in found)

    def refuse_once(self) -> Callable[[], bool]:
        calls = ("replyMessage", "pushMessage")
        faults = [self.line.fail_next(call, status=429) for call in calls]
        return lambda: any(fault.times == 0 for fault in faults)

    def wrongs(self) -> Sequence[object]:
        return self.line.violations

    def _told(self, about: str) -> list[Said]:
        return [m for m in self.line.said(BOSS) if about in f"{m.text}\n{words(m)}"][-1:]

    def _card(self) -> Said:
        said = self.line.said(BOSS)
        return [m for m in said if any(b.label.startswith("承認") for b in buttons(m))][-1]


@asynccontextmanager
async def surface(ground: Ground) -> AsyncIterator[LineSurface]:
    async with FakeLine() as fake:
        given = line_office.settings_for(fake, ground.home, ground.services)
        settings = ground.settings(line=LineSettings.model_validate(given.line.model_dump()))
        async with open_house(settings, ground.services, pool_size=POOL) as built:
            home = fake.home
            accounts = {who: Sender("line", home.destination, home.user(who).id) for who in ROLES}
            organisation = await hire(built.house, accounts)
            async with line_office.serving(built) as url:
                home.served_at = url
                await built.house.outbounds["line"].channels.warm()
                yield LineSurface(fake, built, organisation, fake.driver(url))
