"""An office that is written to and writes by mail."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.email.out.post import Post, open_post
from tests.core.house import check_complete, check_events
from tests.fakes.mail.smtp import trust_file


@pytest.fixture
async def post(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Post]:
    """The office with a mailbox, and both of its people with an address of their own."""
    monkeypatch.setenv("SSL_CERT_FILE", str(trust_file(tmp_path)))
    async with open_post(database_url) as post:
        yield post
    await check_events(database_url)
    await check_complete(database_url)
