"""The reconciler: what a dead worker held goes on at once, and nobody who hangs holds it up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import create_engine
from core.lease import take
from core.ports import Job
from core.reconcile import LOCK, reconcile
from miyabi.worker import reconcile_forever
from tests.core.house import Office


async def asked(office: Office) -> UUID:
    answer = await office.say("letter hello")
    office.bell.jobs.clear()
    assert answer.task_id is not None
    return answer.task_id


async def rung(office: Office, kind: str) -> Job:
    for _ in range(2000):
        for job in office.bell.jobs:
            if job.kind == kind:
                return job
        await asyncio.sleep(0.005)
    raise AssertionError(f"nobody was told to {kind}")


@asynccontextmanager
async def stopped(office: Office, seconds: float) -> AsyncIterator[AsyncConnection]:
    """A transaction of a process that says nothing more, which may idle for so long."""
    url = office.house.engine.url.render_as_string()
    engine = create_engine(url, idle_at_most=seconds)
    connection = await engine.connect()
    try:
        yield connection
    finally:
        await connection.invalidate()
        await connection.close()
        await engine.dispose()


@pytest.mark.parametrize("workers", [1, 3])
async def test_what_a_dead_worker_held_is_handed_on_a_second_after_its_lease(
    office: Office, workers: int
) -> None:
    house = replace(office.house, lease=timedelta(seconds=1.5))
    task_id = await asked(office)
    assert await take(house, office.organisation.id, task_id, "dead") is not None
    passes = [asyncio.create_task(reconcile_forever(house)) for _ in range(workers)]

    await rung(office, "advance")

    late = await office.row(
        "select extract(epoch from clock_timestamp() - lease_until) as s from tasks", {}
    )
    for each in passes:
        each.cancel()
    await asyncio.gather(*passes, return_exceptions=True)
    assert 0 < late.s < 2.5  # a second, and what else this machine does


async def test_a_living_workers_task_is_handed_to_nobody(office: Office) -> None:
    task_id = await asked(office)
    assert await take(office.house, office.organisation.id, task_id, "alive") is not None

    found = await reconcile(office.house)

    assert [job for job in found.jobs if job.kind == "advance"] == []


async def test_one_that_hangs_in_its_pass_keeps_the_others_from_theirs_for_seconds_only(
    office: Office,
) -> None:
    await asked(office)
    await office.execute("update outbox set next_at = now()")
    async with stopped(office, 0.7) as zombie:
        await zombie.execute(text(f"select pg_advisory_xact_lock({LOCK})"))
        assert (await reconcile(office.house)).jobs == []

        passing = asyncio.create_task(reconcile_forever(office.house))
        await rung(office, "advance")
        passing.cancel()


async def test_one_that_hangs_with_a_task_locked_lets_the_next_have_it(office: Office) -> None:
    task_id = await asked(office)
    async with stopped(office, 0.7) as zombie:
        await zombie.execute(text("select id from tasks for update"))

        async with asyncio.timeout(8):
            walk = await take(office.house, office.organisation.id, task_id, "heir")

    assert walk is not None


async def told_again(office: Office) -> int:
    """How many jobs to tell something a pass has handed on, where the nudges were used up."""
    await office.execute("delete from outbox")
    return sum(job.kind == "announce" for job in (await reconcile(office.house)).jobs)


async def test_news_that_has_to_wait_is_not_handed_on_for_nothing(office: Office) -> None:
    """A thread that a platform has put off, or that somebody serves, needs nobody to look at it."""
    await office.say("letter hello")
    await office.work()
    await office.execute(
        "update deliveries set state = 'pending', attempts = 0, next_at = now() - interval '1 min'"
    )
    assert await told_again(office) == 1

    await office.execute("update threads set lease_until = now() + interval '5 s'")
    assert await told_again(office) == 0

    await office.execute("update threads set lease_until = now()")
    await office.execute(
        "update deliveries d set attempts = 1, next_at = now() + interval '1 min' where not exists"
        " (select from deliveries e where e.thread_id = d.thread_id and e.id < d.id)"
    )
    assert await told_again(office) == 0


async def test_however_often_it_was_handed_it_is_handed_again_within_four_seconds(
    office: Office,
) -> None:
    """Redis may be wiped after a task has waited in line for an hour."""
    await asked(office)
    for _ in range(8):
        await office.execute("update outbox set next_at = now()")
        await reconcile(office.house)

    row = await office.row(
        "select max(next_at) - now() as wait, max(attempts) as n from outbox", {}
    )
    assert row.n == 8
    assert timedelta(seconds=3) < row.wait <= timedelta(seconds=4)


async def test_handed_again_it_is_the_same_job(office: Office) -> None:
    """By its id the queue knows that it waits there already."""
    await office.say("letter hello")
    first = {job.kind: job.id for job in office.bell.jobs}
    office.bell.jobs.clear()
    await office.execute("update outbox set next_at = now()")

    await reconcile(office.house)

    assert {job.kind: job.id for job in office.bell.jobs} == first
