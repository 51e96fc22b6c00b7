"""Every kind of change of a clock that tzdata knows since 1990, over all its zones."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

SINCE, UNTIL = datetime(1990, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
STEP = timedelta(days=21)
"""Shorter than any time between two changes: a month of Ramadan in Morocco."""
_DAYS = [SINCE + n * STEP for n in range(1, (UNTIL - SINCE) // STEP + 1)]


@cache
def changes() -> Sequence[tuple[str, datetime, timedelta]]:
    """Zone, moment and how far the clock jumps: one for each kind (where to, at what time of day,
    in which season), in every zone at least one if its clock ever changed."""
    kinds: dict[object, tuple[str, datetime, timedelta]] = {}
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        before = _offset(zone, SINCE)
        for at in _DAYS:
            after = _offset(zone, at)
            if after != before:
                change, jump = _moment(zone, at - STEP, at), after - before
                shown = change.astimezone(zone)
                for kind in (name, (jump, shown.time(), shown.month)):
                    kinds.setdefault(kind, (name, change, jump))
            before = after
    return list(dict.fromkeys(kinds.values()))


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _moment(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    offset = _offset(zone, low)
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (middle, high) if _offset(zone, middle) == offset else (low, middle)
    return high
