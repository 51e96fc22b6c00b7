"""How many events a second several writers put into the audit log, one by one and in batches.

Beside it single INSERTs and COPY of the same rows into a table of the same form, without number,
chain, hash, tree and check.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.ext.asyncio import AsyncEngine

from audit import log
from audit.event import JSON, Event, canonical
from bench.figures import Figures, spread
from bench.ground import Ground
from bench.kinds import Kind
from core.db import fetch_one_alone
from core.ids import new_id

_WRITERS = (1, 4, 16)
_A_BATCH = 100
_APPEND = "select audit_append(:organisation_id, :stream, cast(:events as jsonb))"
_BARE = "bench_bare"
_INSERT = f"insert into {_BARE} values ($1, $2, $3, $4, $5, $6, $7, $8)"

Write = Callable[[int], Awaitable[object]]


async def measure(
    place: Ground, owner: asyncpg.Connection, engine: AsyncEngine, seconds: float
) -> Figures:
    """Each way for so long."""
    await owner.execute(
        f"create table {_BARE} (like audit_events including defaults);"
        f"create unique index on {_BARE} (stream, seq); create unique index on {_BARE} (id);"
        f"create index on {_BARE} (organisation_id, at);"
    )
    alone = await asyncpg.create_pool(
        place.services.owner_url.replace("+asyncpg", ""), min_size=16, max_size=16
    )
    of = place.organisation_id
    more: dict[str, object] = {}
    times: dict[str, list[float]] = {}
    for writers in _WRITERS:
        for name, write in (
            ("ours", lambda count: _append(engine, of, count)),
            ("single INSERTs", lambda count: _insert(alone, of, count)),
        ):
            took, rate = await _several(write, writers, 1, seconds)
            more[f"{name}, {writers} writers, events/s"] = round(rate)
            times.setdefault(name, took if writers == 1 else [])
    for name, write in (
        ("ours", lambda count: _append(engine, of, count)),
        ("COPY", lambda count: _copy(alone, of, count)),
    ):
        _, rate = await _several(write, 4, _A_BATCH, seconds)
        more[f"{name}, 4 writers, batches of {_A_BATCH}, events/s"] = round(rate)
    await alone.close()
    await owner.execute(f"drop table {_BARE}")
    ours = spread("an event written by itself, one writer", times["ours"])
    bare = spread("an INSERT of the same row, one writer", times["single INSERTs"])
    return Figures("audit, writers", ours, bare, (), more)


async def _several(
    write: Write, writers: int, at_a_time: int, seconds: float
) -> tuple[list[float], float]:
    """Milliseconds that each write took, and events a second of all writers."""
    until = perf_counter() + seconds
    times: list[float] = []

    async def one() -> None:
        while (began := perf_counter()) < until:
            await write(at_a_time)
            times.append((perf_counter() - began) * 1000)

    began = perf_counter()
    await asyncio.gather(*(one() for _ in range(writers)))
    return times, len(times) * at_a_time / (perf_counter() - began)


def _events(of: UUID, stream: UUID, count: int) -> Sequence[Event]:
    data: dict[str, JSON] = {"step": "price", "n": 1, "sha256": "5dc9da79a70659a9" * 4}
    return [Event(of, stream, Kind.STEP_DONE, data) for _ in range(count)]


async def _append(engine: AsyncEngine, of: UUID, count: int) -> None:
    stream = new_id()
    events = log.as_json(_events(of, stream, count))
    values = {"organisation_id": of, "stream": stream, "events": events}
    await fetch_one_alone(engine, _APPEND, values)


def _rows(of: UUID, count: int) -> Sequence[tuple[Any, ...]]:
    stream, at = new_id(), datetime.now(UTC)
    return [
        (of, stream, seq, event.id, at, event.tag, canonical(event.body()), bytes(32))
        for seq, event in enumerate(_events(of, stream, count), start=1)
    ]


async def _insert(pool: Any, of: UUID, count: int) -> None:
    for row in _rows(of, count):
        await pool.execute(_INSERT, *row)


async def _copy(pool: Any, of: UUID, count: int) -> None:
    async with pool.acquire() as connection:
        await connection.copy_records_to_table(_BARE, records=_rows(of, count))
