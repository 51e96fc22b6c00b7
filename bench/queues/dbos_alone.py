"""DBOS: workflows whose steps are rows in PostgreSQL; ours is nearest to it in what it promises."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from dbos import DBOS, DBOSClient, DBOSConfig

from bench.children import Life
from bench.ground import Ground
from bench.queues.work import Enqueue, work

_QUEUE = "bench"
_SLOTS = 10


def _address(place: Ground) -> str:
    return place.services.owner_url.replace("+asyncpg", "")


def _application(place: Ground, folder: Path, executor: str) -> None:
    DBOS(
        config=DBOSConfig(
            name="bench",
            system_database_url=_address(place),
            executor_id=executor,
            application_version="1",
            log_level="ERROR",
        )
    )

    @DBOS.step(name="one")
    async def one(key: str, number: int) -> int:
        return await work(folder, key, step=number)

    @DBOS.workflow(name="piece")
    async def piece(key: str, steps: int) -> None:
        for number in range(steps):
            await one(key, number)

    DBOS.launch()
    DBOS.register_queue(_QUEUE, worker_concurrency=_SLOTS)


async def _worker(life: Life, place: Ground, folder: Path, number: int) -> None:
    await asyncio.to_thread(_application, place, folder, f"worker-{number}")
    life.ready()
    await life.stop.wait()
    await asyncio.to_thread(DBOS.destroy, workflow_completion_timeout_sec=0)


@dataclass(frozen=True, slots=True)
class Dbos:
    """Durable workflows as a library."""

    steps: int = 1

    @property
    def name(self) -> str:
        return "DBOS" if self.steps == 1 else f"DBOS, {self.steps} steps a workflow"

    @property
    def setting(self) -> str:
        return (
            "workflow and step rows in PostgreSQL, 10 workflows a worker, queue poll as it comes "
            "(1 s); pending workflows recovered when an executor of the same id starts"
        )

    async def prepare(self, place: Ground) -> None:
        """Its tables: made at the first launch."""
        await asyncio.to_thread(_migrate, place)

    async def handed_in(self, place: Ground) -> None:
        """Nothing."""

    @asynccontextmanager
    async def producer(self, place: Ground) -> AsyncIterator[Enqueue]:
        """A client, as a program that only hands in work."""
        client = await asyncio.to_thread(
            lambda: DBOSClient(system_database_url=_address(place), application_name="bench")
        )

        async def enqueue(key: str) -> None:
            await client.enqueue_async(
                {"queue_name": _QUEUE, "workflow_name": "piece", "app_version": "1"},
                key,
                self.steps,
            )

        try:
            yield enqueue
        finally:
            await asyncio.to_thread(client.destroy)

    worker = staticmethod(_worker)


def _migrate(place: Ground) -> None:
    _application(place, Path("/"), "migration")
    DBOS.destroy(workflow_completion_timeout_sec=0, destroy_registry=True)
