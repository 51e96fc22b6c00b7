"""The office of tests/core/house.py as a fixture."""

from collections.abc import AsyncIterator

import pytest

from tests.core.house import Office, open_office


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    """A house with a company of three, on a fresh database."""
    async with open_office(database_url) as office:
        yield office
