"""Reckoning with days: the next 25th to come, the end of a month, Friday of next week."""

from calendar import monthrange
from datetime import date, timedelta

import jpholiday

_FRIDAY, _SATURDAY = 4, 5


def day(year: int, month: int, number: int) -> date | None:
    """That day, or None where the calendar has no such day."""
    if not (1 <= year <= 9999 and 1 <= month <= 12):
        return None
    return date(year, month, number) if 1 <= number <= monthrange(year, month)[1] else None


def next_to_come(month: int, number: int, today: date) -> date | None:
    """The next such day, today included; 29 February may be years away."""
    for year in range(today.year, today.year + 9):
        found = day(year, month, number)
        if found is not None and found >= today:
            return found
    return None


def next_day_of_month(number: int, today: date) -> date | None:
    """The next 25th (say) to come, today included."""
    for months in range(13):
        year, month = month_from(today, months)
        found = day(year, month, number)
        if found is not None and found >= today:
            return found
    return None


def month_from(today: date, months: int) -> tuple[int, int]:
    """Year and month, so many months from this one."""
    years, month = divmod(today.month - 1 + months, 12)
    return today.year + years, month + 1


def month_end(year: int, month: int) -> date | None:
    if not (1 <= year <= 9999 and 1 <= month <= 12):
        return None
    return date(year, month, monthrange(year, month)[1])


def days_from(today: date, days: int) -> date | None:
    return today + timedelta(days=days) if days <= 3660 else None


def months_later(today: date, months: int) -> date | None:
    """The same day so many months on, or the last of that month."""
    if months > 120:
        return None
    year, month = month_from(today, months)
    end = month_end(year, month)
    return end if end is None else min(end, end.replace(day=min(today.day, end.day)))


def weekday_of_week(today: date, weekday: int, weeks: int) -> date:
    """Monday is 0; weeks begin on Monday; `weeks` = 1 is next week."""
    return today + timedelta(days=weekday - today.weekday() + 7 * weeks)


def next_weekday(today: date, weekday: int) -> date:
    """The next such weekday to come, today included."""
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def end_of_week(today: date, weeks: int) -> date:
    """The last working day (Friday) of the week; today where this week's is over."""
    return max(today, weekday_of_week(today, _FRIDAY, weeks))


def is_business_day(day: date) -> bool:
    """Whether it is neither a Saturday, a Sunday nor a Japanese holiday."""
    return day.weekday() < _SATURDAY and not jpholiday.is_holiday(day)


def business_days_from(today: date, days: int) -> date | None:
    """So many Japanese business days on."""
    if days > 260:
        return None
    found = today
    while days > 0:
        found += timedelta(days=1)
        if is_business_day(found):
            days -= 1
    return found
