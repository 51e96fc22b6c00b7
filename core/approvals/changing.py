"""What can be done with an approval besides deciding it: one more approver, passing on, words."""

from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, Actor, Event
from core import phrases, tasks
from core.approvals import rows, run, wording
from core.approvals.deciding import locked
from core.approvals.opening import tell
from core.approvals.run import Impossible, Run
from core.approvals.standing import acting_for, authors_of, check_right
from core.db import execute, fetch_one
from core.errors import NotAllowed, Refused
from core.ids import new_id
from core.people import Person
from core.tags import Tag
from core.tasks import Task
from core.unit import Unit
from core.words import Words

Why = Literal["delegation", "return", "escalation", "ladder", "forward", "left"]
"""Why a seat has another holder: somebody acts for them, no longer does, it was handed up or on by
the route's ladder, they passed it on, they are gone."""


async def add(
    work: Unit, person: Person, value: UUID, newcomer: Person, actor: Actor
) -> tuple[Task, Words]:
    """One more person has to approve the step that is open. Whoever decides in it may say so, and
    who asked for it. Raises Refused."""
    standing, task = await locked(work.connection, person, value)
    authors = await authors_of(work.connection, person.organisation_id, task.id)
    if person.id not in authors:
        await check_right(work.connection, person, standing)
    await _check_newcomer(work.connection, newcomer, authors, task)
    before = await rows.read(work.connection, person.organisation_id, standing.id)
    now = standing.now
    try:
        after = run.add(before, newcomer.id, person.id, now)
    except Impossible:
        raise Refused(wording.DECIDES_ALREADY.fill(who=newcomer.name)) from None
    await rows.store(work, task, before, after)
    stage = after.open
    assert stage is not None  # noqa: S101  # it was added to it
    data: dict[str, JSON] = {
        "approval": str(after.id),
        "seat": str(stage.seats[-1].id),
        "person": str(newcomer.id),
    }
    work.record(tasks.event(task, Tag.SEAT_ADDED, data, actor))
    await tell(work, task, before, after)
    return task, wording.ADDED.fill(who=newcomer.name)


async def forward(
    work: Unit, person: Person, value: UUID, other: Person, text: str, actor: Actor
) -> tuple[Task, Words]:
    """Pass one's own seat on to somebody else, with a comment. Raises Refused."""
    standing, task = await locked(work.connection, person, value)
    await check_right(work.connection, person, standing)
    if not text.strip():
        example = f"forward {task.spoken} @{other.handle} …"
        raise Refused(wording.WHAT_TO_SAY.fill(example=example))
    authors = await authors_of(work.connection, person.organisation_id, task.id)
    await _check_newcomer(work.connection, other, authors, task)
    before = await rows.read(work.connection, person.organisation_id, standing.id)
    seat, stage = before.held_by(person.id), before.open
    assert seat is not None and stage is not None  # noqa: S101, PT018  # check_right saw it
    if not stage.delegable:
        raise Refused(wording.NOT_DELEGABLE)
    try:
        await move(work, task, before, seat.id, other.id, "forward", actor)
    except Impossible:
        raise Refused(wording.DECIDES_ALREADY.fill(who=other.name)) from None
    await _write_note(work, task, standing.id, person, "forward", text.strip())
    return task, wording.FORWARDED.fill(who=other.name)


async def move(
    work: Unit,
    task: Task,
    before: Run,
    seat_id: UUID,
    holder: UUID,
    why: Why,
    actor: Actor,
    whose: UUID | None = None,
) -> Run:
    """Have somebody else decide in a seat, under the task's lock; for `whose` seat it is from now
    on, None where it is their own. Raises Impossible where they would decide twice."""
    after = run.hand(before, seat_id, holder, whose)
    if after == before:
        return before
    await rows.store(work, task, before, after)
    was = next(seat.holder for each in before.stages for seat in each.seats if seat.id == seat_id)
    data: dict[str, JSON] = {
        "approval": str(after.id),
        "seat": str(seat_id),
        "was": str(was),
        "to": str(holder),
        "why": why,
    }
    work.record(tasks.event(task, Tag.SEAT_MOVED, data, actor))
    await tell(work, task, before, after)
    return after


async def _check_newcomer(
    connection: AsyncConnection, newcomer: Person, authors: frozenset[UUID], task: Task
) -> None:
    barred = authors | await acting_for(connection, newcomer, authors, task.agent)
    if newcomer.id in barred:
        raise Refused(wording.DECIDES_ALREADY.fill(who=newcomer.name))


# Words


async def note(
    work: Unit,
    person: Person,
    approval_id: UUID,
    kind: Literal["comment", "question"],
    text: str,
    actor: Actor,
) -> tuple[Task, Words]:
    """A comment on an approval, or a question to who asked for it; the answer comes to the card.
    Raises Refused for whoever has no part in it."""
    task = await locked_task(work.connection, person, approval_id)
    if not text.strip():
        raise Refused(wording.WHAT_TO_SAY.fill(example=f"{kind} {task.spoken} …"))
    await _write_note(work, task, approval_id, person, kind, text.strip())
    work.record(_noted(task, approval_id, kind, actor))
    words = wording.ASKED if kind == "question" else wording.NOTED
    return task, words.fill(reference=task.spoken)


async def answer(work: Unit, person: Person, task: Task, text: str, actor: Actor) -> Words | None:
    """What who asked says in the thread is the answer to the oldest question that has none; None
    where there is no such question."""
    row = await open_question(work.connection, task.organisation_id, task.id, person.id)
    if row is None:
        return None
    await _write_note(work, task, row.approval_id, person, "answer", text.strip(), row.id)
    work.record(_noted(task, row.approval_id, "answer", actor))
    return phrases.ANSWERED


async def open_question(
    connection: AsyncConnection, organisation_id: UUID, task_id: UUID, person_id: UUID
) -> Any:
    """The oldest question about an approval that waits for this person's answer, and of which
    approval it is; None where there is none."""
    return await fetch_one(
        connection,
        "select n.id, n.approval_id from approval_notes n join approvals a on a.id = n.approval_id"
        " join tasks t on t.id = n.task_id where n.organisation_id = :organisation_id"
        " and n.task_id = :task_id and t.person_id = :person_id"
        " and n.kind = 'question' and a.state = 'pending' and not exists (select from"
        " approval_notes b where b.organisation_id = :organisation_id and b.answers_id = n.id)"
        " order by n.created_at limit 1",
        {"organisation_id": organisation_id, "task_id": task_id, "person_id": person_id},
    )


async def locked_task(connection: AsyncConnection, person: Person, approval_id: UUID) -> Task:
    """The task of an approval that the person has a part in, locked. Raises NotAllowed."""
    task_id = await task_of(connection, person, approval_id)
    return await tasks.lock(connection, person.organisation_id, task_id)


async def task_of(connection: AsyncConnection, person: Person, approval_id: UUID) -> UUID:
    """The task of an approval that the person has a part in. Raises NotAllowed."""
    row = await fetch_one(
        connection,
        "select a.task_id, exists (select from approval_seats h"
        " where h.organisation_id = :organisation_id and h.task_id = a.task_id"
        " and :person_id in (h.person_id, h.holder_id)) or exists (select from circulations c"
        " where c.organisation_id = :organisation_id and c.task_id = a.task_id"
        " and c.person_id = :person_id) or exists (select from revisions r"
        " where r.organisation_id = :organisation_id and r.task_id = a.task_id"
        " and r.person_id = :person_id) as takes_part"
        " from approvals a where a.organisation_id = :organisation_id and a.id = :id",
        {
            "organisation_id": person.organisation_id,
            "id": approval_id,
            "person_id": person.id,
        },
    )
    if row is None or not row.takes_part:
        raise NotAllowed(wording.STRANGER)
    task_id: UUID = row.task_id
    return task_id


def _noted(task: Task, approval_id: UUID, kind: str, actor: Actor) -> Event:
    data: dict[str, JSON] = {"approval": str(approval_id), "kind": kind}
    return tasks.event(task, Tag.APPROVAL_NOTED, data, actor)


async def _write_note(
    work: Unit,
    task: Task,
    approval_id: UUID,
    person: Person,
    kind: str,
    text: str,
    answers: UUID | None = None,
) -> None:
    note_id = new_id()
    await execute(
        work.connection,
        "insert into approval_notes (id, organisation_id, approval_id, task_id, person_id, kind,"
        " text, answers_id) values (:id, :organisation_id, :approval_id, :task_id, :person_id,"
        " :kind, :text, :answers_id)",
        {
            "id": note_id,
            "organisation_id": task.organisation_id,
            "approval_id": approval_id,
            "task_id": task.id,
            "person_id": person.id,
            "kind": kind,
            "text": text,
            "answers_id": answers,
        },
    )
    facts: dict[str, object] = {"approval": str(approval_id), "note": str(note_id), "kind": kind}
    await tasks.notify(work, task, "approval.noted", facts)
