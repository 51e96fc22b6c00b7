"""Dates in free text: 12/25, 令和8年12月25日, 来週金曜, 2週間後, by Dec 18, next Friday, 下周五.

A date without a year is the next one to come. A date that does not exist is found as None, so
that its digits are not taken for a quantity.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from core.reading import calendar
from core.reading.dates_in_english import ENGLISH
from core.reading.dates_in_words import DAY, WORDS, Rule, whole
from core.reading.text import fold

_YEAR = (
    r"(?:(?P<year>\d{4}|[〇零一二三四五六七八九]{4})年"
    rf"|(?:令和|(?<![a-z])r) ?(?P<era>元|{DAY})年)"
)
_ERA_BEGAN = 2018  # 令和1 is 2019
_FREE = r"(?<![\d/.\-])(?<!\d,)"
# 1/2個 is a fraction, 5-10台 a range.
_NO_COUNTER = (
    r"(?! ?(?:台|個|脚|式|箱|ケース|本|枚|セット|つ|コ|个|ダース|dozen|units?\b|pcs\b|pieces\b))"
)
_UNTIL = (
    r"(?= ?(?:\([月火水木金土日]\))? ?"
    r"(?:まで|迄|必着|着|納|お?届|希望|頃|ごろ|に(?!つき)|締|之?前|以前|交))"
)


def _year_month_day(match: re.Match[str], today: date) -> date | None:
    month, number, year = whole(match["month"]), whole(match["day"]), whole(match["year"])
    if match["era"]:
        year = _ERA_BEGAN + (1 if match["era"] == "元" else whole(match["era"]))
    if not year:
        return calendar.next_to_come(month, number, today)
    return calendar.day(year, month, number)


def _three_numbers(match: re.Match[str], today: date) -> date | None:
    first, second, third = (int(match[n]) for n in (1, 2, 3))
    if len(match[1]) == 4:
        return calendar.day(first, second, third)
    if len(match[3]) == 4:
        month, number = (first, second) if first <= 12 else (second, first)
        return calendar.day(third, month, number)
    return calendar.day(2000 + first, second, third)


def _era_dots(match: re.Match[str], today: date) -> date | None:
    return calendar.day(_ERA_BEGAN + int(match[1]), int(match[2]), int(match[3]))


def _month_day(match: re.Match[str], today: date) -> date | None:
    return calendar.next_to_come(int(match[1]), int(match[2]), today)


def _day_only(match: re.Match[str], today: date) -> date | None:
    return calendar.next_day_of_month(whole(match["day"]), today)


FIGURES: tuple[Rule, ...] = tuple(
    (re.compile(pattern), value)
    for pattern, value in (
        (
            rf"(?<![\d万億])(?:{_YEAR} ?)?(?P<month>{DAY})月 ?(?P<day>{DAY})[日号號]",
            _year_month_day,
        ),
        (rf"{_FREE}(\d{{4}})[/.\-](\d{{1,2}})[/.\-](\d{{1,2}})(?!\d)", _three_numbers),
        (rf"{_FREE}(\d{{1,2}})/(\d{{1,2}})/(\d{{4}}|\d{{2}})(?!\d)", _three_numbers),
        (r"(?:令和|(?<![a-z])r) ?(\d{1,2})[./\-](\d{1,2})[./\-](\d{1,2})(?!\d)", _era_dots),
        (rf"{_FREE}(\d{{4}})(\d\d)(\d\d)(?!\d){_NO_COUNTER}(?<=20\d{{6}})", _three_numbers),
        (rf"{_FREE}(\d{{1,2}})[/\-](\d{{1,2}})(?![\d/%,]|-\d){_NO_COUNTER}", _month_day),
        (rf"{_FREE}(\d{{1,2}})\.(\d{{1,2}})(?!\d){_UNTIL}", _month_day),
        (r"(?<=納期)[ :は]{0,2}(\d{1,2})\.(\d{1,2})(?![\d万円])", _month_day),
        (rf"(?<![\d/\-月中後])(?P<day>{DAY})[日号]{_UNTIL}", _day_only),
        (
            rf"(?<![\w./\-])(?P<day>{DAY})[日号](?=[\s、。,]|$|\([月火水木金土日]\))",
            _day_only,
        ),
    )
)
# Any of these must occur before it is worth looking: most texts need few of the rules.
_FIGURES_NEED = re.compile(r"[\d一二三四五六七八九十][/.\-月日号]|20\d{6}")
_WORDS_NEED = re.compile(r"[月日週周年天曜]|星期|礼拜|禮拜|あした|あす|あさって")
_ENGLISH_NEEDS = re.compile(
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun|\d(?:st|nd|rd|th)"
    r"|today|tomorrow|days?|weeks?|months?|year|eo[mwy]\b)"
)
_GROUPS = ((_FIGURES_NEED, FIGURES), (_WORDS_NEED, WORDS), (_ENGLISH_NEEDS, ENGLISH))
_MOST_DATES = 60  # more than anyone orders by; the rest are only kept from being quantities

_AFTER = re.compile(
    r" ?(?:\((?:[月火水木金土日](?:曜日?)?|周[一二三四五六日]|[a-z]{3,9})\)|[月火水木金土日]曜日?)?"
    r" ?(?:頃|ごろ|中(?![一-龯]))?(?P<until>(?:まで|迄|之?前|以前|以内)(?:には|に|の)?)?"
    r"(?P<delivery>に?(?:必着|必須|厳守|納品|納入|着|お?届け?|交货|交貨|到货))?"
)
_DELIVERY = re.compile(
    r"(?:納期|納品|納入|お届け|希望日|期日|交期|交货|交貨|到货|送货|\bdue|\bdeliver\w*|\bship\w*)"
    r"[^\n。]{0,12}$"
)
_DEADLINE = re.compile(
    r"(?:\bby|\bbefore|\buntil|\btill|no later than|期限|締切|締め切り)[^\n。]{0,6}$"
)
_NOT_DUE = re.compile(
    r"(?:有効期限|支払\w{0,3}|入金|請求|振込|回答|返信|発行日?|作成日|見積日|日付|payment|valid|付款)"
    r"[^\n。、]{0,6}$"
)
_NOT_DUE_AFTER = re.compile(
    r" ?(?:付け?[でのに]|締め?(?!切)|払い?|は ?お世話|の?お?(?:打ち?合わせ|会議|電話|訪問))"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A date at `start:end` of the folded text. The highest `weight` is the due date; 0 is none."""

    start: int
    end: int
    value: date | None
    weight: int


def find_dates(text: str, today: date) -> Iterable[Found]:
    """All dates of a folded text; they may overlap, the longer one holds."""
    weighed = 0
    for need, rules in _GROUPS:
        if not need.search(text):
            continue
        for pattern, value in rules:
            for match in pattern.finditer(text):
                if weighed > _MOST_DATES:
                    yield Found(match.start(), match.end(), None, 0)
                    continue
                weighed += 1
                yield _weighed(text, match.start(), match.end(), value(match, today))


def _weighed(text: str, start: int, end: int, value: date | None) -> Found:
    before = text[max(0, start - 24) : start]
    after = _AFTER.match(text, end)
    if value is None or _NOT_DUE.search(before) or _NOT_DUE_AFTER.match(text, end):
        return Found(start, end, value, 0)
    if after is None:
        return Found(start, end, value, 1)
    if after["delivery"] or _DELIVERY.search(before):
        return Found(start, after.end(), value, 3)
    deadline = after["until"] or _DEADLINE.search(before)
    return Found(start, after.end(), value, 2 if deadline else 1)


def read_date(text: str, today: date) -> date | None:
    """The date an answer names, or None.

    >>> read_date("来週金曜まで", date(2026, 11, 25))
    datetime.date(2026, 12, 4)
    """
    return due_of(find_dates(fold(text[:1000]).text, today))


def due_of(dates: Iterable[Found]) -> date | None:
    """Of several dates, the one by which things are wanted."""
    wanted = [found for found in dates if found.weight and found.value is not None]
    if not wanted:
        return None
    return max(
        wanted, key=lambda found: (found.weight, found.end - found.start, -found.start)
    ).value
