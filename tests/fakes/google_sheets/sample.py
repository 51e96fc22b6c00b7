"""The sample company's price list as a Google Sheet, and a clock that tests move."""

import asyncio
import copy
import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.csv_files import SAMPLES
from core.catalogue import Catalogue
from core.catalogue_cache import CatalogueCache
from tests.fakes.google_sheets.server import FakeGoogle

START = datetime(2026, 11, 25, 1, 32, tzinfo=UTC)  # 10:32 in Tokyo
CODE, NAME, PRICE, TAX = 0, 1, 4, 5  # columns of the price list
LANGUAGE = 3  # column of the customers

Open = Callable[..., CatalogueCache]
"""Opens the fake's spreadsheet, as a new process would each time."""


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


def fill(google: FakeGoogle) -> None:
    """Put the sample company's two lists into the spreadsheet, numbers as numbers."""
    for title, name in (("価格表", "catalog.csv"), ("顧客", "customers.csv")):
        with (SAMPLES / name).open(encoding="utf-8", newline="") as file:
            google.sheets[title] = [[_number(cell) for cell in row] for row in csv.reader(file)]


def edit(google: FakeGoogle, cell: Any, *, title: str = "価格表", column: int = PRICE) -> None:
    """Change row 4 (MON-27, or C003) of a worksheet, by default the price."""
    rows = copy.deepcopy(list(google.sheets[title]))
    rows[3] = [*rows[3][:column], cell, *rows[3][column + 1 :]]
    google.sheets[title] = rows


async def eventually(source: CatalogueCache, true: Callable[[Catalogue], bool]) -> Catalogue:
    """Read until what is asked in the background shows."""
    async with asyncio.timeout(10):
        while not true(catalogue := await source.read()):  # noqa: ASYNC110  # no event to wait for
            await asyncio.sleep(0.01)
    return catalogue


def _number(cell: str) -> int | str:
    return int(cell) if cell.isdecimal() else cell
