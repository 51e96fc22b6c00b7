"""A worker on a real queue: woken at once, and losing Redis or itself loses nothing."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from core import organisations, people
from core.approvals.view import latest_of
from core.company import Company
from core.db import fetch_one
from core.ids import new_id
from core.inbound import Answer, Click, Inbound, Sender, Spot
from core.intake import accept
from core.settings import Settings
from core.unit import unit
from miyabi.build import Built, open_house
from miyabi.embedded import Services
from miyabi.worker import run_worker
from tests.miyabi import warm

REPOSITORY = Path(__file__).resolve().parents[2]
REQUEST = "見積 株式会社ABC商事 モニター5台 キーボード10個 納期12/25"


@pytest.fixture
async def built(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Built]:
    """The real house, with the quote agent, on real services; no worker runs yet."""
    settings = Settings(
        home=tmp_path,
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        secret_key=SecretStr("A" * 43 + "="),
    )
    async with open_house(settings, Services(database_url, database_url, redis_url)) as built:
        async with unit(built.house) as work:
            company = Company("株式会社みやび商事", registration_number="T7000012050002")
            organisation = await organisations.add(work, "default", company)
            for handle, roles in (("tanaka", {"requester"}), ("suzuki", {"approver"})):
                person = await people.add(work, organisation.id, handle, handle, frozenset(roles))
                await people.link(work, person, Sender("console", "local", handle))
        yield built


@asynccontextmanager
async def working(built: Built) -> AsyncIterator[None]:
    task = asyncio.create_task(run_worker(built.house, built.redis))
    await asyncio.sleep(0.2)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def say(built: Built, text: str, handle: str = "tanaka") -> Answer:
    sender = Sender("console", "local", handle)
    return await accept(built.house, Inbound(sender, Spot("t1"), new_id().hex, text))


async def approve(built: Built, answer: Answer) -> Answer:
    async with built.house.engine.connect() as connection:
        [organisation] = await organisations.every(connection)
        assert answer.task_id is not None
        approval = await latest_of(connection, organisation.id, answer.task_id)
    click = Click("approve", str(approval))
    sender = Sender("console", "local", "suzuki")
    return await accept(built.house, Inbound(sender, Spot("t1"), new_id().hex, click=click))


async def state(built: Built, task_id: UUID | None) -> str:
    async with built.house.engine.connect() as connection:
        row = await fetch_one(
            connection, "select state, waiting_for from tasks where id = :id", {"id": task_id}
        )
    assert row is not None
    return f"{row.state}:{row.waiting_for}" if row.waiting_for else str(row.state)


async def until(built: Built, answer: Answer, wanted: str, seconds: float = 15) -> float:
    """Wait for a state; returns how long it took."""
    started = time.monotonic()
    while (now := await state(built, answer.task_id)) != wanted:
        if time.monotonic() - started > seconds:
            raise AssertionError(f"still {now} after {seconds} s, not {wanted}")
        await asyncio.sleep(0.02)
    return time.monotonic() - started


async def test_a_quote_goes_from_chat_to_an_issued_pdf(built: Built) -> None:
    async with working(built):
        answer = await say(built, REQUEST)
        await until(built, answer, "waiting:approval")
        decided = await approve(built, answer)
        await until(built, answer, "done")

    assert decided.outcome == "done"
    async with built.house.engine.connect() as connection:
        row = await fetch_one(
            connection,
            "select number, file from documents where task_id = :id",
            {"id": answer.task_id},
        )
    assert row is not None
    assert row.number.startswith("Q-")
    assert row.file


async def test_a_wiped_redis_loses_nothing(built: Built) -> None:
    answers = [await say(built, REQUEST) for _ in range(5)]
    await built.doorbell.settle()
    await built.redis.flushall()

    async with working(built):
        for answer in answers:
            await until(built, answer, "waiting:approval")


async def test_redis_away_at_the_time_of_asking_loses_nothing(
    built: Built, database_url: str, tmp_path: Path
) -> None:
    nowhere = Services(database_url, database_url, "redis://127.0.0.1:1/0")
    settings = Settings(
        home=tmp_path,
        database_url=SecretStr(database_url),
        redis_url=SecretStr(nowhere.redis_url),
        secret_key=SecretStr("A" * 43 + "="),
    )
    async with open_house(settings, nowhere) as deaf:
        answer = await say(deaf, REQUEST)
    assert answer.outcome == "taken"

    async with working(built):
        await until(built, answer, "waiting:approval")


async def test_a_killed_worker_is_replaced_within_ten_seconds(
    built: Built, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "MIYABI_HOME": str(tmp_path),
        "MIYABI_SECRET_KEY": "A" * 43 + "=",
    }
    worker = await warm.start("miyabi", ["worker"], REPOSITORY, environment, Path(os.devnull))
    try:
        first = await say(built, REQUEST)
        await until(built, first, "waiting:approval", 30)  # it is up and at work
        answers = [first, *[await say(built, REQUEST) for _ in range(10)]]
        await asyncio.sleep(0.15)  # in the middle of some of them
    finally:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        await worker.wait()
    async with working(built):
        for answer in answers:
            await until(built, answer, "waiting:approval", 20)
    async with built.house.engine.connect() as connection:
        row = await fetch_one(
            connection,
            "select count(*) as n, count(distinct task_id) as tasks from approvals",
            {},
        )
    assert row is not None
    assert row.n == row.tasks == len(answers)
