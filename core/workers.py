"""The worker processes by their own word: one row each, written every two seconds.

Rows of the house, not of an organisation. All times are the database's, so that clocks of hosts
which differ make nobody look gone.
"""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.ports import Lane

State = Literal["working", "deaf", "stopping", "gone", "ended"]

SEEN_EVERY = 2.0
DEAF_AFTER = 5.0
"""Seconds without an answer from the queue after which a worker counts as deaf."""
GONE_AFTER = 10.0
"""Seconds without a sign of life after which it counts as gone: it ended without a word."""
KEPT = 3600.0
"""Seconds for which the row of one that is gone is kept."""

# across organisations: workers serve them all
_WRITE = text("""
    with old as (
        delete from workers where name <> :name and seen_at < now() - make_interval(secs => :kept)
    )
    insert into workers as w (name, host, pid, version, lanes, jobs, polled_at, stopping_at)
    values (:name, :host, :pid, :version, :lanes, :jobs, now() - make_interval(secs => :silent),
        case when :stopping then now() end)
    on conflict (name) do update set
        version = excluded.version, lanes = excluded.lanes, jobs = excluded.jobs,
        seen_at = now(), polled_at = excluded.polled_at, ended_at = null,
        -- A container that is started again has the name it had before.
        started_at = case when w.ended_at is null and w.seen_at > now() - interval '10 s'
            then w.started_at else now() end,
        stopping_at = case when :stopping then coalesce(w.stopping_at, now()) end
""")
# across organisations: as above
_END = text("update workers set ended_at = now(), jobs = 0 where name = :name")
# across organisations: as above
_EVERY = text("""
    select *, case
            when ended_at is not null then 'ended'
            when seen_at < now() - make_interval(secs => :gone_after) then 'gone'
            when stopping_at is not null then 'stopping'
            when polled_at is null or polled_at < now() - make_interval(secs => :deaf_after)
                then 'deaf'
            else 'working'
        end as state,
        extract(epoch from now() - seen_at) as seen, extract(epoch from now() - polled_at) as polled
    from workers order by started_at, name
""")


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life. `silent`: seconds since the queue was last heard."""

    name: str
    version: str
    lanes: Sequence[Lane]
    jobs: int
    silent: float
    stopping: bool


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as the database has it. `seen` and `polled`: seconds ago."""

    name: str
    host: str
    pid: int
    version: str
    lanes: tuple[Lane, ...]
    jobs: int
    state: State
    started_at: datetime
    seen: float
    polled: float | None


def well(found: Sequence[Worker]) -> bool:
    """Whether somebody works and nobody is deaf. One that is gone was replaced, or nobody works."""
    states = {worker.state for worker in found}
    return "working" in states and "deaf" not in states


async def write(engine: AsyncEngine, sign: Sign) -> None:
    """Say that this process lives; forget those that are long gone."""
    async with engine.begin() as connection:
        await connection.execute(
            _WRITE,
            {
                "name": sign.name,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "version": sign.version,
                "lanes": list(sign.lanes),
                "jobs": sign.jobs,
                "silent": sign.silent,
                "stopping": sign.stopping,
                "kept": KEPT,
            },
        )


async def end(engine: AsyncEngine, name: str) -> None:
    """Say that this process has ended in order."""
    async with engine.begin() as connection:
        await connection.execute(_END, {"name": name})


async def every(connection: AsyncConnection) -> list[Worker]:
    """All workers, those of the last hour that are gone or ended too; the longest at work first."""
    rows = await connection.execute(_EVERY, {"gone_after": GONE_AFTER, "deaf_after": DEAF_AFTER})
    return [
        Worker(
            row.name, row.host, row.pid, row.version, tuple(row.lanes), row.jobs, row.state,
            row.started_at, float(row.seen), None if row.polled is None else float(row.polled),
        )
        for row in rows
    ]  # fmt: skip
