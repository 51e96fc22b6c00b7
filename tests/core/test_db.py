"""The connection: the driver's shortcut behaves as the long way, and what is dead is not used."""

import asyncio
import traceback
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.db import create_engine, fetch_alone, fetch_one, fetch_quickly, is_away, is_outage
from tests.core.wire import Wire


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


async def test_no_row_that_is_refused_is_quoted_by_an_error(engine: AsyncEngine) -> None:
    """PostgreSQL does, in the DETAIL that each driver hands on."""
    for ask in (fetch_quickly, fetch_one):
        async with opened(engine) as connection:
            await connection.execute(text("create temp table held (word text check (word = '')) "))
            with pytest.raises(DBAPIError) as raised:
                await ask(connection, "insert into held values (:word) returning word",
                          {"word": "hunter2"})  # fmt: skip
            await connection.execute(text("drop table held"))
        told = "".join(traceback.format_exception(raised.value))
        assert "held_word_check" in told
        assert "hunter2" not in told


async def test_an_error_tells_nobody_what_people_wrote(engine: AsyncEngine) -> None:
    """It ends up in logs and tracebacks."""
    for ask in (fetch_quickly, fetch_one):
        async with opened(engine) as connection:
            with pytest.raises(DBAPIError) as raised:
                await ask(
                    connection,
                    "select :words as x, 1 / cast(:zero as int)",
                    {"words": "内緒", "zero": 0},
                )
            assert "内緒" not in str(raised.value)


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


@pytest.mark.parametrize("fetch", [fetch_one, fetch_quickly])
async def test_a_transaction_left_open_by_a_stopped_process_gives_its_locks_back(
    engine: AsyncEngine, database_url: str, fetch: Any
) -> None:
    """As of a process under SIGSTOP: it has locked something and says nothing more."""
    stopped = create_engine(database_url, idle_at_most=0.5)
    ours = text("select pg_advisory_xact_lock(42)")
    async with stopped.connect() as zombie:
        await zombie.execute(ours)
        async with asyncio.timeout(5), engine.begin() as connection:
            await connection.execute(ours)

        with pytest.raises(DBAPIError) as raised:  # it goes on, and can write nothing more
            await fetch(zombie, "select 1", {})

    assert raised.value.connection_invalidated
    async with stopped.begin() as connection:
        assert await connection.scalar(text("select 1")) == 1
    await stopped.dispose()


async def test_every_connection_of_ours_has_the_limits(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        idle = await connection.scalar(text("show idle_in_transaction_session_timeout"))
        lock = await connection.scalar(text("show lock_timeout"))

    assert (idle, lock) == ("5s", "10s")


async def test_a_server_that_does_not_answer_is_not_waited_for(
    database_url: str, tmp_path: Path
) -> None:
    """As behind a network that swallows everything; when it is back, so are we."""
    async with Wire(database_url, tmp_path) as wire:
        engine = create_engine(wire.url, pool_size=1, connect_timeout=0.5, answer_at_most=0.5)
        async with engine.begin() as connection:
            assert await connection.scalar(text("select 1")) == 1
        wire.flows.clear()

        async with asyncio.timeout(10):
            with pytest.raises((DBAPIError, OSError)):
                async with engine.begin() as connection:
                    await connection.scalar(text("select 1"))
        wire.flows.set()

        async with asyncio.timeout(10), engine.begin() as connection:
            assert await connection.scalar(text("select 1")) == 1
        await engine.dispose()


async def test_a_statement_alone_commits_and_gives_its_connection_back(
    engine: AsyncEngine,
) -> None:
    await fetch_alone(engine, "create temporary table noted (n int)", {})
    for n in range(3):  # the engine has one connection
        await fetch_alone(engine, "insert into noted values (cast(:n as int))", {"n": n})
    with pytest.raises(DBAPIError) as raised:
        await fetch_alone(engine, "select 1 / cast(:zero as int)", {"zero": 0})

    assert not raised.value.connection_invalidated
    rows = await fetch_alone(engine, "select n from noted order by n", {})
    assert [row.n for row in rows] == [0, 1, 2]


async def test_a_statement_alone_that_is_dropped_or_cut_off_leaves_no_broken_connection(
    engine: AsyncEngine, database_url: str
) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await fetch_alone(engine, "select pg_sleep(30)", {})
    process = (await fetch_alone(engine, "select pg_backend_pid() as id", {}))[0].id
    sleeping = asyncio.create_task(fetch_alone(engine, "select pg_sleep(30)", {}))
    await asyncio.sleep(0.1)
    await _end(database_url, process)
    with pytest.raises(DBAPIError) as raised:
        await sleeping

    assert raised.value.connection_invalidated
    assert (await fetch_alone(engine, "select 1 as one", {}))[0].one == 1


async def _long(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.scalar(text("select 1"))


async def _alone(engine: AsyncEngine) -> None:
    await fetch_alone(engine, "select 1", {})


@pytest.mark.parametrize("asked", [_long, _alone])
async def test_a_server_that_starts_up_or_shuts_down_is_an_outage(
    tmp_path: Path, asked: Callable[[AsyncEngine], Awaitable[None]]
) -> None:
    """PostgreSQL takes the connection then, and answers 57P03."""

    async def not_now(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        said = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is shutting down\0\0"
        writer.write(b"E" + (len(said) + 4).to_bytes(4, "big") + said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(not_now, tmp_path / ".s.PGSQL.5432")
    engine = create_engine(f"postgresql+asyncpg://miyabi@/miyabi?host={tmp_path}")
    with pytest.raises(DBAPIError) as raised:
        await asked(engine)
    await engine.dispose()
    server.close()

    assert is_outage(raised.value)
    assert is_away(raised.value)


@pytest.mark.parametrize("asked", [_long, _alone])
async def test_a_server_nobody_reaches_is_an_outage(
    tmp_path: Path, asked: Callable[[AsyncEngine], Awaitable[None]]
) -> None:
    engine = create_engine(f"postgresql+asyncpg://miyabi@/miyabi?host={tmp_path}")
    with pytest.raises(DBAPIError) as raised:
        await asked(engine)

    assert is_outage(raised.value)
    assert is_away(raised.value)
