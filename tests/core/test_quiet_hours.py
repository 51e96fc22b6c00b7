"""Quiet hours by the clock on the wall: every zone, every change of a clock, holidays."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.preferences import QuietHours
from core.quiet_hours import is_quiet, quiet_until
from core.wall_clock import exists, first, last
from tests.core.clock_changes import SINCE, UNTIL, changes

MINUTE = timedelta(minutes=1)
NIGHT = QuietHours(time(22), time(8))
WINDOWS = (
    NIGHT,
    QuietHours(time(2, 30), time(7)),
    QuietHours(time(21), time(1, 30)),
    QuietHours(time(23, 30), time(0, 15)),
)
ZONES = sorted(available_timezones())
MOMENTS = st.integers(int(SINCE.timestamp()), int(UNTIL.timestamp())).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def shown_quiet(quiet: QuietHours, zone: ZoneInfo, at: datetime) -> bool:
    """By what the clock shows, and nothing else."""
    shown = at.astimezone(zone).time()
    if quiet.begins <= quiet.ends:
        return quiet.begins <= shown < quiet.ends
    return shown >= quiet.begins or shown < quiet.ends


def test_around_every_change_of_a_clock() -> None:
    kinds = changes()
    assert len({zone for zone, _, _ in kinds}) > 300
    for name, change, jump in kinds:
        zone = ZoneInfo(name)
        # where it is set back, what began the first time goes on through the second
        twice = (change + min(jump, -jump), change - min(jump, timedelta(0)))
        for quiet in WINDOWS:
            for minutes in (*range(-26 * 60, 26 * 60, 431), *range(-90, 100, 45)):
                at = change + minutes * MINUTE
                until = quiet_until(quiet, zone, (), at)
                where = f"{name} {at} {quiet}"
                if shown_quiet(quiet, zone, at):
                    assert until is not None, where
                elif not (jump < timedelta(0) and twice[0] <= at < twice[1]):
                    assert until is None, where
                if until is not None:
                    assert at < until <= at + timedelta(hours=26), where
                    assert quiet_until(quiet, zone, (), until) is None, where
                    assert quiet_until(quiet, zone, (), until - timedelta(seconds=1)) == until


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(ZONES), MOMENTS, TIMES, TIMES)
def test_it_ends_when_the_clock_says_so(name: str, at: datetime, begins: time, ends: time) -> None:
    zone, quiet = ZoneInfo(name), QuietHours(begins, ends)
    until = quiet_until(quiet, zone, (), at)
    if shown_quiet(quiet, zone, at):
        assert until is not None
    if until is None:
        return
    assert at < until
    assert not is_quiet(quiet, zone, (), until)
    step = (until - at) / 7
    assert {quiet_until(quiet, zone, (), at + n * step) for n in range(7)} == {until}


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(ZONES), MOMENTS)
def test_whole_days_off_end_in_the_morning_of_a_working_day(name: str, at: datetime) -> None:
    zone, quiet = ZoneInfo(name), QuietHours(time(22), time(8), days_off=True)
    until = quiet_until(quiet, zone, ("08-14",), at)
    if until is None:
        assert at.astimezone(zone).weekday() < 5
        return
    ends = until.astimezone(zone)
    assert ends.weekday() < 5
    assert (ends.month, ends.day) != (8, 14)
    assert not is_quiet(quiet, zone, ("08-14",), until)


@pytest.mark.parametrize(
    ("zone", "at", "until"),
    [
        # an ordinary night across midnight; its end is no more quiet, its beginning is
        ("Asia/Tokyo", "2026-11-26T22:00", "2026-11-27T08:00"),
        ("Asia/Tokyo", "2026-11-26T21:59", None),
        ("Asia/Tokyo", "2026-11-27T08:00", None),
        ("Asia/Taipei", "2026-11-27T07:59", "2026-11-27T08:00"),
    ],
)
def test_an_ordinary_night(zone: str, at: str, until: str | None) -> None:
    here = ZoneInfo(zone)
    expected = datetime.fromisoformat(until).replace(tzinfo=here) if until else None
    assert quiet_until(NIGHT, here, (), datetime.fromisoformat(at).replace(tzinfo=here)) == expected


def test_golden_week_and_the_company_s_own_days_are_one_piece() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    quiet = QuietHours(time(20), time(7, 30), days_off=True)
    evening = datetime(2026, 4, 28, 21, tzinfo=tokyo)
    # 29 April is a holiday, 30 April and 1 May are working days unless the company closes
    assert quiet_until(quiet, tokyo, (), evening) == datetime(2026, 4, 30, 7, 30, tzinfo=tokyo)
    closing = ("2026-04-30", "05-01")
    assert quiet_until(quiet, tokyo, closing, evening) == datetime(2026, 5, 7, 7, 30, tzinfo=tokyo)


def test_who_works_nowhere_near_is_told_after_a_year_all_the_same() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    every_day = [f"{day:%m-%d}" for day in (date(2024, 1, 1) + timedelta(n) for n in range(366))]
    quiet = QuietHours(time(22), time(8), days_off=True)
    at = datetime(2026, 1, 5, 12, tzinfo=tokyo)
    until = quiet_until(quiet, tokyo, every_day, at)
    assert until is not None
    assert timedelta(days=366) <= until - at < timedelta(days=368)


def test_nobody_chose_anything() -> None:
    assert quiet_until(None, ZoneInfo("Asia/Tokyo"), (), datetime.now(UTC)) is None
    same = QuietHours(time(9), time(9))
    assert quiet_until(same, ZoneInfo("Asia/Tokyo"), (), datetime.now(UTC)) is None


def test_an_hour_that_is_left_out_and_one_that_comes_twice() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    left_out = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert first(berlin, spring, time(2, 30)) == last(berlin, spring, time(2, 30)) == left_out
    assert first(berlin, autumn, time(2, 30)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert last(berlin, autumn, time(2, 30)) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_day_that_never_was() -> None:
    apia = ZoneInfo("Pacific/Apia")
    assert not exists(apia, date(2011, 12, 30))
    assert exists(apia, date(2011, 12, 29))
    assert exists(apia, date(2011, 12, 31))
    assert first(apia, date(2011, 12, 30), time(9)) == first(apia, date(2011, 12, 31), time(0))
