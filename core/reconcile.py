"""What every worker does about once a second: hand on again what nobody picked up, do what is due.

Harmless to repeat. An advisory lock lets one at a time look for what was overlooked; what is due
is claimed row by row (core/schedule.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core import archive, holding, housekeeping, joining, nightly, overdue, people
from core.approvals import delegating, ladder, reminding, rungs, settling
from core.house import House
from core.ports import Job
from core.schedule import Handler, run_due

log = structlog.get_logger()

LOCK = 5_114_200_002

_FORGOTTEN = text("""
    -- across organisations: the reconciler serves them all.
    -- What waits to be done and has no nudge left: its worker died, or the nudge was used up.
    with news as (
        select organisation_id, task_id from notifications
            where routed_at is null and created_at < now() - interval '5 s'
        union
        -- Not where somebody is at the thread, nor where it waits to try again what failed.
        select organisation_id, task_id from deliveries d
            where state in ('pending', 'sending') and next_at < now() - interval '2 s'
            and not exists (select from threads h where h.id = d.thread_id
                and h.lease_until > now())
            and not exists (select from deliveries w where w.thread_id = d.thread_id
                and w.state in ('pending', 'sending') and w.attempts > 0 and w.next_at > now())
    ), forgotten as (
        select 'advance' as kind, organisation_id, id as task_id, lane, rank from tasks
            where state in ('received', 'running', 'retrying', 'cancelling')
            and (lease_until < now()
                or (lease_until is null and updated_at < now() - interval '5 s'))
            and (retry_at is null or retry_at < now())
        union all
        -- `limit` has each looked up by its key, however many PostgreSQL expects there to be.
        select 'announce', organisation_id, task_id, lane, rank from news
            cross join lateral (select lane, rank from tasks where id = news.task_id limit 1) t
    )
    insert into outbox (id, organisation_id, kind, subject_id, lane, rank, next_at)
    select gen_random_uuid(), organisation_id, kind, task_id, lane, rank, now()
    from forgotten f
    where not exists (select from outbox o where o.organisation_id = f.organisation_id
        and o.subject_id = f.task_id and o.kind = f.kind)
    limit 1000
""")

_DUE = text("""
    -- across organisations: the reconciler serves them all
    with due as (
        select id from outbox where next_at <= now() order by next_at limit 500
        for update skip locked
    )
    -- 2, 3, 4, 4 ... seconds between two attempts. No more: Redis may have been wiped meanwhile, or
    -- who had taken it from there may have died.
    -- And no less: most of it is not lost, but waits in a long queue (where it keeps its place).
    update outbox o set attempts = attempts + 1,
        next_at = now() + make_interval(secs => least(4, 2 + attempts))
    from due where o.id = due.id
    returning o.id, o.kind, o.organisation_id, o.subject_id as task_id, o.lane, o.rank
""")


HANDLERS: Mapping[str, Handler] = {
    overdue.EXPIRE: overdue.expire,
    overdue.REMIND: overdue.leave,
    reminding.DIGEST: reminding.digest,
    holding.EXPIRE: holding.expire,
    joining.JOINED: joining.tell,
    ladder.RUNG: rungs.do_rung,
    settling.SETTLE: settling.settle,
    delegating.TURN: delegating.turn,
    people.CHANGED: delegating.person_changed,
    housekeeping.HOUSEKEEPING: housekeeping.tidy,
    nightly.COMPLETENESS: nightly.look_nightly,
    archive.ARCHIVE: archive.plan,
}
"""All that can be scheduled, by the kind of its rows."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass handed on, and how many rows of the schedule it tried."""

    jobs: Sequence[Job]
    scheduled: int


async def reconcile(house: House) -> Pass:
    """Hand again what waits too long, unless another worker is at it; do what is due."""
    jobs = await _overlooked(house)
    if jobs:
        log.info("reconcile.handed_again", jobs=len(jobs))
        await house.doorbell.ring(jobs, [])
    return Pass(jobs, await run_due(house, HANDLERS))


async def _overlooked(house: House) -> Sequence[Job]:
    async with house.engine.begin() as connection:
        if not await _alone(connection):
            return []
        await connection.execute(_FORGOTTEN)
        rows = (await connection.execute(_DUE)).all()
    jobs = {
        Job(row.kind, row.organisation_id, row.task_id, lane=row.lane, rank=row.rank, id=row.id)
        for row in rows
    }
    return sorted(jobs, key=lambda job: (job.rank, job.kind, job.task_id))


async def _alone(connection: AsyncConnection) -> bool:
    # Of this transaction: a worker that is stopped in the middle loses it (core/db.py), and with
    # it the lock.
    taken = text("select pg_try_advisory_xact_lock(:lock)")
    return bool(await connection.scalar(taken, {"lock": LOCK}))
