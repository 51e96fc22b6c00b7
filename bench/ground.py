"""The ground a benchmark stands on: durable servers of its own, a migrated database, a company."""

import asyncio
import base64
import contextlib
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic_ns
from uuid import UUID

from pydantic import SecretStr

from audit.event import Event
from bench.children import Life, until_stopped
from bench.figures import tell
from core import organisations, people
from core.agent import Agent
from core.company import Company
from core.house import House
from core.ids import new_id
from core.inbound import Inbound, Sender, Spot
from core.intake import accept
from core.migrate import upgrade_async
from core.ports import Doorbell, Job
from core.settings import (
    LedgerSettings,
    LineSettings,
    PriceListSettings,
    Settings,
    SlackSettings,
)
from core.unit import unit
from miyabi.build import Built, open_house
from miyabi.embedded import Services, embedded
from miyabi.signing import signers
from miyabi.worker import Plan, run_worker

REPOSITORY = Path(__file__).resolve().parents[1]
REQUEST = "見積 株式会社ABC商事 モニター5台 キーボード10個 納期12/25"
ASKER = Sender("console", "local", "tanaka")
SLACK_TEAM = "T0BENCH001"
ASKERS = tuple(Sender("console", "local", f"asker-{number}") for number in range(100))
"""Many who ask at the terminal, since one person may only ask for so much at a time."""
SLACK_ASKERS = tuple(f"U0BENCH{number:03}" for number in range(100))
"""As many as ask in a busy company: what one person may have under way is limited."""
SIGNING_SECRET = "bench-signing-secret"

_SETTINGS_OF_OTHERS = ("MIYABI_", "SLACK_", "LINE_", "DATABASE_", "REDIS_")
_NOWHERE = "http://127.0.0.1:9/api/"  # nothing of this is to reach Slack
_STOP_PATIENCE = 15.0


@dataclass(frozen=True, slots=True)
class Ground:
    """Servers with a company whose people may ask. Can be handed to a child."""

    settings: Settings
    services: Services
    organisation_id: UUID


@asynccontextmanager
async def ground(
    slack_api: str = _NOWHERE, line: LineSettings | None = None
) -> AsyncIterator[Ground]:
    """Fresh servers in a folder for temporary files (`TMPDIR`), gone afterwards.

    Durable as in an installation: a commit waits for the disk. Nothing is read of the settings,
    environment or data of whoever runs this.
    """
    with tempfile.TemporaryDirectory(prefix="miyabi-bench-") as folder:
        settings = Settings(
            home=Path(folder),
            database_url=None,
            database_owner_url=None,
            redis_url=None,
            secret_key=SecretStr(base64.b64encode(secrets.token_bytes(32)).decode()),
            slack=SlackSettings(
                signing_secret=SecretStr(SIGNING_SECRET),
                client_id="bench",
                client_secret=SecretStr("bench"),
                api_url=slack_api,
            ),
            line=line or LineSettings(),
            price_list=PriceListSettings(),
            ledger=LedgerSettings(),
        )
        async with embedded(settings) as services:
            await upgrade_async(services.owner_url)
            async with open_house(settings, services) as built:
                organisation_id = await _settle(built.house)
            yield Ground(settings, services, organisation_id)


async def _settle(house: House) -> UUID:
    company = Company("株式会社みやび商事", registration_number="T7000012050002")
    async with unit(house) as work:
        organisation = await organisations.add(work, "default", company)
        asker = await people.add(
            work, organisation.id, "tanaka", "田中 太郎", frozenset({"requester"})
        )
        await people.link(work, asker, ASKER)
        for number, account in enumerate(SLACK_ASKERS):
            asker = await people.add(
                work, organisation.id, f"asker-{number}", "佐藤 花子", frozenset({"requester"})
            )
            await people.link(work, asker, Sender("slack", SLACK_TEAM, account))
            await people.link(work, asker, ASKERS[number])
    return organisation.id


@asynccontextmanager
async def house_on(place: Ground, *agents: Agent) -> AsyncIterator[tuple[House, Built]]:
    """The product's own house on that ground, knowing these agents beside its own."""
    async with open_house(place.settings, place.services) as built:
        more = {agent.name: agent for agent in agents}
        yield replace(built.house, agents={**built.house.agents, **more}), built


async def worker_process(life: Life, place: Ground, *agents: Agent) -> None:
    """A child: the product's worker, with agents it does not come with."""
    async with house_on(place, *agents) as (house, built):
        life.ready()
        plan = Plan(place.settings.worker_jobs, place.settings.worker_bulk_jobs)
        await until_stopped(life, run_worker(house, built.redis, plan, signers(place.settings)))


@asynccontextmanager
async def product(place: Ground, command: str, *, port: int) -> AsyncIterator[int]:
    """`miyabi web` or `miyabi worker` as an installation runs it; gives its process id.

    Its log is shown if it ends otherwise than told.
    """
    log = place.settings.home / f"{command}-{new_id()}.log"
    with log.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "miyabi", command),
            cwd=place.settings.home,
            env=_environment(place, port),
            stdout=written,
            stderr=written,
        )
    try:
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_PATIENCE):
                await process.wait()
        except TimeoutError:
            process.kill()
        if process.returncode != 0:
            tell(f"miyabi {command} ended with {process.returncode}:\n{log.read_text()[-3000:]}")


def _environment(place: Ground, port: int) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_SETTINGS_OF_OTHERS)}
    settings = place.settings
    return {
        **kept,
        "PYTHONPATH": str(REPOSITORY),
        "MIYABI_HOME": str(settings.home),
        "MIYABI_PORT": str(port),
        "MIYABI_SECRET_KEY": _plain(settings.secret_key),
        "MIYABI_NOTIFY_SEND_PER_MINUTE": str(settings.notify.send_per_minute),
        # What the company's people were added with: on embedded servers it lies beside them.
        "MIYABI_AUDIT_PERSONAL_KEY_FILE": str(settings.home / "personal.key"),
        "DATABASE_URL": place.services.database_url,
        "REDIS_URL": place.services.redis_url,
        "SLACK_SIGNING_SECRET": _plain(settings.slack.signing_secret),
        "SLACK_CLIENT_ID": settings.slack.client_id or "",
        "SLACK_CLIENT_SECRET": _plain(settings.slack.client_secret),
        "SLACK_API_URL": settings.slack.api_url,
        "LINE_CHANNEL_ID": settings.line.channel_id or "",
        "LINE_CHANNEL_SECRET": _plain(settings.line.channel_secret),
        "LINE_CHANNEL_ACCESS_TOKEN": _plain(settings.line.channel_access_token),
        "LINE_API_URL": settings.line.api_url,
        "LINE_DATA_URL": settings.line.data_url,
        "LINE_GATHER_SECONDS": str(settings.line.gather_seconds),
        "LINE_FIRST_ANSWER_SECONDS": str(settings.line.first_answer_seconds),
    }


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


async def ask(house: House, text: str = REQUEST, asker: Sender = ASKER) -> UUID:
    """A request from the chat, taken in: its task. Raises AssertionError where it became none."""
    answer = await accept(house, Inbound(asker, Spot("bench"), new_id().hex, text))
    assert answer.outcome == "taken", answer
    assert answer.task_id is not None
    return answer.task_id


@dataclass(frozen=True, slots=True)
class Stamping:
    """A doorbell that notes when it was rung: right after the commit it rings for."""

    bell: Doorbell
    rung_ns: dict[UUID, int]

    async def ring(self, jobs: Sequence[Job], events: Sequence[Event]) -> None:
        """Note the first time for each task, and ring."""
        now = monotonic_ns()
        for job in jobs:
            self.rung_ns.setdefault(job.task_id, now)
        await self.bell.ring(jobs, events)
