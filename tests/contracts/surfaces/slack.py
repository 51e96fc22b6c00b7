"""Slack, behind its fake."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core.inbound import Sender
from core.organisations import Organisation
from core.settings import SlackSettings
from miyabi.build import Built, open_house
from tests.bot.slack import conftest as slack_office
from tests.contracts.surfaces.surface import ASKER, BOSS, POOL, SECOND, Ground, hire
from tests.fakes.slack.driver import SIGNING_SECRET, Driver, Reply
from tests.fakes.slack.reading import buttons, labels, text_of
from tests.fakes.slack.server import FakeSlack
from tests.fakes.slack.state import Message

USERS = {ASKER: "U1", SECOND: "U2", BOSS: "U3"}


@dataclass(slots=True)
class SlackSurface:
    slack: FakeSlack
    built: Built
    organisation: Organisation
    people: Driver

    async def ask(self, who: str, words: str) -> object:
        return await self.people.mention(words, user=USERS[who], channel="C1")

    async def again(self, delivered: object) -> None:
        assert isinstance(delivered, Reply)
        await self.people.redeliver(delivered)

    async def reply(self, who: str, words: str) -> None:
        asked = [m for m in self._messages("C1") if not m.bot_id and m.thread_ts is None]
        user, where = USERS[who], asked[-1].ts
        await self.people.message(f"!miyabi {words}", user=user, channel="C1", thread_ts=where)

    async def press(self, who: str, label: str, reason: str = "") -> object | None:
        user = USERS[who]
        reply = await self.people.click(self._card(), label, user=user)
        if reason:
            view = await self.slack.wait_for(
                lambda: (found := self.slack.modal(user)) and "submit" in found.body and found
            )
            assert view
            await self.people.submit_view(view, {"reason": reason}, user=user)
        return reply

    async def send_file(self, who: str, words: str, name: str, data: bytes) -> None:
        file = self.people.file(name, data)
        await self.people.mention(words, user=USERS[who], channel="C1", files=[file])

    def seen_by(self, who: str) -> str:
        shown = [m for channel in ("C1", f"D{USERS[who]}") for m in self._messages(channel)]
        whispers = [m for m in self.slack.home.ephemerals if m.only_for == USERS[who]]
        return "\n".join(f"{m.text}\n{text_of(m)}" for m in [*shown, *whispers] if m.bot_id)

    def labels(self) -> Sequence[str]:
        return labels(self._card(pressable=False))

    def told(self, about: str) -> tuple[str, Sequence[str]]:
        found = self._told(about)
        return "\n".join(text_of(m) for m in found), [each for m in found for each in labels(m)]

    async def press_told(self, who: str, about: str, label: str) -> str:
        [message], user = self._told(about), USERS[who]

        def answers() -> list[Message]:
            """For their eyes only; directly to whoever is not in that conversation."""
            whispers = [m for m in self.slack.home.ephemerals if m.only_for == user]
            return [*whispers, *(m for m in self._messages(f"D{user}") if m.ts > message.ts)]

        before = len(answers())
        await self.people.click(message, label, user=user)
        said = await self.slack.wait_for(lambda: answers()[before:])
        return said[-1].text

    def documents(self, who: str) -> int:
        return sum(bool(m.files and m.files[0].data) for m in self._messages("C1") if m.bot_id)

    def refuse_once(self) -> Callable[[], bool]:
        fault = self.slack.fail_next("chat.postMessage", status=429, retry_after=1)
        return lambda: fault.times == 0

    def wrongs(self) -> Sequence[object]:
        return self.slack.violations

    def _messages(self, channel: str) -> list[Message]:
        found = self.slack.home.channels.get(channel)
        return [m for m in found.messages.values() if not m.deleted] if found else []

    def _told(self, about: str) -> list[Message]:
        return [m for m in self._messages(f"D{USERS[BOSS]}") if m.bot_id and about in m.text][-1:]

    def _card(self, *, pressable: bool = True) -> Message:
        said = [m for m in self._messages("C1") if m.bot_id and "承認のお願い" in m.text]
        return [m for m in said if buttons(m) or not pressable][-1]


@asynccontextmanager
async def surface(ground: Ground) -> AsyncIterator[SlackSurface]:
    async with FakeSlack() as fake:
        fake.channel("C1", name="sales", members=tuple(USERS.values()))
        settings = ground.settings(
            slack=SlackSettings(
                signing_secret=SIGNING_SECRET, bot_token="xoxb-t1", api_url=fake.api_url
            )
        )
        async with open_house(settings, ground.services, pool_size=POOL) as built:
            accounts = {who: Sender("slack", "T1", user) for who, user in USERS.items()}
            organisation = await hire(built.house, accounts)
            async with slack_office.serving(built) as url:
                yield SlackSurface(fake, built, organisation, fake.driver(url))
