"""One attack at a time, on however many cores the tests run."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest


@pytest.fixture
async def alone() -> AsyncIterator[Path]:
    """Held by one test of this folder at a time."""
    path = Path(os.environ["MIYABI_TESTS_HOME"]) / "chaos.lock"
    with path.open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        yield path
