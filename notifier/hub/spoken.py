"""Values as they are said to people: dates, times, amounts, names, by language and zone."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton
from babel.numbers import format_currency, format_decimal
from babel.units import format_unit
from jinja2 import pass_context
from jinja2.runtime import Context

from core.money import yen
from core.words import LANGUAGES, Language, Words, listed

LOCALES: Mapping[Language, str] = {"ja": "ja_JP", "en": "en_US", "zh": "zh_Hans_CN"}
_AFTER_NAMES: Mapping[str, Words] = {
    "san": Words("{who} さん", "{who}", "{who}"),
    "sama": Words("{who} 様", "{who}", "{who}"),
}
_YES = Words(ja="はい", en="yes", zh="是")
_NO = Words(ja="いいえ", en="no", zh="否")
_LONGEST = 2000


def said(value: Any, language: Language) -> str:
    """Any fact: of texts in several languages the reader's, of a list all."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return (_YES if value else _NO).to(language)
    if isinstance(value, Mapping):
        if set(value) == set(LANGUAGES):
            return str(value[language])
        return listed((f"{name}={said(each, language)}" for name, each in value.items()), language)
    if isinstance(value, list | tuple):
        return listed((said(each, language) for each in value), language)
    return str(value)


def day(value: str | date, language: Language, zone: str) -> str:
    """`2026年11月27日(金)`, `Fri, Nov 27, 2026`, `2026年11月27日周五`."""
    read = _moment(value)
    if isinstance(read, datetime):
        read = read.astimezone(ZoneInfo(zone)).date()
    # noon: a day has no zone, and Babel wants a moment
    noon = datetime(read.year, read.month, read.day, 12, tzinfo=UTC)
    return format_skeleton("yMMMEd", noon, tzinfo=UTC, locale=LOCALES[language])


def time_of_day(value: str | datetime, language: Language, zone: str) -> str:
    """`9:05`, in the reader's zone."""
    read = _moment(value)
    if not isinstance(read, datetime):
        raise ValueError("a day has no time")
    return read.astimezone(ZoneInfo(zone)).strftime("%H:%M")


def moment(value: str | datetime, language: Language, zone: str) -> str:
    """A day and a time, in the reader's zone."""
    return f"{day(value, language, zone)} {time_of_day(value, language, zone)}"


def minutes(value: float, language: Language) -> str:
    """`4 時間 15 分`, `4 hours 15 minutes`, `4小时15分钟`."""
    hours, rest = divmod(round(value), 60)
    # Babel has no long form of these in Japanese and Chinese.
    length: Literal["long", "short"] = "long" if language == "en" else "short"
    parts = [(hours, "duration-hour"), (rest, "duration-minute")]
    shown = [each for each in parts if each[0]] or parts[1:]
    return ("" if language == "zh" else " ").join(
        format_unit(count, unit, length, locale=LOCALES[language]) for count, unit in shown
    )


def _moment(value: str | date) -> date:
    """A day or a moment of JSON. Raises ValueError; one without a zone is UTC's."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise ValueError("no date")
    if len(value) == len("2026-11-27"):
        return date.fromisoformat(value)
    read = datetime.fromisoformat(value)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


# The same as filters of templates


def _by_language(make: Callable[[Any, Language], str]) -> Callable[..., str]:
    @pass_context
    def filtered(context: Context, value: Any) -> str:
        return "" if value in (None, "") else make(value, context["_language"])

    return filtered


def _by_zone(make: Callable[[Any, Language, str], str]) -> Callable[..., str]:
    @pass_context
    def filtered(context: Context, value: Any) -> str:
        if value in (None, ""):
            return ""
        return make(value, context["_language"], context["_zone"])

    return filtered


@pass_context
def _money(context: Context, value: Any, currency: str = "JPY") -> str:
    language = context["_language"]
    if currency == "JPY":
        return yen(int(value), language)
    return format_currency(value, currency, locale=LOCALES[language])


def _name(after: str) -> Callable[[Any, Language], str]:
    words = _AFTER_NAMES[after]

    def named(value: Any, language: Language) -> str:
        who = value if isinstance(value, list | tuple) else [value]
        return listed((words.fill(who=str(each)).to(language) for each in who), language)

    return named


def _listed(value: Iterable[Any], language: Language) -> str:
    return listed((said(each, language) for each in value), language)


def _number(value: Any, language: Language) -> str:
    return format_decimal(value, locale=LOCALES[language])


@pass_context
def _headline(context: Context, item: Mapping[str, Any]) -> str:
    headline: Callable[[Mapping[str, Any]], str] = context["_headline"]
    return headline(item)


FILTERS: Mapping[str, Callable[..., str]] = {
    "date": _by_zone(day),
    "time": _by_zone(time_of_day),
    "moment": _by_zone(moment),
    "minutes": _by_language(minutes),
    "number": _by_language(_number),
    "yen": _by_language(lambda value, language: yen(int(value), language)),
    "money": _money,
    "san": _by_language(_name("san")),
    "sama": _by_language(_name("sama")),
    "listed": _by_language(_listed),
    "headline": _headline,
}
"""What can stand behind a bar. `headline`: an item of a digest, as its own topic says it."""
