"""Months that leave the database: exported, put into the store, read back, and only then let go.

Each step is one transaction that moves a row on (`audit_archives`), after what it says was done:
whoever dies goes on from there, or does the step again. `due` a bundle has to be made; `made` it
lies in the store; `kept` it was read back and is whole; `dropped` its events have left.
"""

import asyncio
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from audit.bundle import export
from audit.packing import pack
from audit.store import Store
from audit.verifier.bundle import EVENTS, SEQS, verify_bundle
from audit.verifier.container import Container, Digest
from audit.verifier.notes import Keys, keyring, read_vkey

LIVE_MONTHS = 13
"""The running month and twelve before it stay in the database by default."""

_ROWS = 1000  # events that are brought back at a time


class NotWhole(Exception):
    """What lies in the store is not what was put there, or does not verify."""


class NotThere(NotWhole):
    """Nothing lies there."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive of one organisation's month, and how far it is. `events` are the month's;
    `strays` so many that are of later months."""

    organisation_id: UUID
    month: date
    first: int
    end: int
    events: int
    strays: int
    state: str
    name: str | None
    sha256: str | None
    bytes: int | None
    error: str | None


_COLUMNS = """organisation_id, month, first_leaf as first, end_leaf as "end", events,
    cardinality(strays) as strays, state, name, sha256, bytes, error"""
_LIST = f"""
    -- across organisations where none is named: months are let go of for all at once
    select {_COLUMNS} from audit_archives
    where (cast(:organisation_id as uuid) is null or organisation_id = :organisation_id)
        and (cast(:month as date) is null or month = :month)
        and (cast(:states as text[]) is null or state = any (:states))
    order by month, organisation_id
"""  # noqa: S608  # a constant
_MONTHS = text("""
    -- across organisations: partitions are everybody's
    select to_date(right(relname, 7), 'YYYY_MM') as month
    from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = cast('audit_events' as regclass) and relname ~ '^audit_events_\\d{4}_\\d\\d$'
    order by 1
""")
_OVER = text("""
    select cast(date_trunc('month', now() at time zone 'UTC')
        - make_interval(months => cast(:live as integer)) as date)
""")
_PLAN = text("select audit_archive_plan(:month)")
_MOVE = text("""
    select audit_archive_move(:organisation_id, :month, :state, :name, :sha256, :bytes, :error)
""")
_DROP = text("select audit_archive_drop(:month, :live)")
_KEYS = text("select vkey from audit_keys")  # across organisations: keys sign for all


async def every(
    connection: AsyncConnection,
    *,
    organisation_id: UUID | None = None,
    month: date | None = None,
    states: Sequence[str] | None = None,
) -> list[Archive]:
    """The archives there are, the oldest months first."""
    values = {"organisation_id": organisation_id, "month": month, "states": states}
    rows = await connection.execute(text(_LIST), values)
    return [Archive(**row._mapping) for row in rows]


async def months(connection: AsyncConnection, live: int | None = None) -> list[date]:
    """The months that are in the database, the oldest first; those before the live window only."""
    found = [row.month for row in await connection.execute(_MONTHS)]
    if live is None:
        return found
    last: date = await connection.scalar(_OVER, {"live": live})
    return [month for month in found if month <= last]


async def plan(connection: AsyncConnection, month: date) -> int:
    """Note what a month's archives have to hold. How many organisations' can't be made yet, as not
    all of its events have their leaves under a checkpoint."""
    return int(await connection.scalar(_PLAN, {"month": month}) or 0)


async def make(engine: AsyncEngine, store: Store, archive: Archive, scratch: Path) -> None:
    """Export it, and put it into the store. Raises OSError where either is full or away."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        plain, packed = Path(folder, "bundle.zip"), Path(folder, "bundle.zip.zst")
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            await export(
                connection,
                archive.organisation_id,
                plain,
                first=archive.first,
                end=archive.end,
                compression=zipfile.ZIP_STORED,
            )
        sha256, size = await asyncio.to_thread(pack, plain, packed)
        name = _name(archive, sha256)
        await store.put(name, packed)
    async with engine.begin() as connection:
        await _move(connection, archive, "made", name=name, sha256=sha256, bytes_=size)


def _name(archive: Archive, sha256: str) -> str:
    """One that nothing else will ever have: what is made twice lies there twice."""
    return f"archives/{archive.organisation_id}/{archive.month:%Y-%m}-{sha256[:16]}.zip.zst"


class InStore(Protocol):
    """What has to be known of an archive for it to be read."""

    @property
    def name(self) -> str | None: ...
    @property
    def sha256(self) -> str | None: ...
    @property
    def first(self) -> int: ...
    @property
    def end(self) -> int: ...


async def read_back(
    store: Store, archive: InStore, keys: Keys, scratch: Path, *, into: Path | None = None
) -> None:
    """Read it and verify it from end to end. Raises NotWhole; OSError where the store is away."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        path = into or Path(folder, "bundle.zip.zst")
        assert archive.name is not None  # noqa: S101  # of what was put into the store
        try:
            found = await store.fetch(archive.name, path)
        except FileNotFoundError:
            raise NotThere(f"{archive.name} is not in the store") from None
        if found != archive.sha256:
            raise NotWhole(f"{archive.name} is not what was put there")
        verdict = await asyncio.to_thread(verify_bundle, path, keys)
    if verdict.kind is not None or verdict.range != (archive.first, archive.end):
        about = verdict.first.about if verdict.first else "it holds other leaves"
        raise NotWhole(f"{archive.name} does not verify: {about}")


async def keep(connection: AsyncConnection, archive: Archive) -> None:
    """Note that it was read back and is whole."""
    await _move(connection, archive, "kept", sha256=archive.sha256)


async def tell(connection: AsyncConnection, archive: Archive, error: str) -> None:
    """Note why it does not go on."""
    await _move(connection, archive, archive.state, name=archive.name, sha256=archive.sha256,
                bytes_=archive.bytes, error=error)  # fmt: skip


async def make_again(connection: AsyncConnection, archive: Archive, error: str) -> None:
    """What was read back is not whole: another has to be made. Nothing has been let go of yet."""
    await _move(connection, archive, "due", error=error)


async def drop(connection: AsyncConnection, month: date, live: int) -> int:
    """Have a month leave the database; how many events. Refused (an error of the database's) while
    any of them is in no archive that was read back, or the month is of the live window."""
    return int(await connection.scalar(_DROP, {"month": month, "live": live}) or 0)


async def keys_of(connection: AsyncConnection) -> Keys:
    """All keys that ever signed here: enough to see that what is read back is what was made."""
    rows = await connection.execute(_KEYS)
    return keyring(read_vkey(row.vkey) for row in rows)


async def _move(
    connection: AsyncConnection,
    archive: Archive,
    state: str,
    *,
    name: str | None = None,
    sha256: str | None = None,
    bytes_: int | None = None,
    error: str | None = None,
) -> None:
    values = {
        "organisation_id": archive.organisation_id,
        "month": archive.month,
        "state": state,
        "name": name,
        "sha256": sha256,
        "bytes": bytes_,
        "error": error,
    }
    await connection.execute(_MOVE, values)


# Back again

_BEGIN = text("select audit_restore_begin(:month)")
_TAKE = text("select audit_restore_rows(:month, :organisation_id, :leaf, :events, :seqs)")
_END = text("select audit_restore_end(:month)")


_NEEDED = text(f"""
    -- across organisations: a month comes back for all
    select {_COLUMNS} from audit_archives a
    where name is not null and (month = :month or (month < :month
            and month >= cast(:month as date) - interval '2 months' and strays <> '{{}}'))
        and exists (select from audit_archived_runs r
            where r.organisation_id = a.organisation_id and r.month = :month)
    order by organisation_id, month
""")  # noqa: S608  # a constant


async def needed(connection: AsyncConnection, month: date) -> list[Archive]:
    """The archives that hold a month's events: its own, and the ones before with strays of it."""
    rows = await connection.execute(_NEEDED, {"month": month})
    return [Archive(**row._mapping) for row in rows]


async def bring_back(
    connection: AsyncConnection, month: date, files: Sequence[tuple[UUID, int, Path]]
) -> int:
    """Put a month's events back, out of archives that were read: organisation, first leaf, file.

    In the caller's transaction: all of it or nothing. How many events. The database compares each
    with its leaf, and the streams' chains, and refuses anything else.
    """
    await connection.execute(_BEGIN, {"month": month})
    for organisation_id, first, path in files:
        leaf = first
        for batch in _events_of(path):
            values = {
                "month": month,
                "organisation_id": organisation_id,
                "leaf": leaf,
                "events": [line for line, _ in batch],
                "seqs": [seq for _, seq in batch],
            }
            await connection.execute(_TAKE, values)
            leaf += len(batch)
    return int(await connection.scalar(_END, {"month": month}) or 0)


def _events_of(path: Path) -> Iterator[Sequence[tuple[str, int]]]:
    """The events of an archive with their numbers, some at a time."""
    with Container(path) as container:
        lines: Any = container.lines(EVENTS, Digest())
        seqs = container.pieces(SEQS, 8, Digest())
        pairs = (
            (line.decode(), int.from_bytes(seq)) for line, seq in zip(lines, seqs, strict=True)
        )
        while batch := list(islice(pairs, _ROWS)):
            yield batch
