"""An approval that nobody decides expires one day.

That is a row of the schedule, written with the approval itself. An approval that was decided
meanwhile has nothing done to it. Before, it is reminded of (core/approvals/reminding.py).
"""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from core import schedule, tasks
from core.approvals import rows, run
from core.codec import dump
from core.db import execute, fetch_one
from core.failing import tell_failed
from core.house import House
from core.phrases import EXPIRED
from core.schedule import Occurrence
from core.tags import Tag
from core.tasks import Task
from core.unit import Unit

EXPIRE = "approval.expire"

REMIND = "approval.remind"
"""Of an earlier version, which reminded of each approval by itself."""


async def watch(work: Unit, task: Task, approval_id: UUID, expires_at: datetime) -> None:
    """See to it that an approval which is just being asked for does not wait for ever."""
    await schedule.at(
        work,
        f"{EXPIRE}:{approval_id}",
        expires_at,
        EXPIRE,
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
        select :kind || ':' || a.id, a.expires_at, a.expires_at, :kind, a.organisation_id, a.id
        from approvals a
        where a.state = 'pending' and not exists
            (select from schedule s where s.name = :kind || ':' || a.id and s.done_at is null)
        on conflict (name, due_at) do nothing
        """,
        {"kind": EXPIRE},
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
    await tell_failed(work, task, house.agent(task.agent, task.agent_version).title, words)
    return None


async def leave(house: House, work: Unit, occurrence: Occurrence) -> None:
    """What an earlier version is to be reminded of: whoever holds a seat is (housekeeping sees to
    it)."""


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
        "select a.id, a.expires_at, p.time_zone as requester_zone from approvals a"
        " join tasks t on t.id = a.task_id join people p on p.id = t.person_id"
        " where a.organisation_id = :organisation_id and a.id = :id and a.state = 'pending'",
        scope,
    )
    return None if approval is None else (task, approval)
