"""The table of workers: each as it says itself, and as its silence says."""

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from core import workers
from core.db import create_engine
from core.workers import Sign, State

SIGN = Sign("host:1", "0.1.0", ("interactive", "bulk"), 3, silent=0.2, stopping=False)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


async def states(engine: AsyncEngine) -> dict[str, State]:
    async with engine.connect() as connection:
        return {worker.name: worker.state for worker in await workers.every(connection)}


async def age(database_url: str, name: str, seconds: int) -> None:
    """As if its last sign of life were so old."""
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await connection.execute(
        "update workers set seen_at = now() - make_interval(secs => $2) where name = $1",
        name,
        seconds,
    )
    await connection.close()


async def test_each_is_what_it_says_and_what_its_silence_says(
    engine: AsyncEngine, database_url: str
) -> None:
    signs = {
        "working": SIGN,
        "deaf": replace(SIGN, silent=6.0),
        "stopping": replace(SIGN, stopping=True),
        "gone": SIGN,
        "ended": SIGN,
    }
    for name, sign in signs.items():
        await workers.write(engine, replace(sign, name=name))
    await workers.end(engine, "ended")
    await age(database_url, "gone", 11)

    assert await states(engine) == {name: name for name in signs}
    async with engine.connect() as connection:
        found = {worker.name: worker for worker in await workers.every(connection)}
    assert found["working"].jobs == 3
    assert found["working"].lanes == ("interactive", "bulk")
    assert 0.1 < (found["working"].polled or 0) < 5
    assert not workers.well(list(found.values()))
    assert workers.well([found["working"], found["gone"], found["ended"]])
    assert not workers.well([found["stopping"]])


async def test_one_that_is_long_gone_is_forgotten(engine: AsyncEngine, database_url: str) -> None:
    await workers.write(engine, replace(SIGN, name="old"))
    await age(database_url, "old", 3601)

    await workers.write(engine, SIGN)

    assert await states(engine) == {"host:1": "working"}


async def test_a_container_that_starts_again_has_its_name_and_a_new_beginning(
    engine: AsyncEngine,
) -> None:
    await workers.write(engine, replace(SIGN, stopping=True))
    await workers.end(engine, SIGN.name)
    async with engine.connect() as connection:
        [before] = await workers.every(connection)

    await workers.write(engine, SIGN)

    async with engine.connect() as connection:
        [after] = await workers.every(connection)
    assert after.state == "working"
    assert after.started_at > before.started_at
