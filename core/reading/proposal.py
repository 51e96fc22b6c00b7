"""A request in free words: its title, what is wanted and why, and the amount it is about."""

import re
from dataclasses import dataclass

from core.reading.money import find_prices, read_amount
from core.reading.numbers import NUMBER
from core.reading.text import fold

LONGEST_TITLE = 120
"""Characters; what is longer is a text without a title."""

_TITLE = r"件名|タイトル|標題|title|subject|标题"
_TEXT = r"内容|理由|本文|目的|趣旨|詳細|説明|text|reason|details|why|事由|说明"
_AMOUNT = r"金額|予算|費用|amount|budget|cost|金额|预算|费用"
_LABEL = re.compile(rf"(?:^|(?<=[\s、。,;]))(?:(?P<title>{_TITLE})|(?P<text>{_TEXT})) ?: ?")
_LABELLED = re.compile(
    rf"(?:^|(?<=[\s、。,;]))(?:{_AMOUNT})(?:は|が| is| of)? ?:? ?"
    rf"(?P<n>(?:¥|\\)? ?{NUMBER} ?(?:円|yen\b|jpy\b|日元|日圆|元)?)(?:です|で)?"
)
_EDGES = " \t\u3000、。,;:："


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a text says; empty where it says none. `amounts` in yen: several where it is not clear
    which one is meant."""

    title: str = ""
    text: str = ""
    amounts: tuple[int, ...] = ()


def read_proposal(raw: str) -> Proposal:
    """Read a request. Never raises.

    The first line is the title and the rest the text, unless they are labelled (件名: 理由: …). An
    amount that is labelled or stands by itself divides them as a line break does.
    """
    folded = fold(raw)
    cuts, amounts = _amounts(folded.text)
    marks = [(start, end, "") for start, end in cuts]
    marks += [
        (match.start(), match.end(), match.lastgroup or "")
        for match in _LABEL.finditer(folded.text)
        if not any(start < match.end() and match.start() < end for start, end in cuts)
    ]
    parts: list[tuple[str, str]] = []
    at, label = 0, ""
    for start, end, next_label in sorted(marks):
        parts.append((label, raw[at : folded.starts[start]]))
        at, label = folded.ends[end - 1], next_label
    parts.append((label, raw[at:]))
    return _of_parts(parts, amounts)


def _of_parts(parts: list[tuple[str, str]], amounts: tuple[int, ...]) -> Proposal:
    title, lines = "", []
    for label, part in parts:
        found = [line.lstrip(_EDGES).rstrip(" \t\u3000、,;:：") for line in part.splitlines()]
        found = [line for line in found if line]
        if label == "title" and found and not title:
            title = found.pop(0)
        lines += [(label, line) for line in found]
    if not title and lines and lines[0][0] != "text" and len(lines[0][1]) <= LONGEST_TITLE:
        title = lines.pop(0)[1].rstrip("。")
    return Proposal(title[:LONGEST_TITLE], "\n".join(line for _, line in lines), amounts)


def _amounts(text: str) -> tuple[list[tuple[int, int]], tuple[int, ...]]:
    """The spans of amounts that stand apart from the words, and the amounts themselves."""
    labelled = [
        (match.start(), match.end(), read_amount(match["n"])) for match in _LABELLED.finditer(text)
    ]
    known = [(start, end, amount) for start, end, amount in labelled if amount is not None]
    if not known:
        found: dict[tuple[int, int], int] = {}
        for start, end, price in find_prices(text):
            if price is not None and not any(s < end and start < e for s, e in found):
                found[start, end] = price.yen
        known = [(start, end, amount) for (start, end), amount in sorted(found.items())]
        known_cuts = [each for each in known if len(known) == 1 and _stands_apart(text, *each[:2])]
    else:
        known_cuts = known
    amounts = tuple(dict.fromkeys(amount for *_, amount in known))
    return [(start, end) for start, end, _ in known_cuts], amounts


def _stands_apart(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return (not before or before in _EDGES + "\n") and (not after or after in _EDGES + "\n")
