"""An office that is written to and writes by mail."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.email.out.post import Post, open_checked_post


@pytest.fixture
async def post(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Post]:
    """The office with a mailbox, and both of its people with an address of their own."""
    async with open_checked_post(database_url, tmp_path, monkeypatch) as post:
        yield post
