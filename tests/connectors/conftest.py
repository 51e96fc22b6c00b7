"""A fake Google with the sample company's sheet, and the connector pointed at it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.google_sheets.catalogue import open_sheet
from core.catalogue_cache import CatalogueCache
from tests.fakes.google_sheets.account import Account
from tests.fakes.google_sheets.sample import Clock, Open, fill
from tests.fakes.google_sheets.server import KEY, FakeGoogle


@pytest.fixture(scope="session")
def account() -> Account:
    return Account()


@pytest.fixture
async def google(account: Account) -> AsyncIterator[FakeGoogle]:
    async with FakeGoogle(account) as fake:
        fill(fake)
        yield fake
        assert fake.violations == []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sheet(google: FakeGoogle, clock: Clock, tmp_path: Path) -> Open:
    def open_with(**settings: str) -> CatalogueCache:
        usual = {
            "service_account": json.dumps(google.account.info()),
            "spreadsheet": KEY,
            "base_url": google.base_url,
            "cache_dir": str(tmp_path / "kept"),
            "time_zone": "Asia/Tokyo",
            "timeout": "5",
        }
        return open_sheet({**usual, **settings}, clock)

    return open_with
