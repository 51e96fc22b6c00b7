"""The office of tests/core/house.py with a mailbox."""

from collections.abc import AsyncIterator

import pytest

from tests.bot.email.dealing.post import Post, open_post
from tests.core.house import check_complete, check_events, open_office


@pytest.fixture
async def post(database_url: str) -> AsyncIterator[Post]:
    """A company of three with a mailbox; all events are as declared and complete in the end."""
    async with open_office(database_url) as office, open_post(office) as post:
        yield post
    await check_events(database_url)
    await check_complete(database_url)
