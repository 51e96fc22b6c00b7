"""Archiving and restoring that dies, at each of its steps: nothing is lost, nothing comes twice."""

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit.checkpoints import make_due
from audit.keys import HeldKey, enlist
from audit.sequencer import sequence
from audit.store import on_disk
from core.archive import look_into_archives
from core.tags import Tag
from tests.audit.log_of_one import KEY, KEYS, ORGANISATION, verify
from tests.audit.months import ago, happened, make_months, set_clock

REPOSITORY = Path(__file__).resolve().parents[2]
OTHER = UUID("0198c0de-0000-7000-8000-000000000002")
MONTH = ago(2).date().replace(day=1)


async def of_the_month(owner: AsyncEngine) -> list[Row[tuple[object, ...]]]:
    """Every event of it, with all that its row holds."""
    async with owner.connect() as connection:
        query = text(
            "select * from audit_events where at >= :month and at < :month + interval '1 month'"
            " order by stream, seq"
        )
        return list(await connection.execute(query, {"month": ago(2, 1).replace(hour=0)}))


async def test_an_archiver_that_is_killed_at_each_step_loses_nothing(
    owner: AsyncEngine, app: AsyncEngine, database_url: str, tmp_path: Path
) -> None:
    """By SIGKILL, a real process: a month of two organisations leaves the database and returns."""
    await set_clock(owner)
    await make_months(owner, 3)
    stream = uuid7()
    for months_ago in (2, 1):
        await happened(app, ago(months_ago), stream, stream, uuid7())
        await happened(app, ago(months_ago), uuid7(), organisation=OTHER)
    await _seal(app, owner)
    before = await of_the_month(owner)
    (tmp_path / "scratch").mkdir()
    await app.dispose()  # of connections like these the process waits for the end

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.audit.processes.archiver",
        database_url,
        str(tmp_path / "store"),
        f"{MONTH}",
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(tmp_path / "scratch")},
        stdout=subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 120)
    died = out.decode().splitlines()

    assert process.returncode == 0
    written = ("audit_archive_plan", "audit_archive_drop", "audit_restore_end")
    for work in (*written, "audit_archive_move made", "audit_archive_move kept"):
        for moment in ("before the commit", "after the commit"):
            assert f"{moment}, at {work}" in died
    for moment in ("before put", "before fsync", "after put", "before fetch", "after fetch"):
        assert any(step.startswith(moment) for step in died)
    assert len(died) == len(set(died)) > 30
    assert await of_the_month(owner) == before
    assert await _said(owner) == {(Tag.ARCHIVE_KEPT, of): 1 for of in (ORGANISATION, OTHER)} | {
        (Tag.ARCHIVE_DROPPED, of): 1 for of in (ORGANISATION, OTHER)
    } | {(Tag.ARCHIVE_RESTORED, of): 1 for of in (ORGANISATION, OTHER)}
    assert await _left_aside(owner) == []
    assert list((tmp_path / "scratch").iterdir()) == []
    await _seal(app, owner)
    verdict = await verify(app)
    await look_into_archives(on_disk(tmp_path / "store"), verdict, KEYS, whole=True)
    assert (verdict.faults, verdict.archived, verdict.events) == ([], 0, verdict.leaves)


async def _seal(app: AsyncEngine, owner: AsyncEngine) -> None:
    async with owner.begin() as connection:
        await enlist(connection, [HeldKey(KEY)])
    while (await sequence(app)).events:
        pass
    await make_due(app, [HeldKey(KEY)], every=timedelta(0), events=1)


async def _said(owner: AsyncEngine) -> dict[tuple[str, UUID], int]:
    """How often what was said of archives."""
    async with owner.connect() as connection:
        rows = await connection.execute(
            text(
                "select tag, organisation_id, count(*) as times from audit_events"
                " where tag like '%:archive:%' group by tag, organisation_id"
            )
        )
        return {(row.tag, row.organisation_id): row.times for row in rows}


async def _left_aside(owner: AsyncEngine) -> list[str]:
    """Tables of a month that did not come to be."""
    async with owner.connect() as connection:
        rows = await connection.execute(
            text("select relname from pg_class where relname like 'audit_events_%_restored'")
        )
        return list(rows.scalars())
