"""An engine that is kept from test to test, as long as they use the same database.

A new connection has to learn of all tables and plan each statement anew, which takes several times
as long as what most tests ask of it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from core.db import create_engine

NAME = "tests: kept"
"""What its connections call themselves: they are ended between tests only where one is in use."""


@dataclass(slots=True)
class _Kept:
    loop: asyncio.AbstractEventLoop
    url: str
    engine: AsyncEngine


_kept: list[_Kept] = []
_loops: list[asyncio.AbstractEventLoop] = []


def keep_in(loop: asyncio.AbstractEventLoop) -> None:
    """The loop in which one test runs after the other."""
    _loops[:] = [loop]


@asynccontextmanager
async def lent_engine(url: str) -> AsyncIterator[AsyncEngine]:
    """The kept one, in the loop of the tests; else a new one, which ends with the block."""
    loop = asyncio.get_running_loop()
    if loop not in _loops:
        engine = create_engine(url)
        try:
            yield engine
        finally:
            await engine.dispose()
        return
    kept = await _of(loop, url)
    try:
        yield kept.engine
    finally:
        if kept.engine.pool.checkedout():  # type: ignore[attr-defined]
            _kept.clear()
            await kept.engine.dispose()


async def _of(loop: asyncio.AbstractEventLoop, url: str) -> _Kept:
    if not _kept or _kept[0].url != url:
        for old in _kept:
            await old.engine.dispose()
        engine = create_engine(url)
        event.listen(engine.sync_engine, "connect", _name)
        _kept[:] = [_Kept(loop, url, engine)]
    return _kept[0]


def _name(connection: object, record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute(f"set application_name = '{NAME}'")
    cursor.close()
    connection.commit()  # type: ignore[attr-defined]  # or it would wait within a transaction
