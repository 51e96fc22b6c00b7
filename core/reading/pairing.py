"""Which quantity and which price belong to which item."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from core.reading.index import Index, Name
from core.reading.money import Price
from core.reading.quantities import Quantity
from core.reading.tokens import Draft, Token, Word

_MOST_GAP = 16  # characters between an item and a number that has neither counter nor ×
# What counts time or people is said beside many orders; it is a quantity only where the item is
# sold by it. Each group is one unit in several words.
_TIME_AND_PEOPLE = tuple(
    frozenset(words.split())
    for words in (
        "月 ヶ月 ケ月 か月 カ月 ヵ月 箇月 个月 個月 ヶ月分 か月分 カ月分 カ月間 month months",
        "年 年間 year years",
        "日 日間 人日 天 day days",
        "時間 時 hour hours",
        "週間 週 周 week weeks",
        "名 人 名様 ユーザー ユーザ user users seat seats アカウント",
        "回 泊 口",
    )
)

_Piece = Draft | Quantity


def pair(tokens: list[Token], index: Index, *, customer_known: bool) -> list[Draft]:
    """Lines of an order from its tokens, in order; a line without quantity has None."""
    drafts = {
        place: Draft(token) for place, token in enumerate(tokens) if _may_be_an_item(token.value)
    }
    eaches: list[tuple[int, Quantity]] = []
    totals: list[Quantity] = []
    groups: list[list[_Piece]] = [[]]
    breaks: list[str] = []
    for place, token in enumerate(tokens):
        value = token.value
        if place in drafts:
            groups[-1].append(drafts[place])
        elif isinstance(value, Quantity) and value.each:
            eaches.append((place, value))
            groups.append([])
            breaks.append("pause")
        elif isinstance(value, Quantity) and value.total:
            totals.append(value)
        elif isinstance(value, Quantity):
            if not value.bare or _beside_an_item(tokens, place, drafts):
                groups[-1].append(_sided(value, tokens, place, drafts))
        elif isinstance(value, str):
            groups.append([])
            breaks.append(value)
    for group in groups:
        _pair_within(group)
    _pair_across(*_without_empty(groups, breaks))
    _share_out(eaches, drafts, tokens, customer_known=customer_known)
    lines = list(drafts.values())
    open_lines = [line for line in lines if line.known and line.quantity is None]
    if totals and len(open_lines) == 1 and sum(line.known for line in lines) == 1:
        open_lines[0].quantity = totals[0]
    _put_prices(tokens, drafts, index)
    for line in lines:
        _judge(line, index)
    return lines


def _may_be_an_item(value: object) -> bool:
    if isinstance(value, Name):
        return value.kind == "item"
    return isinstance(value, Word) and not (value.to or value.company or value.aside)


def _beside_an_item(tokens: list[Token], place: int, drafts: dict[int, Draft]) -> bool:
    here = tokens[place]
    if place + 1 in drafts and tokens[place + 1].start - here.end <= _MOST_GAP:
        return True
    before = place - 1
    if before >= 0 and tokens[before].value == "pause":
        before -= 1
    return before in drafts and here.start - tokens[before].end <= _MOST_GAP


def _sided(
    quantity: Quantity, tokens: list[Token], place: int, drafts: dict[int, Draft]
) -> Quantity:
    """5台の is for what follows only where an item follows (not in 5台の見積)."""
    follows = place + 1 in drafts and tokens[place + 1].start - tokens[place].end <= 3
    return quantity if quantity.side != "forward" or follows else replace(quantity, side=None)


def _pair_within(group: list[_Piece]) -> None:
    """Pair inside one stretch without a pause: either all after their items or all before."""
    rest: list[_Piece] = []
    place = 0
    while place < len(group):
        here, after = group[place], group[place + 1] if place + 1 < len(group) else None
        if isinstance(here, Quantity) and here.side == "forward" and isinstance(after, Draft):
            after.quantity = here
            place += 2
            continue
        if isinstance(here, Quantity) and here.side == "back" and rest:
            last = rest[-1]
            if isinstance(last, Draft) and last.quantity is None:
                last.quantity = here
                rest.pop()
                place += 1
                continue
        rest.append(here)
        place += 1
    back, forward = _backward(rest), _forward(rest)
    chosen = forward if _worth(forward) > _worth(back) else back
    for draft, quantity in chosen:
        draft.quantity = quantity
    used = {id(quantity) for _, quantity in chosen}
    _note_extras(rest, used)


def _backward(group: list[_Piece]) -> list[tuple[Draft, Quantity]]:
    pairs: list[tuple[Draft, Quantity]] = []
    open_draft: Draft | None = None
    for piece in group:
        if isinstance(piece, Draft):
            open_draft = piece
        elif open_draft is not None:
            pairs.append((open_draft, piece))
            open_draft = None
    return pairs


def _forward(group: list[_Piece]) -> list[tuple[Draft, Quantity]]:
    return [
        (after, here)
        for here, after in pairwise(group)
        if isinstance(here, Quantity) and here.side != "back" and isinstance(after, Draft)
    ]


def _worth(pairs: Iterable[tuple[Draft, Quantity]]) -> int:
    return sum(10 if draft.known else 1 for draft, _ in pairs)


def _note_extras(group: list[_Piece], used: set[int]) -> None:
    """A second quantity beside an item that has one makes it unclear."""
    last: Draft | None = None
    for piece in group:
        if isinstance(piece, Draft):
            last = piece
        elif last is not None and last.quantity is not None and id(piece) not in used:
            last.extras.append(piece)


def _without_empty(
    groups: list[list[_Piece]], breaks: list[str]
) -> tuple[list[list[_Piece]], list[str]]:
    """The groups that hold something, with the strongest of the breaks between them."""
    kept, gaps = groups[:1], list[str]()
    strongest = 0
    for group, gap in zip(groups[1:], breaks, strict=True):
        strongest = max(strongest, _STRENGTH.index(gap))
        if not kept[-1]:
            kept[-1] = group
            strongest = 0
        elif group:
            kept.append(group)
            gaps.append(_STRENGTH[strongest])
            strongest = 0
    return kept, gaps


_STRENGTH = ("link", "pause", "line", "stop")


def _pair_across(groups: list[list[_Piece]], breaks: list[str]) -> None:
    """モニター、5台 or one on each line: a quantity alone goes to the open item beside it."""
    for place, group in enumerate(groups):
        if len(group) != 1 or not isinstance(group[0], Quantity):
            continue
        for near, gap in ((place - 1, place - 1), (place + 1, place)):
            if not 0 <= near < len(groups) or breaks[gap] not in ("pause", "line"):
                continue
            other = groups[near]
            draft = other[-1 if near < place else 0] if other else None
            if isinstance(draft, Draft) and draft.quantity is None:
                draft.quantity = group[0]
                break


def _share_out(
    eaches: list[tuple[int, Quantity]],
    drafts: dict[int, Draft],
    tokens: list[Token],
    *,
    customer_known: bool,
) -> None:
    """各5台 goes to all items before it, back to one that has its own; else to those after."""
    places = sorted(drafts)
    for place, quantity in eaches:
        middle = bisect_left(places, place)
        for side in (reversed(places[:middle]), places[middle:]):
            open_ones: list[Draft] = []
            for draft in map(drafts.__getitem__, side):
                if draft.quantity is not None:
                    break
                if not _may_be_the_customer(draft, tokens, customer_known):
                    open_ones.append(draft)
            for draft in open_ones:
                draft.quantity = replace(quantity, each=False)
            if open_ones:
                break


def _may_be_the_customer(draft: Draft, tokens: list[Token], customer_known: bool) -> bool:
    if draft.known or customer_known or draft.token is not tokens[0]:
        return False
    return len(tokens) > 1 and tokens[1].value != "link"


def _put_prices(tokens: list[Token], drafts: dict[int, Draft], index: Index) -> None:
    places = sorted(drafts)
    for place, token in enumerate(tokens):
        price = token.value
        if not isinstance(price, Price) or price.of_all or not places:
            continue
        line = drafts[places[max(bisect_left(places, place) - 1, 0)]]
        if not (price.each or _looks_like_one(price.yen, line, index)):
            continue
        line.price = price.yen
        if price.of_one and line.quantity is None:
            line.quantity = Quantity(1)


def _looks_like_one(yen: int, line: Draft, index: Index) -> bool:
    """An amount beside an item is its unit price where it is near the list price of one."""
    value, quantity = line.token.value, line.quantity
    if not isinstance(value, Name) or len(value.codes) != 1 or quantity is None:
        return False
    listed = index.items[value.codes[0]].unit_price
    return quantity.value == 1 or listed <= 2 * yen <= 3 * listed


def prices_left_over(tokens: list[Token], lines: list[Draft]) -> list[Token]:
    """Amounts that could be given to no item, or are a total: to be asked about."""
    given = {line.price for line in lines}
    return [
        token
        for token in tokens
        if isinstance(token.value, Price) and (token.value.of_all or token.value.yen not in given)
    ]


def _judge(line: Draft, index: Index) -> None:
    """Take back a quantity that counts something else than what the item is sold by."""
    value, quantity = line.token.value, line.quantity
    if quantity is None:
        return
    units: set[str] = set()
    inside: set[str] = set()
    if isinstance(value, Name):
        units = {index.items[code].unit for code in value.codes}
        inside = {word for code in value.codes for word in index.words[code]}
    if line.extras and any(_counts(extra.counter, units) for extra in line.extras):
        line.unclear = True
    if not isinstance(value, Name) or quantity.counter in units:
        return
    if quantity.months is not None and units <= _TIME_AND_PEOPLE[0]:
        line.quantity = replace(quantity, value=quantity.months, invalid=False)
        return
    if quantity.counter and not _counts(quantity.counter, units):
        extras = [extra for extra in line.extras if _counts(extra.counter, units)]
        line.quantity, line.unclear = (extras[0] if extras else None), len(extras) > 1
    elif quantity.counter and any(_is_content(word, quantity.counter) for word in inside):
        line.unclear = True


def _counts(counter: str, units: set[str]) -> bool:
    """Whether this counter can count things sold by these units."""
    if counter in units:
        return True
    group = next((words for words in _TIME_AND_PEOPLE if counter in words), None)
    return group is None or not group.isdisjoint(units)


def _is_content(word: str, counter: str) -> bool:
    """24本 in 緑茶 500ml 24本 says what one case holds, so 48本 is not 48 cases."""
    return word.endswith(counter) and word.removesuffix(counter).isdecimal()
