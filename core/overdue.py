"""What becomes of an approval that nobody decides: it is reminded of, and one day it expires.

Both are rows of the schedule, written with the approval itself. An approval that was decided
meanwhile has nothing done to it.
"""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from core import schedule, tasks
from core.approvals import rows, run
from core.codec import dump
from core.db import execute, fetch_one
from core.house import House
from core.phrases import EXPIRED
from core.reading.calendar import is_business_day
from core.schedule import Occurrence
from core.tags import Tag
from core.tasks import Task
from core.unit import Unit

EXPIRE, REMIND = "approval.expire", "approval.remind"

OPENS, CLOSES = time(9), time(18)
"""Nobody is reminded outside of these hours of a working day, in the organisation's zone."""


async def watch(
    work: Unit, task: Task, approval_id: UUID, expires_at: datetime, remind_after: timedelta
) -> None:
    """See to it that an approval which is just being asked for does not wait for ever."""
    for kind, when in ((EXPIRE, expires_at), (REMIND, remind_after)):
        await schedule.at(
            work,
            f"{kind}:{approval_id}",
            when,
            kind,
            organisation_id=task.organisation_id,
            subject_id=approval_id,
        )


async def watch_unwatched(work: Unit) -> None:
    """Do so for those that wait without: asked for by a version that knew of no schedule."""
    await execute(
        work.connection,
        # across organisations: the schedule of the whole house
        """
        insert into schedule (name, due_at, next_at, kind, organisation_id, subject_id)
        select kind || ':' || a.id, due_at, due_at, kind, a.organisation_id, a.id
        from approvals a
            cross join lateral (values (:expire, a.expires_at), (:remind, now())) k (kind, due_at)
        where a.state = 'pending' and not exists
            (select from schedule s where s.name = kind || ':' || a.id and s.done_at is null)
        on conflict (name, due_at) do nothing
        """,
        {"expire": EXPIRE, "remind": REMIND},
    )


async def expire(house: House, work: Unit, occurrence: Occurrence) -> datetime | None:
    """Close an approval past its time; its task stops and says so, with a way to go on."""
    found = await _pending(work, occurrence)
    if found is None:
        return None
    task, approval = found
    expires_at: datetime = approval.expires_at
    if expires_at > occurrence.now:
        return expires_at
    before = await rows.read(work.connection, task.organisation_id, approval.id)
    await rows.store(work, task, before, run.end(before, "expired", occurrence.now))
    at = expires_at.astimezone(ZoneInfo(approval.requester_zone)).strftime("%Y-%m-%d %H:%M")
    words = EXPIRED.fill(at=at)
    await tasks.move(work, task, "failed", failure=words)
    work.record(tasks.event(task, Tag.APPROVAL_EXPIRED, {"approval": str(approval.id)}))
    await tasks.notify(work, task, "approval.closed", {"approval": str(approval.id)})
    await tasks.notify(work, task, "task.failed", {"failure": dump(words)})
    return None


async def remind(house: House, work: Unit, occurrence: Occurrence) -> datetime | None:
    """Remind those who may decide, and show whoever asked what it waits for; then again later."""
    found = await _pending(work, occurrence)
    if found is None:
        return None
    task, approval = found
    zone = ZoneInfo(approval.company_zone)
    local = occurrence.now.astimezone(zone)
    if not (is_business_day(local.date()) and OPENS <= local.time() < CLOSES):
        return schedule.on_days(occurrence.now, zone, OPENS, is_business_day)
    work.record(tasks.event(task, Tag.APPROVAL_REMINDED, {"approval": str(approval.id)}))
    facts: dict[str, object] = {"approval": str(approval.id), "at": occurrence.now.isoformat()}
    await tasks.notify(work, task, "approval.reminded", facts)
    return occurrence.now + house.approval_reminder


async def _pending(work: Unit, occurrence: Occurrence) -> tuple[Task, Any] | None:
    """The approval, if it still waits, and its task, locked so that nobody decides meanwhile."""
    scope = {"organisation_id": occurrence.organisation_id, "id": occurrence.subject_id}
    found = await fetch_one(
        work.connection,
        "select organisation_id, task_id from approvals"
        " where organisation_id = :organisation_id and id = :id and state = 'pending'",
        scope,
    )
    if found is None:
        return None
    task = await tasks.lock(work.connection, found.organisation_id, found.task_id)
    approval = await fetch_one(
        work.connection,
        "select a.id, a.expires_at, p.time_zone as requester_zone,"
        " coalesce(o.profile ->> 'time_zone', p.time_zone) as company_zone"
        " from approvals a join organisations o on o.id = a.organisation_id"
        " join tasks t on t.id = a.task_id join people p on p.id = t.person_id"
        " where a.organisation_id = :organisation_id and a.id = :id and a.state = 'pending'",
        scope,
    )
    return None if approval is None else (task, approval)
