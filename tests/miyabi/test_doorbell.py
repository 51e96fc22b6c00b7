"""The bell: whatever is rung arrives once, many at a time; a Redis that is away is no error."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from arq.constants import in_progress_key_prefix

from audit.event import Event
from core.ids import new_id
from core.ports import Job
from miyabi.doorbell import RedisDoorbell, feed_key
from miyabi.queue import WAKE, connect, queue_of
from tests.audit.happening import Happening

QUEUE = queue_of("interactive")
NEWS = queue_of("interactive", "announce")


@pytest.fixture
async def bell(redis_url: str) -> AsyncIterator[RedisDoorbell]:
    bell = RedisDoorbell(connect(redis_url))
    yield bell
    await bell.close()


def _news(number: int) -> tuple[Job, Event]:
    organisation, task = new_id(), new_id()
    return Job("advance", organisation, task), Event(
        organisation, task, Happening.HAPPENED, {"n": number}
    )


async def test_what_is_rung_all_at_once_arrives_once_each(
    bell: RedisDoorbell, redis_url: str
) -> None:
    redis = connect(redis_url)
    news = [_news(number) for number in range(50)]

    for job, event in news:
        await bell.ring([job], [event])
    await bell.settle()

    queued = await redis.queued_jobs()
    assert {tuple(job.args) for job in queued} == {
        (str(job.organisation_id), str(job.task_id)) for job, _ in news
    }
    assert [job.function for job in queued] == ["advance"] * 50
    for _, event in news:
        (entry,) = await redis.xrange(feed_key(event.organisation_id))
        assert json.loads(entry[1][b"event"]) == event.body()
    await redis.aclose(close_connection_pool=True)


async def test_a_worker_is_woken(bell: RedisDoorbell, redis_url: str) -> None:
    redis = connect(redis_url)
    async with redis.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe(WAKE)
        await channel.get_message(timeout=1)

        await bell.ring([_news(1)[0]], [])

        assert await channel.get_message(timeout=5) is not None
    await redis.aclose(close_connection_pool=True)


async def test_a_job_for_later_waits_in_the_queue(bell: RedisDoorbell, redis_url: str) -> None:
    redis = connect(redis_url)
    organisation, task = new_id(), new_id()

    await bell.ring([Job("advance", organisation, task)], [])
    await bell.ring([Job("announce", organisation, task, timedelta(hours=1))], [])
    await bell.settle()

    [(_, now)] = await redis.zrange(QUEUE, 0, -1, withscores=True)
    [(_, later)] = await redis.zrange(f"{NEWS}:later", 0, -1, withscores=True)
    seconds, _ = await redis.time()
    assert now < seconds * 1000
    assert 3_590_000 < later - seconds * 1000 < 3_610_000
    await redis.aclose(close_connection_pool=True)


async def test_a_redis_that_is_away_raises_nothing_and_holds_nothing_back() -> None:
    bell = RedisDoorbell(connect("redis://127.0.0.1:1/0"))
    job, event = _news(1)

    await bell.ring([job], [event])
    await bell.settle()
    await bell.ring([job], [event])

    await bell.close()


async def test_what_is_handed_again_keeps_its_place_and_makes_no_queue_longer(
    bell: RedisDoorbell, redis_url: str
) -> None:
    redis = connect(redis_url)
    jobs = [_news(number)[0] for number in range(3)]
    for job in jobs:
        await bell.ring([job], [])
        await bell.settle()
        await asyncio.sleep(0.002)  # the queue counts in milliseconds
    before = await redis.zrange(QUEUE, 0, -1, withscores=True)

    await bell.ring([jobs[0], jobs[2]], [])
    await bell.settle()

    assert await redis.zrange(QUEUE, 0, -1, withscores=True) == before
    assert len(before) == 3
    await redis.aclose(close_connection_pool=True)


async def test_what_a_dead_worker_had_begun_can_be_begun_by_another(
    bell: RedisDoorbell, redis_url: str
) -> None:
    redis = connect(redis_url)
    job, _ = _news(1)
    await bell.ring([job], [])
    await bell.settle()
    begun = in_progress_key_prefix + job.id.hex
    await redis.set(begun, b"1")

    await bell.ring([job], [])
    await bell.settle()

    assert not await redis.exists(begun)
    assert await redis.zcard(QUEUE) == 1
    await redis.aclose(close_connection_pool=True)


async def test_an_event_that_cannot_be_shown_breaks_no_bell(
    bell: RedisDoorbell, redis_url: str
) -> None:
    redis = connect(redis_url)
    (_, strange), (job, event) = _news(1), _news(2)
    object.__setattr__(strange, "data", {"n": object()})

    await bell.ring([], [strange])
    await bell.settle()
    await bell.ring([job], [event])
    await bell.settle()

    assert len(await redis.queued_jobs()) == 1
    await redis.aclose(close_connection_pool=True)
