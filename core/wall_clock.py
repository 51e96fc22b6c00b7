"""Moments by the clock on somebody's wall: where it jumps, each time of day is still one moment.

A time of day that a change of the clock leaves out is the moment of the change. One that comes
twice has a first and a last.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def first(zone: ZoneInfo, day: date, at: time) -> datetime:
    """The first moment (in UTC) from which on the clock there has shown this."""
    return _moments(zone, day, at)[0]


def last(zone: ZoneInfo, day: date, at: time) -> datetime:
    """The last moment (in UTC) at which the clock there comes to show this."""
    return _moments(zone, day, at)[1]


def exists(zone: ZoneInfo, day: date) -> bool:
    """Whether there was such a day: a zone that crosses the date line leaves one out."""
    return first(zone, day, time()) < first(zone, day + DAY, time())


@lru_cache(maxsize=8192)
def _moments(zone: ZoneInfo, day: date, at: time) -> tuple[datetime, datetime]:
    shown = datetime.combine(day, at, zone)
    early, late = (shown.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if early <= late:
        return early, late
    # left out: `late` is before the change and `early` after it
    change = _change(zone, late, early)
    return change, change


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The moment between two at which the clock there is changed."""
    offset = before.astimezone(zone).utcoffset()
    seconds = int((after - before).total_seconds())
    low, high = 0, seconds
    while high - low > 1:
        middle = (low + high) // 2
        if (before + middle * SECOND).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return (before + high * SECOND).replace(microsecond=0)
