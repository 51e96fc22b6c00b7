"""The bell after a commit: jobs to arq, events to the live feed. Redis may be away; then nothing.

The reconciler finds whatever was not heard (core/reconcile.py).
"""

import asyncio
import json
from collections.abc import Sequence

import structlog
from arq import ArqRedis
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from audit.event import Event
from core.ids import new_id
from core.ports import Job

log = structlog.get_logger()

QUEUE = "miyabi:interactive"
WAKE = "miyabi:wake"
FEED_LENGTH = 10_000
"""About how many events the live feed keeps for an organisation."""


def feed_key(organisation_id: object) -> str:
    """The Redis Stream of an organisation's events."""
    return f"miyabi:events:{organisation_id}"


def serialize(job: dict[str, object]) -> bytes:
    """arq's payload as JSON: pickle, its default, would run whatever stands in Redis."""
    return json.dumps(job, default=str).encode()


def deserialize(payload: bytes) -> dict[str, object]:
    """The other way round."""
    value = json.loads(payload)
    if not isinstance(value, dict):
        raise TypeError("an arq payload is an object")
    return value


def connect(url: str) -> ArqRedis:
    """A pool of connections to Redis that arq can use; connects when it is first used."""
    pool = ConnectionPool.from_url(
        url, socket_connect_timeout=1.0, socket_timeout=5.0, max_connections=50
    )
    return ArqRedis(
        pool_or_conn=pool,
        job_serializer=serialize,
        job_deserializer=deserialize,
        default_queue_name=QUEUE,
    )


class RedisDoorbell:
    """Rings in the background: a commit's answer never waits for Redis."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._ringing: set[asyncio.Task[None]] = set()

    async def ring(self, jobs: Sequence[Job], events: Sequence[Event]) -> None:
        """Hand jobs to the queue, wake a worker, show events live. Never raises."""
        if jobs or events:
            task = asyncio.create_task(self._ring(jobs, events))
            self._ringing.add(task)
            task.add_done_callback(self._ringing.discard)

    async def _ring(self, jobs: Sequence[Job], events: Sequence[Event]) -> None:
        try:
            for job in jobs:
                await self._redis.enqueue_job(
                    job.kind,
                    str(job.organisation_id),
                    str(job.task_id),
                    _job_id=new_id().hex,  # never reused: arq refuses a known id for an hour
                    _defer_by=job.after or None,
                )
            if jobs:
                await self._redis.publish(WAKE, b"1")
            for event in events:
                await self._redis.xadd(
                    feed_key(event.organisation_id),
                    {"event": json.dumps(event.body(), ensure_ascii=False)},
                    maxlen=FEED_LENGTH,
                    approximate=True,
                )
        except (RedisError, OSError) as error:
            log.warning("doorbell.not_heard", jobs=len(jobs), error=repr(error))

    async def settle(self) -> None:
        """Wait for what is being rung: before a process ends."""
        while self._ringing:
            await asyncio.gather(*self._ringing)

    async def close(self) -> None:
        """Ring out and hang up."""
        await self.settle()
        await self._redis.aclose(close_connection_pool=True)
