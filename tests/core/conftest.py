"""The office of tests/core/house.py as a fixture."""

from collections.abc import AsyncIterator

import pytest

from tests.core.house import Office, check_complete, check_events, open_office


@pytest.fixture
async def office(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    """A house with a company of three, on a fresh database.

    Each event of it is as declared, and the log is complete in the end, unless a test `tampers`.
    """
    async with open_office(database_url) as office:
        yield office
    await check_events(database_url)
    if not request.node.get_closest_marker("tampers"):
        await check_complete(database_url)
