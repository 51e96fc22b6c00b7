"""The whole house behind a fake Slack: web, worker, database, and a company of three."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from starlette.applications import Starlette

from bot.slack import actions, platform
from bot.slack.outbound import SlackOutbound
from core import organisations, people
from core.company import Company
from core.house import House
from core.inbound import Sender
from core.organisations import Organisation
from core.settings import Settings, SlackSettings
from core.unit import unit
from miyabi.build import Built, open_house
from miyabi.embedded import Services
from tests.fakes.slack.driver import SIGNING_SECRET, Driver
from tests.fakes.slack.server import FakeSlack
from tests.fakes.slack.state import Message, View
from tests.running import at_port, working


@pytest.fixture(autouse=True)
def _patient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How soon a press is answered is not the question where tests share the machine, but for those
    of it."""
    if request.node.get_closest_marker("how_soon") is None:
        monkeypatch.setattr(actions, "CLICK_PATIENCE", 5)


COMPANY = Company("株式会社みやび商会", "100-0001", "東京都千代田区千代田1-1", "03-0000-0000")
REQUEST = "quote 株式会社ABC商事 モニター5台 キーボード10個 納期12/25"
TOTAL = "244,200円"
KEY = "A" * 43 + "="
POOL = 20  # connections to the database that the web has


@dataclass
class Office:
    """A company that uses Miyabi in Slack: U1 asks, U2 and U3 approve, U2 may ask too."""

    slack: FakeSlack
    built: Built
    url: str
    organisation: Organisation

    @property
    def house(self) -> House:
        return self.built.house

    @property
    def outbound(self) -> SlackOutbound:
        outbound = self.house.outbounds["slack"]
        assert isinstance(outbound, SlackOutbound)
        return outbound

    @property
    def driver(self) -> Driver:
        """People of the first workspace."""
        return self.slack.driver(self.url)

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        async with self.house.engine.connect() as connection:
            return list(await connection.execute(text(sql), values))

    async def count(self, table: str) -> int:
        return int((await self.rows(f"select count(*) as n from {table}"))[0].n)

    def roots(self, channel: str = "C1") -> list[Message]:
        """What the bot began a conversation with in a channel, or broadcast to it."""
        return [m for m in self._posted(channel) if m.thread_ts is None]

    def _posted(self, channel: str) -> list[Message]:
        found = self.slack.home.channels.get(channel)
        messages = found.messages.values() if found else ()
        return [m for m in messages if m.bot_id and not m.deleted]

    async def root(self, channel: str = "C1") -> Message:
        """The first message of a task's thread."""
        roots = await self.slack.wait_for(lambda: self.roots(channel))
        return roots[0]

    def saying(self, channel: str, words: str) -> list[Message]:
        """The bot's messages in a conversation that say this, oldest first."""
        return [m for m in self._posted(channel) if words in m.text]

    async def said(self, channel: str, words: str, timeout: float = 15.0) -> Message:
        """The bot's latest message in a conversation that says this, once it is there."""
        found = await self.slack.wait_for(lambda: self.saying(channel, words), timeout)
        return found[-1]

    async def card(self, channel: str = "C1") -> Message:
        """The approval card, once it is there with its buttons."""

        def shown() -> list[Message]:
            return [m for m in self.saying(channel, "承認のお願い") if _has_buttons(m)]

        return (await self.slack.wait_for(shown, 20.0))[-1]

    def whispers(self, user: str) -> list[str]:
        """What only this person was told, oldest first."""
        return [m.text for m in self.slack.home.ephemerals if m.only_for == user]

    async def whispered(self, user: str, words: str, timeout: float = 10.0) -> str:
        def heard() -> list[str]:
            return [said for said in self.whispers(user) if words in said]

        return (await self.slack.wait_for(heard, timeout))[-1]

    async def modal(self, user: str, ready: Callable[[View], bool] = lambda view: True) -> View:
        """The modal somebody has in front, once it is as wanted."""

        def shown() -> View | None:
            view = self.slack.modal(user)
            return view if view is not None and ready(view) else None

        found = await self.slack.wait_for(shown)
        assert found is not None
        return found

    async def quote(self, words: str = REQUEST, user: str = "U1") -> Message:
        """Ask for a quotation in the channel; gives the approval card."""
        before = len(self.saying("C1", "承認のお願い"))
        reply = await self.driver.slash(words, user=user, channel="C1")
        assert "受け付けました" in reply.json["text"]
        await self.slack.wait_for(lambda: len(self.saying("C1", "承認のお願い")) > before, 20.0)
        return await self.card()

    async def use_price_list(self, catalog: Path) -> None:
        """Take prices from this file from now on."""
        prices = {"connector": "csv", "catalog": str(catalog)}
        company = replace(self.organisation.company, price_list=prices)
        async with unit(self.house) as work:
            await organisations.change_company(work, self.organisation.id, company)

    async def form(self, user: str) -> View:
        """The form somebody has in front, once it has taken the loading view's place."""
        return await self.modal(user, lambda view: "submit" in view.body)


def _has_buttons(message: Message) -> bool:
    return any(block["type"] == "actions" for block in message.blocks)


def settings_for(slack: FakeSlack, home: Path, services: Services, **more: Any) -> Settings:
    """Settings of an installation whose Slack is the fake."""
    given: dict[str, Any] = {
        "signing_secret": SecretStr(SIGNING_SECRET),
        "bot_token": SecretStr("xoxb-t1"),
        "api_url": slack.api_url,
    }
    return Settings(
        home=home,
        database_url=SecretStr(services.database_url),
        redis_url=SecretStr(services.redis_url),
        secret_key=SecretStr(KEY),
        public_url="https://miyabi.example",
        slack=SlackSettings(**(given | more)),
    )


async def hire(house: House, slug: str, company: Company, team: str, users: dict[str, str]) -> Any:
    """An organisation whose people are these users of a workspace, given with their roles."""
    async with unit(house) as work:
        organisation = await organisations.add(work, slug, company)
        for user, roles in users.items():
            person = await people.add(
                work, organisation.id, user.lower(), NAMES.get(user, user), frozenset(roles.split())
            )
            await people.link(work, person, Sender("slack", team, user))
    return organisation


NAMES = {"U1": "佐藤 花子", "U2": "鈴木 一郎", "U3": "田中 三郎"}
PEOPLE = {"U1": "requester", "U2": "requester approver", "U3": "approver admin"}


@asynccontextmanager
async def serving(built: Built) -> AsyncIterator[str]:
    """Slack's routes behind uvicorn on a free port; gives the address."""
    app = Starlette(routes=list(platform.routes(built.opening)))
    async with at_port(app) as url:
        yield url


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    """A Slack with one workspace; nothing that is sent to it may be against its rules."""
    async with FakeSlack() as fake:
        fake.channel("C1", name="sales", members=("U1", "U2", "U3"))
        yield fake
        assert fake.violations == []


@pytest.fixture
def services(database_url: str, redis_url: str) -> Services:
    return Services(database_url, database_url, redis_url)


@pytest.fixture
async def quiet_office(
    slack: FakeSlack, services: Services, tmp_path: Path
) -> AsyncIterator[Office]:
    """The company, without a worker: nothing happens but what is taken in."""
    async with open_house(
        settings_for(slack, tmp_path, services), services, pool_size=POOL
    ) as built:
        organisation = await hire(built.house, "default", COMPANY, "T1", PEOPLE)
        async with serving(built) as url:
            yield Office(slack, built, url, organisation)


@pytest.fixture
async def office(quiet_office: Office) -> AsyncIterator[Office]:
    """The company at work."""
    async with working(quiet_office.built):
        yield quiet_office
