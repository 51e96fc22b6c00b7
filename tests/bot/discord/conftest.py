"""The whole house behind a fake Discord: gateway, HTTP, worker, database, a company of three."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from pydantic import SecretStr
from sqlalchemy import text
from starlette.applications import Starlette

from bot.discord import gateway, platform
from core import organisations, people
from core.company import Company
from core.house import House
from core.inbound import Sender
from core.organisations import Organisation
from core.settings import DiscordSettings, Settings
from core.unit import unit
from miyabi.build import Built, open_house
from miyabi.embedded import Services
from tests.fakes.discord.driver import Driver
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord.state import Channel, Message, User
from tests.running import at_port, working

COMPANY = Company("株式会社みやび商会", "100-0001", "東京都千代田区千代田1-1", "03-0000-0000")
REQUEST = "quote 株式会社ABC商事 モニター5台 キーボード10個 納期12/25"
TOTAL = "244,200円"
NAMES = {"hanako": "佐藤 花子", "ichiro": "鈴木 一郎", "saburo": "田中 三郎"}
PEOPLE = {
    "hanako": "requester",
    "ichiro": "requester approver",
    "saburo": "approver admin",
}


@dataclass
class Office:
    """A company that uses Miyabi in Discord: hanako asks, ichiro and saburo approve."""

    discord: FakeDiscord
    built: Built
    organisation: Organisation
    users: dict[str, User]
    channel: Channel
    url: str = ""
    listening: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def house(self) -> House:
        return self.built.house

    @property
    def driver(self) -> Driver:
        """People who use it by the gateway."""
        return self.discord.driver()

    @property
    def http(self) -> Driver:
        """People whose interactions come by HTTP."""
        return self.discord.driver(self.url)

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        async with self.house.engine.connect() as connection:
            return list(await connection.execute(text(sql), values))

    def everywhere(self) -> list[Channel]:
        return list(self.discord.world.channels.values())

    def saying(self, words: str) -> list[Message]:
        """The bot's messages anywhere that say this."""
        return [m for place in self.everywhere() for m in self.discord.said(place, words)]

    async def said(self, words: str, timeout: float = 15.0) -> Message:
        """The bot's latest message that says this, once it is there."""
        return (await self.discord.wait_for(lambda: self.saying(words), timeout))[-1]

    async def card(self) -> Message:
        """The approval card in a task's thread, once it is there with its buttons."""

        def shown() -> list[Message]:
            return [
                m
                for place in self.everywhere()
                if place.is_thread
                for m in self.discord.said(place, "承認のお願い")
                if "approve" in str(m.body)
            ]

        return (await self.discord.wait_for(shown, 20.0))[-1]


def settings_for(fake: FakeDiscord, home: Path, services: Services, **more: Any) -> Settings:
    """Settings of an installation whose Discord is the fake."""
    given: dict[str, Any] = {
        "bot_token": SecretStr(fake.world.bot_token),
        "public_key": fake.public_key,
        "api_url": fake.api_url,
        "gateway_url": fake.gateway_url,
    }
    return Settings(
        home=home,
        database_url=SecretStr(services.database_url),
        redis_url=SecretStr(services.redis_url),
        secret_key=SecretStr("A" * 43 + "="),
        public_url="https://miyabi.example",
        discord=DiscordSettings(**(given | more)),
    )


async def hire(house: House, fake: FakeDiscord, users: dict[str, User]) -> Organisation:
    """An organisation whose people are these users of the guild."""
    async with unit(house) as work:
        organisation = await organisations.add(work, "default", COMPANY)
        for name, user in users.items():
            person = await people.add(
                work, organisation.id, name, NAMES[name], frozenset(PEOPLE[name].split())
            )
            await people.link(work, person, Sender("discord", fake.home.id, user.id))
    return organisation


@asynccontextmanager
async def listening(built: Built, fake: FakeDiscord) -> AsyncIterator[None]:
    """The gateway of the house, connected, with its commands registered."""
    task = asyncio.create_task(gateway.listen(built.opening))
    try:
        await fake.wait_for(lambda: task.done() or (fake.gateway.open and fake.world.commands))
        if task.done():
            task.result()
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    """A Discord with one guild; nothing that is sent to it may be against its rules."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with FakeDiscord() as fake:
        yield fake
        assert fake.violations == []
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


@pytest.fixture
def services(database_url: str, redis_url: str) -> Services:
    return Services(database_url, database_url, redis_url)


@pytest.fixture
async def quiet_office(
    discord: FakeDiscord, services: Services, tmp_path: Path
) -> AsyncIterator[Office]:
    """The company, without a worker: nothing happens but what is taken in."""
    settings = settings_for(discord, tmp_path, services)
    async with open_house(settings, services) as built:
        users = {name: discord.person(name) for name in PEOPLE}
        organisation = await hire(built.house, discord, users)
        app = Starlette(routes=list(platform.routes(built.opening)))  # type: ignore[arg-type]
        async with at_port(app) as url, listening(built, discord):
            yield Office(discord, built, organisation, users, discord.channel("sales"), url)


@pytest.fixture
async def office(quiet_office: Office) -> AsyncIterator[Office]:
    """The company at work."""
    async with working(quiet_office.built):
        yield quiet_office
