"""Our queue beside arq, taskiq, procrastinate and DBOS, each with its durable setting.

The same work on the same machine in the same run: pieces that do nothing and pieces that wait
50 ms, three workers of ten slots each. They differ in what a piece of work leaves behind: ours is
a task with its audit events of which somebody is told, theirs a row or a key.
"""

import asyncio
import os
import random
import signal
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, monotonic_ns

import psutil

from bench.children import Child, child
from bench.figures import Figures, Goal, spread, tell
from bench.ground import Ground, ground
from bench.queues.arq_alone import Arq
from bench.queues.dbos_alone import Dbos
from bench.queues.history import finished_tasks
from bench.queues.ours import TEN, Ours
from bench.queues.procrastinate_alone import Procrastinate
from bench.queues.taskiq_alone import Taskiq
from bench.queues.work import STUCK, Note, Queue, ended, notes

WORKERS = 3
_AT_ONCE = 20
_PATIENCE = 180.0
_SETTLES = 3.0
_STARTED_AGAIN_AFTER = 1.0  # seconds, as a supervisor would

QUEUES: Sequence[Queue] = (Ours(), Arq(), Taskiq(), Procrastinate(), Dbos())
IN_TEN_STEPS: Sequence[Queue] = (
    Ours(steps=TEN, told=False),
    Dbos(steps=TEN),
    Ours(steps=TEN),
    Ours(told=False),
)
"""The first two are what is compared; the steps of all are counted."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    noop: int
    pause: int
    singles: int
    rest_s: float
    recovery_s: float
    history: int


FULL = Size(600, 300, 100, 5.0, 90.0, 1_000_000)
QUICK = Size(40, 20, 10, 1.0, 15.0, 2_000)


@dataclass(slots=True)
class Row:
    """What was measured of one queue."""

    figures: dict[str, object] = field(default_factory=dict)
    to_start: list[float] = field(default_factory=list)


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """All of them on one ground, in turns; then ours again over a long history."""
    size = QUICK if quick else FULL
    rows: dict[str, Row] = {}
    async with ground() as place:
        for queue in QUEUES:
            tell(f"  {queue.name} ...")
            await queue.prepare(place)
            rows[queue.name] = await _measure(queue, place, size)
        for queue in IN_TEN_STEPS:
            async with _folder() as folder:
                n = size.noop // queue.steps
                per_second = await _steps(queue, place, folder, "noop", n)
            rows[queue.name] = Row({"setting": queue.setting, "steps a second": per_second})
        tell(f"  miyabi over {size.history} finished tasks ...")
        took = await finished_tasks(place, size.history)
        old = await _hot(QUEUES[0], place, size)
        old.figures["making the history, s"] = took
        rows[f"miyabi over {size.history} finished tasks"] = old
    yield _figures(rows, size)


def _figures(rows: dict[str, Row], size: Size) -> Figures:
    ours, bare = rows["miyabi"], rows["arq"]
    old = rows[f"miyabi over {size.history} finished tasks"]
    start = spread("miyabi: commit to the step's first line, three workers", ours.to_start)
    later = spread("", old.to_start)
    goals = (
        Goal("commit to start, p50, ms", start.p50, 8),
        Goal("commit to start, p99, ms", start.p99, 25),
        Goal("recovery after kill -9, s", _number(ours, "recovery after kill -9, s"), 10),
        Goal("commit to start over the history, p50 in times", later.p50 / start.p50, 1.2),
        Goal(
            "steps a second over the history, in times fewer",
            _number(ours, "steps a second") / _number(old, "steps a second"),
            1.2,
        ),
        Goal(
            "durable steps a second, DBOS in times ours (ten a workflow)",
            _number(rows[IN_TEN_STEPS[1].name], "steps a second")
            / _number(rows[IN_TEN_STEPS[0].name], "steps a second"),
            1.0,
        ),
        Goal(
            "durable steps a second, procrastinate in times ours (ten a task)",
            _number(rows["procrastinate"], "steps a second")
            / _number(rows[IN_TEN_STEPS[0].name], "steps a second"),
            1.0,
        ),
    )
    return Figures(
        "queue",
        start,
        spread("arq alone: enqueued to the job's first line, three workers", bare.to_start),
        goals,
        {name: row.figures for name, row in rows.items()},
    )


def _number(row: Row, name: str) -> float:
    value = row.figures[name]
    return float(value) if isinstance(value, int | float) else float("inf")


# One queue


async def _measure(queue: Queue, place: Ground, size: Size) -> Row:
    row = await _hot(queue, place, size)
    row.figures["recovery after kill -9, s"] = await _recovery(queue, place, size.recovery_s)
    return row


async def _hot(queue: Queue, place: Ground, size: Size) -> Row:
    """Enqueueing, working off, one at a time, and resting."""
    row = Row({"setting": queue.setting})
    async with _folder() as folder:
        row.figures["enqueued a second"] = await _enqueue(queue, place, "noop", size.noop)
        async with _workers(queue, place, folder):
            row.figures["steps a second"] = _rate(await ended(folder, size.noop, _PATIENCE))
    async with _folder() as folder:
        per_second = await _steps(queue, place, folder, "pause", size.pause)
        row.figures["50 ms steps a second"] = per_second
    async with _folder() as folder, _workers(queue, place, folder) as workers:
        await asyncio.sleep(_SETTLES)
        row.to_start = await _singles(queue, place, folder, size.singles)
        found = spread("", row.to_start)
        row.figures["commit to start, ms"] = {
            "p50": round(found.p50, 1),
            "p99": round(found.p99, 1),
        }
        await asyncio.sleep(_SETTLES)
        row.figures["at rest, % of a core"] = await _at_rest(workers, size.rest_s)
    return row


async def _steps(queue: Queue, place: Ground, folder: Path, kind: str, n: int) -> float:
    """Steps a second of what waits already when the workers come."""
    await _enqueue(queue, place, kind, n)
    async with _workers(queue, place, folder):
        return _rate(await ended(folder, n * queue.steps, _PATIENCE))


def _rate(done: Sequence[Note]) -> float:
    last = max(note.ended_ns or 0 for note in done)
    return round(len(done) / ((last - min(note.began_ns for note in done)) / 1e9), 1)


async def _enqueue(queue: Queue, place: Ground, kind: str, n: int) -> float:
    """Hand in n pieces from twenty callers; how many a second."""
    async with queue.producer(place) as enqueue:
        await enqueue(f"{kind}-first")
        keys = [f"{kind}-{number}" for number in range(1, n)]
        began = monotonic()

        async def caller(mine: Sequence[str]) -> None:
            for key in mine:
                await enqueue(key)

        await asyncio.gather(*(caller(keys[k::_AT_ONCE]) for k in range(_AT_ONCE)))
        took = monotonic() - began
    await queue.handed_in(place)
    return round(len(keys) / took, 1)


async def _singles(queue: Queue, place: Ground, folder: Path, n: int) -> list[float]:
    """One at a time, at moments that no poll can be in step with: how long until it began, ms."""
    handed: dict[str, int] = {}
    async with queue.producer(place) as enqueue:
        for number in range(n):
            await asyncio.sleep(random.uniform(0.05, 0.2))
            key = f"single-{number}"
            await enqueue(key)
            handed[f"{key}/0"] = monotonic_ns()
        done = await ended(folder, n, _PATIENCE)
    return [max(0.0, (note.began_ns - handed[note.key]) / 1e6) for note in done]


async def _at_rest(workers: Sequence[Child], seconds: float) -> float:
    processes = [psutil.Process(worker.pid) for worker in workers]
    before = sum(sum(process.cpu_times()[:2]) for process in processes)
    await asyncio.sleep(seconds)
    after = sum(sum(process.cpu_times()[:2]) for process in processes)
    return round((after - before) / seconds * 100, 2)


# kill -9


async def _recovery(queue: Queue, place: Ground, patience: float) -> float | str:
    """From the death of the worker that had the piece to its next start, with a replacement."""
    async with _folder() as folder, AsyncExitStack() as stack:
        workers = [
            await stack.enter_async_context(child(queue.worker, place, folder, number))
            for number in range(2)
        ]
        await asyncio.sleep(_SETTLES)
        async with queue.producer(place) as enqueue:
            await enqueue(STUCK)
        victim = await _first_note(folder)
        await asyncio.sleep(0.5)
        os.kill(victim.pid, signal.SIGKILL)
        died = monotonic_ns()
        await asyncio.sleep(_STARTED_AGAIN_AFTER)
        number = next(n for n, worker in enumerate(workers) if worker.pid == victim.pid)
        await stack.enter_async_context(child(queue.worker, place, folder, number))
        until = monotonic() + patience
        while monotonic() < until:
            again = [note for note in notes(folder) if note.began_ns > died]
            if again:
                return round((again[0].began_ns - died) / 1e9, 2)
            await asyncio.sleep(0.05)
        return f"not within {patience:.0f} s"


async def _first_note(folder: Path) -> Note:
    async with asyncio.timeout(_PATIENCE):
        while True:
            found = notes(folder)
            if found:
                return found[0]
            await asyncio.sleep(0.02)


# Processes


@asynccontextmanager
async def _workers(queue: Queue, place: Ground, folder: Path) -> AsyncIterator[Sequence[Child]]:
    async with AsyncExitStack() as stack:
        yield await asyncio.gather(
            *(
                stack.enter_async_context(child(queue.worker, place, folder, number))
                for number in range(WORKERS)
            )
        )


@asynccontextmanager
async def _folder() -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(prefix="miyabi-bench-notes-") as folder:
        yield Path(folder)
