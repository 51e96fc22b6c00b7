"""A worker's lanes, its ear and its end, with the test office's agent on a real queue."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from arq import ArqRedis
from redis.exceptions import ConnectionError, NoPermissionError

from core import workers
from core.ids import new_id
from core.inbound import Answer, Inbound, Spot
from core.intake import accept
from core.people import Person
from core.ports import Job, Lane, Place
from miyabi.doorbell import RedisDoorbell
from miyabi.queue import connect, queue_of
from miyabi.watch import Deaf, Patience, watch
from miyabi.worker import Crew, Plan, run_worker
from tests.core.house import Office, Wall, open_office
from tests.core.post import BLIND, open_post
from tests.miyabi.yard import open_yard, until


@pytest.fixture
async def office(database_url: str, redis_url: str) -> AsyncIterator[Office]:
    async with on_a_real_queue(database_url, redis_url) as office:
        yield office


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[ArqRedis]:
    redis = connect(redis_url)
    yield redis
    await redis.aclose(close_connection_pool=True)


@asynccontextmanager
async def on_a_real_queue(database_url: str, redis_url: str) -> AsyncIterator[Office]:
    """The office, with a bell that is heard."""
    bell = RedisDoorbell(connect(redis_url))
    async with open_office(database_url) as office:
        office.house = replace(office.house, doorbell=bell)
        try:
            yield office
        finally:
            await bell.close()


@asynccontextmanager
async def working(
    office: Office, redis: ArqRedis, plan: Plan | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(run_worker(office.house, redis, plan))
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Deaf):
            await task


async def ask(office: Office, person: Person, lane: Lane = "interactive") -> Answer:
    inbound = Inbound(office.sender(person), Spot("room"), new_id().hex, "letter Hello", lane=lane)
    answer = await accept(office.house, inbound)
    assert answer.outcome == "taken"
    return answer


async def is_in(office: Office, answer: Answer, *states: str) -> bool:
    return await office.state(answer.task_id) in states


async def never_tried(office: Office) -> bool:
    row = await office.row("select max(attempts) as tries, max(crashes) as died from tasks", {})
    return (row.tries, row.died) == (0, 0)


# Two lanes, and fairness inside of each


async def test_five_hundred_bulk_tasks_delay_nobody_in_the_chat(
    office: Office, redis: ArqRedis
) -> None:
    office.trouble.pause = asyncio.Event()  # each stands still in its first step
    for _ in range(500):
        await ask(office, office.asker, "bulk")
    async with working(office, redis, Plan(grace=timedelta(0))):
        await until(lambda: len(office.trouble.ran) == 2)

        answer = await ask(office, office.boss)
        took = await until(lambda: len(office.trouble.ran) == 3, 5)

        assert took < 1
        assert await is_in(office, answer, "running")
        assert await redis.zcard(queue_of("bulk")) > 450


async def test_one_persons_hundred_are_not_before_anothers_one(
    office: Office, redis: ArqRedis
) -> None:
    office.trouble.pause = asyncio.Event()
    for _ in range(100):
        await ask(office, office.asker)
    one = await ask(office, office.boss)

    async def all_in_line() -> bool:
        return await redis.zcard(queue_of("interactive")) == 101

    await until(all_in_line)
    async with working(office, redis, Plan(interactive=5, grace=timedelta(0))):
        await until(lambda: len(office.trouble.ran) >= 3)
        await until(lambda: is_in(office, one, "running"), 5)
        assert len(office.trouble.ran) <= 5


async def test_each_lane_can_have_a_process_of_its_own(office: Office, redis: ArqRedis) -> None:
    bulk = await ask(office, office.asker, "bulk")
    async with working(office, redis, Plan(lanes=("interactive",))):
        chat = await ask(office, office.asker)
        await until(lambda: is_in(office, chat, "waiting:approval"))
        assert await is_in(office, bulk, "received")
    async with working(office, redis, Plan(lanes=("bulk",))):
        await until(lambda: is_in(office, bulk, "waiting:approval"))


async def test_a_platform_that_hangs_holds_up_no_step(office: Office, redis: ArqRedis) -> None:
    hung = asyncio.Event()

    async def hang() -> None:
        hung.set()
        await asyncio.Event().wait()

    class Hanging(Wall):
        async def _maybe_fail(self, place: Place) -> None:
            await hang()

    office.house = replace(office.house, outbounds={"wall": Hanging()})
    async with working(office, redis, Plan(interactive=3, grace=timedelta(0))):
        for _ in range(8):  # more than a worker takes at a time
            await ask(office, office.asker)
        await hung.wait()
        await until(lambda: len(office.trouble.ran) == 16)
        await asyncio.sleep(0.5)  # all that can hang does

        await ask(office, office.boss)
        took = await until(lambda: len(office.trouble.ran) > 16)

        assert took < 5  # a third of what each that hangs is waited for
        assert await redis.zcard(queue_of("interactive", "announce")) >= 6


# Jobs of a newer version


async def test_a_job_of_a_newer_version_is_left_to_it(
    office: Office, redis: ArqRedis, caplog: pytest.LogCaptureFixture
) -> None:
    await office.execute_as_owner("alter table outbox drop constraint outbox_kind_check")
    async with working(office, redis):
        answer = await ask(office, office.asker)
        await until(lambda: is_in(office, answer, "waiting:approval"))
        await office.execute(
            "insert into outbox (id, organisation_id, kind, subject_id, next_at)"
            " select gen_random_uuid(), organisation_id, 'reflect', id, now() from tasks"
        )

        async def handed_twice() -> bool:
            row = await office.row("select attempts from outbox where kind = 'reflect'", {})
            return bool(row.attempts >= 2)

        await until(handed_twice)
        assert await is_in(office, answer, "waiting:approval")
        assert await redis.zcard(queue_of("interactive")) == 1
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


# A worker that hears nothing


async def test_a_restarted_redis_makes_nobody_deaf() -> None:
    """Three times, with a job in flight: it ends, and what comes afterwards is taken."""
    async with open_yard() as yard:
        url = yard.services.redis_url
        redis = connect(url)
        async with on_a_real_queue(yard.services.database_url, url) as office:
            office.trouble.pause = asyncio.Event()
            async with working(office, redis, Plan(interactive=2)):
                in_flight = await ask(office, office.asker)
                await until(lambda: is_in(office, in_flight, "running"))
                for _ in range(3):
                    await yard.restart("valkey")
                office.trouble.pause.set()
                office.trouble.pause = None
                later = [await ask(office, office.asker) for _ in range(3)]

                for answer in (in_flight, *later):
                    await until(lambda a=answer: is_in(office, a, "waiting:approval"))  # type: ignore[misc]
                assert await never_tried(office)
        await redis.aclose(close_connection_pool=True)


async def test_a_redis_that_fails_while_jobs_are_taken_costs_no_slot(
    office: Office, redis: ArqRedis
) -> None:
    """arq's known case: it counts a slot as taken, Redis fails, and the slot stays taken for ever.

    Denied are what arq's own way of taking a job asks first, and what beginning it asks first.
    """
    async with working(office, redis, Plan(interactive=2)):
        await redis.execute_command("ACL", "SETUSER", "default", "-watch", "-incrby")
        try:
            answers = [await ask(office, office.asker) for _ in range(5)]
            await asyncio.sleep(2)
            assert {await office.state(answer.task_id) for answer in answers} == {"received"}
        finally:
            await redis.execute_command("ACL", "SETUSER", "default", "+@all")

        for answer in answers:
            await until(lambda a=answer: is_in(office, a, "waiting:approval"))  # type: ignore[misc]


QUICK = Patience(deaf_after=0.5, gives_up_after=1.0, looks_every=0.1)


async def test_a_worker_without_a_connection_left_mends_itself(
    office: Office, redis: ArqRedis
) -> None:
    crew = Crew(office.house, redis, Plan(patience=QUICK))
    crew.begin()
    pool = crew.workers[0].pool.connection_pool
    leaked = []
    with contextlib.suppress(ConnectionError):
        while True:  # as a library might that loses them
            leaked.append(await pool.get_connection("PING"))
    watching = asyncio.create_task(watch(crew, QUICK))

    answer = await ask(office, office.asker)
    await until(lambda: is_in(office, answer, "waiting:approval"))

    assert not watching.done()
    watching.cancel()
    await crew.stop()


async def test_a_worker_that_cannot_be_mended_ends_for_its_supervisor(
    office: Office, redis: ArqRedis
) -> None:
    """Redis answers a ping, and lets it do nothing else."""
    async with working(office, redis, Plan(patience=QUICK)) as worker:
        await asyncio.sleep(1)
        assert not worker.done()
        await redis.execute_command("ACL", "SETUSER", "default", "-eval")
        try:
            with pytest.raises(Deaf):
                async with asyncio.timeout(20):
                    await worker
            with pytest.raises(NoPermissionError):
                await redis.eval("return 1", 0)  # type: ignore[misc]
        finally:
            await redis.execute_command("ACL", "SETUSER", "default", "+@all")


async def test_a_redis_that_is_away_is_waited_for(office: Office) -> None:
    nowhere = connect("redis://127.0.0.1:1/0")
    async with working(office, nowhere, Plan(patience=QUICK)) as worker:
        await asyncio.sleep(3)
        assert not worker.done()
        async with office.house.engine.connect() as connection:
            [row] = await workers.every(connection)
        assert row.state in {"working", "deaf"}


# The end of a worker


async def test_a_step_that_takes_too_long_is_handed_to_another(
    office: Office, redis: ArqRedis
) -> None:
    office.trouble.pause = asyncio.Event()
    async with working(office, redis, Plan(grace=timedelta(seconds=0.3))):
        answer = await ask(office, office.asker)
        await until(lambda: is_in(office, answer, "running"))
    async with office.house.engine.connect() as connection:
        assert [worker.state for worker in await workers.every(connection)] == ["ended"]
    office.trouble.pause = None

    async with working(office, redis):
        took = await until(lambda: is_in(office, answer, "waiting:approval"))

    assert took < 4  # the lease would have been kept for longer
    assert await never_tried(office)


async def test_an_act_under_way_is_waited_for_and_its_outcome_noted(
    office: Office, redis: ArqRedis
) -> None:
    post = open_post(office, BLIND)
    post.hang = asyncio.Event()
    async with working(office, redis, Plan(grace=timedelta(0))):
        inbound = Inbound(office.sender(office.asker), Spot("room"), "key", "parcel Hello")
        await accept(office.house, inbound)
        await post.reached.wait()
        asyncio.get_running_loop().call_later(4.5, post.hang.set)

    assert (await office.row("select state from effects", {})).state == "done"
    assert await never_tried(office)


async def test_a_step_that_ends_in_time_is_not_done_again(office: Office, redis: ArqRedis) -> None:
    office.trouble.pause = asyncio.Event()
    async with working(office, redis):
        answer = await ask(office, office.asker)
        await until(lambda: is_in(office, answer, "running"))
        asyncio.get_running_loop().call_later(0.5, office.trouble.pause.set)

    assert office.trouble.ran.count("write") == 1
    assert await is_in(office, answer, "waiting:approval")


async def test_what_was_taken_and_not_begun_stays_in_the_queue(
    office: Office, redis: ArqRedis
) -> None:
    crew = Crew(office.house, redis, Plan())
    crew.begin()
    for worker in crew.workers:
        worker.stopping = True  # told to stop in the very moment of taking it
    await office.house.doorbell.ring([Job("advance", new_id(), new_id())], [])
    await crew.workers[0]._begin(await _only(redis))
    await crew.stop()

    assert await redis.zcard(queue_of("interactive")) == 1


async def _only(redis: ArqRedis) -> str:
    await until(lambda: _has_one(redis))
    [job_id] = await redis.zrange(queue_of("interactive"), 0, -1)
    return str(job_id.decode())


async def _has_one(redis: ArqRedis) -> bool:
    return await redis.zcard(queue_of("interactive")) == 1
