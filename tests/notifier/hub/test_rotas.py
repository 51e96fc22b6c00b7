"""Who is on call: in each minute exactly one, whatever the clocks of the zone do."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.hub.rotas import Rota, Swap, on_call, shifts

PEOPLE = tuple(UUID(int=n) for n in range(1, 4))
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = datetime(2028, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ZONES = sorted(available_timezones())
# The first Sunday and Monday of the two years: most zones change their clocks on a Sunday night.
STARTS = [date(2026, 1, 4), date(2026, 1, 5)]


def rota(zone: str = "Asia/Tokyo", at: time = time(10), starts: date = STARTS[1]) -> Rota:
    return Rota("ops", zone, at, starts, PEOPLE)


@pytest.mark.parametrize("starts", STARTS)
def test_in_each_minute_of_two_years_exactly_one_is_on_call_in_every_zone(starts: date) -> None:
    """Shifts that follow one another without gap or overlap hold each minute exactly once."""
    for zone in ZONES:
        # 02:30 is skipped or comes twice in most zones with daylight saving time.
        each = rota(zone, time(2, 30), starts)
        found = list(shifts(each, SINCE, UNTIL))
        assert found[0].since == SINCE
        assert found[-1].until == UNTIL
        for earlier, later in itertools.pairwise(found):
            assert earlier.until == later.since, zone
            assert earlier.person != later.person, zone
            length = later.until - later.since
            assert length <= timedelta(days=7, hours=24), zone
            # and the minute on each side of the edge is of who it should be
            assert on_call(each, later.since - MINUTE) == earlier.person, zone
            assert on_call(each, later.since) == later.person, zone
        # each change of hands is at that time of day, or, where it does not exist, after the gap
        for shift in found[1:]:
            assert shift.since.astimezone(ZoneInfo(zone)).time() >= time(2, 30), zone
        # in turn: nobody is skipped
        turns = [PEOPLE.index(shift.person) for shift in found]
        assert all((b - a) % 3 == 1 for a, b in itertools.pairwise(turns)), zone


def test_each_single_minute_around_a_change_of_clocks_is_of_one() -> None:
    """Asked minute by minute over the weeks in which New York changes its clocks."""
    each = rota("America/New_York", time(2, 30), STARTS[0])
    for begins in (datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC)):
        minutes = [begins + n * MINUTE for n in range(3 * 24 * 60)]
        found = [on_call(each, minute) for minute in minutes]
        assert None not in found
        changes = [
            minute for minute, a, b in zip(minutes[1:], found, found[1:], strict=False) if a != b
        ]
        assert len(changes) == 1
    # 02:30 does not exist on 8 March: the hand-over is when the clock jumps over it.
    assert each.hand_over(9) == datetime(2026, 3, 8, 7, tzinfo=UTC)
    # 01:30 comes twice on 1 November: the first counts.
    twice = rota("America/New_York", time(1, 30), STARTS[0])
    assert twice.hand_over(43) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


moments = st.integers(-300_000, 1_300_000).map(lambda minutes: SINCE + minutes * MINUTE)


@given(
    zone=st.sampled_from(ZONES),
    at=st.times().map(lambda each: each.replace(second=0, microsecond=0)),
    starts=st.dates(date(2025, 1, 1), date(2027, 1, 1)),
    people=st.permutations(PEOPLE),
    swaps=st.lists(st.tuples(moments, st.integers(1, 20_000), st.sampled_from(PEOPLE)), max_size=5),
    left=st.frozensets(st.sampled_from(PEOPLE), max_size=2),
    moment=moments,
)
def test_with_swaps_and_people_who_left_there_is_still_exactly_one(
    zone: str,
    at: time,
    starts: date,
    people: list[UUID],
    swaps: list[tuple[datetime, int, UUID]],
    left: frozenset[UUID],
    moment: datetime,
) -> None:
    made = tuple(Swap(since, since + n * MINUTE, person) for since, n, person in swaps)
    each = Rota("ops", zone, at, starts, tuple(people), made, left)
    found = list(shifts(each, SINCE, UNTIL))
    assert found[0].since == SINCE
    assert found[-1].until == UNTIL
    assert all(a.until == b.since for a, b in itertools.pairwise(found))
    assert not left & {shift.person for shift in found}
    holders = [shift for shift in found if shift.since <= moment < shift.until]
    if SINCE <= moment < UNTIL:
        assert [shift.person for shift in holders] == [on_call(each, moment)]


def test_a_swap_counts_from_its_first_to_before_its_last_moment_and_the_later_made_first() -> None:
    begins = datetime(2026, 1, 6, 0, 0, tzinfo=UTC)
    day = timedelta(days=1)
    first = Swap(begins, begins + 2 * day, PEOPLE[1])
    second = Swap(begins + day, begins + 3 * day, PEOPLE[2])
    each = Rota("ops", "Asia/Tokyo", time(10), STARTS[1], PEOPLE, (first, second))
    asked = {
        begins - MINUTE: PEOPLE[0],
        begins: PEOPLE[1],
        begins + day - MINUTE: PEOPLE[1],
        begins + day: PEOPLE[2],
        begins + 3 * day - MINUTE: PEOPLE[2],
        begins + 3 * day: PEOPLE[0],
    }
    assert {moment: on_call(each, moment) for moment in asked} == asked


def test_before_the_first_hand_over_it_is_the_first_and_nobody_where_all_left() -> None:
    each = rota(starts=date(2026, 6, 1))
    assert on_call(each, SINCE) == PEOPLE[0]
    assert on_call(each, datetime(2026, 6, 8, 1, tzinfo=UTC)) == PEOPLE[1]
    empty = Rota("ops", "Asia/Tokyo", time(10), STARTS[1], PEOPLE, left=frozenset(PEOPLE))
    assert on_call(empty, SINCE) is None
    assert list(shifts(empty, SINCE, UNTIL)) == []
