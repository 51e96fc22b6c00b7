"""An approval is asked for by a worker, of exactly what is shown; and it is closed undecided."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from audit.event import JSON, Actor
from core import overdue, tasks
from core.agent import Agent, Approval, Results
from core.approvals import rows, run
from core.approvals.deadlines import with_due
from core.approvals.freeze import freeze
from core.approvals.ladder import climb
from core.approvals.plan import Plan
from core.approvals.reminding import watch_holders
from core.approvals.run import Run
from core.approvals.standing import authors_of
from core.approvals.wording import KEPT
from core.db import fetch_all, fetch_one, moment_of
from core.house import House
from core.ids import new_id
from core.tags import Tag
from core.tasks import Task
from core.unit import Unit
from core.words import Words


async def request(
    work: Unit,
    house: House,
    task: Task,
    agent: Agent,
    step: Approval,
    results: Results,
    shown_sha256: str,
) -> UUID:
    """Freeze the route and open its first step. The caller moves the task.

    Raises Refused, with the reason, where nobody could decide it: then nobody waits.
    """
    now = await moment_of(work.connection)
    earlier = await _returned(work, task)
    plan = await freeze(
        work.connection,
        house,
        task.organisation_id,
        step.route,
        agent,
        task.person_id,
        await authors_of(work.connection, task.organisation_id, task.id),
        agent.terms(results) if agent.terms else {},
        now,
        # What was sent back goes the way that was in force when it was asked for.
        version=earlier[1] if earlier else None,
    )
    kept = kept_places(earlier[0], plan) if earlier and plan.resubmit == "continue" else {}
    begun = run.begin(plan, new_id(), now, kept)
    begun = await with_due(work.connection, task.organisation_id, begun)
    expires_at = await rows.insert(
        work, task, begun, plan, step.name, shown_sha256, house.approval_days
    )
    await overdue.watch(work, task, begun.id, expires_at)
    work.record(
        tasks.event(
            task,
            Tag.APPROVAL_REQUESTED,
            {
                "approval": str(begun.id),
                "route": plan.route,
                "version": plan.version,
                "seats": frozen_seats(begun),
                "shown_sha256": shown_sha256,
            },
        )
    )
    await tell_opened(work, task, begun, anew=True)
    return begun.id


def frozen_seats(begun: Run) -> list[JSON]:
    """Who was to decide: `place:need:person:holder` each, by their ids."""
    return [
        f"{stage.place}:{stage.wanted}:{seat.person}:{seat.holder}"
        for stage in begun.stages
        for seat in stage.seats
    ]


async def _returned(work: Unit, task: Task) -> tuple[Run, int] | None:
    """The approval of an earlier revision that was sent back to the requester, and the version of
    its route."""
    row = await fetch_one(
        work.connection,
        "select id, state, route_version from approvals where organisation_id = :organisation_id"
        " and task_id = :task_id and revision < :revision and state in ('returned', 'approved',"
        " 'rejected') order by created_at desc limit 1",
        {
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": task.revision,
        },
    )
    if row is None or row.state != "returned":
        return None
    return await rows.read(work.connection, task.organisation_id, row.id), row.route_version


def kept_places(earlier: Run, plan: Plan) -> dict[int, Words]:
    """The places whose decision still holds when a route goes on where it was sent back: before
    that place, decided by the same people as would decide now."""
    until = earlier.returned_from or 0
    before = {stage.place: stage for stage in earlier.current if stage.place < until}
    kept: dict[int, Words] = {}
    for place, planned in enumerate(plan.stages, 1):
        stage = before.get(place)
        if stage is None or stage.name != planned.name:
            break
        decided = stage.state == "passed" and {seat.person for seat in stage.living} == {
            seat.person for seat in planned.seats
        }
        if decided or stage.note == KEPT:
            kept[place] = KEPT
        elif stage.state != "skipped" or planned.seats:
            break
    return kept


async def supersede(
    work: Unit, task: Task, state: Literal["superseded", "withdrawn"], actor: Actor
) -> None:
    """Close what is pending of a task whose content changes or which is withdrawn."""
    pending = await fetch_all(
        work.connection,
        "select id from approvals where organisation_id = :organisation_id and task_id = :task_id"
        " and state = 'pending'",
        {"organisation_id": task.organisation_id, "task_id": task.id},
    )
    for row in pending:
        before = await rows.read(work.connection, task.organisation_id, row.id)
        now = await moment_of(work.connection)
        await rows.store(work, task, before, run.end(before, state, now))
        data: dict[str, JSON] = {"approval": str(row.id), "state": state}
        work.record(tasks.event(task, Tag.APPROVAL_SUPERSEDED, data, actor))
        await tasks.notify(work, task, "approval.closed", {"approval": str(row.id)})


async def tell(work: Unit, task: Task, before: Run, after: Run) -> None:
    """Have every copy of the card show how it stands, and those who decide now get theirs."""
    facts: dict[str, object] = {"approval": str(after.id)}
    topic = "approval.moved" if after.state == "pending" else "approval.closed"
    await tasks.notify(work, task, topic, facts)
    if after.state == "pending" and _holders(before) != _holders(after):
        await tell_opened(work, task, after, anew=_opening(before) != _opening(after))


async def tell_opened(work: Unit, task: Task, after: Run, *, anew: bool) -> None:
    """Give the card to those who hold an open seat, and see to it that they are reminded of it.

    `anew`: the step has just been opened, and its ladder begins.
    """
    stage = after.open
    assert stage is not None  # noqa: S101  # what is pending has a step that is open
    holders = [seat.holder for seat in stage.seats if seat.state == "open"]
    await watch_holders(work, task.organisation_id, holders)
    if anew:
        await climb(work, task, after)
    facts: dict[str, object] = {"approval": str(after.id), "stage": str(stage.id)}
    await tasks.notify(work, task, "approval.requested", facts)


def _opening(of: Run) -> tuple[UUID, datetime | None] | None:
    return (of.open.id, of.open.opened_at) if of.open is not None else None


def _holders(of: Run) -> tuple[UUID | None, frozenset[UUID]]:
    stage = of.open
    if stage is None:
        return None, frozenset()
    return stage.id, frozenset(seat.holder for seat in stage.seats if seat.state == "open")
