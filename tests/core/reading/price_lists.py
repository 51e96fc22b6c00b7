"""Price lists and customers read from plain files, for tests of reading."""

import csv
from datetime import UTC, datetime
from pathlib import Path

from core.catalogue import Catalogue, Customer, Item
from core.words import as_language

SAMPLES = Path(__file__).resolve().parents[3] / "connectors" / "samples"


def load_catalogue(folder: Path) -> Catalogue:
    """The price list and customers of a folder with catalog.csv and customers.csv."""
    items = (
        Item(
            row["code"],
            row["name"],
            _aliases(row),
            row["unit"],
            int(row["unit_price"]),
            int(row["tax_rate"]),
        )
        for row in _rows(folder / "catalog.csv")
    )
    customers = (
        Customer(
            row["code"], row["name"], _aliases(row), as_language(row["language"]), row["email"]
        )
        for row in _rows(folder / "customers.csv")
    )
    return Catalogue(tuple(items), tuple(customers), datetime(2026, 11, 25, tzinfo=UTC))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _aliases(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(alias for alias in row["aliases"].split(";") if alias)
