"""The names of a catalogue in a text: whole names, aliases, codes, and what comes near them.

An index is made once per catalogue. Names are found by their keys (see `text.keyed`), the longest
first; nothing is found by likeness here except in `search_*` and `candidates`, which only offer.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from rapidfuzz import fuzz, process

from core.catalogue import Catalogue, Customer, Item
from core.reading.legal_forms import without_legal_form
from core.reading.text import Folded, Keyed, fold, key_of

Kind = Literal["item", "customer"]

# A number with its unit is a word of its own: 14型, 500ml, 24本.
MEASURE = (
    r"\d+(?:\.\d+)?(?:型|ml|cc|l|リットル|kg|mg|g|mm|cm|km|m|gb|tb|mb|hz|w|kw|v|ah|mah|a|号|色|畳|inch"
    r"|インチ|英寸|[枚本個袋]入り?)(?![a-z])"
)
_MEASURE_OR_COUNT = re.compile(rf"{MEASURE}|\d+[枚本個袋錠粒箱]")
_SPLIT = re.compile(r"[\s()\[\]{}「」『』【】/,、・_]+")
_LEADING_MEASURE = re.compile(rf"^({MEASURE})[ -]?(?=\S)")
_RUNS = re.compile(r"[ァ-ヺー]+|[ぁ-ゖ]+|[a-z]+(?:[-'][a-z]+)*|\d+|[^\W\d_a-zぁ-ゖァ-ヺー]+")
_LIKE_AT_LEAST = 55  # of 100; below this a candidate only confuses
_LONG_FIGURES = 6  # a code of figures only must be longer than any quantity is likely to be


@dataclass(frozen=True, slots=True)
class Name:
    """What one key stands for: one code, or several where it is ambiguous. `code` = typed as is."""

    kind: Kind
    codes: tuple[str, ...]
    code: bool = False


@dataclass(slots=True)
class Index:
    """A catalogue made searchable."""

    names: dict[str, Name] = field(default_factory=dict)
    lengths: dict[str, tuple[int, ...]] = field(default_factory=dict)
    words: dict[str, frozenset[str]] = field(default_factory=dict)
    heads: dict[str, tuple[str, ...]] = field(default_factory=dict)
    units: frozenset[str] = frozenset()
    items: dict[str, Item] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    item_keys: list[tuple[str, str]] = field(default_factory=list)
    customer_keys: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Match:
    """A name at `start:end` of the folded text."""

    start: int
    end: int
    name: Name


_LAST: list[tuple[Catalogue, Index]] = []


def index_of(catalogue: Catalogue) -> Index:
    """The index of a catalogue; made once for the same items and customers."""
    for known, index in tuple(_LAST):
        if known is catalogue:
            return index
    index = _index(catalogue.items, catalogue.customers)
    _LAST.insert(0, (catalogue, index))
    del _LAST[8:]
    return index


@lru_cache(maxsize=32)
def _index(items: tuple[Item, ...], customers: tuple[Customer, ...]) -> Index:
    index = Index()
    strong: dict[tuple[Kind, str], list[str]] = {}
    weak: dict[str, list[str]] = {}
    heads: dict[str, list[str]] = {}
    for customer in customers:
        index.customers[customer.code] = customer
        for name in (customer.name, *customer.aliases):
            for key in {key_of(name), key_of(without_legal_form(name))} - {""}:
                strong.setdefault(("customer", key), []).append(customer.code)
                index.customer_keys.append((key, customer.code))
    for item in items:
        index.items[item.code] = item
        words: set[str] = set()
        for name in (item.name, *item.aliases):
            strong.setdefault(("item", key_of(name)), []).append(item.code)
            index.item_keys.append((key_of(name), item.code))
            parts = _parts(name)
            words.update(key_of(part) for part in parts)
            for part in _partial_names(parts):
                weak.setdefault(key_of(part), []).append(item.code)
            for head in _heads(name):
                heads.setdefault(head, []).append(item.code)
        index.words[item.code] = frozenset(word for word in words if not word.isdecimal())
    index.units = frozenset(item.unit for item in items)
    index.heads = {head: _unique(codes) for head, codes in heads.items()}
    _fill(index, strong, weak)
    return index


def _fill(
    index: Index, strong: dict[tuple[Kind, str], list[str]], weak: dict[str, list[str]]
) -> None:
    for key, codes in weak.items():
        if key:
            index.names[key] = Name("item", _unique(codes))
    for kind in ("item", "customer"):
        for (of_kind, key), codes in strong.items():
            if of_kind == kind and key:
                index.names[key] = Name(of_kind, _unique(codes))
    for code in index.customers:
        _add_code(index, code, "customer")
    for code in index.items:
        _add_code(index, code, "item")
    lengths: dict[str, set[int]] = {}
    for key in index.names:
        lengths.setdefault(key[:2], set()).add(len(key))
    index.lengths = {start: tuple(sorted(found)[::-1]) for start, found in lengths.items()}


def _add_code(index: Index, code: str, kind: Kind) -> None:
    key = key_of(code)
    if key and (not key.isdecimal() or len(key) >= _LONG_FIGURES):
        index.names.setdefault(key, Name(kind, (code,), code=True))


def _unique(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(codes))


def _parts(name: str) -> list[str]:
    """The words of a name; a leading measure is one: 14型|ノートパソコン, 14-inch|laptop."""
    parts: list[str] = []
    for part in _SPLIT.split(fold(name).text):
        leading = _LEADING_MEASURE.match(part)
        parts += [leading[1], part[leading.end() :]] if leading else [part]
    return [part for part in parts if part.strip()]


def _partial_names(parts: list[str]) -> Iterator[str]:
    """Parts that people say for the whole: the first words in Japanese, the last in English."""
    said = [part for part in parts if not _MEASURE_OR_COUNT.fullmatch(part)]
    if len(parts) < 2 or not said:
        return
    if parts[0] is not said[0]:  # 14型|ノートパソコン
        yield "".join(parts[1:])
        parts = parts[1:]
    if "".join(parts).isascii():
        yield from ("".join(parts[n:]) for n in range(1, len(parts)) if len(parts[-1]) > 2)
    else:
        yield from ("".join(parts[:n]) for n in range(1, len(parts)))


def _heads(name: str) -> Iterator[str]:
    """Runs of one script, and what katakana and kanji words end with: パソコン of ノートパソコン."""
    for run in _RUNS.findall(fold(name).text):
        if run.isdecimal() or len(run) < 2:
            continue
        yield key_of(run)
        shortest = 3 if run[-1] in "ー" or "ァ" <= run[-1] <= "ヺ" else 2
        for n in range(1, len(run) - shortest + 1):
            if not run.isascii() and run[n] not in "ーァィゥェォッャュョン":
                yield key_of(run[n:])


def find_names(folded: Folded, key: Keyed, index: Index) -> Iterator[Match]:
    """Names in a text from left to right, the longest at each place; they do not overlap."""
    place, text = 0, key.text
    while place < len(text):
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
    if first.isdecimal() and before and (before.isdecimal() or before in ".,-/"):
        return False
    if last.isdecimal() and after and (after.isdecimal() or _is_ascii_letter(after)):
        return False
    if _is_ascii_letter(first) and before and (_is_ascii_letter(before) or before.isdecimal()):
        return False
    if name.code:
        joined = text[start:end]
        return " " not in joined and not (_is_ascii_letter(last) and _is_ascii_letter(after))
    # "phone 15台" may be fifteen phones.
    return not (last.isdecimal() and after and after in "台個脚式箱本枚つ个")


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
    words = sorted({word for code in codes for word in index.words[code]}, key=len)[::-1]
    for word in words:
        if key.text.startswith(word, right):
            last = right + len(word) - 1
            place, new = (key.starts[right], key.ends[last]), (start, key.ends[last])
        elif left >= len(word) and key.text.startswith(word, left - len(word)):
            place, new = (key.starts[left - len(word)], start), (key.starts[left - len(word)], end)
        else:
            continue
        kept = tuple(code for code in codes if word in index.words[code])
        gap = text[min(place[0], end) : place[1]]
        if all(free[slice(*place)]) and "\n" not in gap and _whole_word(text, *place):
            return (*new, kept)
    return None


def _whole_word(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if text[start].isdecimal() and before and (before.isdecimal() or before in ".,-"):
        return False
    last = text[end - 1]
    joined = _is_ascii_letter(last) or last.isdecimal()
    return not (joined and after and (_is_ascii_letter(after) or after.isdecimal()))


def _search(query: str, keys: list[tuple[str, str]], limit: int) -> tuple[str, ...]:
    key = key_of(query[:200])
    if not key:
        return ()
    ranked: list[tuple[int, int, str]] = []
    for n, (name, code) in enumerate(keys):
        if key == name:
            ranked.append((0, n, code))
        elif name.startswith(key):
            ranked.append((1, n, code))
        elif key in name:
            ranked.append((2, n, code))
    codes = _unique(code for _, _, code in sorted(ranked))
    if len(codes) < limit:
        codes = _unique((*codes, *_like(key, keys, limit)))
    return codes[:limit]


def _like(key: str, keys: list[tuple[str, str]], limit: int) -> tuple[str, ...]:
    names = [name for name, _ in keys]
    near = process.extract(
        key, names, scorer=_likeness, limit=3 * limit, score_cutoff=_LIKE_AT_LEAST
    )
    return _unique(keys[place][1] for _, _, place in near)


_likeness = fuzz.ratio


def item_candidates(words: str, index: Index, limit: int = 5) -> tuple[str, ...]:
    """Codes of the items whose names come nearest, nearest first."""
    return _candidates(words, index.item_keys, limit)


def customer_candidates(words: str, index: Index, limit: int = 5) -> tuple[str, ...]:
    """Codes of the customers whose names come nearest, nearest first."""
    return _candidates(without_legal_form(words), index.customer_keys, limit)


def _candidates(words: str, keys: list[tuple[str, str]], limit: int) -> tuple[str, ...]:
    key = key_of(words[:100])
    inside = (code for name, code in keys if len(name) > 1 and name in key)
    return _unique((*_search(words[:100], keys, limit), *inside))[:limit]


def search_items(query: str, catalogue: Catalogue, limit: int = 10) -> tuple[Item, ...]:
    """Items for a list that narrows as one types, best first; all in order for an empty query."""
    index = index_of(catalogue)
    if not query.strip():
        return catalogue.items[:limit]
    keys = index.item_keys + [(key_of(code), code) for code in index.items]
    return tuple(index.items[code] for code in _search(query, keys, limit))


def search_customers(query: str, catalogue: Catalogue, limit: int = 10) -> tuple[Customer, ...]:
    """Customers for a list that narrows as one types, best first; all for an empty query."""
    index = index_of(catalogue)
    if not query.strip():
        return catalogue.customers[:limit]
    keys = index.customer_keys + [(key_of(code), code) for code in index.customers]
    return tuple(index.customers[code] for code in _search(query, keys, limit))
