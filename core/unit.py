"""One change of state: a transaction with its events and jobs, and the bell after its commit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit import log
from audit.event import Event
from core.db import execute, to_json
from core.house import House
from core.ports import Job, JobKind, Lane

HAND_AGAIN_AFTER = timedelta(seconds=2)
"""What was not picked up this long after its commit is handed to the queue again."""


class InLine(Protocol):
    """A task, and its place among those that wait for a worker."""

    @property
    def id(self) -> UUID: ...
    @property
    def organisation_id(self) -> UUID: ...
    @property
    def lane(self) -> Lane: ...
    @property
    def rank(self) -> int: ...


@dataclass(slots=True)
class Unit:
    """A transaction under way. What is recorded and nudged here is written at its end."""

    connection: AsyncConnection
    events: list[Event] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)

    def record(self, event: Event) -> None:
        """Write an event with this change."""
        self.events.append(event)

    def nudge(self, kind: JobKind, task: InLine, after: timedelta = timedelta(0)) -> None:
        """Have a worker go on with a task once this change is committed."""
        job = Job(kind, task.organisation_id, task.id, after, task.lane, task.rank)
        if job not in self.jobs:
            self.jobs.append(job)


@asynccontextmanager
async def unit(house: House) -> AsyncIterator[Unit]:
    """A transaction that commits when the block ends and is undone when it raises.

    Used at two edges only: the end of an intake and the end of a worker's step.
    """
    async with house.engine.begin() as connection:
        work = Unit(connection)
        yield work
        events, learned = await house.personal.sealed(connection, work.events)
        await log.append(connection, events)
        await _store_jobs(connection, work.jobs)
    house.personal.remember(learned)
    await house.doorbell.ring(work.jobs, events)


async def _store_jobs(connection: AsyncConnection, jobs: list[Job]) -> None:
    if not jobs:
        return
    rows = [outbox_row(job) for job in jobs]
    await execute(connection, OUTBOX_INSERT, {"jobs": to_json(rows)})


def outbox_row(job: Job) -> dict[str, object]:
    """A job as OUTBOX_INSERT takes it; `wait` in seconds until it is handed again."""
    return {
        "id": str(job.id),
        "organisation_id": str(job.organisation_id),
        "kind": job.kind,
        "subject_id": str(job.task_id),
        "lane": job.lane,
        "rank": job.rank,
        "wait": int((job.after + HAND_AGAIN_AFTER).total_seconds()),
    }


OUTBOX_INSERT = """
    insert into outbox (id, organisation_id, kind, subject_id, lane, rank, next_at)
    select id, organisation_id, kind, subject_id, lane, rank, now() + make_interval(secs => wait)
    from jsonb_to_recordset(cast(:jobs as jsonb)) as job(id uuid, organisation_id uuid, kind text,
        subject_id uuid, lane text, rank integer, wait integer)
"""
