"""Miyabi behind a LINE that is not LINE: the whole house in one process, to try it without an
account. Its data is a folder of its own, and nothing that is real is spoken to.
"""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn
from pydantic import SecretStr
from sqlalchemy import text

from bot.line.outbound import LineOutbound
from core import people
from core.anchor_settings import AnchorSettings
from core.errors import Refused
from core.house import House
from core.inbound import Sender
from core.organisations import Organisation
from core.people import Person
from core.settings import LedgerSettings, LineSettings, Settings, SlackSettings, StoreSettings
from core.unit import unit
from core.words import Words
from miyabi.plugins import all_platforms
from miyabi.seed import console_account
from miyabi.serve import Server, held_open
from miyabi.session import Session, session
from web.app import create_app

if TYPE_CHECKING:
    from tests.fakes.line.driver import Driver
    from tests.fakes.line.server import FakeLine

PUBLIC = "https://line-trial.example"
"""Where links would lead; they are shown with the address of this machine."""

_QUOTA = 200  # messages a month: the plan of LINE that costs nothing (developers.line.biz, pricing)

_NO_FAKE = Words(
    ja="「--as-line」は、テスト用のLINE（tests/fakes/line）を含むソースコードの中でだけ使えます。",
    en="“--as-line” works in a checkout of the source only, which has the LINE that tests use "
    "(tests/fakes/line).",
    zh="“--as-line”只能在包含测试用 LINE（tests/fakes/line）的源代码中使用。",
)


@dataclass(frozen=True, slots=True)
class Trial:
    """The house at work, the LINE beside it, and who is in both."""

    line: "FakeLine"
    session: Session
    organisation: Organisation
    everyone: list[Person]
    url: str

    @property
    def house(self) -> House:
        return self.session.house

    @property
    def people(self) -> "Driver":
        return self.line.driver(self.url)

    @property
    def first_answer(self) -> float:
        """Seconds until a new request is answered, by the settings."""
        line = self.session.settings.line
        return line.gather_seconds + line.first_answer_seconds

    def named(self, name: str) -> str:
        """The name in LINE of somebody named by handle or name; a stranger's stays what it is."""
        for person in self.everyone:
            if name in {person.handle, person.name, person.name.replace(" ", "")}:
                return person.name
        return name

    def here(self, address: str) -> str:
        """An address of ours as it is served on this machine."""
        return address.replace(PUBLIC, self.url, 1)

    async def busy(self) -> bool:
        """Whether anything is still to be dealt with, worked out or said."""
        async with self.house.engine.connect() as connection:
            found = await connection.scalar(
                # across organisations: there is one, made for the trial
                text(
                    "select exists (select from arrivals where state = 'received')"
                    " or exists (select from outbox where next_at <= now())"
                    " or exists (select from deliveries where state in ('pending', 'sending')"
                    " and next_at <= now() + interval '5 seconds')"
                    " or exists (select from tasks where state in ('received', 'running'))"
                )
            )
        return bool(found)


@asynccontextmanager
async def trial(settings: Settings) -> AsyncIterator[Trial]:
    """Open all of it and close it again. Raises Refused where the source is not there."""
    try:
        server = importlib.import_module("tests.fakes.line.server")
    except ImportError as error:
        raise Refused(_NO_FAKE) from error
    fake: Any = server.FakeLine()
    async with fake as line, session(_apart(settings, line), working=True) as opened:
        line.home.quota = _QUOTA
        organisation = await opened.organisation()
        everyone = await opened.everyone(organisation)
        await _befriend(opened.house, line, everyone)
        outbound = opened.house.outbounds["line"]
        assert isinstance(outbound, LineOutbound)  # noqa: S101  # the platform's own
        await outbound.channels.warm()
        async with _served(opened) as url:
            line.home.served_at = url
            yield Trial(line, opened, organisation, everyone, url)


def _apart(settings: Settings, line: "FakeLine") -> Settings:
    """The settings with a home of its own and nothing outside but this LINE."""
    given = settings.line
    home = settings.home / "as-line"
    channel = LineSettings(
        channel_id=line.home.id,
        channel_secret=SecretStr(line.home.secret),
        channel_access_token=SecretStr(line.home.token),
        api_url=line.api_url,
        data_url=line.api_url,
        gather_seconds=given.gather_seconds,
        first_answer_seconds=given.first_answer_seconds,
        reserve_percent=given.reserve_percent,
        link_days=given.link_days,
    )
    changed = {
        "home": home,
        "database_url": None,
        "database_owner_url": None,
        "redis_url": None,
        "public_url": PUBLIC,
        "slack": SlackSettings(),
        "line": channel,
        "ledger": LedgerSettings(),
        "store": StoreSettings(),
        "anchors": AnchorSettings(),
        "organisation": "default",
    }
    return settings.model_copy(update=changed)


async def _befriend(house: House, line: "FakeLine", everyone: list[Person]) -> None:
    """Everybody of the company is a friend of its account, and tied to it and to nothing else."""
    async with unit(house) as work:
        for person in everyone:
            account = Sender("line", line.home.destination, line.home.user(person.name).id)
            if await people.who(work.connection, account) is None:
                await people.link(work, person, account)
                await people.unlink(work, person, console_account("default", person.handle))


@asynccontextmanager
async def _served(opened: Session) -> AsyncIterator[str]:
    """The web process' part: LINE's webhook and the links, on a free port."""
    platform = all_platforms()["line"]
    config = uvicorn.Config(
        create_app(opened.built.opening, [platform]),
        port=0,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    assert platform.listen is not None  # noqa: S101  # LINE's is
    listening = asyncio.create_task(held_open(platform, platform.listen, opened.built.opening))
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        server.should_exit = True
        await serving
