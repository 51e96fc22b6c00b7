"""Finds what nobody picked up and hands it on again: one pass, harmless to repeat.

Every worker runs it; an advisory lock lets one at a time do the work.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core import tasks
from core.codec import dump
from core.db import execute, fetch_all
from core.house import House
from core.phrases import EXPIRED
from core.ports import Job
from core.tags import Tag
from core.unit import unit

log = structlog.get_logger()

_LOCK = 5_114_200_002

_FORGOTTEN = text("""
    -- across organisations: the reconciler serves them all.
    -- What waits to be done and has no nudge left: its worker died, or the nudge was used up.
    with waiting as (
        select 'advance' as kind, organisation_id, id as task_id from tasks
            where state in ('received', 'running', 'retrying', 'cancelling')
            and (lease_until < now()
                or (lease_until is null and updated_at < now() - interval '5 s'))
            and (retry_at is null or retry_at < now())
        union
        select 'announce', organisation_id, task_id from notifications
            where routed_at is null and created_at < now() - interval '5 s'
        union
        select 'announce', organisation_id, task_id from deliveries
            where state in ('pending', 'sending') and next_at < now() - interval '2 s'
    )
    insert into outbox (id, organisation_id, kind, subject_id, lane, rank, next_at)
    select gen_random_uuid(), waiting.organisation_id, waiting.kind, t.id, t.lane, t.rank, now()
    from waiting join tasks t on t.id = waiting.task_id
    where not exists (select from outbox o where o.organisation_id = waiting.organisation_id
        and o.subject_id = waiting.task_id and o.kind = waiting.kind)
    limit 1000
""")

_DUE = text("""
    -- across organisations: the reconciler serves them all
    with due as (
        select id from outbox where next_at <= now() order by next_at limit 500
        for update skip locked
    )
    -- 2, 4, 6, 6 ... seconds between two attempts. No more: Redis may have been wiped meanwhile.
    -- And no less: most of it is not lost, but waits in a long queue (where it keeps its place).
    update outbox o set attempts = attempts + 1,
        next_at = now() + make_interval(secs => least(6, 2 * (attempts + 1)))
    from due where o.id = due.id
    returning o.id, o.kind, o.organisation_id, o.subject_id as task_id, o.lane, o.rank
""")


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass found."""

    jobs: Sequence[Job]
    expired: int


async def reconcile(house: House) -> Pass | None:
    """Hand again what is due and close what has expired. None where another worker is at it."""
    async with house.engine.begin() as connection:
        if not await _alone(connection):
            return None
        await connection.execute(_FORGOTTEN)
        rows = (await connection.execute(_DUE)).all()
    jobs = sorted(
        {
            Job(row.kind, row.organisation_id, row.task_id, lane=row.lane, rank=row.rank, id=row.id)
            for row in rows
        },
        key=lambda job: (job.rank, job.kind, job.task_id),
    )
    if jobs:
        log.info("reconcile.handed_again", jobs=len(jobs))
        await house.doorbell.ring(jobs, [])
    return Pass(jobs, await _expire(house))


async def _alone(connection: AsyncConnection) -> bool:
    return bool(
        (
            await connection.execute(
                text("select pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}
            )
        ).scalar()
    )


async def _expire(house: House) -> int:
    """Close approvals past their time; their tasks stop and say so, with a way to go on."""
    async with house.engine.connect() as connection:
        # across organisations: the reconciler serves them all
        rows = await fetch_all(
            connection,
            "select id, organisation_id, task_id, expires_at from approvals"
            " where state = 'pending' and expires_at <= now() limit 100",
            {},
        )
    for row in rows:
        async with unit(house) as work:
            task = await tasks.lock(work.connection, row.organisation_id, row.task_id)
            closed = await execute(
                work.connection,
                "update approvals set state = 'expired', closed_at = now()"
                " where organisation_id = :organisation_id and id = :id and state = 'pending'",
                {"organisation_id": row.organisation_id, "id": row.id},
            )
            if not closed:
                continue
            at = row.expires_at.strftime("%Y-%m-%d")
            words = EXPIRED.fill(at=at)
            await tasks.move(work, task, "failed", failure=words)
            work.record(tasks.event(task, Tag.APPROVAL_EXPIRED, {"approval": str(row.id)}))
            await tasks.notify(work, task, "approval.closed", {"approval": str(row.id)})
            await tasks.notify(work, task, "task.failed", {"failure": dump(words)})
    return len(rows)
