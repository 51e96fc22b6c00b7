"""Windows of digests: one name is one moment, over every zone and every change of a clock."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from core.preferences import Digest
from core.wall_clock import exists
from notifier.hub.decision import Window
from notifier.hub.windows import quiet_window, window_of
from tests.core.clock_changes import SINCE, UNTIL, changes

MOMENTS = st.integers(int(SINCE.timestamp()), int(UNTIL.timestamp())).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
ZONES = sorted(available_timezones())
DIGESTS = (
    Digest("*", "hourly"),
    Digest("*", "daily", time(9)),
    Digest("*", "daily", time(2, 30)),
    Digest("*", "daily", time(0, 15)),
    Digest("*", "daily", time(23, 45)),
)


def chain(digest: Digest, zone: ZoneInfo, since: datetime, until: datetime) -> list[Window]:
    """All windows between, each found from the moment the one before it is due."""
    found: list[Window] = []
    while since < until:
        window = window_of(digest, zone, since)
        assert window is not None
        assert window.due_at > since
        # every moment before it goes into it: nothing is lost at an edge
        assert window_of(digest, zone, window.due_at - INSTANT) == window
        middle = since + (window.due_at - since) / 2
        assert window_of(digest, zone, middle) == window
        found.append(window)
        since = window.due_at
    return found


def test_each_window_is_one_moment_around_every_change() -> None:
    for name, change, jump in changes():
        zone = ZoneInfo(name)
        for digest in DIGESTS:
            hourly = digest.rhythm == "hourly"
            around = timedelta(hours=4) if hourly else 2 * DAY
            windows = chain(digest, zone, change - around, change + around)
            keys = [window.key for window in windows]
            assert len(set(keys)) == len(keys), (name, change, keys)
            if hourly:
                dues = [window.due_at for window in windows]
                longest = timedelta(hours=1) + abs(jump)
                assert all(b - a <= longest for a, b in pairwise(dues)), (name, dues)
                continue
            days = [date.fromisoformat(key.removeprefix("daily:")) for key in keys]
            for one, following in pairwise(days):
                between = [one + n * DAY for n in range(1, (following - one).days)]
                assert not any(exists(zone, day) for day in between), (name, days)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(ZONES),
    MOMENTS,
    st.times(),
    st.integers(0, 6),
)
def test_there_is_one_each_week(name: str, since: datetime, due: time, weekday: int) -> None:
    zone = ZoneInfo(name)
    windows = chain(Digest("*", "weekly", due, weekday), zone, since, since + 40 * DAY)
    assert len({window.key for window in windows}) == len(windows)
    for one, following in pairwise(windows):
        assert timedelta(days=6) <= following.due_at - one.due_at <= timedelta(days=8)


def test_names_and_moments() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    at = datetime(2026, 11, 27, 13, 20, tzinfo=tokyo)

    def due(digest: Digest) -> tuple[str, str, str]:
        window = window_of(digest, tokyo, at)
        assert window is not None
        return window.topic, window.key, window.due_at.astimezone(tokyo).isoformat()[:16]

    assert due(Digest("task.*", "hourly")) == (
        "task.*", "hourly:2026-11-27T14", "2026-11-27T14:00",
    )  # fmt: skip
    assert due(Digest("*", "daily", time(9))) == ("*", "daily:2026-11-28", "2026-11-28T09:00")
    assert due(Digest("*", "daily", time(18))) == ("*", "daily:2026-11-27", "2026-11-27T18:00")
    assert due(Digest("*", "weekly", time(9), 0)) == ("*", "weekly:2026-W49", "2026-11-30T09:00")
    assert window_of(Digest("*", "at_once"), tokyo, at) is None
    until = datetime(2026, 11, 27, 23, tzinfo=UTC)
    assert quiet_window(tokyo, until) == Window("*", "quiet:2026-11-28T08:00", until)


def test_an_hour_that_comes_twice_has_one_digest() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    since = datetime(2026, 10, 24, 23, tzinfo=UTC)  # 01:00 there; 03:00 becomes 02:00 at 01:00 UTC
    windows = chain(Digest("*", "hourly"), berlin, since, since + timedelta(hours=4))
    assert [window.key[-3:] for window in windows] == ["T02", "T03", "T04"]
    spring = datetime(2026, 3, 29, 0, tzinfo=UTC)  # 01:00 there; 02:00 becomes 03:00
    windows = chain(Digest("*", "hourly"), berlin, spring, spring + timedelta(hours=3))
    assert [window.key[-3:] for window in windows] == ["T03", "T04", "T05"]
