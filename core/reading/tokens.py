"""What a text is made of once read: names, words, quantities, prices, dates and pauses."""

from dataclasses import dataclass, field
from typing import Literal

from core.reading.dates import Found
from core.reading.index import Name
from core.reading.money import Discount, Price
from core.reading.quantities import Quantity

Mark = Literal["link", "pause", "line", "stop"]


@dataclass(frozen=True, slots=True)
class Word:
    """Words that are no known name. `candidates` are codes that they come near.

    `to`: marked as the one the quote is for (さん, 宛, for); `company`: has the shape of a
    company's name; `aside`: said in passing (会議室で使います); `alone`: nothing but itself
    between two pauses, as in a list.
    """

    to: bool = False
    company: bool = False
    aside: bool = False
    alone: bool = False
    measure: bool = False
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """One piece at `start:end` of the folded text; None is a piece that says nothing."""

    start: int
    end: int
    value: Name | Word | Quantity | Price | Discount | Found | Mark | None


@dataclass(slots=True)
class Draft:
    """A line of the order while it is being put together."""

    token: Token
    quantity: Quantity | None = None
    price: int | None = None
    unclear: bool = False
    extras: list[Quantity] = field(default_factory=list)

    @property
    def known(self) -> bool:
        return isinstance(self.token.value, Name)
