"""What each worker does for the archive: goes on with the months that the schedule found due.

One at a time, by a lock of the database. It may take minutes, and nobody waits for it.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.bundle import GoneEvents, NothingToExport
from core.archive import Workshop, go_on
from core.db import create_engine, is_outage
from core.errors import MiyabiError
from core.house import House
from core.scratch import scratch

log = structlog.get_logger()

LOCK = 5_114_200_008

LOOK_EVERY = 60.0
"""Seconds between two looks whether there is something to do, and after something went wrong."""

PATIENCE = 3600.0
"""Seconds for one statement, which here is about all events of a month."""

_OPEN = text("""
    -- across organisations: months are let go of for all at once
    select exists (select from audit_archives where state in ('due', 'made', 'kept'))
""")
_ALONE = text("select pg_try_advisory_lock(:lock)")
_DONE = text("select pg_advisory_unlock(:lock)")


async def keep_archive(house: House) -> None:
    """Until cancelled."""
    await asyncio.sleep(random.uniform(0, LOOK_EVERY))  # noqa: S311  # not a secret
    while True:
        try:
            async with house.engine.connect() as connection:
                open_ = await connection.scalar(_OPEN)
            if open_:
                async with workshop(house) as shop, alone(shop) as mine:
                    while mine and await go_on(shop):
                        log.info("archive.went_on")
        except (SQLAlchemyError, OSError, MiyabiError, GoneEvents, NothingToExport) as error:
            what = "away" if is_outage(error) else "stuck"
            log.error(f"archive.{what}", error=repr(error), see="miyabi audit archive")
        except Exception:  # whatever a store's library raises, the next look may do without it
            log.exception("archive.crashed", see="miyabi audit archive")
        await asyncio.sleep(LOOK_EVERY)


@asynccontextmanager
async def workshop(house: House, live: int | None = None) -> AsyncIterator[Workshop]:
    """Connections that may take their time, and a folder that is gone afterwards; those of workers
    that were killed with gigabytes in theirs are gone now."""
    engine = create_engine(
        house.engine.url.render_as_string(hide_password=False),
        pool_size=4,
        connect_timeout=10,
        idle_at_most=PATIENCE,
        answer_at_most=PATIENCE,
    )
    try:
        with scratch("archive") as folder:
            yield Workshop(house, engine, folder, live or house.live_months)
    finally:
        await engine.dispose()


@asynccontextmanager
async def alone(shop: Workshop) -> AsyncIterator[bool]:
    """Whether nobody else is at it; and nobody comes to it meanwhile."""
    async with shop.engine.connect() as connection:
        mine = bool(await connection.scalar(_ALONE, {"lock": LOCK}))
        await connection.commit()  # the lock is the session's: no transaction is held open
        try:
            yield mine
        finally:
            if mine:
                await _let_go(connection)


async def _let_go(connection: AsyncConnection) -> None:
    await connection.execute(_DONE, {"lock": LOCK})
    await connection.commit()
