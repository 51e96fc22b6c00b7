"""The names of a catalogue in a text: whole names, aliases and codes, the longest first.

Names are found by their keys (see `text.keyed`); nothing is found by likeness here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.reading.index import Index, Name
from core.reading.text import Folded, Keyed

_PLURAL = re.compile(r"e?s(?![a-z])")


@dataclass(frozen=True, slots=True)
class Match:
    """A name at `start:end` of the folded text."""

    start: int
    end: int
    name: Name


def find_names(folded: Folded, key: Keyed, index: Index) -> Iterator[Match]:
    """Names in a text from left to right, the longest at each place; they do not overlap."""
    place, text = 0, key.text
    while place < len(text):
        lengths = index.lengths.get(text[place : place + 2]) or index.lengths.get(text[place])
        if lengths is None:
            place += 1
            continue
        length = _longest(folded, key, index, place)
        if length:
            yield Match(
                key.starts[place],
                key.ends[place + length - 1],
                index.names[text[place : place + length]],
            )
        place += length or 1


def _longest(folded: Folded, key: Keyed, index: Index, place: int) -> int:
    text = key.text
    for length in (*index.lengths.get(text[place : place + 2], ()), 1):
        name = index.names.get(text[place : place + length])
        if name is None or place + length > len(text):
            continue
        if _stands_alone(folded.text, key, place, length, name):
            return length
    return 0


def _stands_alone(text: str, key: Keyed, place: int, length: int, name: Name) -> bool:
    """Whether a name may begin and end here: no number cut in two, no line crossed."""
    start, end = key.starts[place], key.ends[place + length - 1]
    first, last = text[start], text[end - 1]
    before, after = text[start - 1 : start], text[end : end + 1]
    if "\n" in text[start:end]:
        return False
    cut_before = _goes_on(before, first) or (first.isdecimal() and before in (".", ",", "-", "/"))
    # A quantity may follow without a blank (PC5台), and so may a plural.
    counted = _is_ascii_letter(last) and after.isdecimal()
    plural = _is_ascii_letter(last) and not name.code and _PLURAL.match(text, end)
    cut_after = _goes_on(last, after) and not counted and not plural
    if cut_before or cut_after:
        return False
    if name.code:
        return " " not in text[start:end]
    # "phone 15台" may be fifteen phones.
    return not (last.isdecimal() and after and after in "台個脚式箱本枚つ个")


def _goes_on(one: str, other: str) -> bool:
    """Whether two characters are of one word or number."""
    if not one or not other:
        return False
    return all(_is_ascii_letter(each) or each.isdecimal() for each in (one, other))


def _is_ascii_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()


def extend(key: Keyed, text: str, match: Match, index: Index, free: bytearray) -> Match:
    """Take in the words beside a name that belong to its item: モニター [27型], [A4] コピー用紙.

    `free[i]` is true where the folded text belongs to nobody yet. Of several candidates only
    those that have the word remain.
    """
    start, end, codes = match.start, match.end, match.name.codes
    while True:
        grown = _word_beside(key, text, start, end, codes, index, free)
        if grown is None:
            return Match(start, end, Name(match.name.kind, codes, match.name.code))
        start, end, codes = grown


def _word_beside(
    key: Keyed,
    text: str,
    start: int,
    end: int,
    codes: tuple[str, ...],
    index: Index,
    free: bytearray,
) -> tuple[int, int, tuple[str, ...]] | None:
    left, right = key.at(start), key.at(end)
    if (
        right < len(key.text)
        and key.text[right] in "×x*"
        and key.text[right + 1 : right + 2].isdecimal()
    ):
        right += 1
    for length in index.word_lengths:
        for first in (right, left - length):
            word = key.text[first : first + length] if first >= 0 else ""
            owners = index.word_codes.get(word)
            if owners is None or len(word) < length or owners.isdisjoint(codes):
                continue
            word_start, word_end = key.starts[first], key.ends[first + length - 1]
            beside = text[min(word_start, end) : max(word_end, start)]
            whole = _whole_word(text, word_start, word_end)
            if whole and "\n" not in beside and all(free[word_start:word_end]):
                kept = tuple(code for code in codes if code in owners)
                return min(start, word_start), max(end, word_end), kept
    return None


def _whole_word(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if text[start].isdecimal() and before and (before.isdecimal() or before in ".,-"):
        return False
    last = text[end - 1]
    joined = _is_ascii_letter(last) or last.isdecimal()
    return not (joined and after and (_is_ascii_letter(after) or after.isdecimal()))
