"""procrastinate: jobs in PostgreSQL, woken by LISTEN/NOTIFY."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from procrastinate import App, PsycopgConnector, RetryStrategy

from bench.children import Life, until_stopped
from bench.ground import Ground
from bench.queues.work import Enqueue, work


def _app(place: Ground) -> App:
    address = place.services.owner_url.replace("+asyncpg", "")
    return App(connector=PsycopgConnector(conninfo=address, min_size=4, max_size=20))


async def _worker(life: Life, place: Ground, folder: Path, number: int) -> None:
    app = _app(place)

    @app.task(name="piece", retry=RetryStrategy(max_attempts=5))
    async def piece(key: str) -> None:
        await work(folder, key)

    # As its manual says: what a dead worker held is found by a periodic task of one's own.
    @app.periodic(cron="*/10 * * * * *")
    @app.task(queueing_lock="retry_stalled", pass_context=False, name="retry_stalled")
    async def retry_stalled(timestamp: int) -> None:
        for job in await app.job_manager.get_stalled_jobs():
            await app.job_manager.retry_job(job)

    async with app.open_async():
        life.ready()
        await until_stopped(
            life, app.run_worker_async(concurrency=10, install_signal_handlers=False)
        )


@dataclass(frozen=True, slots=True)
class Procrastinate:
    """The well-known queue on PostgreSQL."""

    name: str = "procrastinate"
    setting: str = (
        "jobs in PostgreSQL, LISTEN/NOTIFY, 10 jobs a worker; stalled jobs retried by a periodic "
        "task each 10 s, heartbeat and stall time-out as they come"
    )
    steps: int = 1

    async def prepare(self, place: Ground) -> None:
        """Its schema, once."""
        app = _app(place)
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    async def handed_in(self, place: Ground) -> None:
        """Nothing."""

    @asynccontextmanager
    async def producer(self, place: Ground) -> AsyncIterator[Enqueue]:
        """Its own pool."""
        app = _app(place)

        async def enqueue(key: str) -> None:
            await app.configure_task("piece").defer_async(key=key)

        async with app.open_async():
            yield enqueue

    worker = staticmethod(_worker)
