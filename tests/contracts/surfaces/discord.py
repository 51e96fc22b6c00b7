"""Discord, behind its fake: messages by the gateway, a thread per task, buttons and forms."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from discord.gateway import DiscordWebSocket
from discord.http import Route

from core.inbound import Sender
from core.organisations import Organisation
from miyabi.build import Built, open_house
from tests.bot.discord import conftest as discord_office
from tests.contracts.surfaces.surface import BOSS, POOL, ROLES, Ground, hire
from tests.fakes.discord.checks import every
from tests.fakes.discord.driver import Driver, Reply
from tests.fakes.discord.limits import Json
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord.state import Channel, Message, User


@dataclass(slots=True)
class DiscordSurface:
    discord: FakeDiscord
    built: Built
    organisation: Organisation
    people: Driver
    users: dict[str, User]

    async def ask(self, who: str, words: str) -> object:
        return await self.people.say(words, self.users[who], self.discord.general, mention=True)

    async def again(self, delivered: object) -> None:
        if isinstance(delivered, Message):
            await self.people.echo(delivered)
        else:
            assert isinstance(delivered, Reply)
            await self.people.redeliver(delivered)

    async def reply(self, who: str, words: str) -> None:
        await self.people.say(words, self.users[who], self._threads()[-1], mention=True)

    async def press(self, who: str, label: str, reason: str = "") -> object | None:
        reply = await self.people.click(self._card(), label, self.users[who])
        await reply.answered()
        if reason:
            assert reply.modal is not None
            [field] = [p for p in every(reply.modal["components"]) if p["type"] == 4]
            values = {field["custom_id"]: reason}
            sent = await self.people.submit(reply, values, self.users[who])
            await sent.answered()
        return reply

    async def send_file(self, who: str, words: str, name: str, data: bytes) -> None:
        user, files = self.users[who], [(name, data)]
        await self.people.say(words, user, self.discord.general, mention=True, files=files)

    def seen_by(self, who: str) -> str:
        return "\n".join(m.text for m in self._messages(who))

    def labels(self) -> Sequence[str]:
        return [b["label"] for b in _buttons(self._card(pressable=False)) if b.get("label")]

    def told(self, about: str) -> tuple[str, Sequence[str]]:
        found = self.discord.said(self.users[BOSS], about)[-1:]
        return "".join(m.text for m in found), [b["label"] for m in found for b in _buttons(m)]

    async def press_told(self, who: str, about: str, label: str) -> str:
        message = self.discord.said(self.users[BOSS], about)[-1]
        reply = await self.people.click(message, label, self.users[who])
        await reply.answered()
        return (await reply.message()).text

    def documents(self, who: str) -> int:
        return sum(each.name.endswith(".pdf") for m in self._messages(who) for each in m.files)

    def refuse_once(self) -> Callable[[], bool]:
        fault = self.discord.fail_next("create_message", status=429, retry_after=0.2)
        return lambda: fault.times == 0

    def wrongs(self) -> Sequence[object]:
        return self.discord.violations

    def _messages(self, who: str) -> Iterator[Message]:
        """What the bot said in the guild, to this person alone, and for their eyes only."""
        user = self.users[who]
        for channel in list(self.discord.world.channels.values()):
            if channel.kind != 1 or channel.recipient is user:
                for message in self.discord.said(channel):
                    if message.only_for in (None, user.id):
                        yield message

    def _threads(self) -> list[Channel]:
        return [c for c in self.discord.world.channels.values() if c.is_thread]

    def _card(self, *, pressable: bool = True) -> Message:
        said = [m for t in self._threads() for m in self.discord.said(t, "承認のお願い")]
        return [m for m in said if _buttons(m) or not pressable][-1]


def _buttons(message: Message) -> list[Json]:
    return [p for p in every(message.body.get("components") or []) if p["type"] == 2]


@asynccontextmanager
async def surface(ground: Ground) -> AsyncIterator[DiscordSurface]:
    # What the app sets of discord.py is the whole process's.
    ground.patch.setattr(Route, "BASE", Route.BASE)
    ground.patch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)
    async with FakeDiscord() as fake:
        users = {who: fake.person(who) for who in ROLES}
        settings = discord_office.settings_for(fake, ground.home, ground.services)
        async with open_house(settings, ground.services, pool_size=POOL) as built:
            accounts = {who: Sender("discord", fake.home.id, users[who].id) for who in ROLES}
            organisation = await hire(built.house, accounts)
            async with discord_office.listening(built, fake):
                yield DiscordSurface(fake, built, organisation, fake.driver(), users)
