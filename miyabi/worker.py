"""A worker: steps and news of both lanes, reconciler, audit tree, anchors; and a watch over all.

arq polls every 0.5 s (267 ms p50 from commit to start); waiting for the bell instead takes 3 to
4 ms at a fraction of the idle cost. The poll remains as the safety net.
"""

import asyncio
import contextlib
import os
import random
import socket
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from arq import ArqRedis, Retry
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from audit.keys import Signer
from core.house import House
from core.ports import JobKind, Lane
from core.reconcile import reconcile
from core.runner import advance
from miyabi.anchors import Anchors, keep_anchors
from miyabi.archiving import keep_archive
from miyabi.lane import LaneWorker, listen
from miyabi.queue import KINDS, LANES, connect_anew, give_back
from miyabi.tree import keep_tree
from miyabi.watch import Patience, keep_row, watch
from notifier.deliver import announce

log = structlog.get_logger()

RECONCILE_EVERY = 1.0

TOLD_TOGETHER = 0.05
"""Seconds in which the news of one task come together: nobody reads faster, several quick steps
make one message, and the step itself comes before what is told of it."""

_FINAL_POLL = 1.0  # seconds for the poll under way when told to stop
_HANDING_BACK = (6.5, 0.5)
"""Seconds in which what was cancelled gives its leases back, and what has not heard it the first
time. An act on the outside has 5 of them to end in, and its outcome is noted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker process serves, and with how many steps at a time.

    As many threads are told the news at a time, in slots of their own: where a platform hangs, each
    telling takes as long as it is waited for, and no step is to wait for that.
    """

    interactive: int = 10
    bulk: int = 2
    lanes: Sequence[Lane] = LANES
    grace: timedelta = timedelta(seconds=10)
    patience: Patience = field(default_factory=Patience)

    def jobs(self, lane: Lane) -> int:
        return self.bulk if lane == "bulk" else self.interactive


async def run_worker(
    house: House,
    redis: ArqRedis,
    plan: Plan | None = None,
    signers: Sequence[Signer] = (),
    anchors: Anchors | None = None,
) -> None:
    """Work until cancelled; then finish or hand back what is under way, within 19 s.

    Raises Deaf where the queue can't be heard though Redis answers others.
    """
    crew = Crew(house, redis, plan or Plan())
    reconciling = asyncio.create_task(reconcile_forever(house))
    tree = asyncio.create_task(keep_tree(house.engine, signers))
    anchoring = asyncio.create_task(keep_anchors(house.engine, anchors or Anchors()))
    archive = asyncio.create_task(keep_archive(house))
    row = asyncio.create_task(keep_row(house.engine, crew))
    crew.begin()
    try:
        await watch(crew, crew.plan.patience)
    finally:
        reconciling.cancel()
        await crew.stop()
        tree.cancel()  # after the last events
        anchoring.cancel()
        archive.cancel()
        row.cancel()
        await asyncio.wait([reconciling, tree, anchoring, archive, row], timeout=_FINAL_POLL)


def worker_name() -> str:
    """What this process is called in leases, events and the table of workers."""
    return f"{socket.gethostname()}:{os.getpid()}"


def make_worker(
    house: House, redis: ArqRedis, lane: Lane, *, jobs: int = 10, kind: JobKind = "advance"
) -> LaneWorker:
    """A worker on one queue. A job is an organisation and a task, nothing else."""
    name = worker_name()
    about_to_tell: set[str] = set()

    async def run_advance(ctx: dict[str, Any], organisation_id: str, task_id: str) -> None:
        _still_at_work(worker)
        await _guard(advance(house, UUID(organisation_id), UUID(task_id), name), "advance", task_id)

    async def run_announce(ctx: dict[str, Any], organisation_id: str, task_id: str) -> None:
        _still_at_work(worker)
        if task_id in about_to_tell:
            return  # that one tells it all
        about_to_tell.add(task_id)
        try:
            await asyncio.sleep(TOLD_TOGETHER)
        finally:
            about_to_tell.discard(task_id)
        await _guard(
            announce(house, UUID(organisation_id), UUID(task_id), name), "announce", task_id
        )

    functions = {"advance": run_advance, "announce": run_announce}
    worker = LaneWorker(lane, redis, functions, jobs=jobs, kind=kind)
    return worker


def _still_at_work(worker: LaneWorker) -> None:
    """What was taken and not begun when we were told to stop stays in the queue for another."""
    if worker.stopping:
        raise Retry


async def _guard(work: Awaitable[None], kind: str, task_id: str) -> None:
    """A job never fails in arq's eyes: what it left undone is the reconciler's to hand again."""
    try:
        await work
    except (SQLAlchemyError, OSError) as error:
        log.error("worker.database_away", job=kind, task=task_id, error=repr(error))
    except Exception:
        log.exception("worker.job_crashed", job=kind, task=task_id)


async def reconcile_forever(house: House) -> None:
    """One pass about every second; workers start at different moments and take turns."""
    await asyncio.sleep(random.uniform(0, RECONCILE_EVERY))  # noqa: S311  # not a secret
    while True:
        try:
            await reconcile(house)
        except (SQLAlchemyError, OSError) as error:
            log.error("reconcile.database_away", error=repr(error))
        except Exception:  # whatever it was, the next pass may do without it
            log.exception("reconcile.crashed")
        await asyncio.sleep(RECONCILE_EVERY)


@dataclass(slots=True)
class Crew:
    """The lanes of one process, on a pool of connections of their own."""

    house: House
    given: ArqRedis
    plan: Plan
    name: str = field(default_factory=worker_name)
    stopping: bool = False
    workers: list[LaneWorker] = field(default_factory=list)
    _running: list[asyncio.Task[None]] = field(default_factory=list)

    def begin(self) -> None:
        """Take jobs from now on."""
        redis = self._connect()
        self.workers = [
            make_worker(self.house, redis, lane, jobs=self.plan.jobs(lane), kind=kind)
            for lane in self.plan.lanes
            for kind in KINDS
        ]
        self._run(redis)

    @property
    def lanes(self) -> Sequence[Lane]:
        return self.plan.lanes

    @property
    def jobs(self) -> int:
        """How many are under way."""
        return sum(len(worker.tasks) for worker in self.workers)

    @property
    def silent(self) -> float:
        """Seconds since all lanes heard from Redis."""
        return time.monotonic() - min(worker.polled_at for worker in self.workers)

    async def begin_anew(self) -> None:
        """Other loops on other connections; jobs under way go on, and end on these."""
        await _cancelled(self._running)
        old, redis = self.workers[0].pool, self._connect()
        for worker in self.workers:
            worker._pool = redis  # arq offers no other way in
        self._run(redis)
        with contextlib.suppress(RedisError, OSError):
            await old.aclose(close_connection_pool=True)

    async def reaches_redis(self) -> bool:
        """Whether Redis answers a connection that has nothing to do with ours."""
        redis = connect_anew(self.given, connections=1)
        try:
            async with asyncio.timeout(2):
                return bool(await redis.ping())
        except (RedisError, OSError):
            return False
        finally:
            with contextlib.suppress(RedisError, OSError):
                await redis.aclose(close_connection_pool=True)

    async def stop(self) -> None:
        """Take nothing more; let what runs end; what does not in time is cancelled, and so handed
        back: tasks by `advance`, threads by `announce`, jobs by arq, which leaves them queued."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.plan.grace.total_seconds()
        self.stopping = True
        for worker in self.workers:
            worker.stopping = True
            worker.bell.set()
        *polling, listening = self._running
        listening.cancel()
        await asyncio.wait(polling, timeout=_FINAL_POLL)
        await _cancelled(self._running)
        await self._all_ended(max(0.0, until - loop.time()))
        for seconds in _HANDING_BACK:  # a library may swallow the first
            for worker in self.workers:
                for job in worker.job_tasks.values():
                    job.cancel()
            if await self._all_ended(seconds):
                break
        redis = self.workers[0].pool
        with contextlib.suppress(RedisError, OSError):
            async with asyncio.timeout(1):
                for worker in self.workers:
                    await give_back(redis, worker.queue_name, [])
        with contextlib.suppress(RedisError, OSError):
            await redis.aclose(close_connection_pool=True)

    async def _all_ended(self, seconds: float) -> bool:
        """Wait for the jobs under way."""
        running = [task for worker in self.workers for task in worker.tasks.values()]
        if not running:
            return True
        _, late = await asyncio.wait(running, timeout=seconds)
        if late:
            log.info("worker.not_ended_in_time", jobs=len(late), seconds=seconds)
        return not late

    def _connect(self) -> ArqRedis:
        jobs = sum(self.plan.jobs(lane) for lane in self.plan.lanes) * len(KINDS)
        return connect_anew(self.given, connections=jobs + 20)

    def _run(self, redis: ArqRedis) -> None:
        by_name = {worker.queue_name.encode(): worker for worker in self.workers}
        self._running = [asyncio.create_task(worker.main()) for worker in self.workers]
        self._running.append(asyncio.create_task(listen(redis, by_name)))


async def _cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=_FINAL_POLL)
