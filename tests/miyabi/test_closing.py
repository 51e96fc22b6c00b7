"""The end of an approval with real processes: one decides, every copy shows it, whoever dies."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from core import organisations, people
from core.approvals.view import ApprovalView, latest_approval
from core.company import Company
from core.ids import new_id
from core.inbound import Answer, Click, Inbound, Sender, Spot
from core.intake import accept
from core.settings import Settings
from core.unit import unit
from miyabi.build import Built, open_house
from miyabi.embedded import Services
from miyabi.worker import run_worker
from tests.miyabi import warm

pytestmark = pytest.mark.timeout(150)

REPOSITORY = Path(__file__).resolve().parents[2]
REQUEST = "見積 株式会社ABC商事 モニター5台 納期12/25"
SECRET = "A" * 43 + "="
APPROVERS = [f"boss{n}" for n in range(8)]
PRESSES = 50


class Site:
    """The house on real services, with one who asks and those who approve; no worker yet."""

    def __init__(self, built: Built, organisation_id: UUID, environment: dict[str, str]) -> None:
        self.built = built
        self.organisation_id = organisation_id
        self.environment = environment

    async def process(self, *arguments: str, **pipes: Any) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env=self.environment, cwd=REPOSITORY, **pipes
        )

    async def worker(self) -> warm.Process:
        return await warm.start(
            "miyabi", ["worker"], REPOSITORY, self.environment, Path(os.devnull)
        )

    async def say(self, handle: str, words: str = "", click: Click | None = None) -> Answer:
        sender = Sender("console", "local", handle)
        inbound = Inbound(sender, Spot("t1"), new_id().hex, words, click=click)
        return await accept(self.built.house, inbound, click_patience=30)

    async def row(self, sql: str) -> Any:
        async with self.built.house.engine.connect() as connection:
            return (await connection.execute(text(sql))).one()

    async def approval(self, task_id: UUID | None) -> ApprovalView | None:
        assert task_id is not None
        async with self.built.house.engine.connect() as connection:
            return await latest_approval(connection, self.organisation_id, task_id)

    async def cards(self) -> tuple[int, int]:
        """The copies of the card, and how many of them still have buttons."""
        row = await self.row(
            "select count(*) as n, count(*) filter (where jsonb_array_length(body -> 'buttons')"
            " > 0) as live from messages where slot like 'card:%'"
        )
        return row.n, row.live

    async def until(self, copies: int, live: int, seconds: float = 40) -> None:
        """Until so many copies stand there, and so many of them can be pressed."""
        ends = time.monotonic() + seconds
        while (now := await self.cards()) != (copies, live):
            assert time.monotonic() < ends, now
            await asyncio.sleep(0.05)


@pytest.fixture
async def site(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    settings = Settings(
        home=tmp_path,
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        secret_key=SecretStr(SECRET),
    )
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "MIYABI_HOME": str(tmp_path),
        "MIYABI_SECRET_KEY": SECRET,
        "PYTHONPATH": str(REPOSITORY),
    }
    async with open_house(settings, Services(database_url, database_url, redis_url)) as built:
        async with unit(built.house) as work:
            organisation = await organisations.add(work, "default", Company("株式会社みやび商事"))
        yield Site(built, organisation.id, environment)


async def hire(site: Site, approvers: list[str]) -> None:
    async with unit(site.built.house) as work:
        for handle in ("tanaka", *approvers):
            role = "requester" if handle == "tanaka" else "approver"
            person = await people.add(work, site.organisation_id, handle, handle, frozenset({role}))
            await people.link(work, person, Sender("console", "local", handle))


async def test_a_worker_killed_after_the_decision_leaves_no_copy_with_buttons(site: Site) -> None:
    await hire(site, APPROVERS[:2])
    worker = await site.worker()
    try:
        asked = await site.say("tanaka", REQUEST)
        await site.until(copies=3, live=3)
        approval = await site.approval(asked.task_id)
        assert approval is not None
        assert approval.open is not None
        worker.send_signal(signal.SIGSTOP)  # the decision is committed, and it does nothing of it
        decided = await site.say(APPROVERS[0], click=Click("approve", str(approval.open.id)))
        await asyncio.sleep(0.3)
        assert decided.outcome == "done"
        assert await site.cards() == (3, 3)
    finally:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        await worker.wait()

    restarted = asyncio.create_task(run_worker(site.built.house, site.built.redis))
    try:
        await site.until(copies=3, live=0)
        ends = time.monotonic() + 30
        while (await site.row("select state from tasks")).state != "done":
            assert time.monotonic() < ends
            await asyncio.sleep(0.05)
    finally:
        restarted.cancel()
        await asyncio.gather(restarted, return_exceptions=True)
    order = await site.row(
        "select max(m.edited_at) as closed, (select issued_at from documents) as issued"
        " from messages m where m.slot like 'card:%'"
    )
    assert order.closed is not None
    assert order.issued is not None


async def test_of_fifty_presses_from_four_processes_one_decides(site: Site) -> None:
    await hire(site, APPROVERS)
    working = asyncio.create_task(run_worker(site.built.house, site.built.redis))
    try:
        asked = await site.say("tanaka", REQUEST)
        ends = time.monotonic() + 30
        while (approval := await site.approval(asked.task_id)) is None:
            assert time.monotonic() < ends
            await asyncio.sleep(0.05)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    assert approval.open is not None

    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    pressing = [APPROVERS[n % len(APPROVERS)] for n in range(PRESSES)]
    shares = [pressing[n::4] for n in range(4)]
    step = str(approval.open.id)
    processes = [
        await site.process("-m", "tests.miyabi.clicker", step, *share, **pipes) for share in shares
    ]
    said: list[tuple[str, str]] = []
    for process in processes:
        assert process.stdout is not None
        while b"ready" not in (line := await process.stdout.readline()):
            assert line, "it died"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
    for output, _ in await asyncio.gather(*(process.communicate() for process in processes)):
        said += json.loads(output.decode().strip().splitlines()[-1])

    outcomes = [outcome for outcome, _ in said]
    assert (outcomes.count("done"), outcomes.count("refused")) == (1, 49)
    [winner] = [text for outcome, text in said if outcome == "done"]
    assert "承認" in winner
    others = {text for outcome, text in said if outcome == "refused"}
    [decider] = (
        await site.row(
            "select array_agg(p.handle) as who from decisions d join people p on p.id = d.person_id"
        )
    ).who
    assert all(f"{decider} さんが" in text and "承認" in text for text in others)
    events = await site.row(
        "select count(*) as n from audit_events where body ->> 'tag' = 'approval:approval:decided'"
    )
    assert events.n == 1
