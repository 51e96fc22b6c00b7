"""The office of tests/core/house.py as a fixture."""

from collections.abc import AsyncIterator

import pytest

from tests.core.house import Office, check_events, open_office


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    """A house with a company of three, on a fresh database; each event of it is as declared."""
    async with open_office(database_url) as office:
        yield office
    await check_events(database_url)
