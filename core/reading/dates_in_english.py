"""Dates said in English: Dec 18, 25th of December, next Friday, in two weeks, end of month."""

import re
from collections.abc import Callable
from datetime import date

from core.reading import calendar
from core.reading.numbers import ENGLISH_NUMBER, parse_number

Rule = tuple[re.Pattern[str], Callable[[re.Match[str], date], date | None]]

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_FULL = rf"(?:{'|'.join(_WEEKDAYS)})"
_SHORT = r"(?:mon|tues?|wed|thurs?|thu|fri|sat|sun)"
_TH = r"(?:st|nd|rd|th)"
_COUNT = rf"(?P<number>\d{{1,3}}|{ENGLISH_NUMBER}|an?)"
_UNIT = r"(?P<unit>(?:business |working )?days?|weeks?|months?|years?)\b(?:'s?)?"


def _month(name: str) -> int:
    return next(n for n, month in enumerate(_MONTHS, 1) if month.startswith(name[:3]))


def _named_day(match: re.Match[str], today: date) -> date | None:
    month, number = _month(match["month"]), int(match["day"])
    if match["year"]:
        return calendar.day(int(match["year"]), month, number)
    return calendar.next_to_come(month, number, today)


def _day_of_month(match: re.Match[str], today: date) -> date | None:
    return calendar.next_day_of_month(int(match["day"]), today)


def _days_away(match: re.Match[str], today: date) -> date | None:
    days = {"today": 0, "tomorrow": 1}.get(match[1], 2)
    return calendar.days_from(today, days)


def _count_later(match: re.Match[str], today: date) -> date | None:
    number, unit = match["number"], match["unit"]
    value = 1 if number in ("a", "an") else parse_number(number)
    count = int(value or 0)
    if count <= 0:
        return None
    if "business" in unit or "working" in unit:
        return calendar.business_days_from(today, count)
    if unit.startswith("day"):
        return calendar.days_from(today, count)
    if unit.startswith("week"):
        return calendar.days_from(today, 7 * count)
    return calendar.months_later(today, count * (12 if unit.startswith("year") else 1))


def _weekday(match: re.Match[str], today: date) -> date | None:
    names = (n for n, name in enumerate(_WEEKDAYS) if name.startswith(match["weekday"][:3]))
    weekday, which = next(names), match["which"]
    if which == "next" or match["week"]:
        return calendar.weekday_of_week(today, weekday, 1)
    if which == "this":
        return calendar.weekday_of_week(today, weekday, 0)
    return calendar.next_weekday(today, weekday)


def _end(match: re.Match[str], today: date) -> date | None:
    which, unit = match["which"], match["unit"]
    away = 1 if which == "next" else 0
    if unit == "week":
        return calendar.end_of_week(today, away)
    if unit == "month":
        return calendar.month_end(*calendar.month_from(today, away))
    if unit == "year":
        return date(today.year + away, 12, 31)
    month = _month(unit)
    return calendar.month_end(today.year + (month < today.month), month)


def _middle(match: re.Match[str], today: date) -> date | None:
    return calendar.next_to_come(_month(match["month"]), 15, today)


def _short_end(match: re.Match[str], today: date) -> date | None:
    if match[1] == "eow":
        return calendar.end_of_week(today, 0)
    end = calendar.month_end(today.year, today.month)
    return date(today.year, 12, 31) if match[1] == "eoy" else end


ENGLISH: tuple[Rule, ...] = tuple(
    (re.compile(pattern), value)
    for pattern, value in (
        (
            rf"\b(?P<month>{_MONTH})\.? ?(?P<day>\d{{1,2}}){_TH}?(?![\d:])"
            r"(?:,? ?(?P<year>20\d\d)\b)?",
            _named_day,
        ),
        (
            rf"(?<![\d/.\-])(?<!\d,)\b(?P<day>\d{{1,2}}){_TH}?[ -](?:of )?(?P<month>{_MONTH})\b\.?"
            r"(?:,?[ -](?P<year>20\d\d)\b)?",
            _named_day,
        ),
        (rf"\b(?:the|by|before|on) (?P<day>\d{{1,2}}){_TH}\b", _day_of_month),
        (r"\b(?<=by )(today)\b|\b(?<=due )(?:today)\b()", lambda _, today: today),
        (r"\b(tomorrow|(?:the )?day after tomorrow)\b", _days_away),
        (rf"\b(?:in|within|after)(?: the next)? {_COUNT} {_UNIT}", _count_later),
        (rf"\b{_COUNT} {_UNIT} (?:from now|from today|later|hence|time)\b", _count_later),
        (
            rf"\b(?P<which>this|next|coming|on|by|before|until)(?: the)?(?: coming)? "
            rf"(?P<weekday>{_FULL}|{_SHORT})\b\.?(?P<week>(?: of)? next week)?",
            _weekday,
        ),
        (
            rf"(?P<which>)\b(?P<weekday>{_FULL})\b(?P<week>(?: of)? next week)?",
            _weekday,
        ),
        (
            r"\b(?:the )?(?:end of|late) (?:the )?(?:(?P<which>this|next) )?"
            rf"(?P<unit>week|month|year|{_MONTH})\b",
            _end,
        ),
        (rf"\bmid(?:dle of)?[ -](?P<month>{_MONTH})\b", _middle),
        (r"(?P<which>)\b(?P<unit>month|year|week)[ -]end\b", _end),
        (r"\b(?P<which>this|next) (?P<unit>week|month)\b", _end),
        (r"\b(eom|eow|eoy)\b", _short_end),
    )
)
