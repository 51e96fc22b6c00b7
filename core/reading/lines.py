"""From what was paired to lines of an order, and what of it stays open."""

from dataclasses import dataclass, field

from core.order import Open, OrderLine
from core.reading.index import Index, Name
from core.reading.open_words import match_words, unknown_words
from core.reading.text import Folded
from core.reading.tokens import Draft

_MOST_LIKENESSES = 5
_MOST_CHOICES = 20


@dataclass(slots=True)
class Lines:
    """What the lines of a text come to."""

    lines: list[OrderLine] = field(default_factory=list)
    ambiguous: list[Open] = field(default_factory=list)
    unknown: list[Open] = field(default_factory=list)
    without_quantity: list[str] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)


def lines_of(drafts: list[Draft], folded: Folded, index: Index) -> Lines:
    """The lines that drafts come to; only those that are certain and complete are lines."""
    found = Lines()
    for draft in drafts:
        words = folded.typed(draft.token.start, draft.token.end)
        name, quantity = draft.token.value, draft.quantity
        if quantity is not None and quantity.invalid:
            found.invalid.append(words)
        count = None if quantity is None or draft.unclear else quantity.value
        if not isinstance(name, Name):
            _open_words(draft, words, count, index, found)
        elif len(name.codes) > 1:
            found.ambiguous.append(Open(words, name.codes[:_MOST_CHOICES], count, draft.price))
        elif count is not None:
            found.lines.append(OrderLine(name.codes[0], count, draft.price))
        elif quantity is None or not quantity.invalid:
            found.without_quantity.append(name.codes[0])
    ordered = {line.code for line in found.lines}
    found.lines = _summed(found.lines)
    found.without_quantity = [c for c in dict.fromkeys(found.without_quantity) if c not in ordered]
    return found


def _open_words(draft: Draft, words: str, count: int | None, index: Index, found: Lines) -> None:
    if not unknown_words(draft):
        return
    near = len(found.unknown) < _MOST_LIKENESSES  # looking for likenesses takes time
    several, candidates = match_words(words, draft, index, search=near)
    (found.ambiguous if several else found.unknown).append(
        Open(words, candidates[:_MOST_CHOICES], count, draft.price)
    )


def _summed(lines: list[OrderLine]) -> list[OrderLine]:
    """The same item twice adds up, at the one price named for it; two prices stay two lines."""
    prices: dict[str, set[int]] = {}
    for line in lines:
        prices.setdefault(line.code, set()).update({line.unit_price} - {None})  # type: ignore[arg-type]
    sums: dict[tuple[str, int | None], int] = {}
    for line in lines:
        named = prices[line.code]
        price = next(iter(named)) if len(named) == 1 else line.unit_price
        sums[line.code, price] = sums.get((line.code, price), 0) + line.quantity
    return [OrderLine(code, quantity, price) for (code, price), quantity in sums.items()]
