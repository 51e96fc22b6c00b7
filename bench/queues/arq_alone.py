"""arq as it comes: a job in Redis, at least once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arq import Worker, create_pool, func
from arq.connections import RedisSettings

from bench.children import Life, until_stopped
from bench.ground import Ground
from bench.queues.work import Enqueue, work

_QUEUE = "bench:arq"


async def _worker(life: Life, place: Ground, folder: Path, number: int) -> None:
    async def piece(ctx: dict[str, Any], key: str) -> None:
        await work(folder, key)

    worker = Worker(
        functions=[func(piece, name="piece")],
        redis_settings=RedisSettings.from_dsn(place.services.redis_url),
        queue_name=_QUEUE,
        handle_signals=False,
        max_jobs=10,
    )
    life.ready()
    await until_stopped(life, worker.main())


@dataclass(frozen=True, slots=True)
class Arq:
    """The bare library under ours."""

    name: str = "arq"
    setting: str = "default poll of 0.5 s, 10 jobs a worker; Valkey alone keeps the jobs"
    steps: int = 1

    async def prepare(self, place: Ground) -> None:
        """Nothing."""

    async def handed_in(self, place: Ground) -> None:
        """Nothing."""

    @asynccontextmanager
    async def producer(self, place: Ground) -> AsyncIterator[Enqueue]:
        """Its own pool."""
        redis = await create_pool(RedisSettings.from_dsn(place.services.redis_url))

        async def enqueue(key: str) -> None:
            await redis.enqueue_job("piece", key, _queue_name=_QUEUE)

        try:
            yield enqueue
        finally:
            await redis.aclose(close_connection_pool=True)

    worker = staticmethod(_worker)
