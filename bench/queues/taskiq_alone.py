"""taskiq on a Redis stream, its broker that acknowledges what was done."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from taskiq import AsyncBroker
from taskiq.api import run_receiver_task
from taskiq_redis import RedisStreamBroker

from bench.children import Life, until_stopped
from bench.ground import Ground
from bench.queues.work import Enqueue, work


def _broker(place: Ground) -> AsyncBroker:
    return RedisStreamBroker(place.services.redis_url, queue_name="bench:taskiq", consumer_id="0")


async def _worker(life: Life, place: Ground, folder: Path, number: int) -> None:
    broker = _broker(place)

    @broker.task(task_name="piece")
    async def piece(key: str) -> None:
        await work(folder, key)

    logging.getLogger("taskiq").setLevel(logging.ERROR)  # it warns of being told to stop
    await broker.startup()
    life.ready()
    await until_stopped(life, run_receiver_task(broker, max_async_tasks=10))
    await broker.shutdown()


@dataclass(frozen=True, slots=True)
class Taskiq:
    """A younger library of arq's kind."""

    name: str = "taskiq"
    setting: str = "RedisStreamBroker with acknowledgement, idle_timeout as it comes (10 min)"
    steps: int = 1

    async def prepare(self, place: Ground) -> None:
        """Nothing."""

    async def handed_in(self, place: Ground) -> None:
        """Nothing."""

    @asynccontextmanager
    async def producer(self, place: Ground) -> AsyncIterator[Enqueue]:
        """A broker that only sends."""
        broker = _broker(place)

        @broker.task(task_name="piece")
        async def piece(key: str) -> None:
            """Runs in the worker."""

        await broker.startup()

        async def enqueue(key: str) -> None:
            await piece.kiq(key)

        try:
            yield enqueue
        finally:
            await broker.shutdown()

    worker = staticmethod(_worker)
