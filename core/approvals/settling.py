"""Brings the seats of a task that waits into accord with who is there and who acts for whom.

Written to the schedule for each task that may be concerned whenever that changes, and done task by
task under its lock. It goes by how things are at that moment, so doing it again changes nothing:
who dies in the middle, or is told twice, does no harm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from audit.event import JSON, SYSTEM
from core import tasks
from core.approvals import rows, run, time_words
from core.approvals.acting_for import acting_for, holder_of
from core.approvals.changing import move
from core.approvals.chart import Chart, read_chart
from core.approvals.deadlines import with_due
from core.approvals.deciding import go_on
from core.approvals.finding import first_able_above
from core.approvals.opening import tell
from core.approvals.run import Impossible, Run, Seat, Stage
from core.approvals.standing import authors_of
from core.approvals.telling import admins, tell_people
from core.db import execute, fetch_one
from core.errors import Question, Refused
from core.house import House
from core.redaction import pseudonym
from core.schedule import Occurrence
from core.tags import Tag
from core.tasks import Task
from core.unit import Unit
from core.words import Words

SETTLE = "approval.settle"

Rule = Literal["next", "superior", "refuse", "enough"]
"""What became of a step when somebody left it: `enough` are left; else by the step's own rule."""


@dataclass(slots=True)
class Scene:
    """An approval that waits, under its task's lock, and everything its seats go by. `barred`: who
    asked for it or edited it, and whoever acts for them."""

    work: Unit
    task: Task
    step: str
    shown_sha256: str
    chart: Chart
    barred: frozenset[UUID]
    now: datetime
    run: Run

    def holder(self, stage: Stage, whose: UUID, seat_id: UUID | None = None) -> UUID:
        """Who decides in a seat of somebody's: they themselves, or whoever acts for them."""
        if not stage.delegable:
            return whose
        taken = run.sitting(self.run, stage, but=seat_id)
        try:
            return holder_of(
                self.chart, whose, self.task.agent, self.now, (self.barred | taken) - {whose}
            )
        except Refused:  # delegates who go round act for nobody
            return whose

    def superior(self, stage: Stage, person: UUID) -> UUID | None:
        """The nearest one above somebody who can decide in this step."""
        taken = run.sitting(self.run, stage)
        return first_able_above(self.chart, person, self.barred | taken)


async def settle_soon(work: Unit, organisation_id: UUID, person_id: UUID) -> None:
    """Have every task looked at in which a change of this person may be one of who decides: with a
    seat of theirs, or one that somebody holds in another's place."""
    await execute(
        work.connection,
        "insert into schedule (name, due_at, next_at, kind, organisation_id, subject_id)"
        " select distinct 'settle:' || task_id, now(), now(), :kind, organisation_id, task_id"
        " from approval_seats where organisation_id = :organisation_id and state in ('todo',"
        " 'open') and (person_id = :person_id or holder_id = :person_id or home_id = :person_id"
        " or holder_id <> person_id)"
        " on conflict (name, due_at) do nothing",
        {"kind": SETTLE, "organisation_id": organisation_id, "person_id": person_id},
    )


async def settle_unsettled(work: Unit) -> None:
    """Likewise for whatever waits for somebody who is gone, or whom somebody else may have stopped
    acting for, should nobody have said so."""
    await execute(
        work.connection,
        # across organisations: the schedule of the whole house
        "insert into schedule (name, due_at, next_at, kind, organisation_id, subject_id)"
        " select distinct 'settle:' || h.task_id, now(), now(), :kind, h.organisation_id,"
        " h.task_id from approval_seats h join people p on p.id = h.holder_id"
        " join approval_stages s on s.id = h.stage_id join approvals a on a.id = s.approval_id"
        " where a.state = 'pending' and h.state in ('todo', 'open')"
        " and (not p.active or h.holder_id <> coalesce(h.home_id, h.person_id))"
        " on conflict (name, due_at) do nothing",
        {"kind": SETTLE},
    )


async def settle(house: House, work: Unit, occurrence: Occurrence) -> None:
    """See off who left, then give each seat to whoever is to decide in it now."""
    organisation_id, task_id = occurrence.organisation_id, occurrence.subject_id
    assert organisation_id is not None and task_id is not None  # noqa: S101, PT018  # of a task
    scene = await read_scene(work, organisation_id, task_id, occurrence.now)
    if scene is None:
        return
    while (gone := _gone(scene)) is not None:
        await _see_off(scene, *gone)
        if scene.run.state != "pending":
            return
    for stage, seat in run.waiting(scene.run):
        await _hand_over(scene, stage, seat)


async def read_scene(
    work: Unit, organisation_id: UUID, task_id: UUID, now: datetime
) -> Scene | None:
    """What waits of a task, under its lock; None where nothing does."""
    task = await tasks.lock(work.connection, organisation_id, task_id)
    approval = await fetch_one(
        work.connection,
        "select id, step, shown_sha256 from approvals where organisation_id = :organisation_id"
        " and task_id = :task_id and state = 'pending'",
        {"organisation_id": organisation_id, "task_id": task_id},
    )
    if approval is None:
        return None
    chart = await read_chart(work.connection, organisation_id, now)
    authors = await authors_of(work.connection, organisation_id, task_id)
    return Scene(
        work=work,
        task=task,
        step=approval.step,
        shown_sha256=approval.shown_sha256,
        chart=chart,
        barred=authors | acting_for(chart, authors, task.agent, now),
        now=now,
        run=await rows.read(work.connection, organisation_id, approval.id),
    )


# Delegates


async def _hand_over(scene: Scene, stage: Stage, seat: Seat) -> None:
    """Give a seat to who acts for whose it is, or back to them."""
    whose = seat.whose
    holder = scene.holder(stage, whose, seat.id)
    if holder != seat.holder:
        try:
            scene.run = await move(
                scene.work, scene.task, scene.run, seat.id, holder,
                "return" if holder == whose else "delegation", SYSTEM, whose,
            )  # fmt: skip
        except Impossible:  # who is back decides in another seat by now
            return
    wanted = scene.chart.in_force(whose, scene.task.agent, scene.now)
    if holder == whose and wanted:
        await _tell_it_stays(scene, stage, seat, wanted[0].delegate)


async def _tell_it_stays(scene: Scene, stage: Stage, seat: Seat, delegate: UUID) -> None:
    words = time_words.STAYS if stage.delegable else time_words.STAYS_AS_FINAL
    told = words.fill(
        what=scene.task.spoken, step=stage.name or "-", who=scene.chart.name(delegate)
    )
    await tell_people(scene.work, scene.task, [seat.whose], f"stays:{seat.id}:{delegate}", told)


# Who left


def _gone(scene: Scene) -> tuple[Stage, Seat] | None:
    """A seat of somebody who is not there any more."""
    return next(
        (
            (stage, seat)
            for stage, seat in run.waiting(scene.run)
            if not scene.chart.is_active(seat.whose)
        ),
        None,
    )


async def _see_off(scene: Scene, stage: Stage, seat: Seat) -> None:
    before, person = scene.run, seat.person
    if scene.chart.is_active(person) and person not in scene.barred:
        # It had been passed on to who left, and goes back.
        try:
            scene.run = await move(
                scene.work, scene.task, before, seat.id,
                scene.holder(stage, person, seat.id), "left", SYSTEM, person,
            )  # fmt: skip
        except Impossible:
            pass
        else:
            return
    superior = scene.superior(stage, seat.whose)
    after, rule, to = without(before, stage, seat, superior, scene.now)
    after = await with_due(scene.work.connection, scene.task.organisation_id, after)
    await rows.store(scene.work, scene.task, before, after)
    data: dict[str, JSON] = {
        "approval": str(after.id),
        "seat": str(seat.id),
        "person": str(seat.whose),
        "rule": rule,
        "to": str(to) if to else None,
        "state": after.state,
    }
    scene.work.record(tasks.event(scene.task, Tag.SEAT_LEFT, data))
    scene.run = after
    await tell(scene.work, scene.task, before, after)
    await _tell_admins(scene, stage, seat, rule, to)
    await _follow(scene, stage, seat)


def without(
    before: Run, stage: Stage, seat: Seat, superior: UUID | None, now: datetime
) -> tuple[Run, Rule, UUID | None]:
    """An approval without whoever held a seat, by which rule, and who takes their place.

    Where those who are left can't make the step pass, its rule for finding no one takes over. The
    superior (`superior`) takes their place; `next` has those who are left be enough, or leaves the
    step out where there are none; else, and where nothing would have been approved by anybody, it
    goes back to who asked.
    """
    after = run.drop(before, seat.id, now)
    left = after.stage(stage.id)
    assert left is not None  # noqa: S101  # steps stay
    if left.state not in {"todo", "open"} or left.reachable:
        return after, "enough", None
    if left.empty == "superior" and superior is not None:
        return run.fill(after, left.id, superior, superior, now), "superior", superior
    if left.empty == "next":
        if left.living:
            return run.lower(after, left.id, len(left.named), now), "next", None
        try:
            note = time_words.SKIPPED
            return run.skip(after, left.id, note, now), "next", None
        except Impossible:  # nobody would have approved anything
            pass
    return run.give_up(after, left.place, now), "refuse", None


async def _tell_admins(scene: Scene, stage: Stage, seat: Seat, rule: Rule, to: UUID | None) -> None:
    told = time_words.LEFT.fill(
        who=await _name(scene, seat.whose),
        what=scene.task.spoken,
        step=stage.name or str(stage.place),
        rule=time_words.RULES[rule].fill(to=scene.chart.name(to) if to else "-"),
    )
    everybody: Sequence[UUID] = await admins(scene.work.connection, scene.task.organisation_id)
    await tell_people(scene.work, scene.task, everybody, f"left:{seat.id}", told)


async def _follow(scene: Scene, stage: Stage, seat: Seat) -> None:
    """What it means for the task that the approval came to its end by that."""
    work, task, after = scene.work, scene.task, scene.run
    if after.state == "approved":
        await go_on(work, task, after, scene.step, scene.shown_sha256, after.standing[-1])
    elif after.state == "returned":
        prompt: Words = time_words.SENT_BACK.fill(
            who=await _name(scene, seat.whose), step=stage.name or str(stage.place)
        )
        question = Question("revise", prompt)
        await tasks.move(work, task, "waiting", waiting_for="answer", question=question)
        await tasks.notify(work, task, "question.asked")


async def _name(scene: Scene, person_id: UUID) -> str:
    """What somebody who left is called; who is being erased, as they will be."""
    row = await fetch_one(
        scene.work.connection,
        "select erasing_at is not null as erasing from people"
        " where organisation_id = :organisation_id and id = :id",
        {"organisation_id": scene.task.organisation_id, "id": person_id},
    )
    return pseudonym(person_id) if row and row.erasing else scene.chart.name(person_id)
