"""The queue in Redis: who is next, what was put off, and what is nobody's of this version."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from arq import ArqRedis
from arq.constants import job_key_prefix
from arq.jobs import serialize_job

from core.ids import new_id
from core.ports import Job
from miyabi.queue import claim, connect, give_back, hand, queue_of, serialize

KEEPS = 60.0


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[ArqRedis]:
    redis = connect(redis_url)
    yield redis
    await redis.aclose(close_connection_pool=True)


def job(rank: int = 0, after: timedelta = timedelta(0)) -> Job:
    return Job("advance", new_id(), new_id(), after, rank=rank)


async def put(redis: ArqRedis, jobs: Sequence[Job]) -> None:
    async with redis.pipeline(transaction=False) as pipeline:
        hand(pipeline, jobs)
        await pipeline.execute()


def keys(jobs: Sequence[Job]) -> list[str]:
    return [job.id.hex for job in jobs]


async def test_the_lower_rank_goes_first_and_of_one_rank_the_earlier(redis: ArqRedis) -> None:
    jobs = [job(2), job(0), job(1), job(0)]
    for each in jobs:
        await put(redis, [each])

    claimed = await claim(redis, queue_of("interactive"), 10, KEEPS)

    assert claimed == keys([jobs[1], jobs[3], jobs[2], jobs[0]])


async def test_one_persons_two_hundred_let_anothers_one_pass(redis: ArqRedis) -> None:
    many = [job(rank) for rank in range(200)]
    await put(redis, many)
    one = job(1)
    await put(redis, [one])

    claimed = await claim(redis, queue_of("interactive"), 10, KEEPS)

    assert one.id.hex in claimed[:3]


async def test_no_rank_however_high_is_put_off_for_ever(redis: ArqRedis) -> None:
    last = job(10_000_000)
    await put(redis, [last])

    assert await claim(redis, queue_of("interactive"), 1, KEEPS) == [last.id.hex]


async def test_what_was_put_off_and_is_due_does_not_wait_behind_all_who_came_meanwhile(
    redis: ArqRedis,
) -> None:
    retry = job(3, after=timedelta(seconds=0.3))
    await put(redis, [retry])
    assert await claim(redis, queue_of("interactive"), 0, KEEPS) == []
    fresh = [job(rank) for rank in range(500)]
    await put(redis, fresh)
    assert await claim(redis, queue_of("interactive"), 2, KEEPS) == keys(fresh[:2])

    await asyncio.sleep(0.4)

    assert retry.id.hex in await claim(redis, queue_of("interactive"), 4, KEEPS)


async def test_what_is_claimed_nobody_else_gets_until_it_is_given_back(redis: ArqRedis) -> None:
    jobs = [job(), job()]
    await put(redis, jobs)

    first = await claim(redis, queue_of("interactive"), 1, KEEPS)
    second = await claim(redis, queue_of("interactive"), 10, KEEPS)
    assert (first, second) == (keys(jobs[:1]), keys(jobs[1:]))
    await give_back(redis, queue_of("interactive"), first)

    assert await claim(redis, queue_of("interactive"), 10, KEEPS) == first


async def test_a_lane_gives_only_its_own(redis: ArqRedis) -> None:
    bulk = replace(job(), lane="bulk")
    await put(redis, [bulk])

    assert await claim(redis, queue_of("interactive"), 10, KEEPS) == []
    assert await claim(redis, queue_of("bulk"), 10, KEEPS) == [bulk.id.hex]


NEWER = (
    b"\x80\x04",
    b"[1]",
    serialize({"f": 3}),
    serialize_job("reflect", ("a", "b"), {}, None, 0, serializer=serialize),
    serialize_job("advance", ("a", "b", "c"), {}, None, 0, serializer=serialize),
    serialize_job("advance", ("a", "b"), {"more": 1}, None, 0, serializer=serialize),
)


@pytest.mark.parametrize("payload", NEWER)
async def test_a_job_of_a_newer_version_stays_for_its_workers_and_in_nobodys_way(
    redis: ArqRedis, payload: bytes
) -> None:
    newer, ours = job(0), job(1)
    await put(redis, [newer, ours])
    await redis.set(job_key_prefix + newer.id.hex, payload)

    assert await claim(redis, queue_of("interactive"), 10, KEEPS) == [ours.id.hex]
    waiting = [key.decode() for key in await redis.zrange(queue_of("interactive"), 0, -1)]
    assert waiting == [ours.id.hex, newer.id.hex]
