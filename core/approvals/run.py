"""How an approval moves: pure functions from how it stands and an act to how it stands then.

Whether somebody may do what they want, and what they are told where not, is core/approvals/rights.
What is called here wrongly all the same raises Impossible and changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from core.approvals.plan import Plan, PlannedStage, WhenEmpty
from core.ids import new_id
from core.words import Words

State = Literal[
    "pending", "approved", "rejected", "returned", "superseded", "withdrawn", "expired"
]  # fmt: skip
StageState = Literal["todo", "open", "passed", "skipped", "returned", "closed"]
SeatState = Literal["todo", "open", "approved", "rejected", "returned", "closed", "void"]
"""`closed`: enough had approved without it, or the step was over. `void`: there is nobody in it any
more."""
Action = Literal["approve", "reject", "return"]

UNDO_WITHIN = timedelta(minutes=5)


class Impossible(Exception):
    """What was to be done can't be done as it stands."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody's place in a step; `holder` decides. Without `added_by` the route named it.

    `home` is whom it was passed on or handed up to: they hold it while nobody acts for them. None
    where that is the person whose place it is.
    """

    id: UUID
    person: UUID
    holder: UUID
    state: SeatState = "todo"
    added_by: UUID | None = None
    open_since: datetime | None = None
    home: UUID | None = None

    @property
    def whose(self) -> UUID:
        """Who holds it while nobody acts for them."""
        return self.home or self.person


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the route, in its `round`-th time. `place` is where it stands, from 1."""

    id: UUID
    place: int
    round: int
    name: str
    need: int
    everybody: bool
    delegable: bool
    days: int | None
    empty: WhenEmpty
    state: StageState
    seats: tuple[Seat, ...]
    note: Words | None = None
    opened_at: datetime | None = None
    due_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def wanted(self) -> int:
        """How many of those whom the route named have to approve."""
        return len(self.named) if self.everybody else self.need

    @property
    def passes(self) -> bool:
        """Whether enough have approved, and everybody who was added; never without anybody."""
        missing = any(seat.added_by and seat.state != "approved" for seat in self.living)
        return self.enough and not missing

    @property
    def enough(self) -> bool:
        """Whether of those whom the route named enough have approved."""
        approved = [seat for seat in self.living if seat.state == "approved"]
        return bool(approved) and sum(s.added_by is None for s in approved) >= self.wanted

    @property
    def reachable(self) -> bool:
        """Whether those who are left can still make it pass."""
        return bool(self.living) and len(self.named) >= self.wanted

    @property
    def living(self) -> tuple[Seat, ...]:
        return tuple(seat for seat in self.seats if seat.state != "void")

    @property
    def named(self) -> tuple[Seat, ...]:
        """Those who are left of whom the route named, or in their place."""
        return tuple(seat for seat in self.living if seat.added_by is None)


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided. `ended`: with it the approval was over; `to`: the place of the step
    it was sent back to, None for the requester."""

    id: UUID
    seat_id: UUID
    stage_id: UUID
    person: UUID
    on_behalf_of: UUID | None
    action: Action
    reason: str
    at: datetime
    ended: bool
    channel: str = ""
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """An approval with all rounds of its steps and all decisions, in the order of their making."""

    id: UUID
    state: State
    once: bool
    stages: tuple[Stage, ...]
    decisions: tuple[Decision, ...] = ()
    returned_from: int | None = None

    @property
    def current(self) -> tuple[Stage, ...]:
        """Of each step its latest round, in order."""
        latest = {stage.place: stage for stage in sorted(self.stages, key=lambda s: s.round)}
        return tuple(latest[place] for place in sorted(latest))

    @property
    def open(self) -> Stage | None:
        return next((stage for stage in self.stages if stage.state == "open"), None)

    @property
    def standing(self) -> tuple[Decision, ...]:
        return tuple(decision for decision in self.decisions if decision.undone_at is None)

    def stage(self, stage_id: UUID) -> Stage | None:
        return next((stage for stage in self.stages if stage.id == stage_id), None)

    def held_by(self, person: UUID) -> Seat | None:
        """The open seat that this person holds."""
        seats = self.open.seats if self.open is not None else ()
        return next((s for s in seats if s.holder == person and s.state == "open"), None)


def begin(plan: Plan, approval_id: UUID, now: datetime, kept: Mapping[int, Words]) -> Run:
    """The first step that anybody has to decide in is open. At the places that are `kept` the
    decision of an earlier revision holds: they are left out, with those words."""
    stages = tuple(
        _stage(planned, place, kept.get(place)) for place, planned in enumerate(plan.stages, 1)
    )
    return _go_on(Run(approval_id, "pending", plan.once, stages), now)


def _stage(planned: PlannedStage, place: int, kept: Words | None) -> Stage:
    seats = tuple(
        Seat(new_id(), seat.person, seat.holder) for seat in planned.seats if kept is None
    )
    return Stage(
        new_id(), place, 1, planned.name, planned.need, planned.everybody, planned.delegable,
        planned.days, planned.empty, "todo" if seats else "skipped", seats, kept or planned.note,
    )  # fmt: skip


def decide(
    run: Run, person: UUID, action: Action, reason: str, now: datetime, channel: str,
    to: int | None = None,
) -> Run:  # fmt: skip
    """Approve, reject or send back, in the seat that the person holds of the step that is open."""
    stage, seat = run.open, run.held_by(person)
    if run.state != "pending" or stage is None or seat is None:
        raise Impossible
    ends: dict[Action, SeatState] = {
        "approve": "approved", "reject": "rejected", "return": "returned",
    }  # fmt: skip
    after = _with_seat(run, stage, replace(seat, state=ends[action]))
    if action == "approve":
        after = _passed(after, now)
    elif action == "reject":
        after = end(after, "rejected", now)
    elif to is None:
        after = replace(end(after, "returned", now), returned_from=stage.place)
    else:
        after = _back(after, to, now)
    behalf = seat.person if seat.person != person else None
    decision = Decision(
        new_id(), seat.id, stage.id, person, behalf, action, reason, now,
        ended=after.state != "pending", channel=channel,
    )  # fmt: skip
    return replace(after, decisions=(*run.decisions, decision))


def undo(run: Run, person: UUID, now: datetime) -> Run:
    """Take back the last approval, before anybody has acted on it. The caller sees to it that the
    work did not go on either."""
    last = may_undo(run, person, now)
    if last is None:
        raise Impossible
    stage = run.stage(last.stage_id)
    if stage is None:
        raise Impossible
    later = run.open if run.open is not None and run.open.id != stage.id else None
    after = run
    if later is not None:
        after = _with(after, _unopened(later))
    seats = tuple(
        replace(seat, state="open") if seat.id == last.seat_id or seat.state == "closed" else seat
        for seat in stage.seats
    )
    after = _with(after, replace(stage, state="open", seats=seats, closed_at=None))
    decisions = tuple(
        replace(each, undone_at=now) if each.id == last.id else each for each in run.decisions
    )
    return replace(after, state="pending", decisions=decisions)


def may_undo(run: Run, person: UUID, now: datetime) -> Decision | None:
    """The approval that this person may still take back: the last decision there is, theirs, not
    older than UNDO_WITHIN."""
    last = run.standing[-1] if run.standing else None
    if last is None or last.person != person or last.action != "approve":
        return None
    if run.state not in {"pending", "approved"} or now - last.at > UNDO_WITHIN:
        return None
    return last


def end(run: Run, state: State, now: datetime) -> Run:
    """Nothing is to be decided of it any more."""
    if run.state != "pending":
        raise Impossible
    for stage in run.current:
        if stage.state in {"todo", "open"}:
            was: StageState = "returned" if state == "returned" and stage.state == "open" else (
                "closed"
            )  # fmt: skip
            run = _with(run, _closed(stage, was, now))
    return replace(run, state=state)


def give_up(run: Run, place: int, now: datetime) -> Run:
    """Sent back to the requester by nobody: there is no one who could decide at that place."""
    return replace(end(run, "returned", now), returned_from=place)


def add(run: Run, person: UUID, by: UUID, now: datetime) -> Run:
    """One more has to approve the step that is open, whoever else does. Whoever decides in another
    step is not added (nobody decides twice), and who sits in this one need not be."""
    stage = run.open
    if run.state != "pending" or stage is None or sits(run, person, stage):
        raise Impossible
    seat = Seat(new_id(), person, person, "open", by, now)
    return _with(run, replace(stage, seats=(*stage.seats, seat)))


def hand(run: Run, seat_id: UUID, holder: UUID, whose: UUID | None = None) -> Run:
    """Somebody else decides from now on: a delegate, a superior, whoever it was passed on to; or
    whose seat it is again. Nobody comes to decide twice by that.

    `whose` it is from now on, and the holder acts for them; None: the holder's own.
    """
    whose = whose or holder
    for stage in run.current:
        for seat in stage.seats:
            if seat.id == seat_id:
                if seat.state not in {"todo", "open"} or sits(run, holder, stage, but=seat_id):
                    raise Impossible
                home = whose if whose != seat.person else None
                return _with_seat(run, stage, replace(seat, holder=holder, home=home))
    raise Impossible


def drop(run: Run, seat_id: UUID, now: datetime) -> Run:
    """There is nobody in this seat any more. A step that has enough without it passes; one that
    nobody can make pass stays as it is, for the caller to skip, fill or send back."""
    for stage in run.current:
        for seat in stage.seats:
            if seat.id == seat_id and seat.state in {"todo", "open"}:
                after = _with_seat(run, stage, replace(seat, state="void"))
                return _passed(after, now) if stage.state == "open" else after
    raise Impossible


def fill(run: Run, stage_id: UUID, person: UUID, holder: UUID, now: datetime) -> Run:
    """Somebody takes the place of those who left: a seat as the route would have named it."""
    stage = run.stage(stage_id)
    if stage is None or stage.state not in {"todo", "open"} or sits(run, holder, stage):
        raise Impossible
    state: SeatState = "open" if stage.state == "open" else "todo"
    seat = Seat(new_id(), person, holder, state, None, now if state == "open" else None)
    return _with(run, replace(stage, seats=(*stage.seats, seat)))


def lower(run: Run, stage_id: UUID, need: int, now: datetime) -> Run:
    """Fewer have to approve, since fewer are left; those who have may be enough by that."""
    stage = run.stage(stage_id)
    if stage is None or stage.state not in {"todo", "open"} or not 0 <= need <= stage.need:
        raise Impossible
    after = _with(run, replace(stage, need=need))
    return _passed(after, now) if stage.state == "open" else after


def skip(run: Run, stage_id: UUID, note: Words, now: datetime) -> Run:
    """A step in which nobody is left to decide is left out. Where it was the last one and nobody
    has approved anything, that is no approval: the caller sends it back instead."""
    stage = run.stage(stage_id)
    if stage is None or stage.state not in {"todo", "open"}:
        raise Impossible
    was_open = stage.state == "open"
    run = _with(run, replace(_closed(stage, "skipped", now), note=note))
    return _go_on(run, now) if was_open else run


def sits(run: Run, person: UUID, stage: Stage, *, but: UUID | None = None) -> bool:
    """Whether somebody decides, or has decided, in this step; where people count once, in any."""
    return person in sitting(run, stage, but=but)


def sitting(run: Run, stage: Stage, *, but: UUID | None = None) -> frozenset[UUID]:
    """Everybody who decides, or has decided, in this step; where people count once, in any. Those
    of the seat `but` are left out."""
    of = run.current if run.once else (run.stage(stage.id) or stage,)
    return frozenset(
        person
        for each in of for seat in each.seats
        if seat.id != but and seat.state in {"todo", "open", "approved"}
        for person in (seat.holder, seat.person)
    )  # fmt: skip


def waiting(run: Run) -> list[tuple[Stage, Seat]]:
    """The seats in which something is still to be decided, now or later."""
    return [
        (stage, seat)
        for stage in run.current
        if stage.state in {"todo", "open"}
        for seat in stage.seats
        if seat.state in {"todo", "open"}
    ]


def with_deadline(run: Run, due_at: datetime) -> Run:
    """The step that is open has to be decided by then."""
    return run if run.open is None else _with(run, replace(run.open, due_at=due_at))


def _passed(run: Run, now: datetime) -> Run:
    stage = run.open
    if stage is None or not stage.enough:
        return run
    if not stage.passes:  # it waits for those who were added, and for nobody else
        seats = tuple(
            replace(seat, state="closed") if seat.state == "open" and not seat.added_by else seat
            for seat in stage.seats
        )
        return _with(run, replace(stage, seats=seats))
    return _go_on(_with(run, _closed(stage, "passed", now)), now)


def _go_on(run: Run, now: datetime) -> Run:
    """Open the next step that is to be decided; without any, all is approved."""
    for stage in run.current:
        if stage.state == "todo":
            seats = tuple(
                replace(seat, state="open", open_since=now) if seat.state == "todo" else seat
                for seat in stage.seats
            )
            return _with(run, replace(stage, state="open", seats=seats, opened_at=now))
    if not any(stage.state == "passed" for stage in run.current):
        raise Impossible  # nobody has approved anything
    return replace(run, state="approved")


def _back(run: Run, to: int, now: datetime) -> Run:
    """A new round of an earlier step, and of those between it and the one that is open."""
    stage = run.open
    if stage is None or not any(
        each.place == to and each.state == "passed" and to < stage.place for each in run.current
    ):
        raise Impossible
    again = [each for each in run.current if to <= each.place <= stage.place]
    run = _with(run, _closed(stage, "returned", now))
    for each in again:
        if each.state != "skipped":
            run = replace(run, stages=(*run.stages, _anew(each)))
    return _go_on(run, now)


def _anew(stage: Stage) -> Stage:
    seats = tuple(
        Seat(new_id(), seat.person, seat.holder, added_by=seat.added_by, home=seat.home)
        for seat in stage.living
    )
    return replace(
        stage, id=new_id(), round=stage.round + 1, state="todo", seats=seats, opened_at=None,
        due_at=None, closed_at=None,
    )  # fmt: skip


def _unopened(stage: Stage) -> Stage:
    seats = tuple(
        replace(seat, state="todo", open_since=None) if seat.state == "open" else seat
        for seat in stage.seats
    )
    return replace(stage, state="todo", seats=seats, opened_at=None, due_at=None)


def _closed(stage: Stage, state: StageState, now: datetime) -> Stage:
    seats = tuple(
        replace(seat, state="closed") if seat.state in {"todo", "open"} else seat
        for seat in stage.seats
    )
    return replace(stage, state=state, seats=seats, closed_at=now)


def _with(run: Run, stage: Stage) -> Run:
    stages = tuple(stage if each.id == stage.id else each for each in run.stages)
    return replace(run, stages=stages)


def _with_seat(run: Run, stage: Stage, seat: Seat) -> Run:
    seats = tuple(seat if each.id == seat.id else each for each in stage.seats)
    return _with(run, replace(stage, seats=seats))
