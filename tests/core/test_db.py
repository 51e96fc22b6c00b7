"""The connection: the driver's shortcut behaves as the long way, and what is dead is not used."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.db import create_engine, fetch_one, fetch_quickly


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """One connection only, so that the next one is the last one again."""
    engine = create_engine(database_url, pool_size=1)
    yield engine
    await engine.dispose()


@asynccontextmanager
async def opened(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        yield await connection.execution_options(isolation_level="AUTOCOMMIT")


async def test_the_short_way_gives_what_the_long_way_gives(engine: AsyncEngine) -> None:
    sql = (
        "select cast(:id as uuid) as id, cast(:text as text) as text, cast(:id as uuid) as again,"
        ' cast(:data as jsonb) as data, array[cast(:text as text)] as "list"'
    )
    values = {"id": uuid.uuid4(), "text": "見積 :id 😀", "data": '{"a":1}', "unused": 1}
    async with opened(engine) as connection:
        short = await fetch_quickly(connection, sql, values)
        long = await fetch_one(connection, sql, values)

    assert short is not None
    assert long is not None
    assert tuple(short) == tuple(long)
    assert (short.id, short.text, short.again) == (values["id"], values["text"], values["id"])
    with pytest.raises(AttributeError):
        _ = short.nothing


async def test_no_row_is_none(engine: AsyncEngine) -> None:
    async with opened(engine) as connection:
        assert await fetch_quickly(connection, "select 1 where false", {}) is None


async def test_an_error_is_sqlalchemys_and_carries_its_code(engine: AsyncEngine) -> None:
    async with opened(engine) as connection:
        with pytest.raises(DBAPIError) as raised:
            await fetch_quickly(connection, "select 1 / cast(:zero as int)", {"zero": 0})

    assert getattr(raised.value.orig, "sqlstate", None) == "22012"
    assert not raised.value.connection_invalidated


async def test_what_is_dropped_halfway_leaves_no_broken_connection(engine: AsyncEngine) -> None:
    async with opened(engine) as connection:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await fetch_quickly(connection, "select pg_sleep(30)", {})

    async with opened(engine) as connection:
        assert await fetch_quickly(connection, "select 1", {}) == (1,)


async def test_a_connection_lost_under_a_statement_says_so(
    engine: AsyncEngine, database_url: str
) -> None:
    async with opened(engine) as connection:
        process = await _process(connection)
        sleeping = asyncio.create_task(fetch_quickly(connection, "select pg_sleep(30)", {}))
        await asyncio.sleep(0.1)
        await _end(database_url, process)
        with pytest.raises(DBAPIError) as raised:
            await sleeping

    assert raised.value.connection_invalidated


async def test_a_statement_on_a_connection_that_just_died_says_so(
    engine: AsyncEngine, database_url: str
) -> None:
    for _ in range(20):
        async with opened(engine) as connection:
            await _end(database_url, await _process(connection))  # nobody has told us yet
            with pytest.raises(DBAPIError) as raised:
                await fetch_quickly(connection, "select 1", {})

        assert raised.value.connection_invalidated


async def test_a_connection_that_died_in_the_pool_is_replaced(
    engine: AsyncEngine, database_url: str
) -> None:
    async with opened(engine) as connection:
        first = await _process(connection)
    await _end(database_url, first)
    await asyncio.sleep(0.3)  # for the news of its end to arrive

    async with opened(engine) as connection:
        assert await _process(connection) != first


async def _process(connection: AsyncConnection) -> int:
    row = await fetch_quickly(connection, "select pg_backend_pid() as id", {})
    assert row is not None
    return int(row.id)


async def _end(database_url: str, process: int) -> None:
    owner = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await owner.execute("select pg_terminate_backend($1)", process)
    await owner.close()
