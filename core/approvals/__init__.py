"""Approvals: opened by a worker, decided once, bound to the hash of what was shown."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import Actor
from core import overdue, phrases, tasks
from core.agent import Approval, Approved
from core.codec import dump
from core.db import execute, fetch_all, fetch_one, fetch_quickly, to_json
from core.errors import NotAllowed, Question, Refused, Unknown
from core.ids import new_id
from core.people import Person, approvers
from core.tags import Tag
from core.tasks import Task
from core.unit import Unit
from core.words import Words, same

Action = Literal["approve", "reject", "return"]

ACTIONS: dict[str, Words] = {
    "approve": phrases.ACTION_APPROVED,
    "reject": phrases.ACTION_REJECTED,
    "return": phrases.ACTION_RETURNED,
}
_STATE_AFTER: dict[Action, str] = {
    "approve": "approved",
    "reject": "rejected",
    "return": "returned",
}


async def request(
    work: Unit, task: Task, step: Approval, shown_sha256: str, days: int, remind_after: timedelta
) -> UUID:
    """Open an approval of exactly what is shown. The caller moves the task."""
    approval_id = new_id()
    row = await fetch_one(
        work.connection,
        "insert into approvals (id, organisation_id, task_id, revision, step, route,"
        " shown_sha256, expires_at)"
        " values (:id, :organisation_id, :task_id, :revision, :step, :route, :shown,"
        " now() + make_interval(days => :days)) returning expires_at",
        {
            "id": approval_id,
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": task.revision,
            "step": step.name,
            "route": step.route,
            "shown": shown_sha256,
            "days": days,
        },
    )
    assert row is not None  # noqa: S101  # it was just inserted
    await overdue.watch(work, task, approval_id, row.expires_at, remind_after)
    work.record(
        tasks.event(
            task,
            Tag.APPROVAL_REQUESTED,
            {"approval": str(approval_id), "route": step.route, "shown_sha256": shown_sha256},
        )
    )
    await tasks.notify(work, task, "approval.requested", {"approval": str(approval_id)})
    return approval_id


async def supersede(
    work: Unit, task: Task, state: Literal["superseded", "withdrawn"], actor: Actor
) -> None:
    """Close what is pending of a task whose content changes or which is withdrawn."""
    rows = await fetch_all(
        work.connection,
        "update approvals set state = :state, closed_at = now()"
        " where organisation_id = :organisation_id and task_id = :task_id and state = 'pending'"
        " returning id",
        {"state": state, "organisation_id": task.organisation_id, "task_id": task.id},
    )
    for row in rows:
        work.record(
            tasks.event(
                task, Tag.APPROVAL_SUPERSEDED, {"approval": str(row.id), "state": state}, actor
            )
        )
        await tasks.notify(work, task, "approval.closed", {"approval": str(row.id)})


@dataclass(frozen=True, slots=True)
class Standing:
    """How an approval stands. `current` is its task's revision; the last three where decided.

    `late`: its time is over by the database's clock, and the schedule is about to close it.
    """

    id: UUID
    task_id: UUID
    revision: int
    current: int
    step: str
    state: str
    shown_sha256: str
    expires_at: datetime
    late: bool
    action: str | None
    decided_at: datetime | None
    decided_by: str | None


_STANDING = """
    select a.id, a.task_id, a.revision, t.revision as current, a.step, a.state, a.shown_sha256,
        a.expires_at, a.state = 'pending' and a.expires_at <= now() as late, d.action,
        d.decided_at, p.name as decided_by
    from approvals a join tasks t on t.id = a.task_id
    left join decisions d on d.approval_id = a.id
    left join people p on p.id = d.person_id
    where a.organisation_id = :organisation_id and a.id = :id
"""


async def check_open(connection: AsyncConnection, person: Person, approval_id: UUID) -> Standing:
    """Raises Refused with what became of an approval that no longer waits; waits for nobody.

    Of many who click at once, all but the first are told by this, without queueing for the task.
    """
    row = await fetch_quickly(
        connection,
        _STANDING,  # names organisation_id
        {"organisation_id": person.organisation_id, "id": approval_id},
    )
    if row is None:
        raise Unknown(phrases.UNKNOWN_TASK.fill(target="?"))
    standing = Standing(**dict(row))
    closed = _closed(standing, ZoneInfo(person.time_zone))
    if closed is not None:
        raise Refused(closed)
    return standing


def _closed(standing: Standing, zone: ZoneInfo) -> Words | None:
    """What became of an approval; None while it waits."""
    if standing.state == "superseded" or standing.revision != standing.current:
        return phrases.CONTENT_CHANGED
    if standing.state == "withdrawn":
        return phrases.WITHDRAWN
    if standing.state == "expired" or standing.late:
        at = standing.expires_at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        return phrases.EXPIRED.fill(at=at)
    if standing.action is None or standing.decided_at is None:
        return None
    return phrases.ALREADY_DECIDED.fill(
        who=standing.decided_by,
        at=standing.decided_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
        action=ACTIONS[standing.action],
    )


async def _locked(
    connection: AsyncConnection, person: Person, approval_id: UUID
) -> tuple[Standing, Task]:
    """An approval that waits, and its task, locked. Raises Refused where it does not wait."""
    before = await check_open(connection, person, approval_id)
    task = await tasks.lock(connection, person.organisation_id, before.task_id)
    # Once more: somebody may have decided while this waited for the lock.
    return await check_open(connection, person, approval_id), task


async def decide(
    work: Unit, person: Person, approval_id: UUID, action: Action, reason: str, actor: Actor
) -> Task:
    """Decide, once. Whoever comes second is told who decided and when.

    Raises NotAllowed for whoever may not, Refused where there is nothing left to decide or the
    reason is missing.
    """
    standing, task = await _locked(work.connection, person, approval_id)
    await check_right(work.connection, person, task)
    if action != "approve" and not reason.strip():
        example = f"{action} {task.spoken} …"
        raise Refused(phrases.REASON_NEEDED.fill(example=example))
    await _write(work, person, standing, action, reason.strip())
    work.record(
        tasks.event(
            task,
            Tag.APPROVAL_DECIDED,
            {
                "approval": str(approval_id),
                "action": action,
                "shown_sha256": standing.shown_sha256,
                "has_reason": bool(reason.strip()),
            },
            actor,
        )
    )
    await tasks.notify(work, task, "approval.closed", {"approval": str(approval_id)})
    await _move_task(work, person, task, standing, action, reason.strip())
    return task


async def check(connection: AsyncConnection, person: Person, approval_id: UUID) -> Task:
    """Raises what a decision by this person would, deciding nothing; for a form before it."""
    _, task = await _locked(connection, person, approval_id)
    await check_right(connection, person, task)
    return task


async def _write(
    work: Unit, person: Person, standing: Standing, action: Action, reason: str
) -> None:
    await execute(
        work.connection,
        "update approvals set state = :state, closed_at = now()"
        " where organisation_id = :organisation_id and id = :id and state = 'pending'",
        {
            "state": _STATE_AFTER[action],
            "organisation_id": person.organisation_id,
            "id": standing.id,
        },
    )
    # The unique approval_id is the last word: two decisions of one approval can't both be stored.
    await execute(
        work.connection,
        "insert into decisions (id, organisation_id, approval_id, person_id, action, reason)"
        " values (:id, :organisation_id, :approval_id, :person_id, :action, :reason)",
        {
            "id": new_id(),
            "organisation_id": person.organisation_id,
            "approval_id": standing.id,
            "person_id": person.id,
            "action": action,
            "reason": reason,
        },
    )


async def _move_task(
    work: Unit, person: Person, task: Task, standing: Standing, action: Action, reason: str
) -> None:
    if action == "approve":
        now = datetime.now(UTC)
        result = Approved(person.name, now.isoformat(), standing.shown_sha256)
        await store_result(work, task, standing.step, "", dump(result), now)
        await tasks.move(work, task, "running")
        await tasks.notify(work, task, "task.moved")
        work.nudge("advance", task)
    elif action == "reject":
        await tasks.move(work, task, "rejected")
        await tasks.notify(work, task, "task.moved")
    else:
        prompt = phrases.SENT_BACK.fill(who=person.name, reason=reason)
        question = Question("revise", prompt)
        await tasks.move(work, task, "waiting", waiting_for="answer", question=question)
        await tasks.notify(work, task, "question.asked")


async def store_result(
    work: Unit, task: Task, step: str, inputs_sha256: str, result: object, started: datetime
) -> None:
    """Keep a step's result; it is never made again for this revision."""
    await execute(
        work.connection,
        "insert into steps (organisation_id, task_id, revision, name, inputs_sha256, result,"
        " started_at, finished_at)"
        " values (:organisation_id, :task_id, :revision, :name, :inputs,"
        " cast(:result as jsonb), :started, now())",
        {
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": task.revision,
            "name": step,
            "inputs": inputs_sha256,
            "result": to_json(result),
            "started": started,
        },
    )


async def check_right(connection: AsyncConnection, person: Person, task: Task) -> None:
    """Raises NotAllowed unless the person may decide: an approver who neither asked nor edited."""
    authors = await authors_of(connection, task.organisation_id, task.id)
    allowed = await approvers(connection, task.organisation_id, but=authors)
    if person.id in {approver.id for approver in allowed}:
        return
    names = ", ".join(approver.name for approver in allowed)
    who = same(names) if names else phrases.NOBODY
    if person.id in authors:
        raise NotAllowed(phrases.OWN_REQUEST.fill(who=who))
    raise NotAllowed(phrases.NOT_YOURS.fill(who=who))


async def authors_of(
    connection: AsyncConnection, organisation_id: UUID, task_id: UUID
) -> frozenset[UUID]:
    """Who asked for a task or edited it: none of them may approve it."""
    rows = await fetch_all(
        connection,
        "select person_id from revisions"
        " where organisation_id = :organisation_id and task_id = :task_id",
        {"organisation_id": organisation_id, "task_id": task_id},
    )
    return frozenset(row.person_id for row in rows)


async def latest_of(
    connection: AsyncConnection, organisation_id: UUID, task_id: UUID
) -> UUID | None:
    """The newest approval of a task, pending or not."""
    row = await fetch_one(
        connection,
        "select id from approvals where organisation_id = :organisation_id"
        " and task_id = :task_id order by created_at desc limit 1",
        {"organisation_id": organisation_id, "task_id": task_id},
    )
    return row.id if row else None
