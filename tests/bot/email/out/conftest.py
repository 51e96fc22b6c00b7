"""An office that is written to and writes by mail."""

from collections.abc import AsyncIterator

import pytest

from tests.bot.email.out.post import Post, open_post
from tests.core.house import check_complete, check_events


@pytest.fixture
async def post(database_url: str) -> AsyncIterator[Post]:
    """The office with a mailbox, and both of its people with an address of their own."""
    async with open_post(database_url) as post:
        yield post
    await check_events(database_url)
    await check_complete(database_url)
