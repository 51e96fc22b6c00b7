"""Days on which banks pay, and days on which a company works.

Banks are closed on Saturdays, Sundays, national holidays and from 31 December to 3 January
(銀行法15条, 銀行法施行令5条). A company has closing days of its own beside them.
"""

import re
from collections.abc import Callable, Collection
from datetime import date, timedelta

from core.reading.calendar import is_business_day

_CLOSING = re.compile(r"(?:\d{4}-)?\d{2}-\d{2}")
_LEAP = 2000  # a year that has a 29 February


def is_bank_day(day: date) -> bool:
    """Whether banks carry out transfers on that day."""
    new_year = (day.month, day.day) == (12, 31) or (day.month == 1 and day.day <= 3)
    return is_business_day(day) and not new_year


def next_bank_day(day: date) -> date:
    """The first day from this one on, itself included, on which banks pay."""
    return _step(day, 1, is_bank_day)


def previous_bank_day(day: date) -> date:
    """The last day up to this one, itself included, on which banks pay."""
    return _step(day, -1, is_bank_day)


def is_working_day(day: date, closing: Collection[str] = ()) -> bool:
    """Whether a company works on that day. `closing`: its closing days, `2026-08-14`, or `08-14`
    for every year."""
    return is_business_day(day) and not {day.isoformat(), day.strftime("%m-%d")} & {*closing}


def working_days_from(day: date, days: int, closing: Collection[str] = ()) -> date:
    """So many of the company's working days on from a day, or back where `days` is negative."""
    found = day
    for _ in range(abs(days)):
        way = 1 if days > 0 else -1
        found = _step(found + timedelta(days=way), way, lambda each: is_working_day(each, closing))
    return found


def read_closing_day(text: str) -> str | None:
    """A closing day as `2026-08-14` or `08-14`; None for what is no such day."""
    if not _CLOSING.fullmatch(text):
        return None
    try:
        date.fromisoformat(text if len(text) > len("08-14") else f"{_LEAP}-{text}")
    except ValueError:
        return None
    return text


def _step(day: date, way: int, fits: Callable[[date], bool]) -> date:
    while not fits(day):
        day += timedelta(days=way)
    return day
