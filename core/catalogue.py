"""What a company sells and to whom: the price list and the customers, whatever their source."""

from dataclasses import dataclass
from datetime import datetime

from core.words import Language, Words


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the price list. `unit_price` in yen, `tax_rate` in percent (10 or 8)."""

    code: str
    name: str
    aliases: tuple[str, ...]
    unit: str
    unit_price: int
    tax_rate: int


@dataclass(frozen=True, slots=True)
class Customer:
    """Who buys. `language` is that of the documents they are sent."""

    code: str
    name: str
    aliases: tuple[str, ...]
    language: Language
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Price list and customers as read at one moment.

    `note` is for the person who relies on it, e.g. that the source is down and this is
    yesterday's copy; it is shown wherever a price from here is shown.
    """

    items: tuple[Item, ...]
    customers: tuple[Customer, ...]
    read_at: datetime
    note: Words | None = None

    def item(self, code: str) -> Item | None:
        return next((item for item in self.items if item.code == code), None)

    def customer(self, code: str) -> Customer | None:
        return next((customer for customer in self.customers if customer.code == code), None)
