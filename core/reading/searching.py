"""Names by likeness, only ever to offer them: type-ahead, and candidates for unknown words."""

from rapidfuzz import fuzz, process

from core.catalogue import Catalogue, Customer, Item
from core.reading.index import Index, Keys, index_of, unique
from core.reading.legal_forms import without_legal_form
from core.reading.text import key_of

_LIKE_AT_LEAST = 55  # of 100; below this a candidate only confuses


def _search(query: str, keys: Keys, limit: int) -> tuple[str, ...]:
    key = key_of(query[:100])[:100]
    if not key:
        return ()
    ranked = sorted((_rank(key, keys.names[n]), n) for n in keys.containing(key))
    codes = unique(keys.codes[n] for _, n in ranked)
    if len(codes) < limit:
        codes = unique((*codes, *_like(key, keys, limit)))
    return codes[:limit]


def _rank(key: str, name: str) -> int:
    return 0 if key == name else 1 if name.startswith(key) else 2


def _like(key: str, keys: Keys, limit: int) -> tuple[str, ...]:
    near = process.extract(
        key, keys.names, scorer=fuzz.ratio, limit=3 * limit, score_cutoff=_LIKE_AT_LEAST
    )
    return unique(keys.codes[place] for _, _, place in near)


def item_candidates(words: str, index: Index, limit: int = 5) -> tuple[str, ...]:
    """Codes of the items whose names come nearest, nearest first."""
    return _candidates(words, index.item_keys, limit)


def customer_candidates(words: str, index: Index, limit: int = 5) -> tuple[str, ...]:
    """Codes of the customers whose names come nearest, nearest first."""
    return _candidates(without_legal_form(words), index.customer_keys, limit)


def _candidates(words: str, keys: Keys, limit: int) -> tuple[str, ...]:
    key = key_of(words[:40])[:40]  # one character may stand for many
    parts = (key[start:end] for start in range(len(key)) for end in range(len(key), start + 1, -1))
    inside = (code for part in parts for code in keys.owners.get(part, ()))
    return unique((*_search(words[:40], keys, limit), *inside))[:limit]


def search_items(query: str, catalogue: Catalogue, limit: int = 10) -> tuple[Item, ...]:
    """Items for a list that narrows as one types, best first; all in order for an empty query."""
    if not query.strip():
        return catalogue.items[:limit]
    index = index_of(catalogue)
    return tuple(index.items[code] for code in _search(query, index.item_keys, limit))


def search_customers(query: str, catalogue: Catalogue, limit: int = 10) -> tuple[Customer, ...]:
    """Customers for a list that narrows as one types, best first; all for an empty query."""
    if not query.strip():
        return catalogue.customers[:limit]
    index = index_of(catalogue)
    return tuple(index.customers[code] for code in _search(query, index.customer_keys, limit))
