"""What PostgreSQL tells whoever listens: that mails came, or that letters were queued."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from core.house import House


@asynccontextmanager
async def listening(house: House, channel: str, wake: Callable[..., None]) -> AsyncIterator[Any]:
    """A connection on which it tells; `wake` is called each time. It is nobody else's afterwards,
    and may be lost: the driver's connection, which is given, says whether it is closed."""
    async with house.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        try:
            await driver.add_listener(channel, wake)
            yield driver
        finally:
            with contextlib.suppress(SQLAlchemyError, OSError):
                await connection.invalidate()
