"""The database connection: one engine a process, taking the application's role."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import Row, TextClause, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

_InDisorder: type[Exception] = asyncpg.InternalClientError

APPLICATION_ROLE = "miyabi_app"


IDLE_AT_MOST = 5.0
"""Seconds a transaction may wait for its client. A process that was stopped (SIGSTOP, a partition)
in the middle of one loses it and its locks within this time: before its lease runs out, so that
whoever takes over waits for nobody. None of ours waits for a network or a person inside of one."""

LOCK_AT_MOST = 10.0
"""Seconds a statement waits for a lock: for a stopped holder and a few who waited before us."""

ANSWER_AT_MOST = 10.0
"""Seconds after which a server that does not answer a statement is taken for gone."""


def create_engine(
    url: str,
    *,
    pool_size: int = 20,
    connect_timeout: float = 1.5,
    idle_at_most: float = IDLE_AT_MOST,
    answer_at_most: float = ANSWER_AT_MOST,
) -> AsyncEngine:
    """An engine whose connections may do only what the application may (migration 0001).

    All limits are in seconds. `jit` is off: its compile time is longer than any of our queries.
    """
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,  # what people wrote stands in no log and no traceback
        pool_use_lifo=True,  # what one connection has prepared and cached is used the sooner
        # Less: who waited for a connection in vain knows that nothing was done.
        pool_timeout=connect_timeout * 0.8,
        connect_args={
            "async_creator_fn": _connect,
            "timeout": connect_timeout,
            "command_timeout": answer_at_most,
            "server_settings": {
                "role": APPLICATION_ROLE,
                "jit": "off",
                "application_name": "miyabi",
                "timezone": "UTC",
                "idle_in_transaction_session_timeout": _milliseconds(idle_at_most),
                "lock_timeout": _milliseconds(LOCK_AT_MOST),
            },
        },
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    event.listen(engine.sync_engine, "handle_error", _without_rows)
    return engine


def _without_rows(context: ExceptionContext) -> None:
    """PostgreSQL's DETAIL quotes whole rows: what people wrote, or a secret. Neither the driver's
    error nor the two that are made of it keep that, since errors go into logs."""
    made = (context.original_exception, context.sqlalchemy_exception)
    for error in made:
        if error is not None:
            error.args = tuple(_before_detail(each) for each in error.args)
    _forget_rows(context.original_exception.__cause__)


def _before_detail(value: object) -> object:
    return value.partition("\nDETAIL:")[0] if isinstance(value, str) else value


def _forget_rows(error: BaseException | None) -> None:
    if isinstance(error, asyncpg.PostgresError):
        error.detail = None


async def _connect(*args: Any, **options: Any) -> Any:
    """A connection of the driver's. That the socket refused, timed out or broke off is told as the
    database's error: by an OSError alone nobody could tell it from one of a step's own."""
    try:
        return await asyncpg.connect(*args, **options)
    except OSError as error:
        raise asyncpg.ClientCannotConnectError(repr(error)) from error


def _milliseconds(seconds: float) -> str:
    return f"{int(seconds * 1000)}ms"


def _refuse_closed(driver: Any, record: object, proxy: object) -> None:
    """A connection the server has closed meanwhile: the pool takes another in its place."""
    if driver.driver_connection.is_closed():
        raise DisconnectionError


@lru_cache(maxsize=1024)
def _clause(sql: str) -> TextClause:
    """The statement, read once: finding its parameters and its key costs as much as running it."""
    return text(sql)


async def fetch_one(
    connection: AsyncConnection, sql: str, values: Mapping[str, Any]
) -> Row[Any] | None:
    """The first row of a query, or None."""
    return (await connection.execute(_clause(sql), values)).first()


async def fetch_all(
    connection: AsyncConnection, sql: str, values: Mapping[str, Any]
) -> list[Row[Any]]:
    """All rows of a query."""
    return list(await connection.execute(_clause(sql), values))


async def moment_of(connection: AsyncConnection) -> datetime:
    """This moment by the database's clock. Asked for under a lock, it is after whatever was done
    under the same lock before; the beginning of a transaction that had to wait is not."""
    row = await fetch_one(
        connection,
        "select clock_timestamp() as now",  # across organisations: a clock
        {},
    )
    assert row is not None  # noqa: S101  # a clock
    now: datetime = row.now
    return now


class Named(asyncpg.Record):  # type: ignore[misc]
    """A row whose columns are read as attributes, as with SQLAlchemy's own."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


async def fetch_quickly(
    connection: AsyncConnection, sql: str, values: Mapping[str, Any]
) -> Named | None:
    """The first row as `fetch_one` gives it, by the driver itself: at a quarter of the CPU time.

    For the few statements whose price shows in `bench/`. Parameters are typed by PostgreSQL alone;
    errors are raised as SQLAlchemy's. Outside of AUTOCOMMIT something must have been executed on
    the connection before, or it is in no transaction yet.
    """
    driver: Any = (await connection.get_raw_connection()).driver_connection
    try:
        row: Named | None = await _fetch(driver, driver.fetchrow, sql, values)
    except (DBAPIError, asyncio.CancelledError) as error:
        if _spoils(error):
            await connection.invalidate()
        raise
    return row


def is_away(error: BaseException) -> bool:
    """Whether this says that the database can't be reached, and nothing about what was asked."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _cant_connect(error.orig)
    return _cant_connect(error)


def _cant_connect(error: BaseException | None) -> bool:
    """Class 08 of SQLSTATE (connection), and 57P03 of a server that starts up or shuts down."""
    return _sqlstate(error).startswith(("08", "57P03"))


def _sqlstate(error: BaseException | None) -> str:
    """The driver's errors and SQLAlchemy's in their place both carry it; "" where there is none."""
    return str(getattr(error, "sqlstate", None) or "")


async def fetch_alone(engine: AsyncEngine, sql: str, values: Mapping[str, Any]) -> Sequence[Named]:
    """All rows, likewise; as a transaction of its own, on a connection from the pool and back.

    A connection as SQLAlchemy has it, with its events and its AUTOCOMMIT to be set and unset, costs
    more CPU time than the statement.
    """
    try:
        pooled = await engine.raw_connection()
    except engine.dialect.loaded_dbapi.Error as error:  # as the engine itself does with it
        raise DBAPIError(None, None, error) from error
    try:
        driver: Any = pooled.driver_connection
        rows: Sequence[Named] = await _fetch(driver, driver.fetch, sql, values)
    except BaseException as error:
        pooled.invalidate() if _spoils(error) else pooled.close()
        raise
    pooled.close()
    return rows


async def fetch_one_alone(engine: AsyncEngine, sql: str, values: Mapping[str, Any]) -> Named | None:
    """The first row, likewise."""
    rows = await fetch_alone(engine, sql, values)
    return rows[0] if rows else None


async def _fetch(driver: Any, run: Any, sql: str, values: Mapping[str, Any]) -> Any:
    """What `run` of the driver gives for a statement of ours."""
    statement, names = _numbered(sql)
    try:
        return await run(statement, *[values[name] for name in names], record_class=Named)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, _InDisorder, OSError) as error:
        _forget_rows(error)
        lost = _is_lost(driver, error)
        raise DBAPIError(statement, None, error, connection_invalidated=lost) from error


def _spoils(error: BaseException) -> bool:
    """Whether the connection can't be used again. Behind a statement that was dropped, the driver
    is still clearing up."""
    return isinstance(error, asyncio.CancelledError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


def _is_lost(driver: Any, error: Exception) -> bool:
    """Whether the connection is of no more use. The server says farewell before it hangs up."""
    if driver.is_closed() or isinstance(error, _InDisorder | OSError):
        return True
    return _sqlstate(error).startswith(("08", "57P0"))


def is_outage(error: Exception) -> bool:
    """Whether the database is away or too slow, rather than asked something wrong.

    Class 57 (operator intervention), 53 (no resources), 08 (connection) of SQLSTATE.
    """
    if isinstance(error, OSError | PoolTimeout | InterfaceError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or _sqlstate(error.orig)[:2] in {"57", "53", "08"}


def was_not_done(error: Exception) -> bool:
    """Of an outage: whether what was asked surely did not happen. Either there was no connection
    to ask on, or the server itself said no; a lost answer or a time-out leaves it open."""
    if isinstance(error, PoolTimeout):
        return True
    return isinstance(error, DBAPIError) and not error.connection_invalidated


@lru_cache(maxsize=64)
def _numbered(sql: str) -> tuple[str, Sequence[str]]:
    """The statement with $1, $2 ... for its :names, and the names in that order."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    return re.sub(r"(?<!:):([a-z]\w*)", number, sql), names


async def execute(connection: AsyncConnection, sql: str, values: Mapping[str, Any]) -> int:
    """Run a statement; return how many rows it touched."""
    return (await connection.execute(_clause(sql), values)).rowcount


def to_json(value: object) -> str:
    """JSON text for a `cast(:name as jsonb)` parameter."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def from_json(value: Any) -> Any:
    """A jsonb column of a textual query, whichever form the driver gives it in."""
    return json.loads(value) if isinstance(value, str) else value
