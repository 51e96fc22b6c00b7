"""The database connection: one engine a process, taking the application's role."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

APPLICATION_ROLE = "miyabi_app"


def create_engine(url: str, *, pool_size: int = 20, connect_timeout: float = 1.5) -> AsyncEngine:
    """An engine whose connections may do only what the application may (migration 0001).

    `jit` is off: its compile time is longer than any of our queries.
    """
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=connect_timeout,
        connect_args={
            "timeout": connect_timeout,
            "server_settings": {
                "role": APPLICATION_ROLE,
                "jit": "off",
                "application_name": "miyabi",
                "timezone": "UTC",
            },
        },
    )


async def fetch_one(
    connection: AsyncConnection, sql: str, values: Mapping[str, Any]
) -> Row[Any] | None:
    """The first row of a query, or None."""
    return (await connection.execute(text(sql), values)).first()


async def fetch_all(
    connection: AsyncConnection, sql: str, values: Mapping[str, Any]
) -> list[Row[Any]]:
    """All rows of a query."""
    return list(await connection.execute(text(sql), values))


async def execute(connection: AsyncConnection, sql: str, values: Mapping[str, Any]) -> int:
    """Run a statement; return how many rows it touched."""
    return (await connection.execute(text(sql), values)).rowcount


def to_json(value: object) -> str:
    """JSON text for a `cast(:name as jsonb)` parameter."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def from_json(value: Any) -> Any:
    """A jsonb column of a textual query, whichever form the driver gives it in."""
    return json.loads(value) if isinstance(value, str) else value
