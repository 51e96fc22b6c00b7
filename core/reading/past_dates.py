"""Dates of what has been: 11/20, 昨日, 先週の金曜, last Friday, Nov 20, 上周五, 20日.

A date without a year is the nearest one to today, so that in January 12/28 is of the year before,
and tomorrow's is told for what it is. The rules of `dates` look ahead; those with a month and a day
are asked as of half a year ago.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from core.reading import calendar
from core.reading.dates import FIGURES
from core.reading.dates_in_english import ENGLISH
from core.reading.dates_in_words import DAY, Rule, whole

_HALF_A_YEAR = timedelta(days=182)
_AHEAD = (*FIGURES[:6], *ENGLISH[:2])  # a month and a day; the others are about deadlines
_WEEKDAYS = dict(zip("月火水木金土日一二三四五六天", (*range(7), *range(6), 6), strict=True))
_DAYS_AGO = {
    "今日": 0, "本日": 0, "今天": 0, "today": 0,
    "昨日": 1, "きのう": 1, "前日": 1, "昨天": 1, "yesterday": 1,
    "一昨日": 2, "おととい": 2, "前天": 2, "the day before yesterday": 2,
}  # fmt: skip
_ENGLISH_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class PastDate:
    """A date at `start:end` of the folded text; `value` is None where there is no such day."""

    start: int
    end: int
    value: date | None


def _days_ago(match: re.Match[str], today: date) -> date | None:
    return today - timedelta(days=_DAYS_AGO[match[1]])


def _so_many_days_ago(match: re.Match[str], today: date) -> date | None:
    days = whole(match[1])
    return today - timedelta(days=days) if days <= 3660 else None


def _weekday_before(match: re.Match[str], today: date) -> date | None:
    weeks = -2 if match["which"] in ("先々週", "上上周") else -1
    if match["which"] in ("今週", "这周", "本周"):
        weeks = 0
    return calendar.weekday_of_week(today, _WEEKDAYS[match["weekday"]], weeks)


def _last_weekday(match: re.Match[str], today: date) -> date | None:
    weekday = _ENGLISH_WEEKDAYS.index(match["weekday"][:3])
    return today - timedelta(days=(today.weekday() - weekday - 1) % 7 + 1)


def _day_of_month(match: re.Match[str], today: date) -> date | None:
    """The 20th: the last one that has been, or of the month that is named."""
    number, away = whole(match["day"]), 0 if match["which"] in ("今月", "这个月", "本月") else -1
    if match["which"]:
        return calendar.day(*calendar.month_from(today, away), number)
    for months in range(13):
        found = calendar.day(*calendar.month_from(today, -months), number)
        if found is not None and found <= today:
            return found
    return None


def _with_a_point(match: re.Match[str], today: date) -> date | None:
    ago = _half_a_year_before(today)
    return calendar.next_to_come(int(match[1]), int(match[2]), ago)


_BACK: tuple[Rule, ...] = tuple(
    (re.compile(pattern), value)
    for pattern, value in (
        (r"(?<![一-龯ぁ-ん])(一昨日|昨日|前日|今日|本日|きのう|おととい)", _days_ago),
        (r"(昨天|前天|今天)", _days_ago),
        (r"\b(the day before yesterday|yesterday|today)\b", _days_ago),
        (rf"(?<![\d.])({DAY})(?:日|天)(?:前|以前)", _so_many_days_ago),
        (r"\b(\d{1,3}) days? ago\b", _so_many_days_ago),
        (
            r"(?P<which>先々週|先週|前週|今週)の? ?(?P<weekday>[月火水木金土日])(?:曜日?)?",
            _weekday_before,
        ),
        (
            r"(?P<which>上上周|上周|上星期|上个?星期|这周|本周)(?P<weekday>[一二三四五六日天])",
            _weekday_before,
        ),
        (r"\b(?:last|on) (?P<weekday>mon|tue|wed|thu|fri|sat|sun)[a-z]*\b", _last_weekday),
        (
            rf"(?P<which>先月|前月|今月|上个?月|这个月|本月)の? ?(?P<day>{DAY})[日号]",
            _day_of_month,
        ),
        (
            rf"(?P<which>)(?<![\d/月\-.])(?P<day>{DAY})[日号](?=[\s、。,:の]|$|\([月火水木金土日]\))",
            _day_of_month,
        ),
        (r"^[ ・*\-]{0,4}(\d{1,2})\.(\d{1,2})(?= )", _with_a_point),
    )
)
_COLON = re.compile(r"(?<=\d):(?= |$)")
_WEEKDAY_BESIDE = re.compile(
    r" ?(?:\((?:[月火水木金土日](?:曜日?)?|周[一二三四五六日]|[a-z]{3,9})\))"
)


def find_past_dates(text: str, today: date) -> Iterator[PastDate]:
    """The dates of a line of folded text in order, none over another; the longest holds."""
    found: list[PastDate] = []
    text = _COLON.sub(" ", text)  # Nov 20: taxi is no time of day
    for rules, as_of in ((_AHEAD, _half_a_year_before(today)), (_BACK, today)):
        for pattern, value in rules:
            for match in pattern.finditer(text):
                beside = _WEEKDAY_BESIDE.match(text, match.end())
                end = beside.end() if beside else match.end()
                found.append(PastDate(match.start(), end, value(match, as_of)))
    end = -1
    for each in sorted(found, key=lambda each: (each.start, -each.end)):
        if each.start >= end:
            yield each
            end = each.end


def _half_a_year_before(today: date) -> date:
    return today - _HALF_A_YEAR if today - date.min > _HALF_A_YEAR else today
