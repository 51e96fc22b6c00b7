"""What is different between two revisions of the same work, as whoever decides wants to read it."""

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import TypeVar

from core.agent import Summary
from core.messages import Field, Line
from core.words import Language, Words, listed

MOST = 10
"""So many differences are shown; of more, how many more there are."""

T = TypeVar("T")

_MORE = Words(ja="… ほか {n} 件", en="… and {n} more", zh="… 另有 {n} 处")
_NOTHING = Words(ja="（なし）", en="(none)", zh="（无）")


def differences(before: Summary, after: Summary, language: Language) -> tuple[str, ...]:
    """A line for each field, line and total that was added (+), taken away (−) or changed."""
    none = _NOTHING.to(language)
    found = [
        *_fields(before.fields, after.fields, none),
        *_lines(before.lines, after.lines, language),
        *_fields(before.totals, after.totals, none),
    ]
    if before.note != after.note:
        found.append(f"{before.note or none} → {after.note or none}")
    return tuple(" ".join(each.split()) for each in found)


def shown(found: Sequence[str], language: Language) -> tuple[str, ...]:
    """The first of them, and how many more there are."""
    if len(found) <= MOST:
        return tuple(found)
    more = _MORE.fill(n=len(found) - MOST + 1).to(language)
    return (*found[: MOST - 1], more)


def _fields(before: Sequence[Field], after: Sequence[Field], none: str) -> list[str]:
    return [
        f"{label}: {_value(was, none)} → {_value(now, none)}"
        for label, was, now in _pairs(before, after, lambda field: field.label)
        if was != now
    ]


def _value(field: Field | None, none: str) -> str:
    return field.value or none if field is not None else none


def _lines(before: Sequence[Line], after: Sequence[Line], language: Language) -> list[str]:
    return [
        _line(name, was, now, language)
        for name, was, now in _pairs(before, after, lambda line: line.name)
        if was != now
    ]


def _line(name: str, was: Line | None, now: Line | None, language: Language) -> str:
    if was is None and now is not None:
        return f"+ {name}  {now.detail}  {now.amount}"
    if now is None and was is not None:
        return f"− {name}  {was.detail}  {was.amount}"
    assert was is not None and now is not None  # noqa: S101, PT018  # a pair has one of them
    parts = [
        f"{old} → {new}"
        for old, new in ((was.detail, now.detail), (was.amount, now.amount))
        if old != new
    ]
    return f"{name}: {listed(parts, language)}"


def _pairs(
    before: Sequence[T], after: Sequence[T], name: Callable[[T], str]
) -> list[tuple[str, T | None, T | None]]:
    """What has the same name, in the order of the later revision; the second with the second.

    What is equal is paired first, so that of two lines of one name only the other is a change.
    """
    names = dict.fromkeys([*map(name, after), *map(name, before)])
    found: list[tuple[str, T | None, T | None]] = []
    for each in names:
        old = [one for one in before if name(one) == each]
        new = [one for one in after if name(one) == each]
        for one in list(new):
            if one in old:
                old.remove(one)
                new.remove(one)
        found += [(each, was, now) for was, now in zip_longest(old, new)]
    return found
