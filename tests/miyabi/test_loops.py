"""What a worker does for ever: no error, of whatever kind, ends it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from audit.checkpoints import newest
from audit.keys import HeldKey
from audit.note import NoteKey
from core import workers
from core.heartbeat import Heartbeat, Held
from core.ids import new_id
from core.ports import Job, Lane
from miyabi import archiving
from miyabi.doorbell import RedisDoorbell
from miyabi.lane import LaneWorker, listen
from miyabi.pauses import LONGEST, Pauses
from miyabi.queue import connect
from miyabi.tree import keep_tree
from miyabi.watch import keep_row
from miyabi.worker import reconcile_forever
from tests.core.house import Bell, Office, open_office, seen
from tests.miyabi.yard import until


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    async with open_office(database_url) as office:
        yield office


@asynccontextmanager
async def running(loop: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(loop)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


class FaultyBell(Bell):
    """Fails the first time as nobody expects a bell to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.faults = 1

    async def ring(self, jobs: Sequence[Job], events: Sequence[Any]) -> None:
        if self.faults:
            self.faults -= 1
            raise LookupError("a fault in our own code")
        await super().ring(jobs, events)


async def test_a_worker_goes_on_reconciling_after_any_error(office: Office) -> None:
    await office.say("letter Hello")
    bell = FaultyBell()
    async with running(reconcile_forever(replace(office.house, doorbell=bell))):
        await office.execute("update outbox set next_at = now()")
        await seen(lambda: bell.faults == 0)
        await office.execute("update outbox set next_at = now()")

        await seen(lambda: bell.jobs)


@dataclass(slots=True)
class FaultyCrew:
    """Can't say the first time how many jobs it has."""

    name: str = "faulty"
    lanes: Sequence[Lane] = ("interactive",)
    silent: float = 0.0
    stopping: bool = False
    faults: int = 1

    @property
    def jobs(self) -> int:
        if self.faults:
            self.faults -= 1
            raise LookupError("a fault in our own code")
        return 3

    async def begin_anew(self) -> None:
        """Nothing to do."""

    async def reaches_redis(self) -> bool:
        return True


async def test_a_workers_row_is_written_on_after_any_error(office: Office) -> None:
    async def jobs_written() -> bool:
        async with office.house.engine.connect() as connection:
            return [worker.jobs for worker in await workers.every(connection)] == [3]

    async with running(keep_row(office.house.engine, FaultyCrew())):
        await until(jobs_written, 20)


async def test_leases_are_renewed_on_after_any_error(office: Office) -> None:
    """A walk that can't be told that its lease is gone ends the renewing of no other."""
    heartbeat = Heartbeat(
        office.house.engine.url.render_as_string(hide_password=False), timedelta(seconds=0.9)
    )
    told: list[str] = []

    def fail(news: str) -> None:
        told.append(news)
        raise RuntimeError("Event loop is closed")

    try:
        for _ in range(2):  # nobody's tasks: lost at the first look
            before = len(told)
            heartbeat.hold(Held(new_id(), new_id(), 1, fail))
            await seen(lambda before=before: len(told) > before, 10)  # type: ignore[misc]
    finally:
        heartbeat.stop()

    assert told == ["lost", "lost"]


@contextlib.contextmanager
def failing_once(engine: AsyncEngine, statement: str) -> Iterator[list[str]]:
    """The first statement with these words fails as nobody expects it; which those were."""
    met: list[str] = []

    def meet(connection: Any, cursor: Any, sql: str, *more: Any) -> None:
        if statement in sql:
            met.append(sql)
            if len(met) == 1:
                raise LookupError("a fault in our own code")

    event.listen(engine.sync_engine, "before_cursor_execute", meet)
    try:
        yield met
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", meet)


@dataclass(slots=True)
class FaultyKey:
    """A key whose keeper fails the first time as nobody expects it."""

    held: HeldKey
    faults: int = 1

    @property
    def name(self) -> str:
        return self.held.name

    @property
    def id(self) -> bytes:
        return self.held.id

    @property
    def vkey(self) -> str:
        return self.held.vkey

    async def sign(self, message: bytes) -> bytes:
        if self.faults:
            self.faults -= 1
            raise LookupError("a fault in our own code")
        return await self.held.sign(message)


async def test_the_tree_grows_and_is_signed_on_after_any_error(office: Office) -> None:
    engine, key = office.house.engine, FaultyKey(HeldKey(NoteKey.made("audit.example.jp")))

    async def signed() -> bool:
        async with engine.connect() as connection:
            found = await newest(connection, office.organisation.id)
        return found is not None

    with failing_once(engine, "from audit_pending") as batches, capture_logs() as said:
        async with running(keep_tree(engine, [key])):
            await until(signed, 20)

    assert len(batches) > 1
    assert {"audit.sequencer_crashed", "audit.checkpoints_crashed"} <= {e["event"] for e in said}


async def test_the_archive_is_looked_after_on_after_any_error(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiving, "LOOK_EVERY", 0.02)
    with failing_once(office.house.engine, "from audit_archives") as looks, capture_logs() as said:
        async with running(archiving.keep_archive(office.house)):
            await seen(lambda: len(looks) > 1, 20)

    assert [e["event"] for e in said] == ["archive.crashed"]


def test_pauses_grow_up_to_a_minute_and_begin_anew_after_what_went_well() -> None:
    pauses = Pauses(0.25)
    assert [pauses.next() for _ in range(3)] == [0.25, 0.5, 1.0]
    assert [pauses.next() for _ in range(2000)][-1] == LONGEST
    pauses.over()
    assert pauses.next() == 0.25


@dataclass(slots=True)
class FaultyEar:
    """Stands for a lane's worker: what it does when the bell rings fails the first time."""

    rung: list[str] = field(default_factory=list)

    @property
    def bell(self) -> "FaultyEar":
        return self

    def set(self) -> None:
        self.rung.append("rung")
        if len(self.rung) == 1:
            raise LookupError("a fault in our own code")


async def test_the_bell_is_listened_to_on_after_any_error(redis_url: str) -> None:
    redis, ear = connect(redis_url), FaultyEar()
    ears: Any = {b"miyabi:interactive": ear}
    async with running(listen(redis, ears)):
        await seen(lambda: len(ear.rung) > 1, 10)
    await redis.aclose(close_connection_pool=True)


async def test_a_job_that_nobody_can_read_stops_no_lane(redis_url: str) -> None:
    redis, done = connect(redis_url), asyncio.Event()

    async def advance(ctx: dict[str, Any], organisation_id: str, task_id: str) -> None:
        done.set()

    lane = LaneWorker("interactive", redis, {"advance": advance}, jobs=2)
    await redis.zadd(lane.queue_name, {b"\xff": 0})  # not a name that we would give
    async with running(lane.main()):
        bell = RedisDoorbell(redis)
        await bell.ring([Job("advance", new_id(), new_id())], [])
        async with asyncio.timeout(10):
            await done.wait()
        lane.stopping = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.gather(*lane.tasks.values())
    await bell.close()
