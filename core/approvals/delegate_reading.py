"""Reads `@sato 12/1-12/5 quote`: who, on which days, for which forms; in three languages."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from core.agent import Agent
from core.approvals import delegate_words as words
from core.errors import Refused
from core.reading.dates import find_dates, read_date
from core.reading.text import fold

_RANGE = re.compile(
    r"~|～|―|\.\.|から|\bto\b|\buntil\b|\btill\b|\bthrough\b|到|至|\s-+\s?"
    r"|(?<=[\d日号])-(?=\d{1,2}[/月]|\d{4}[/年-]|\d{1,2}(?:日|号|$|\s))"
)
_PERSON = re.compile(r"<@[^>\s]+>|@[^\s、,:：@<>]+")
_NOTHING = re.compile(
    r"まで|の間|\b(?:for|from|on|only|by|in|and|の?み)\b|だけ|を|に|の|は|と|へ|从|在|期间|代理|仅|和"
    r"|さん|→|->|[、,:：()（）]"
)
_TODAY = re.compile(r"\btoday\b")
_LATELY = timedelta(days=31)
"""A first day without a year that was so long ago is meant as that one, and not as next year's."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days from one to another, both included."""

    since: date
    until: date


def people_in(text: str) -> tuple[list[str], str]:
    """Those who are named with an @, or as a platform mentions them, and the rest of the text."""
    found = [match[0].removeprefix("@") for match in _PERSON.finditer(text)]
    return found, _PERSON.sub(" ", text)


def read_period(text: str, today: date) -> Period | None:
    """The days that a text names: `12/1-12/5`, `12月1日から5日まで`, `tomorrow`; None for none."""
    first, mark, last = _halves(_spoken(text, today.isoformat()))
    since = read_date(first, today)
    if since is None:
        return None
    if not mark:
        return Period(since, since)
    until = read_date(last, today)
    if until is None:
        return None
    if until >= since:
        return Period(since, until)
    if (begun := _begun_lately(since, until, today)) is not None:
        return begun
    later = read_date(last, since)  # the 5th, after the 25th
    short = later is not None and since <= later <= since + _LATELY
    return Period(since, later if later is not None and short else until)


def _spoken(text: str, today: str) -> str:
    """Folded, with what is short for two dates written out."""
    folded = _TODAY.sub(today, fold(text[:500]).text)
    folded = re.sub(r"(\d{1,2})/(\d{1,2}) ?- ?(\d{1,2})(?![\d/])", r"\1/\2 - \1/\3", folded)
    return re.sub(r"(\d{1,2})月(\d{1,2})日?-(\d{1,2})日", r"\1月\2日 - \1月\3日", folded)


def _halves(text: str) -> tuple[str, str, str]:
    """What stands before and after the mark between two dates."""
    for match in _RANGE.finditer(text):
        first, last = text[: match.start()], text[match.end() :]
        if _has_date(first) and _has_date(last):
            return first, match[0], last
    return text, "", ""


def _has_date(text: str) -> bool:
    return read_date(text, _ANY_DAY) is not None


_ANY_DAY = date(2024, 2, 29)


def _begun_lately(since: date, until: date, today: date) -> Period | None:
    """A period that is under way: read as dates to come, its first day would be next year's."""
    before = since - timedelta(days=365)
    return Period(today, until) if today - _LATELY <= before <= today <= until else None


def forms_in(text: str, agents: Iterable[Agent]) -> frozenset[str]:
    """The agents whose name or word stands in what is left of a text beside its dates. Raises
    Refused for a word that means none: it would be a delegation of everything."""
    known = list(agents)
    rest = _without_dates(_spoken(text, " "))
    by_word = {word.lower(): agent.name for agent in known for word in (agent.name, *agent.words)}
    found: set[str] = set()
    for word in sorted(by_word, key=len, reverse=True):
        pattern = rf"(?<![a-z]){re.escape(word)}(?![a-z])"
        rest, times = re.subn(pattern, " ", rest)
        if times:
            found.add(by_word[word])
    left = _NOTHING.sub(" ", _RANGE.sub(" ", rest)).replace("-", " ").split()
    if left:
        listed = ", ".join(agent.name for agent in known)
        raise Refused(words.NOT_READ.fill(text=left[0][:40], forms=listed))
    return frozenset(found)


def _without_dates(text: str) -> str:
    first, mark, last = _halves(text)
    rest = ""
    for part in (first, last) if mark else (first,):
        spans = [range(found.start, found.end) for found in find_dates(part, _ANY_DAY)]
        rest += " " + "".join(
            " " if any(place in span for span in spans) else letter
            for place, letter in enumerate(part)
        )
    return rest
