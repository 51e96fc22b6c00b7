"""The bell after a commit: jobs to arq, events to the live feed. Redis may be away; then nothing.

The reconciler finds whatever was not heard (core/reconcile.py).
"""

import asyncio
import json
from collections.abc import Sequence

import structlog
from arq import ArqRedis
from arq.constants import expires_extra_ms, in_progress_key_prefix, job_key_prefix
from arq.jobs import serialize_job
from arq.utils import timestamp_ms
from redis.asyncio import ConnectionPool
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

from audit.event import Event
from core.ports import Job

log = structlog.get_logger()

QUEUE = "miyabi:interactive"
WAKE = "miyabi:wake"
FEED_LENGTH = 10_000
"""About how many events the live feed keeps for an organisation."""

BETWEEN_RINGS = 0.01
"""Seconds. A round trip to Redis costs as much CPU time as half an intake: when many come at once,
they share it."""


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


def _enqueue(pipeline: Pipeline, jobs: Sequence[Job]) -> None:
    """Queue jobs as arq would, which asks before, in three round trips a job, whether it knows the
    id. Here a job that waits already keeps its place: what is handed again makes no queue longer.
    """
    now = timestamp_ms()
    due: dict[str, int] = {}
    for job in jobs:
        job_id, wait = job.id.hex, int(job.after.total_seconds() * 1000)
        due[job_id] = now + wait
        arguments = (str(job.organisation_id), str(job.task_id))
        payload = serialize_job(job.kind, arguments, {}, None, now, serializer=serialize)
        pipeline.psetex(job_key_prefix + job_id, wait + expires_extra_ms, payload)
    pipeline.zadd(QUEUE, due, lt=True)
    # Of a worker that died with it arq would know only in five minutes. Where it lives after all,
    # both run, and the lease on the task or the thread lets one of them do it.
    pipeline.delete(*(in_progress_key_prefix + job_id for job_id in due))


class RedisDoorbell:
    """Rings in the background: a commit's answer never waits for Redis."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._jobs: list[Job] = []
        self._events: list[Event] = []
        self._ringing: asyncio.Task[None] | None = None
        self._closing = False

    async def ring(self, jobs: Sequence[Job], events: Sequence[Event]) -> None:
        """Hand jobs to the queue, wake a worker, show events live. Never raises."""
        self._jobs += jobs
        self._events += events
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._ring())

    async def _ring(self) -> None:
        """At once where it was quiet; then, with all that has come meanwhile, again and again."""
        while self._jobs or self._events:
            jobs, self._jobs = self._jobs, []
            events, self._events = self._events, []
            try:
                await self._hand_over(jobs, events)
            except (RedisError, OSError) as error:
                log.warning("doorbell.not_heard", jobs=len(jobs), error=repr(error))
            if not self._closing:
                await asyncio.sleep(BETWEEN_RINGS)

    async def _hand_over(self, jobs: Sequence[Job], events: Sequence[Event]) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            if jobs:
                _enqueue(pipeline, jobs)
                pipeline.publish(WAKE, b"1")
            for event in events:
                pipeline.xadd(
                    feed_key(event.organisation_id),
                    {"event": json.dumps(event.body(), ensure_ascii=False)},
                    maxlen=FEED_LENGTH,
                    approximate=True,
                )
            await pipeline.execute()

    async def settle(self) -> None:
        """Wait for what is being rung: before a process ends."""
        if self._ringing is not None:
            await self._ringing

    async def close(self) -> None:
        """Ring out and hang up."""
        self._closing = True
        await self.settle()
        await self._redis.aclose(close_connection_pool=True)
