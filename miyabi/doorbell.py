"""The bell after a commit: jobs to arq, events to the live feed. Redis may be away; then nothing.

The reconciler finds whatever was not heard (core/reconcile.py).
"""

import asyncio
import contextlib
import json
from collections.abc import Sequence

import structlog
from arq import ArqRedis
from redis.exceptions import RedisError

from audit.event import Event
from core.ports import Job
from miyabi.queue import hand

log = structlog.get_logger()

FEED_LENGTH = 10_000
"""About how many events the live feed keeps for an organisation."""

BETWEEN_RINGS = 0.01
"""Seconds. A round trip to Redis costs as much CPU time as half an intake: when many come at once,
they share it."""

RINGS_OUT = 2.0
"""Seconds for what is being rung when a process ends; what is not heard, the reconciler finds."""


def feed_key(organisation_id: object) -> str:
    """The Redis Stream of an organisation's events."""
    return f"miyabi:events:{organisation_id}"


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
            except Exception:  # what comes later is rung all the same
                log.exception("doorbell.crashed", jobs=len(jobs))
            if not self._closing:
                await asyncio.sleep(BETWEEN_RINGS)

    async def _hand_over(self, jobs: Sequence[Job], events: Sequence[Event]) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            if jobs:
                hand(pipeline, jobs)
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
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RINGS_OUT):
                await self.settle()
        await self._redis.aclose(close_connection_pool=True)
