"""The ground of a run: servers, proxies before them, a Slack, a company, and the fleet."""

import asyncio
import base64
import contextlib
import json
import os
import random
import secrets
import socket
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg  # type: ignore[import-untyped]
from pydantic import SecretStr

from bot.api import tokens
from connectors.google_sheets.ledger import COLUMNS
from core import organisations, people
from core.house import House
from core.inbound import Sender
from core.migrate import upgrade_async
from core.settings import Settings, SlackSettings
from core.unit import unit
from miyabi.build import open_house
from miyabi.embedded import Services, embedded
from miyabi.seed import COMPANY, PEOPLE, console_account
from tests.chaos.fleet import REPOSITORY, Fleet, Kept
from tests.chaos.plan import CHANNELS
from tests.chaos.proxy import Proxy
from tests.fakes.google_sheets.account import Account
from tests.fakes.google_sheets.server import KEY, FakeGoogle
from tests.fakes.slack.driver import SIGNING_SECRET
from tests.fakes.slack.server import FakeSlack

WORKERS = 3
ACCOUNTS = {
    "tanaka": "U1",
    "inoue": "U2",
    "kimura": "U3",
    "hayashi": "U4",
    "shimizu": "U5",
    "suzuki": "U8",
    "sato": "U9",
}
BOSSES = ("suzuki", "sato")
LEDGER = "見積台帳"

_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it shuts down or starts up, or has crashed
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What the driver says of a server that goes away under it."""
_ALEMBIC = threading.Lock()  # it has one state for the whole process
_OURS = ("MIYABI_", "SLACK_", "DATABASE_", "REDIS_", "CHAOS_")


@dataclass(frozen=True, slots=True)
class Town:
    """Everything a run needs. `database` is PostgreSQL itself; our processes go by the proxies."""

    folder: Path
    database: str
    valkey: Path
    proxies: dict[str, Proxy]
    slack: FakeSlack
    google: FakeGoogle
    house: House
    fleet: Fleet
    web_url: str
    tokens: dict[str, str]
    environment: dict[str, str]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    async def rows(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """Ask the database itself, again and again while it is away."""
        while True:
            try:
                connection = await asyncpg.connect(self.database, timeout=5)
                try:
                    return list(await connection.fetch(sql, *values, timeout=30))
                finally:
                    await connection.close(timeout=5)
            except (OSError, TimeoutError, *_AWAY):
                await asyncio.sleep(0.2)


@asynccontextmanager
async def town(*, mutation: str = "") -> AsyncIterator[Town]:
    """Build it all, the fleet not yet begun; take it down at the end."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="miyabi-chaos-")))
        folder.chmod(0o711)  # PostgreSQL's account passes through
        (folder / "orders").mkdir()
        home = folder / "home"
        local = Settings(home=home, database_url=None, redis_url=None)
        services = await stack.enter_async_context(embedded(local, durable=True))
        await asyncio.to_thread(_ALEMBIC.acquire)
        try:
            await upgrade_async(services.owner_url)
        finally:
            _ALEMBIC.release()
        await _watch_threads(services.owner_url)
        slack = await stack.enter_async_context(FakeSlack())
        google = await stack.enter_async_context(FakeGoogle(Account()))
        google.sheets[LEDGER] = [[names[0] for names in COLUMNS]]
        proxies = await _proxies(stack, services, slack, google)
        through = Services(
            f"postgresql+asyncpg://postgres@127.0.0.1:{proxies['postgres'].port}/miyabi",
            services.owner_url,
            f"redis://127.0.0.1:{proxies['valkey'].port}/0",
        )
        settings = _settings(home, through, slack)
        async with open_house(settings, services) as built:  # with the keys that the fleet has
            given = await _found(built.house, _ledger(folder, google, proxies["google"]))
        port = _free_port()
        environment = _environment(folder, settings, port) | {"CHAOS_MUTATION": mutation}
        built = await stack.enter_async_context(open_house(settings, through))
        roles = [("web", "web"), *((f"worker {n}", "worker") for n in range(1, WORKERS + 1))]
        fleet = Fleet(
            [
                Kept(name, role, environment, folder / f"{name.replace(' ', '-')}.log")
                for name, role in roles
            ]
        )
        stack.push_async_callback(fleet.stop)
        database = services.database_url.replace("+asyncpg", "")
        yield Town(
            folder,
            database,
            Path(urlsplit(services.redis_url).path),
            proxies,
            slack,
            google,
            built.house,
            fleet,
            f"http://127.0.0.1:{port}",
            given,
            environment,
        )


async def _proxies(
    stack: AsyncExitStack, services: Services, slack: FakeSlack, google: FakeGoogle
) -> dict[str, Proxy]:
    query = parse_qs(urlsplit(services.database_url).query)
    postgres = Path(query["host"][0]) / ".s.PGSQL.5432"
    valkey = urlsplit(services.redis_url).path
    there, sheets = urlsplit(slack.world.base_url), urlsplit(google.base_url)
    proxies = {
        "postgres": Proxy(lambda: asyncio.open_unix_connection(postgres)),
        "valkey": Proxy(lambda: asyncio.open_unix_connection(valkey)),
        "slack": Proxy(lambda: asyncio.open_connection(there.hostname, there.port)),
        "google": Proxy(lambda: asyncio.open_connection(sheets.hostname, sheets.port)),
    }
    for proxy in proxies.values():
        await stack.enter_async_context(proxy)
    # What Slack calls itself from now on: uploads go by the proxy too.
    slack.world.base_url = f"http://127.0.0.1:{proxies['slack'].port}"
    for channel in CHANNELS:
        slack.channel(channel, members=ACCOUNTS.values())
    return proxies


def _settings(home: Path, services: Services, slack: FakeSlack) -> Settings:
    return Settings(
        home=home,
        database_url=SecretStr(services.database_url),
        redis_url=SecretStr(services.redis_url),
        secret_key=SecretStr(base64.b64encode(secrets.token_bytes(32)).decode()),
        slack=SlackSettings(
            signing_secret=SecretStr(SIGNING_SECRET),
            bot_token=SecretStr("xoxb-t1"),
            api_url=slack.api_url,
        ),
    )


def _environment(folder: Path, settings: Settings, port: int) -> dict[str, str]:
    assert settings.database_url
    assert settings.redis_url
    assert settings.secret_key
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
    return {
        **kept,
        "PYTHONPATH": str(REPOSITORY),
        "CHAOS_FOLDER": str(folder),
        "MIYABI_HOME": str(settings.home),
        "MIYABI_PORT": str(port),
        "MIYABI_LOG_JSON": "true",
        "MIYABI_API_PER_MINUTE": "1000000",  # its people ask faster than any
        "MIYABI_SECRET_KEY": settings.secret_key.get_secret_value(),
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SLACK_BOT_TOKEN": "xoxb-t1",
        "SLACK_API_URL": settings.slack.api_url,
    }


async def _watch_threads(owner_url: str) -> None:
    """Have it written down who had which thread of news, and when: the rows keep only the last."""
    connection = await asyncpg.connect(owner_url.replace("+asyncpg", ""))
    try:
        await connection.execute(_WATCH_THREADS)
    finally:
        await connection.close()


_WATCH_THREADS = """
    create table chaos_leases (
        thread_id uuid, owner text, at timestamptz default clock_timestamp());
    create function chaos_note() returns trigger language plpgsql security definer as $$
    begin
        insert into chaos_leases (thread_id, owner) values (new.id, new.lease_owner);
        return null;
    end $$;
    create trigger chaos_note after update on threads for each row
        when (old.lease_owner is distinct from new.lease_owner) execute function chaos_note();
"""


def _ledger(folder: Path, google: FakeGoogle, proxy: Proxy) -> dict[str, str]:
    """How the company's ledger is reached: through the proxy."""
    key = folder / "google.json"
    key.write_text(json.dumps(google.account.info()), "utf-8")
    return {
        "connector": "google_sheets",
        "service_account": str(key),
        "spreadsheet": KEY,
        "base_url": f"http://127.0.0.1:{proxy.port}",
        "timeout": "4",
    }


async def _found(house: House, ledger: dict[str, str]) -> dict[str, str]:
    """The sample company, with more people, known in Slack and at the terminal.

    Gives the tokens by which programs speak for them.
    """
    given = {}
    async with unit(house) as work:
        organisation = await organisations.add(work, "default", replace(COMPANY, ledger=ledger))
        roles = {handle: (name, roles) for handle, name, roles in PEOPLE}
        for handle, account in ACCOUNTS.items():
            name, may = roles.get(handle, (handle, frozenset({"requester"})))
            person = await people.add(work, organisation.id, handle, name, may)
            await people.link(work, person, Sender("slack", "T1", account))
            await people.link(work, person, console_account("default", handle))
            given[handle] = await tokens.make(work, person, "chaos")
    return given


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def until_web_answers(town: Town, patience: float = 30.0) -> None:
    """Wait until the web process takes connections."""
    port = urlsplit(town.web_url).port
    async with asyncio.timeout(patience):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)


def chosen(rng: random.Random, fleet: Fleet) -> Kept:
    """Some worker."""
    return rng.choice(fleet.workers)
