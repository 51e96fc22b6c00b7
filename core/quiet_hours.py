"""Until when somebody is not to be disturbed: by their own clock, through all its changes."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.bank_days import is_working_day
from core.preferences import QuietHours
from core.wall_clock import DAY, first, last

LONGEST = timedelta(days=366)
"""A company that never works again is told after that all the same: held is not dropped."""


def quiet_until(
    quiet: QuietHours | None, zone: ZoneInfo, closing: Collection[str], at: datetime
) -> datetime | None:
    """The moment (in UTC) at which it is no more quiet; None where it is not quiet at all.

    `closing`: the company's closing days (core/bank_days.py). A window is one piece also where its
    end comes twice: it is quiet until the second time. What follows without a pause (a night, a
    holiday, the next night) is one as well.
    """
    if quiet is None:
        return None
    end = at = at.astimezone(UTC)
    while end - at < LONGEST:
        further = max(
            (until for since, until in _around(quiet, zone, closing, end) if since <= end < until),
            default=None,
        )
        if further is None:
            break
        end = further
    return end if end > at else None


def _around(
    quiet: QuietHours, zone: ZoneInfo, closing: Collection[str], at: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """The quiet pieces that may hold a moment: those of its day, and of the days beside it."""
    today = at.astimezone(zone).date()
    # two back: a night that began yesterday may be told by a clock that was set back to that day
    for day in (today + away * DAY for away in range(-2, 2)):
        if quiet.begins != quiet.ends:
            ends_on = day if quiet.begins < quiet.ends else day + DAY
            yield first(zone, day, quiet.begins), last(zone, ends_on, quiet.ends)
        if quiet.days_off and not is_working_day(day, closing):
            yield first(zone, day, time()), last(zone, day + DAY, time())


def is_quiet(
    quiet: QuietHours | None, zone: ZoneInfo, closing: Collection[str], at: datetime
) -> bool:
    """Whether it is quiet at a moment."""
    return quiet_until(quiet, zone, closing, at) is not None
