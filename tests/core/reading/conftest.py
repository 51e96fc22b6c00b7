"""The catalogue that the shared requests are read with."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from core.catalogue import Catalogue, Customer, Item
from core.words import as_language

TODAY = date(2026, 11, 25)  # a Wednesday
QUOTES = Path(__file__).resolve().parents[3] / ".." / "shared" / "quotes"


def _rows(name: str) -> list[dict[str, str]]:
    with (QUOTES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _aliases(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(alias for alias in row["aliases"].split(";") if alias)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The shared price list and customers."""
    if not QUOTES.is_dir():
        pytest.skip("the shared quotes are not beside the repository")
    items = tuple(
        Item(
            row["code"],
            row["name"],
            _aliases(row),
            row["unit"],
            int(row["unit_price"]),
            int(row["tax_rate"]),
        )
        for row in _rows("catalog.csv")
    )
    customers = tuple(
        Customer(
            row["code"], row["name"], _aliases(row), as_language(row["language"]), row["email"]
        )
        for row in _rows("customers.csv")
    )
    return Catalogue(items, customers, datetime(2026, 11, 25, tzinfo=UTC))


@pytest.fixture
def today() -> date:
    return TODAY
