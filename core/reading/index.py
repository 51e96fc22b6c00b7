"""A catalogue made searchable, once: every name and alias by its key, and the words in them."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Literal

from core.catalogue import Catalogue, Customer, Item
from core.reading.legal_forms import without_legal_form
from core.reading.quantities import quantity_pattern
from core.reading.text import fold, key_of, keyed

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
_UNIT = re.compile(r"inch|インチ|英寸|[cmk]?m|[mc]l|[mk]?g|[gtm]b|k?w")
_ODD_PLURALS = (("mouse", "mice"), ("shelf", "shelves"), ("knife", "knives"), ("foot", "feet"))
_LARGEST_FAMILY = 50
_LONG_FIGURES = 6  # a code of figures only must be longer than any quantity is likely to be


@dataclass(frozen=True, slots=True)
class Name:
    """What one key stands for: one code, or several where it is ambiguous. `code` = typed as is."""

    kind: Kind
    codes: tuple[str, ...]
    code: bool = False


@dataclass(slots=True)
class Keys:
    """The keys of all names of one kind, each with the code it stands for."""

    names: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    owners: dict[str, list[str]] = field(default_factory=dict)
    joined: str = ""
    starts: list[int] = field(default_factory=list)

    def add(self, key: str, code: str) -> None:
        self.names.append(key)
        self.codes.append(code)
        self.owners.setdefault(key, []).append(code)

    def close(self) -> None:
        """Join all names, so that looking inside them is one search."""
        self.starts = list(accumulate((len(name) + 1 for name in self.names), initial=0))
        self.joined = "\n".join(self.names)

    def containing(self, key: str) -> Iterator[int]:
        """The places of names that contain the key; at most a few hundred."""
        place = self.joined.find(key)
        for _ in range(400):
            if place < 0:
                return
            number = bisect_right(self.starts, place) - 1
            yield number
            place = self.joined.find(key, self.starts[number + 1])


@dataclass(slots=True)
class Index:
    """A catalogue made searchable."""

    names: dict[str, Name] = field(default_factory=dict)
    lengths: dict[str, tuple[int, ...]] = field(default_factory=dict)
    words: dict[str, frozenset[str]] = field(default_factory=dict)
    word_codes: dict[str, frozenset[str]] = field(default_factory=dict)
    word_lengths: tuple[int, ...] = ()
    families: dict[str, frozenset[str]] = field(default_factory=dict)
    heads: dict[str, tuple[str, ...]] = field(default_factory=dict)
    units: frozenset[str] = frozenset()
    items: dict[str, Item] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    item_keys: Keys = field(default_factory=Keys)
    customer_keys: Keys = field(default_factory=Keys)


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
            for key in _customer_keys(name):
                strong.setdefault(("customer", key), []).append(customer.code)
                index.customer_keys.add(key, customer.code)
    for item in items:
        index.items[item.code] = item
        words: set[str] = set()
        for name in (item.name, *item.aliases):
            folded = fold(name).text
            key = keyed(folded).text
            strong.setdefault(("item", key), []).append(item.code)
            index.item_keys.add(key, item.code)
            plural = _odd_plural(folded)
            if plural:
                strong.setdefault(("item", keyed(plural).text), []).append(item.code)
            parts = _parts(folded)
            words.update(keyed(part).text for part in parts)
            for part in _partial_names(parts):
                weak.setdefault(keyed(part).text, []).append(item.code)
            for head in _heads(folded):
                heads.setdefault(head, []).append(item.code)
        index.words[item.code] = frozenset(word for word in words if not word.isdecimal())
    by_word: dict[str, set[str]] = {}
    for code, of_item in index.words.items():
        for word in of_item:
            by_word.setdefault(word, set()).add(code)
    index.word_codes = {word: frozenset(codes) for word, codes in by_word.items()}
    index.word_lengths = tuple(sorted({len(word) for word in by_word})[::-1])
    index.units = frozenset(item.unit for item in items)
    quantity_pattern(index.units)  # compiled here, once, rather than at the first request
    index.heads = {head: unique(codes) for head, codes in heads.items()}
    _fill(index, strong, weak)
    index.families = _families(weak)
    for codes, keys in ((index.items, index.item_keys), (index.customers, index.customer_keys)):
        for code in codes:
            keys.add(key_of(code), code)
        keys.close()
    return index


def _odd_plural(folded: str) -> str | None:
    """The plural of an English name that does not end in -s alone: mice, batteries, shelves."""
    if not folded.isascii():
        return None
    for ending, plural in _ODD_PLURALS:
        if folded.endswith(ending):
            return folded.removesuffix(ending) + plural
    if re.search(r"[^aeiou\W\d_]y$", folded):
        return folded[:-1] + "ies"
    return None


def _families(weak: dict[str, list[str]]) -> dict[str, frozenset[str]]:
    """For each item those that share a part of its name: both sizes of ノートPC."""
    families: dict[str, frozenset[str]] = {}
    for codes in map(frozenset, weak.values()):
        if 1 < len(codes) <= _LARGEST_FAMILY:
            for code in codes:
                families[code] = families.get(code, frozenset()) | codes
    return families


def _customer_keys(name: str) -> set[str]:
    """A name with and without its legal form, unless the rest is a mere quantity (12ヶ月)."""
    bare = without_legal_form(name)
    keys = {key_of(name)}
    if not quantity_pattern(frozenset()).fullmatch(bare):
        keys.add(key_of(bare))
    return keys - {""}


def _fill(
    index: Index, strong: dict[tuple[Kind, str], list[str]], weak: dict[str, list[str]]
) -> None:
    for key, codes in weak.items():
        if key:
            index.names[key] = Name("item", unique(codes))
    for kind in ("item", "customer"):
        for (of_kind, key), codes in strong.items():
            if of_kind == kind and key:
                index.names[key] = Name(of_kind, unique(codes))
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


def unique(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(codes))


def _parts(folded: str) -> list[str]:
    """The words of a name; a leading measure is one: 14型|ノートパソコン, 14-inch|laptop."""
    parts: list[str] = []
    for part in _SPLIT.split(folded):
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


def _heads(folded: str) -> Iterator[str]:
    """Runs of one script, and what they end with: パソコン of ノートパソコン."""
    for run in _RUNS.findall(folded):
        if run.isdecimal() or len(run) < 2 or _UNIT.fullmatch(run):
            continue
        key = keyed(run).text
        yield key
        shortest = 3 if run[-1] in "ー" or "ァ" <= run[-1] <= "ヺ" else 2
        for n in range(1, len(key) - shortest + 1):
            if not run.isascii() and key[n] not in "ーァィゥェォッャュョン":
                yield key[n:]
