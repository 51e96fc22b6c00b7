"""The two roles that come to the log's tables."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from core.db import create_engine


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[AsyncEngine]:
    """The application's own connection."""
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[AsyncEngine]:
    """The owner of the tables, whom no right holds back."""
    engine = create_async_engine(database_url)
    yield engine
    await engine.dispose()
