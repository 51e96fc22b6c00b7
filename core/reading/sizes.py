"""Sizes such as 24型 and 500ml: no quantities, but what tells one item from its like."""

import re
from bisect import bisect_right

from core.reading.index import MEASURE, Index, Name
from core.reading.text import keyed
from core.reading.tokens import Token, Word

_MEASURE = re.compile(rf"(?<![\d.a-z]){MEASURE}")
_NEAR = 6  # tokens between a size and the name it completes


def find_sizes(masked: str, tokens: list[Token], index: Index) -> list[Token]:
    """Sizes and contents such as 24型, which are no quantities unless the item is sold by them."""
    items = [t for t in tokens if isinstance(t.value, Name) and t.value.kind == "item"]
    ends = [token.end for token in items]
    found: list[Token] = []
    for match in _MEASURE.finditer(masked):
        before = bisect_right(ends, match.start()) - 1
        name = items[max(before, 0)].value if items else None
        codes = name.codes if isinstance(name, Name) else ()
        if not any(match.group().endswith(index.items[code].unit) for code in codes[:9]):
            found.append(Token(match.start(), match.end(), Word(measure=True, alone=True)))
    return found


def complete_sizes(tokens: list[Token], text: str, index: Index) -> list[Token]:
    """14型と16型のノートPC are two items: a size stands for the name that it completes."""
    completed = list(tokens)
    told_apart: set[int] = set()
    for place, token in enumerate(tokens):
        if not (isinstance(token.value, Word) and token.value.measure):
            continue
        owners = index.word_codes.get(keyed(text[token.start : token.end]).text, frozenset())
        family = index.families.get(next(iter(owners)), frozenset()) if len(owners) == 1 else ()
        near = _items_near(tokens, place)
        like = [other for other in near if not _codes(tokens[other]).isdisjoint(family)]
        beside = [o for o in near if o not in like and _touch(tokens[o], token)]
        if like and not beside:
            completed[place] = Token(token.start, token.end, Name("item", tuple(owners)))
            told_apart.update(o for o in like if len(_codes(tokens[o])) > 1)
    return [token for place, token in enumerate(completed) if place not in told_apart]


def _items_near(tokens: list[Token], place: int) -> list[int]:
    """The nearest item before and after, in the same sentence."""
    found: list[int] = []
    for way in (range(place - 1, place - 1 - _NEAR, -1), range(place + 1, place + 1 + _NEAR)):
        for other in way:
            if not 0 <= other < len(tokens) or tokens[other].value == "stop":
                break
            if _codes(tokens[other]):
                found.append(other)
                break
    return found


def _codes(token: Token) -> frozenset[str]:
    name = token.value
    return frozenset(name.codes) if isinstance(name, Name) and name.kind == "item" else frozenset()


def _touch(one: Token, other: Token) -> bool:
    return max(one.start, other.start) - min(one.end, other.end) <= 1
