"""Whatever the chart, the route and the delegations: holders may decide, and enough can."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.approvals.acting_for import LONGEST, acting_for
from core.approvals.chart import Chart, Delegation, Member
from core.approvals.freezing import Asked, NamedRoute, freeze_route
from core.approvals.plan import Plan
from core.approvals.route import REQUESTERS, Route, StepOf, Who
from core.errors import Refused
from tests.core.approvals.charts import NOON, member, person

HANDLES = "abcdefgh"
_handles = st.sampled_from(HANDLES)
_days = st.integers(-2, 2).map(lambda days: date(2026, 11, 25) + timedelta(days))
_zones = st.sampled_from(["Asia/Tokyo", "Pacific/Kiritimati", "America/Los_Angeles"])


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    staff: list[Member] = [
        member(
            handle,
            draw(st.sampled_from(["", *HANDLES])),
            draw(st.sampled_from(["", "approver", "accountant approver"])),
            department=draw(st.sampled_from(["", "x", "y"])),
            post=draw(st.sampled_from(["", "chief"])),
            active=draw(st.integers(0, 4)) > 0,
            time_zone=draw(_zones),
        )
        for handle in HANDLES
    ]
    pairs = draw(st.lists(st.tuples(_handles, _handles), max_size=6))
    return Chart.of(
        staff,
        [
            Delegation(
                person(who),
                person(delegate),
                *sorted((draw(_days), draw(_days))),
                draw(st.sampled_from([frozenset(), frozenset({"form"}), frozenset({"other"})])),
            )
            for who, delegate in pairs
            if who != delegate
        ],
    )


_who = st.one_of(
    _handles.map(lambda handle: Who(person=handle)),
    st.integers(1, 3).map(lambda levels: Who(superior=levels)),
    st.builds(
        lambda role, post, department: Who(role=role, post=post, department=department),
        st.sampled_from(["approver", "accountant"]),
        st.sampled_from([None, "chief"]),
        st.sampled_from([None, "x", REQUESTERS]),
    ),
)


@st.composite
def routes(draw: st.DrawFn) -> Route:
    return Route(
        steps=tuple(
            StepOf(
                name=f"step {place}",
                who=tuple(draw(st.lists(_who, min_size=1, max_size=4))),
                need=draw(st.sampled_from(["any", "all", 1, 2, 3])),
                when=draw(st.sampled_from(["", "amount > 5"])),
                empty=draw(st.sampled_from(["next", "superior", "refuse"])),
                delegable=draw(st.booleans()),
            )
            for place in range(draw(st.integers(1, 4)))
        ),
        once=draw(st.booleans()),
    )


@settings(max_examples=150)
@given(charts(), routes(), _handles, st.frozensets(_handles, max_size=2), st.integers(0, 10))
def test_whoever_holds_a_seat_may_decide_and_enough_of_them_can(
    chart: Chart, route: Route, requester: str, editors: frozenset[str], amount: int
) -> None:
    authors = frozenset(map(person, editors)) | {person(requester)}
    asked = Asked(person(requester), authors, "form", {"amount": amount})

    try:
        plan = freeze_route(chart, NamedRoute("r", 1, route), asked, NOON)
    except Refused:
        return

    barred = authors | acting_for(chart, authors, "form", NOON)
    assert any(stage.seats for stage in plan.stages)
    for stage in plan.stages:
        holders = [seat.holder for seat in stage.seats]
        assert len(holders) == len(set(holders))
        assert stage.need <= len(holders)
        assert (stage.need > 0) is bool(holders)
        assert (stage.note is None) is bool(holders)
        assert not stage.everybody or stage.need == len(holders)
        assert barred.isdisjoint(holders)
        assert all(chart.is_active(holder) for holder in holders)
        for seat in stage.seats:
            assert _hops(chart, seat.person, seat.holder) <= (LONGEST if stage.delegable else 0)
    if route.once:
        _assert_once(plan)


def _hops(chart: Chart, whose: object, holder: object) -> int:
    """How often a seat was handed on; more than anyone may where the holder can't be reached."""
    hops, last = 0, {whose}
    while holder not in last:
        last = {
            delegation.delegate
            for each in last
            for delegation in chart.in_force(each, "form", NOON)  # type: ignore[arg-type]
        }
        hops += 1
        if not last or hops > len(HANDLES):
            return LONGEST + 1
    return hops


def _assert_once(plan: Plan) -> None:
    holders = [seat.holder for stage in plan.stages for seat in stage.seats]
    assert len(holders) == len(set(holders))
