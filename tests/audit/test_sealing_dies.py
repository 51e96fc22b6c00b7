"""Sealing that dies, at each of its steps: nothing is lost, nothing comes twice, and it goes on."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit import log
from audit.sequencer import sequence
from core.db import create_engine
from tests.audit.log_of_one import KEY, event, sign, verify, write

REPOSITORY = Path(__file__).resolve().parents[2]


async def counts(engine: AsyncEngine) -> tuple[int, int, int]:
    """Events, those that wait, and leaves."""
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                text(
                    "select (select count(*) from audit_events) as events,"
                    " (select count(*) from audit_pending) as waiting,"
                    " (select coalesce(sum(size), 0) from audit_trees) as leaves"
                )
            )
        ).one()
    return row.events, row.waiting, row.leaves


async def test_a_sealer_that_is_killed_at_each_step_loses_nothing(
    app: AsyncEngine, database_url: str
) -> None:
    """By SIGKILL, a real process: before and after each statement and commit of both its jobs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.audit.processes.sealer",
        database_url,
        KEY.written(),
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 120)
    died = out.decode().splitlines()

    assert process.returncode == 0
    for step in (
        "before select pg_try_advisory_xact_lock",
        "after select pg_try_advisory_xact_lock",
        "before select audit_grow",
        "after select audit_grow",
        "before select audit_checkpoint",
        "after select audit_checkpoint",
        "before commit",
    ):
        assert any(line.startswith(step) for line in died), step
    events, waiting, leaves = await counts(app)
    assert (events, waiting, leaves) == (3 * (len(died) + 1), 0, events)
    verdict = await verify(app)
    assert (verdict.faults, verdict.leaves, verdict.uncheckpointed) == ([], events, 0)


async def test_a_disk_that_is_full_in_the_middle_of_a_batch(
    owner: AsyncEngine, app: AsyncEngine, database_url: str
) -> None:
    """PostgreSQL's own error at a write, after it has taken what waits and moved the head on.

    The file of the tiles may not grow any more: a limit of the operating system on the server
    process, which every other file (the write-ahead log above all) stays well below.
    """
    await write(app, *(event(uuid7(), n) for n in range(300)))
    await sign(app)
    await _fill_tiles(owner)
    async with app.begin() as connection:
        await log.append(connection, [event(uuid7(), n) for n in range(1000)])
    before = await counts(app)

    short = create_engine(database_url, pool_size=1)
    async with short.connect() as connection:
        server = await connection.scalar(text("select pg_backend_pid()"))
    await _limit(owner, server, str(_LIMIT))
    for _ in range(2):
        with pytest.raises(DBAPIError, match=r"could not (extend|write)"):
            await sequence(short)
        assert await counts(app) == before
    await _limit(owner, server, "unlimited")
    batch = await sequence(short)
    await short.dispose()

    assert batch.events == before[1] == 1000
    await sign(app)
    verdict = await verify(app)
    assert (verdict.faults, verdict.leaves) == ([], 1300)


_LIMIT = 20 * 1024 * 1024
"""Bytes of a file: more than a segment of the write-ahead log has (16 MiB)."""


async def _fill_tiles(owner: AsyncEngine) -> None:
    """Tiles of another organisation, until their file is as large as that."""
    async with owner.begin() as connection:
        await connection.execute(text("set local session_replication_role = replica"))
        await connection.execute(
            text(
                "insert into audit_tiles (organisation_id, level, number, hashes)"
                " select gen_random_uuid(), 1, n, decode(repeat('ab', 8192), 'hex')"
                " from generate_series(1, :limit / 8192) n"
            ),
            {"limit": _LIMIT},
        )
        size = await connection.scalar(
            text("select pg_relation_size(reltoastrelid) from pg_class where relname='audit_tiles'")
        )
    assert size >= _LIMIT


async def _limit(owner: AsyncEngine, server: int, limit: str) -> None:
    """By PostgreSQL's own account, whichever the tests have."""
    async with owner.begin() as connection:
        command = f"prlimit --pid {server} --fsize={limit}:"
        await connection.execute(text(f"copy (select 1) to program '{command} 2>&1'"))
