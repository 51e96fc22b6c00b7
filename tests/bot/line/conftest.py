"""The whole house behind a fake LINE: web, worker, database, and a company of three."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import linebot.v3.messaging  # loaded before anybody waits: it takes a second
import linebot.v3.oauth  # noqa: F401
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from core import organisations, people
from core.company import Company
from core.house import House
from core.inbound import Sender
from core.organisations import Organisation
from core.settings import LineSettings, Settings
from core.unit import unit
from miyabi.build import Built, open_house
from miyabi.embedded import Services
from miyabi.plugins import all_platforms
from tests.bot.line.desk import Desk
from tests.fakes.line.driver import Driver
from tests.fakes.line.reading import buttons
from tests.fakes.line.server import FakeLine
from tests.fakes.line.state import Channel, Said
from tests.running import at_port, working
from web.app import create_app

COMPANY = Company("株式会社みやび商会", "100-0001", "東京都千代田区千代田1-1", "03-0000-0000")
REQUEST = "見積 株式会社ABC商事 モニター5台 キーボード10個 納期12/25"
TOTAL = "244,200円"
KEY = "A" * 43 + "="
PUBLIC = "https://miyabi.example"
POOL = 20  # connections to the database that the web has

PEOPLE = {"花子": "requester", "一郎": "requester approver", "三郎": "approver admin"}


@dataclass
class Office:
    """A company that uses Miyabi in LINE: 花子 asks, 一郎 and 三郎 approve, 一郎 may ask too.

    A fourth, 知らない人, is a friend of the account and nobody to Miyabi.
    """

    line: FakeLine
    built: Built
    url: str
    organisation: Organisation

    @property
    def house(self) -> House:
        return self.built.house

    @property
    def people(self) -> Driver:
        """The people of the company's own channel."""
        return self.line.driver(self.url)

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        async with self.house.engine.connect() as connection:
            return list(await connection.execute(text(sql), values))

    async def until(self, sql: str, timeout: float = 15.0) -> list[Any]:
        """The rows, once there are any."""
        async with asyncio.timeout(timeout):
            while not (rows := await self.rows(sql)):  # noqa: ASYNC110  # nothing tells
                await asyncio.sleep(0.02)
        return rows

    async def count(self, table: str) -> int:
        return int((await self.rows(f"select count(*) as n from {table}"))[0].n)

    async def said(self, chat: str, words: str = "", timeout: float = 15.0) -> Said:
        """The bot's latest message in a chat that says this, once it is there."""
        return (await self.line.wait_for(lambda: self.line.said(chat, words), timeout))[-1]

    async def card(self, chat: str, label: str = "承認", timeout: float = 20.0) -> Said:
        """The latest message in a chat that can be pressed so, once it is there."""

        def shown() -> list[Said]:
            said = self.line.said(chat)
            return [m for m in said if any(b.label.startswith(label) for b in buttons(m))]

        return (await self.line.wait_for(shown, timeout))[-1]

    def here(self, address: str) -> str:
        """Where a public address of ours is served in this test."""
        assert address.startswith(PUBLIC)
        return self.url + address.removeprefix(PUBLIC)


def settings_for(line: FakeLine, home: Path, services: Services, **more: Any) -> Settings:
    """Settings of an installation whose LINE is the fake, in haste: nothing is gathered for long,
    and a new request's receipt waits only a moment for something better."""
    given: dict[str, Any] = {
        "channel_id": line.home.id,
        "channel_secret": SecretStr(line.home.secret),
        "channel_access_token": SecretStr(line.home.token),
        "api_url": line.api_url,
        "data_url": line.api_url,
        "gather_seconds": 0,
        "first_answer_seconds": 0.2,
    }
    return Settings(
        home=home,
        database_url=SecretStr(services.database_url),
        redis_url=SecretStr(services.redis_url),
        secret_key=SecretStr(KEY),
        public_url=PUBLIC,
        line=LineSettings(**(given | more)),
    )


async def hire(
    house: House, slug: str, company: Company, channel: Channel, roles: dict[str, str]
) -> Organisation:
    """An organisation whose people are friends of this channel, by their names."""
    async with unit(house) as work:
        organisation = await organisations.add(work, slug, company)
        for number, (name, given) in enumerate(roles.items(), start=1):
            handle = f"p{number}"
            person = await people.add(work, organisation.id, handle, name, frozenset(given.split()))
            account = Sender("line", channel.destination, channel.user(name).id)
            await people.link(work, person, account)
    return organisation


@asynccontextmanager
async def serving(built: Built) -> AsyncIterator[str]:
    """The web process: LINE's routes and the links on a free port, and what listens beside them."""
    platform = all_platforms()["line"]
    async with at_port(create_app(built.opening, [platform])) as url:
        assert platform.listen is not None
        listening = asyncio.create_task(platform.listen(built.opening))
        try:
            yield url
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening


@pytest.fixture
async def line() -> AsyncIterator[FakeLine]:
    """A LINE with one channel; nothing that is sent to it may be against its rules."""
    async with FakeLine() as fake:
        fake.home.user("知らない人")
        yield fake
        assert fake.violations == []


@pytest.fixture
def services(database_url: str, redis_url: str) -> Services:
    return Services(database_url, database_url, redis_url)


@pytest.fixture
def line_settings() -> dict[str, Any]:
    """What a module or test has otherwise in the settings of LINE: override it."""
    return {}


@pytest.fixture
async def quiet_office(
    line: FakeLine, services: Services, tmp_path: Path, line_settings: dict[str, Any]
) -> AsyncIterator[Office]:
    """The company, without a worker: nothing happens but what is taken in."""
    settings = settings_for(line, tmp_path, services, **line_settings)
    async with open_house(settings, services, pool_size=POOL) as built:
        organisation = await hire(built.house, "default", COMPANY, line.home, PEOPLE)
        async with serving(built) as url:
            line.home.served_at = url
            # As in a process that has run for a while; what comes before is tests' own matter.
            await built.house.outbounds["line"].channels.warm()
            yield Office(line, built, url, organisation)


@pytest.fixture
async def office(quiet_office: Office) -> AsyncIterator[Office]:
    """The company at work."""
    async with working(quiet_office.built):
        yield quiet_office


@pytest.fixture
async def desk(line: FakeLine, services: Services, tmp_path: Path) -> AsyncIterator[Desk]:
    """The way out alone: no web, no worker."""
    async with open_house(settings_for(line, tmp_path, services), services) as built:
        organisation = await hire(built.house, "default", COMPANY, line.home, PEOPLE)
        yield Desk(line, built, organisation)
