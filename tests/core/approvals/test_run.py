"""The state machine of approvals, whatever people do with it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from core.approvals import run
from core.approvals.plan import Plan, PlannedSeat, PlannedStage
from core.approvals.run import Impossible, Run
from core.words import same

PEOPLE = [UUID(int=n) for n in range(1, 9)]
START = datetime(2026, 11, 26, 1, tzinfo=UTC)
people = st.sampled_from(PEOPLE)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A route as freezing gives it: distinct holders in a step, a quorum that they can reach, and
    nobody twice where people count once."""
    once = draw(st.booleans())
    left = list(draw(st.permutations(PEOPLE)))
    stages = []
    for n in range(draw(st.integers(1, 4))):
        size = draw(st.integers(0 if n else 1, 3))
        if once:
            seated, left = left[:size], left[size:]
        else:
            seated = draw(st.lists(people, min_size=size, max_size=size, unique=True))
        everybody = draw(st.booleans())
        need = len(seated) if everybody else draw(st.integers(1, max(1, len(seated))))
        seats = tuple(PlannedSeat(person, person) for person in seated)
        note = same("nobody") if not seats else None
        stages.append(PlannedStage(f"step {n}", need, everybody, seats, note=note))
    return Plan("route", 1, tuple(stages), once)


class Approving(RuleBasedStateMachine):
    """Random people do random things; what they may not do is refused and changes nothing."""

    run: Run
    author: UUID

    @initialize(plan=plans())
    def asked(self, plan: Plan) -> None:
        self.now = START
        self.run = run.begin(plan, UUID(int=99), self.now, {})
        self.ends = 0
        seated = {seat.person for stage in plan.stages for seat in stage.seats}
        self.left: set[UUID] = set()
        self.author = next((p for p in PEOPLE if p not in seated), UUID(int=100))

    @rule(minutes=st.integers(0, 4))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(person=people, action=st.sampled_from(["approve", "approve", "reject", "return"]))
    def decides(self, person: UUID, action: run.Action) -> None:
        may = self.run.state == "pending" and self.run.held_by(person) is not None
        before = self.run
        try:
            self.run = run.decide(before, person, action, "why", self.now, "chat")
        except Impossible:
            assert not may
            return
        assert may
        assert len(self.run.decisions) == len(before.decisions) + 1
        self.ends += self.run.state != "pending"

    @rule(person=people, to=st.integers(1, 4))
    def sends_back(self, person: UUID, to: int) -> None:
        stage = self.run.open
        try:
            self.run = run.decide(self.run, person, "return", "why", self.now, "chat", to)
        except Impossible:
            return
        assert stage is not None
        assert self.run.open is not None
        assert self.run.open.place == to < stage.place

    @rule(person=people)
    def takes_back(self, person: UUID) -> None:
        before = self.run
        try:
            self.run = run.undo(before, person, self.now)
        except Impossible:
            return
        last = before.standing[-1]
        assert last.person == person
        assert self.now - last.at <= run.UNDO_WITHIN
        assert self.run.held_by(person) is not None
        self.ends -= before.state != "pending"

    @rule(person=people, by=people)
    def adds(self, person: UUID, by: UUID) -> None:
        if person == self.author or person in self.left:
            return
        try:
            self.run = run.add(self.run, person, by, self.now)
        except Impossible:
            return

    @rule(holder=people, n=st.integers(0, 9))
    def hands_on(self, holder: UUID, n: int) -> None:
        seats = [seat for stage in self.run.current for seat in stage.seats]
        if not seats or holder == self.author or holder in self.left:
            return
        try:
            self.run = run.hand(self.run, seats[n % len(seats)].id, holder)
        except Impossible:
            return

    @rule(person=people)
    @precondition(lambda self: self.run.state == "pending")
    def leaves(self, person: UUID) -> None:
        """As the caller does it: the seat is empty, and a step that nobody can make pass any more
        is left out, or all is sent back where nothing was approved."""
        self.left.add(person)
        for stage in self.run.current:
            for seat in stage.seats:
                if seat.holder == person and seat.state in {"todo", "open"}:
                    self.run = run.drop(self.run, seat.id, self.now)
        for stage in self.run.current:
            if stage.state in {"todo", "open"} and not stage.reachable:
                if stage.living and not stage.everybody:
                    self.run = run.lower(self.run, stage.id, len(stage.named), self.now)
                    continue
                try:
                    self.run = run.skip(self.run, stage.id, same("gone"), self.now)
                except Impossible:
                    self.run = run.end(self.run, "returned", self.now)
                    self.ends += 1
                    return
        self.ends += self.run.state != "pending"

    @invariant()
    def there_is_one_outcome_or_somebody_who_is_waited_for(self) -> None:
        assert self.ends == (self.run.state != "pending")
        waiting = [stage for stage in self.run.stages if stage.state == "open"]
        if self.run.state == "pending":
            [stage] = waiting
            assert any(seat.state == "open" for seat in stage.seats)
        else:
            assert not waiting

    @invariant()
    def nobody_decides_twice_or_on_what_is_their_own(self) -> None:
        for stage in self.run.current:
            deciding = [s.holder for s in stage.living if s.state in {"open", "approved"}]
            assert len(deciding) == len(set(deciding))
            assert self.author not in deciding
        seats = [decision.seat_id for decision in self.run.standing]
        assert len(seats) == len(set(seats))

    @invariant()
    def what_is_approved_was_approved_by_enough_in_each_step(self) -> None:
        for stage in self.run.current:
            if stage.state == "passed":
                assert stage.passes
        if self.run.state == "approved":
            assert all(stage.state in {"passed", "skipped"} for stage in self.run.current)
            assert any(stage.state == "passed" for stage in self.run.current)


Approving.TestCase.settings = settings(max_examples=120, stateful_step_count=25, deadline=None)
test_whatever_people_do = Approving.TestCase


def _plan(*stages: PlannedStage, once: bool = True) -> Plan:
    return Plan("route", 1, stages, once)


def _stage(*who: int, need: int = 1, everybody: bool = False) -> PlannedStage:
    seats = tuple(PlannedSeat(PEOPLE[n], PEOPLE[n]) for n in who)
    return PlannedStage("step", need, everybody, seats)


def _begun(*stages: PlannedStage, once: bool = True) -> Run:
    return run.begin(_plan(*stages, once=once), UUID(int=99), START, {})


def _approve(of: Run, *who: int) -> Run:
    for n in who:
        of = run.decide(of, PEOPLE[n], "approve", "", START, "chat")
    return of


def test_two_of_three_have_to_approve_and_the_third_is_not_asked_any_more() -> None:
    begun = _begun(_stage(0, 1, 2, need=2), _stage(3))

    after = _approve(begun, 0, 2)

    assert [seat.state for seat in after.current[0].seats] == ["approved", "closed", "approved"]
    assert after.open == after.current[1]


def test_sent_back_to_a_step_it_goes_through_it_and_those_after_it_anew() -> None:
    begun = _approve(_begun(_stage(0), _stage(1), _stage(2)), 0, 1)

    after = run.decide(begun, PEOPLE[2], "return", "look again", START, "chat", to=1)

    assert [(stage.place, stage.round, stage.state) for stage in after.current] == [
        (1, 2, "open"), (2, 2, "todo"), (3, 2, "todo"),
    ]  # fmt: skip
    assert _approve(after, 0, 1, 2).state == "approved"


def test_whoever_was_added_has_to_approve_though_the_others_are_enough() -> None:
    begun = run.add(_begun(_stage(0, 1)), PEOPLE[5], PEOPLE[0], START)

    waiting = _approve(begun, 0)

    assert waiting.open is not None
    assert [seat.state for seat in waiting.open.seats] == ["approved", "closed", "open"]
    undone = run.undo(waiting, PEOPLE[0], START)
    assert undone.open is not None
    assert [seat.state for seat in undone.open.seats] == ["open"] * 3
    assert _approve(begun, 0, 5).state == "approved"


def test_an_approval_is_taken_back_until_the_next_one_acts_and_for_five_minutes() -> None:
    first = _approve(_begun(_stage(0), _stage(1)), 0)

    undone = run.undo(first, PEOPLE[0], START + timedelta(minutes=5))
    assert undone.open == undone.current[0]
    assert undone.held_by(PEOPLE[0]) is not None
    for late, of in ((5.1, first), (0, _approve(first, 1))):
        with pytest.raises(Impossible):
            run.undo(of, PEOPLE[0], START + timedelta(minutes=late))


def test_nobody_comes_to_decide_twice_by_being_handed_a_seat() -> None:
    begun = _begun(_stage(0), _stage(1))
    [seat] = begun.current[0].seats

    with pytest.raises(Impossible):
        run.hand(begun, seat.id, PEOPLE[1])
    twice = replace(begun, once=False)
    assert run.hand(twice, seat.id, PEOPLE[1]).held_by(PEOPLE[1]) is not None


def test_nothing_is_approved_by_nobody() -> None:
    begun = _begun(_stage(0))
    [seat] = begun.current[0].seats
    dropped = run.drop(begun, seat.id, START)

    assert dropped.state == "pending"
    with pytest.raises(Impossible):
        run.skip(dropped, begun.current[0].id, same("gone"), START)
