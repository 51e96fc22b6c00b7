"""An order as a person means it: who wants how many of what by when, at which discount.

`Reading` is what could be read from a text, with everything that is still open;
`Order` is complete and can be priced.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from core.words import Language

Missing = Literal["customer", "items", "quantity"]


@dataclass(frozen=True, slots=True)
class OrderLine:
    """`unit_price` in yen where the person named one, else the price list decides."""

    code: str
    quantity: int
    unit_price: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A complete order. Discounts are on the whole, before tax; at most one of the two is set."""

    customer: str
    lines: tuple[OrderLine, ...]
    due: date | None = None
    discount_percent: Decimal | None = None
    discount_amount: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Open:
    """Words of the text that could not be settled, with the candidates to offer.

    `candidates` are codes of the catalogue, nearest first; `quantity` is what was read beside.
    """

    words: str
    candidates: tuple[str, ...] = ()
    quantity: int | None = None
    unit_price: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says, in the words of the catalogue, and what it leaves open.

    `without_quantity` are items named without one; `invalid` are the words of lines whose
    quantity is zero, negative or a fraction.
    """

    language: Language
    customer: str | None = None
    lines: tuple[OrderLine, ...] = ()
    due: date | None = None
    discount_percent: Decimal | None = None
    discount_amount: int | None = None
    missing: tuple[Missing, ...] = ()
    ambiguous: tuple[Open, ...] = ()
    without_quantity: tuple[str, ...] = ()
    unknown: tuple[Open, ...] = ()
    unknown_customer: Open | None = None
    invalid: tuple[str, ...] = ()
