"""Texts as LINE counts and cuts them: in UTF-16 units, and never inside what a reader sees as one.

`regex` is here for its grapheme clusters (after Unicode's annex 29, with the rules for emoji: a
family of four, a flag, a kana with its mark): one pass in C that follows each Unicode version,
where `grapheme` walks in Python and `re` has nothing of the kind.
"""

import re
from collections.abc import Iterator

import regex

from bot.line import limits

# Controls besides tab and line break, halves of surrogate pairs, and what turns the direction of
# writing: with that somebody could make an amount or a name read as another one.
_NOT_SHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_BREAKS = re.compile("\r\n?|[\u2028\u2029\x85]")
_CLUSTER = regex.compile(r"\X")


def clean(text: str) -> str:
    """What may be said of what was typed; a line break is one, whatever it was typed as."""
    if text.isprintable():  # most of what there is
        return text.strip()
    return _NOT_SHOWN.sub("", _BREAKS.sub("\n", text)).strip()


def units(text: str) -> int:
    """Its length as LINE counts: a character beyond U+FFFF is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, most: int) -> str:
    """Clean, and end with … where it would be longer than `most` UTF-16 units."""
    shown = clean(text)
    if len(shown) * 2 <= most or (len(shown) <= most and units(shown) <= most):
        return shown
    return _head(shown[:most], most - 1).rstrip() + "…"


def label(text: str, most: int) -> str:
    """One line of at most `most` units, never empty: what stands on a button.

    LINE counts labels in clusters, of which there are not more than units.
    """
    return cut(" ".join(clean(text).split()), most) or "…"


def parts(
    text: str, most: int = limits.TEXT, count: int = limits.MESSAGES
) -> tuple[list[str], int]:
    """A text in parts of at most `most` units, divided at lines where it can be.

    At most `count` parts; also says how many units of it were left over.
    """
    whole = clean(text)
    found: list[str] = []
    part, used, done = "", 0, 0
    for piece, size, begins in _pieces(whole, most):
        gap = "\n" if part and begins else ""
        if used + len(gap) + size <= most:
            part, used = f"{part}{gap}{piece}", used + len(gap) + size
            continue
        found.append(part)
        done += used
        if len(found) == count:
            return _said(found), units(whole) - done
        part, used = piece, size
    return _said([*found, part]), 0


def _said(found: list[str]) -> list[str]:
    """Without empty ones, which LINE refuses."""
    trimmed = [part.strip("\n") for part in found]
    return [part for part in trimmed if part.strip()] or ["…"]


def _pieces(text: str, most: int) -> Iterator[tuple[str, int, bool]]:
    """Lines, and what is left of a longer one; each with its units and whether it begins a line."""
    for line in text.split("\n"):
        size = units(line)
        if size <= most:
            yield line, size, True
            continue
        at = 0
        while at < len(line):
            # One character more than fits: a cluster that goes on behind it does not fit either.
            window = line[at : at + most + 1]
            head = _head(window, most) or _characters(window, most)
            yield head, units(head), at == 0
            at += len(head)


def _head(text: str, most: int) -> str:
    """As many whole clusters from the beginning as fit."""
    end = used = 0
    for cluster in _CLUSTER.finditer(text):
        used += units(cluster.group())
        if used > most:
            break
        end = cluster.end()
    return text[:end]


def _characters(text: str, most: int) -> str:
    """The same by characters, for what nobody types: hundreds of marks on one letter."""
    used = 0
    for place, character in enumerate(text):
        used += 1 + (character > "\uffff")
        if used > most:
            return text[:place]
    return text
