"""Bring a database to the newest form of its tables (Alembic, run as their owner)."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_LOCK = 5_114_200_001  # any number, the same for every process that migrates


def upgrade(url: str) -> None:
    """Upgrade the database at `url` (an SQLAlchemy URL with asyncpg) to the newest migration."""
    asyncio.run(upgrade_async(url))


async def upgrade_async(url: str) -> None:
    """As `upgrade`, inside a running loop. Processes that start together wait for each other."""
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
            await connection.commit()
            await connection.run_sync(_run)
            await connection.commit()
    finally:
        await engine.dispose()


def _run(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
