"""Which digest something goes into: the next one that is due, by the person's own calendar.

Each window is named by the local hour, date or week in which it is due, and each name is one moment
only. So a change of the clock makes neither two of them nor none.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.preferences import Digest
from core.wall_clock import DAY, exists, first
from notifier.hub.decision import Window

HOUR = timedelta(hours=1)
ALL = "*"


def window_of(digest: Digest, zone: ZoneInfo, after: datetime) -> Window | None:
    """The first window that is due after a moment; None for a digest that is none (at once)."""
    match digest.rhythm:
        case "hourly":
            key, due = _hourly(zone, after)
        case "daily":
            key, due = _daily(digest.at, zone, after)
        case "weekly":
            key, due = _weekly(digest.weekday, digest.at, zone, after)
        case "at_once":
            return None
    return Window(digest.pattern, f"{digest.rhythm}:{key}", due)


def quiet_window(zone: ZoneInfo, until: datetime) -> Window:
    """What is held until the end of quiet hours goes out together, whatever it is about."""
    return Window(ALL, f"quiet:{until.astimezone(zone):%Y-%m-%dT%H:%M}", until.astimezone(UTC))


def _hourly(zone: ZoneInfo, after: datetime) -> tuple[str, datetime]:
    here = after.astimezone(zone).replace(tzinfo=None, minute=0, second=0, microsecond=0)
    # the clock may have been set back, and then the next full hours have been there already
    hours = (here + away * HOUR for away in range(-1, 27))
    dues = [(first(zone, hour.date(), hour.time()), hour) for hour in hours]
    soonest = min(due for due, _ in dues if due > after)
    # of two hours that are one moment the clock leaves out the earlier
    hour = max(hour for due, hour in dues if due == soonest)
    return f"{hour:%Y-%m-%dT%H}", soonest


def _daily(at: time, zone: ZoneInfo, after: datetime) -> tuple[str, datetime]:
    day = after.astimezone(zone).date() - DAY
    while not exists(zone, day) or (due := first(zone, day, at)) <= after:
        day += DAY
    return day.isoformat(), due


def _weekly(weekday: int, at: time, zone: ZoneInfo, after: datetime) -> tuple[str, datetime]:
    day = after.astimezone(zone).date() - DAY
    while day.weekday() != weekday or (due := first(zone, day, at)) <= after:
        day += DAY
    return f"{day:%G-W%V}", due
