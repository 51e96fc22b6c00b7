"""An approval as it is shown: its steps with who decides, who did, what was said, who was told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.approvals import rows
from core.approvals.run import Decision, Run, Seat, SeatState, Stage, StageState
from core.db import fetch_all, fetch_one, from_json
from core.people import Person, as_person
from core.words import Words


@dataclass(frozen=True, slots=True)
class DecisionView:
    """What was decided in a seat: by whom, in whose place, when, where, why."""

    by: str
    on_behalf_of: str | None
    action: str
    reason: str
    at: datetime
    channel: str


@dataclass(frozen=True, slots=True)
class SeatView:
    """Somebody's place in a step; `holder` decides it."""

    id: UUID
    person: Person
    holder: Person
    state: SeatState
    added: bool
    decision: DecisionView | None


@dataclass(frozen=True, slots=True)
class StageView:
    """A step of the route in its latest round."""

    id: UUID
    place: int
    round: int
    name: str
    need: int
    delegable: bool
    state: StageState
    seats: tuple[SeatView, ...]
    note: Words | None
    opened_at: datetime | None
    due_at: datetime | None

    @property
    def waits_for(self) -> tuple[Person, ...]:
        return tuple(seat.holder for seat in self.seats if seat.state == "open")


@dataclass(frozen=True, slots=True)
class NoteView:
    """What somebody said of it; a question has its answer beside it once there is one."""

    id: UUID
    by: str
    kind: str
    text: str
    at: datetime
    answer: str | None


@dataclass(frozen=True, slots=True)
class RoundView:
    """Somebody who was told of the end; `confirm`: and has to say that they have seen it."""

    person: Person
    confirm: bool
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An approval and, once there is one, its last decision.

    `may_decide` hold an open seat now. `undoable`: who could take the last approval back, as far as
    time allows it.
    """

    id: UUID
    state: str
    route: str
    revision: int
    shown_sha256: str
    requested_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    on_behalf_of: str | None
    action: str | None
    reason: str
    channel: str
    may_decide: tuple[Person, ...]
    stages: tuple[StageView, ...]
    notes: tuple[NoteView, ...]
    circulated: tuple[RoundView, ...]
    run: Run

    @property
    def open(self) -> StageView | None:
        return next((stage for stage in self.stages if stage.state == "open"), None)

    def waits_for(self, person_id: UUID | None) -> bool:
        """Whether it is this person's to decide now."""
        return any(person.id == person_id for person in self.may_decide)


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


async def latest_approval(
    connection: AsyncConnection, organisation_id: UUID, task_id: UUID
) -> ApprovalView | None:
    """The newest approval of a task, as it is shown."""
    latest = await latest_of(connection, organisation_id, task_id)
    return await approval_view(connection, organisation_id, latest) if latest else None


_APPROVAL = """
    select a.route, a.revision, a.shown_sha256, a.created_at, a.expires_at,
        (select jsonb_agg(jsonb_build_object('id', n.id, 'by', p.name, 'kind', n.kind,
                'text', n.text, 'at', n.created_at, 'answer', (select b.text from approval_notes b
                where b.organisation_id = :organisation_id and b.answers_id = n.id limit 1))
                order by n.created_at)
            from approval_notes n join people p on p.id = n.person_id
            where n.organisation_id = :organisation_id and n.approval_id = a.id
            and n.answers_id is null) as notes,
        (select jsonb_agg(jsonb_build_object('person', c.person_id, 'confirm', c.confirm,
                'seen_at', c.seen_at) order by c.created_at, c.id)
            from circulations c where c.organisation_id = :organisation_id
            and c.approval_id = a.id) as circulated,
        d.action, d.reason, d.decided_at, d.channel, p.name as decided_by, b.name as on_behalf_of
    from approvals a
    left join lateral (select * from decisions d where d.organisation_id = :organisation_id
        and d.approval_id = a.id and d.undone_at is null
        order by d.decided_at desc, d.id desc limit 1) d on true
    left join people p on p.id = d.person_id
    left join people b on b.id = d.on_behalf_of
    where a.organisation_id = :organisation_id and a.id = :id
"""


async def approval_view(
    connection: AsyncConnection, organisation_id: UUID, approval_id: UUID
) -> ApprovalView:
    """An approval by its id. Raises LookupError where there is none such."""
    row = await fetch_one(
        connection,
        _APPROVAL,  # names organisation_id
        {"organisation_id": organisation_id, "id": approval_id},
    )
    if row is None:
        raise LookupError(f"no approval {approval_id}")
    run = await rows.read(connection, organisation_id, approval_id)
    circulated = from_json(row.circulated or "[]")
    people = await _people(connection, organisation_id, run, circulated)
    stages = tuple(_stage(stage, run, people) for stage in run.current)
    return ApprovalView(
        id=run.id,
        state=run.state,
        route=row.route,
        revision=row.revision,
        shown_sha256=row.shown_sha256,
        requested_at=row.created_at,
        expires_at=row.expires_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        on_behalf_of=row.on_behalf_of,
        action=row.action,
        reason=row.reason or "",
        channel=row.channel or "",
        may_decide=next((s.waits_for for s in stages if s.state == "open"), ()),
        stages=stages,
        notes=tuple(_note(each) for each in from_json(row.notes or "[]")),
        circulated=tuple(_round(each, people) for each in circulated),
        run=run,
    )


async def _people(
    connection: AsyncConnection, organisation_id: UUID, run: Run, circulated: list[dict[str, Any]]
) -> Mapping[UUID, Person]:
    seats = [seat for stage in run.stages for seat in stage.seats]
    named = {seat.person for seat in seats} | {seat.holder for seat in seats}
    named |= {decision.person for decision in run.decisions}
    named |= {UUID(each["person"]) for each in circulated}
    found = await fetch_all(
        connection,
        "select p.id, p.organisation_id, p.handle, p.name, p.roles, p.language, p.time_zone"
        " from people p where p.organisation_id = :organisation_id and p.id = any(:people)",
        {"organisation_id": organisation_id, "people": list(named)},
    )
    return {row.id: as_person(row) for row in found}


def _stage(stage: Stage, run: Run, people: Mapping[UUID, Person]) -> StageView:
    decided = {decision.seat_id: decision for decision in run.standing}
    return StageView(
        id=stage.id,
        place=stage.place,
        round=stage.round,
        name=stage.name,
        need=stage.wanted,
        delegable=stage.delegable,
        state=stage.state,
        seats=tuple(_seat(seat, decided.get(seat.id), people) for seat in stage.living),
        note=stage.note,
        opened_at=stage.opened_at,
        due_at=stage.due_at,
    )


def _seat(seat: Seat, decision: Decision | None, people: Mapping[UUID, Person]) -> SeatView:
    return SeatView(
        seat.id,
        people[seat.person],
        people[seat.holder],
        seat.state,
        seat.added_by is not None,
        _decision(decision, people) if decision else None,
    )


def _decision(decision: Decision, people: Mapping[UUID, Person]) -> DecisionView:
    behalf = decision.on_behalf_of
    return DecisionView(
        people[decision.person].name,
        people[behalf].name if behalf else None,
        decision.action,
        decision.reason,
        decision.at,
        decision.channel,
    )


def _note(each: dict[str, Any]) -> NoteView:
    at = datetime.fromisoformat(each["at"])
    return NoteView(UUID(each["id"]), each["by"], each["kind"], each["text"], at, each["answer"])


def _round(each: dict[str, Any], people: Mapping[UUID, Person]) -> RoundView:
    seen = each["seen_at"]
    return RoundView(
        people[UUID(each["person"])],
        each["confirm"],
        datetime.fromisoformat(seen) if seen else None,
    )
