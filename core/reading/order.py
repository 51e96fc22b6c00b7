"""A whole request read: who, what, how many, by when, at which discount, and what is still open."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from core.catalogue import Catalogue
from core.order import Missing, Open, OrderLine, Reading
from core.reading import companies, phrases
from core.reading.dates import Found, due_of, read_date
from core.reading.index import Name, index_of
from core.reading.language import language_of
from core.reading.lines import Lines, lines_of
from core.reading.money import Discount
from core.reading.open_words import customer_word, joined_words
from core.reading.pairing import pair, prices_left_over
from core.reading.quantities import Quantity, find_quantities
from core.reading.scan import scan
from core.reading.searching import customer_candidates, search_customers, search_items
from core.reading.text import Folded, fold
from core.reading.tokens import Token
from core.words import Language

__all__ = [
    "match_items",
    "read_customer",
    "read_date",
    "read_items",
    "read_order",
    "read_quantity",
    "reading_json",
    "search_customers",
    "search_items",
]

# Longer texts are read up to here; the rest is reported as unknown rather than passed over.
MOST_CHARACTERS = 2500
_ANY_DAY = date(2000, 1, 1)


def read_order(text: str, catalogue: Catalogue, today: date) -> Reading:
    """Read a request for a quote. Nothing is guessed: what is not certain is left open.

    A date without a year is the next one to come, counted from `today`.
    """
    text, rest = _readable(without_command(text))
    folded = fold(text)
    index = index_of(catalogue)
    tokens = _before_sign_off(scan(folded, index, today), folded.text)
    customer, choice = _customer(tokens, folded)
    tokens = joined_words(tokens, folded.text, customer_known=customer is not None)
    drafts = pair(tokens, index, customer_known=customer is not None)
    language = _language(folded, tokens)
    stranger = None if customer or choice else customer_word(tokens, drafts)
    if stranger is not None:
        drafts = [draft for draft in drafts if draft.token is not stranger]
        words = folded.typed(stranger.start, stranger.end)
        choice = Open(words, customer_candidates(words, index))
    found = lines_of(drafts, folded, index)
    percent, amount, spare = _discount(tokens)
    for token in (*spare, *prices_left_over(tokens, drafts)):
        found.unknown.append(Open(folded.typed(token.start, token.end)))
    if rest:
        found.unknown.append(Open(rest[:40]))
    return Reading(
        language=language,
        customer=customer,
        lines=tuple(found.lines),
        due=due_of(token.value for token in tokens if isinstance(token.value, Found)),
        discount_percent=percent,
        discount_amount=amount,
        missing=_missing(customer, found),
        ambiguous=tuple(found.ambiguous),
        without_quantity=tuple(found.without_quantity),
        unknown=tuple(found.unknown),
        unknown_customer=choice,
        invalid=tuple(found.invalid),
    )


def _readable(text: str) -> tuple[str, str]:
    """What of a text is read, and the rest. No word is cut in two, if it can be helped."""
    folded = fold(text[:MOST_CHARACTERS])
    # One character may stand for many (㍿).
    long = len(folded.text) > MOST_CHARACTERS
    end = folded.starts[MOST_CHARACTERS] if long else MOST_CHARACTERS
    if end >= len(text):
        return text, ""
    blank = max(text.rfind(mark, end - 200, end) for mark in "\n 　、。")
    end = blank if blank > 0 else end
    return text[:end], text[end:].strip()


def without_command(text: str) -> str:
    """A request without the word that commands it (/miyabi quote, 見積, 报价)."""
    named = phrases.COMMAND_NAME.match(fold(text[:80]).text)
    folded = fold(text[:80])
    start = folded.ends[named.end() - 1] if named and named.end() else 0
    rest = text[start:]
    folded = fold(rest[:80])
    command = phrases.COMMAND.match(folded.text)
    return rest[folded.ends[command.end() - 1] :] if command and command.end() else rest


def _before_sign_off(tokens: list[Token], text: str) -> list[Token]:
    """Without the signature of a mail, unless an order follows it after all."""
    sign_off = phrases.SIGN_OFF.search(text)
    if sign_off is None:
        return tokens
    after = [token for token in tokens if token.start >= sign_off.start()]
    if any(isinstance(token.value, Quantity) and not token.value.bare for token in after):
        return tokens
    before = [token for token in tokens if token.start < sign_off.start()]
    if any(_is_customer(token) for token in before):
        return before
    return before + [token for token in after if _is_customer(token)]


def _is_customer(token: Token) -> bool:
    return isinstance(token.value, Name) and token.value.kind == "customer"


def _customer(tokens: list[Token], folded: Folded) -> tuple[str | None, Open | None]:
    """The customer a text names; several, or a name that several share, are left open."""
    named = [token for token in tokens if _is_customer(token)]
    codes = _codes(named)
    if len(codes) > 1:
        # ABC商事の山川さん is somebody at ABC商事.
        if len(named) > 1 and folded.text[named[0].end : named[1].start] == "の":
            named = [named[0], *named[2:]]
        marked = [token for token in named if _is_addressed(folded.text, token)]
        named = marked if len(_codes(marked)) == 1 else named
        codes = _codes(named)
    if len(codes) == 1:
        return codes[0], None
    if not codes:
        return None, None
    words = folded.typed(named[0].start, named[0].end)
    return None, Open(words, codes)


def _codes(tokens: Iterable[Token]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(c for t in tokens if isinstance(t.value, Name) for c in t.value.codes)
    )


def _is_addressed(text: str, token: Token) -> bool:
    after, before = text[token.end : token.end + 8], text[max(0, token.start - 12) : token.start]
    return companies.ADDRESSED_AFTER.match(after) is not None or (
        companies.ADDRESSED_BEFORE.search(before) is not None
    )


def _language(folded: Folded, tokens: list[Token]) -> Language:
    asked, plain = list(folded.text), list(folded.text)
    for token in tokens:
        name = token.value
        if isinstance(name, Name):
            blank = " " * (token.end - token.start)
            plain[token.start : token.end] = blank
            if name.kind == "customer" or name.code:
                asked[token.start : token.end] = blank
    return language_of(folded.text, "".join(asked), "".join(plain))


def _discount(tokens: list[Token]) -> tuple[Decimal | None, int | None, list[Token]]:
    """The first discount that makes sense, and those left over: an order can have only one."""
    percent: Decimal | None = None
    amount: int | None = None
    spare: list[Token] = []
    for token in tokens:
        discount = token.value
        if not isinstance(discount, Discount):
            continue
        same = discount.percent == percent and discount.amount == amount
        if percent is None and amount is None and discount != Discount():
            percent, amount = discount.percent, discount.amount
        elif not same or discount == Discount():
            spare.append(token)
    return percent, amount, spare


def _missing(customer: str | None, found: Lines) -> tuple[Missing, ...]:
    missing: list[Missing] = [] if customer else ["customer"]
    uncounted = any(each.quantity is None for each in found.ambiguous) and not found.invalid
    if found.without_quantity or uncounted:
        missing.append("quantity")
    elif not (found.lines or found.ambiguous or found.unknown or found.invalid):
        missing.append("items")
    return tuple(missing)


def read_customer(text: str, catalogue: Catalogue) -> str | Open:
    """The customer an answer names, or its words with the nearest candidates."""
    folded = fold(text[:200])
    index = index_of(catalogue)
    code, choice = _customer(scan(folded, index, _ANY_DAY), folded)
    if code is not None:
        return code
    words = text[:200].strip()
    return choice or Open(words, customer_candidates(words, index))


def read_quantity(text: str) -> int | None:
    """How many an answer says; None where it is no whole number above zero, or several."""
    folded = fold(text[:100]).text
    found = [quantity for _, _, quantity in find_quantities(folded, frozenset())]
    return found[0].value if len(found) == 1 else None


def read_items(text: str, catalogue: Catalogue) -> tuple[OrderLine, ...]:
    """The lines an answer names; none where any of them is not settled."""
    # A date in an answer about items is only kept from being a quantity; any day will do.
    reading = read_order(text, catalogue, _ANY_DAY)
    open_points = (
        reading.ambiguous or reading.unknown or reading.without_quantity or reading.invalid
    )
    return () if open_points else reading.lines


def match_items(words: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Codes that words name: one, or several to choose from. Likeness alone names nothing."""
    index = index_of(catalogue)
    tokens = scan(fold(words[:200]), index, _ANY_DAY)
    named = [t for t in tokens if isinstance(t.value, Name) and t.value.kind == "item"]
    return _codes(named)


def reading_json(reading: Reading) -> dict[str, object]:
    """A reading with the keys of the parse command's JSON; some appear only where they apply."""
    result: dict[str, object] = {
        "customer": reading.customer,
        "items": _summed_json(reading.lines),
        "due": reading.due.isoformat() if reading.due else None,
        "missing": list(reading.missing),
        "ambiguous": [each.words for each in reading.ambiguous],
    }
    counted = [each.quantity for each in reading.ambiguous if each.quantity is not None]
    overrides = {line.code: line.unit_price for line in reading.lines if line.unit_price}
    percent = reading.discount_percent
    optional: dict[str, object] = {
        "ambiguous_quantity": counted[0] if counted else None,
        "item_without_quantity": list(reading.without_quantity),
        "unknown": [each.words for each in reading.unknown],
        "unknown_customer": reading.unknown_customer.words if reading.unknown_customer else None,
        "invalid": ["quantity"] if reading.invalid else None,
        "unit_price_override": overrides,
        "discount_percent": _json_number(percent) if percent is not None else None,
        "discount_amount": reading.discount_amount,
        "language": reading.language if reading.language != "ja" else None,
    }
    return result | {key: value for key, value in optional.items() if value}


def _summed_json(lines: Iterable[OrderLine]) -> list[dict[str, object]]:
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.code] = sums.get(line.code, 0) + line.quantity
    return [{"code": code, "quantity": quantity} for code, quantity in sums.items()]


def _json_number(value: Decimal) -> int | float:
    """JSON knows no Decimal; a percentage is no amount of money."""
    return int(value) if value == value.to_integral_value() else float(value)
