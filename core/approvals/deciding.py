"""A decision: one compare-and-set under the task's lock, with what follows from it."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, Actor
from core import phrases, tasks
from core.agent import Approved
from core.approvals import rows, run, wording
from core.approvals.circulation import send_round
from core.approvals.deadlines import with_due
from core.approvals.opening import tell
from core.approvals.run import Action, Decision, Run
from core.approvals.standing import Standing, check_open, check_right, names
from core.approvals.wording import ACTIONS, called
from core.codec import dump
from core.db import execute, fetch_one, moment_of
from core.errors import Question, Refused
from core.people import Person, name_of, names_of
from core.results import store_result
from core.tags import Tag
from core.tasks import Task
from core.unit import Unit
from core.words import Words

TOLD_WITHIN = timedelta(seconds=1)
"""So long the work waits for every card to show that it is decided; then it goes on."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The task that was decided on, and what whoever decided is told."""

    task: Task
    words: Words


async def decide(
    work: Unit,
    person: Person,
    value: UUID,
    action: Action,
    reason: str,
    actor: Actor,
    to: int | None = None,
) -> Decided:
    """Decide, once. Whoever comes second is told who decided and when.

    `value` is the step whose button was pressed, or the approval; `to` the place of an earlier step
    to send it back to, None for the requester. Raises NotAllowed for whoever may not, Refused where
    there is nothing left to decide, the reason is missing or there is no such step.
    """
    standing, task = await locked(work.connection, person, value)
    await check_right(work.connection, person, standing)
    reason = reason.strip()
    if action != "approve" and not reason:
        example = f"{action} {task.spoken} …"
        raise Refused(phrases.REASON_NEEDED.fill(example=example))
    before = await rows.read(work.connection, person.organisation_id, standing.id)
    if to is not None:
        check_place(before, to)
    channel = actor.channel or ""
    after = run.decide(before, person.id, action, reason, standing.now, channel, to)
    after = await with_due(work.connection, person.organisation_id, after)
    await rows.store(work, task, before, after)
    decision = after.decisions[-1]
    _record(work, task, standing, after, decision, actor)
    await tell(work, task, before, after)
    await _follow(work, task, standing, after, decision, person)
    return Decided(task, await _said(work.connection, task, after, decision))


async def check(connection: AsyncConnection, person: Person, value: UUID) -> tuple[Task, Run]:
    """Raises what a decision by this person would, deciding nothing; for a form before it."""
    standing, task = await locked(connection, person, value)
    await check_right(connection, person, standing)
    return task, await rows.read(connection, person.organisation_id, standing.id)


async def locked(connection: AsyncConnection, person: Person, value: UUID) -> tuple[Standing, Task]:
    """An approval that waits, and its task, locked. Raises Refused where it does not wait."""
    before = await check_open(connection, person, value)
    task = await tasks.lock(connection, person.organisation_id, before.task_id)
    # Once more: somebody may have decided while this waited for the lock.
    return await check_open(connection, person, value), task


def earlier_places(of: Run) -> list[int]:
    """The places of the steps that what is open now can be sent back to."""
    stage = of.open
    return [
        each.place
        for each in of.current
        if stage is not None and each.place < stage.place and each.state == "passed"
    ]


def check_place(of: Run, to: int) -> None:
    """Raises Refused where it can't be sent back to that step."""
    places = earlier_places(of)
    if to not in places:
        listed = ", ".join(map(str, places)) or "-"
        raise Refused(wording.NO_SUCH_STEP.fill(place=to, places=listed))


def _record(
    work: Unit, task: Task, standing: Standing, after: Run, decision: Decision, actor: Actor
) -> None:
    stage = after.stage(decision.stage_id)
    data: dict[str, JSON] = {
        "approval": str(after.id),
        "action": decision.action,
        "place": stage.place if stage else 0,
        "round": stage.round if stage else 0,
        "seat": str(decision.seat_id),
        "on_behalf_of": str(decision.on_behalf_of) if decision.on_behalf_of else None,
        "state": after.state,
        "shown_sha256": standing.shown_sha256,
        "has_reason": bool(decision.reason),
    }
    work.record(tasks.event(task, Tag.APPROVAL_DECIDED, data, actor))


async def _follow(
    work: Unit, task: Task, standing: Standing, after: Run, decision: Decision, person: Person
) -> None:
    """What a decision that ended the approval means for the task."""
    if after.state == "approved":
        await go_on(work, task, after, standing.step, standing.shown_sha256, decision)
    elif after.state == "rejected":
        await tasks.move(work, task, "rejected")
        await tasks.notify(work, task, "task.moved")
    elif after.state == "returned":
        prompt = phrases.SENT_BACK.fill(who=person.name, reason=decision.reason)
        question = Question("revise", prompt)
        await tasks.move(work, task, "waiting", waiting_for="answer", question=question)
        await tasks.notify(work, task, "question.asked")


async def go_on(
    work: Unit, task: Task, after: Run, step: str, shown_sha256: str, decision: Decision
) -> None:
    """Have the work go on after the approval, of which this was the last decision."""
    who = await _who(work.connection, task, decision)
    result = Approved(who.ja, decision.at.isoformat(), shown_sha256)
    await store_result(work, task, step, "", dump(result), decision.at)
    await tasks.move(work, task, "running")
    await tasks.notify(work, task, "task.moved")
    # Whoever has shown the end on every card has it go on at once (notifier/deliver.py).
    work.nudge("advance", task, after=TOLD_WITHIN)
    await send_round(work, task, after.id)


async def _who(connection: AsyncConnection, task: Task, decision: Decision) -> Words:
    behalf = decision.on_behalf_of
    name = await name_of(connection, task.organisation_id, behalf) if behalf else None
    return called(await name_of(connection, task.organisation_id, decision.person), name)


async def _said(connection: AsyncConnection, task: Task, after: Run, decision: Decision) -> Words:
    stage = after.open
    if stage is None:
        action = ACTIONS[decision.action]
        return phrases.DECIDED.fill(reference=task.spoken, action=action)
    holders = [seat.holder for seat in stage.seats if seat.state == "open"]
    waits = names(await names_of(connection, task.organisation_id, holders))
    if decision.action == "return":
        return wording.SENT_TO_STEP.fill(reference=task.spoken, place=stage.place, waits=waits)
    return wording.PASSED_STEP.fill(reference=task.spoken, waits=waits)


# Taking an approval back


async def undo(work: Unit, person: Person, value: UUID, actor: Actor) -> Decided:
    """Take back one's own approval (承認取消): the last one, within run.UNDO_WITHIN, until the next
    person acts, and never after the work has gone on. Raises Refused where it can't be."""
    approval_id, task = await _of(work.connection, person, value)
    before = await rows.read(work.connection, person.organisation_id, approval_id)
    now = await moment_of(work.connection)
    last = run.may_undo(before, person.id, now)
    if last is None:
        raise Refused(wording.NOTHING_TO_UNDO)
    if before.state == "approved":
        await _take_back(work, task, approval_id)
    after = run.undo(before, person.id, now)
    after = await with_due(work.connection, person.organisation_id, after)
    await rows.store(work, task, before, after)
    data: dict[str, JSON] = {"approval": str(approval_id), "seat": str(last.seat_id)}
    work.record(tasks.event(task, Tag.APPROVAL_UNDONE, data, actor))
    await tell(work, task, before, after)
    return Decided(task, wording.UNDONE.fill(reference=task.spoken))


async def _of(connection: AsyncConnection, person: Person, value: UUID) -> tuple[UUID, Task]:
    """The approval that a step, or itself, names, and its task, locked."""
    row = await fetch_one(
        connection,
        "select id, task_id from approvals where organisation_id = :organisation_id and id ="
        " coalesce((select approval_id from approval_stages"
        " where organisation_id = :organisation_id and id = :value), :value)",
        {"organisation_id": person.organisation_id, "value": value},
    )
    if row is None:
        raise Refused(wording.NOTHING_TO_UNDO)
    return row.id, await tasks.lock(connection, person.organisation_id, row.task_id)


async def _take_back(work: Unit, task: Task, approval_id: UUID) -> None:
    """Have the task wait again. Raises Refused where a worker has gone on with it."""
    scope = {
        "organisation_id": task.organisation_id,
        "task_id": task.id,
        "approval_id": approval_id,
    }
    forgotten = await execute(
        work.connection,
        "delete from steps s using approvals a, tasks t where s.organisation_id = :organisation_id"
        " and s.task_id = :task_id and a.organisation_id = :organisation_id and a.id = :approval_id"
        " and t.organisation_id = :organisation_id and t.id = :task_id and t.revision = a.revision"
        " and s.revision = a.revision and s.name = a.step"
        " and t.state = 'running' and (t.lease_until is null or t.lease_until < now())"
        " and not exists (select from steps later where later.organisation_id = :organisation_id"
        " and later.task_id = :task_id and later.revision = s.revision"
        " and later.finished_at > s.finished_at)"
        " and not exists (select from effects e where e.organisation_id = :organisation_id"
        " and e.task_id = :task_id and e.intended_at > s.finished_at)",
        scope,
    )
    if not forgotten:
        raise Refused(wording.WORK_WENT_ON)
    await tasks.move(work, task, "waiting", waiting_for="approval")
    await tasks.notify(work, task, "task.moved")
