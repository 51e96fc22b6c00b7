"""Verifying the audit log: a million events in their database, and out of a bundle.

Beside it what it takes to read the same events and to hash them once, without any check. Each in
a process of its own, whose memory is looked at when it ends.
"""

import asyncio
import hashlib
import json
import resource
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from audit.bundle import export
from audit.checkpoints import make_due
from audit.event import JSON, Event, canonical
from audit.hashing import leaf_hash
from audit.keys import HeldKey
from audit.note import NoteKey
from audit.sequencer import sequence
from audit.verifier.bundle import verify_bundle
from audit.verifier.live import verify_database
from audit.verifier.notes import read_keys
from bench.figures import Figures, Goal, spread, tell
from bench.ground import Ground, ground
from bench.kinds import Kind
from core.db import create_engine
from core.ids import new_id

_A_STREAM = 10  # events of one task
_AT_A_TIME = 50_000
_PATIENCE = 600.0

_DATA: dict[str, JSON] = {
    "reference": 1042,
    "customer": "株式会社ABC商事",
    "total": 251198,
    "currency": "JPY",
    "number": "Q-2026-0042",
    "document": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """The database, then a bundle of all of it."""
    events = 20_000 if quick else 1_000_000
    key = NoteKey.made("bench")
    async with ground() as place:
        began = perf_counter()
        await _fill(place, events, key)
        tell(f"{events} events with leaves in {perf_counter() - began:.0f} s")
        url = place.services.database_url
        bare = await _child("bare", url)
        yield _figures("verify the database", await _child("database", url, key.vkey), bare, events)
        with tempfile.TemporaryDirectory(prefix="miyabi-bench-") as folder:
            path = Path(folder) / "log.zip"
            began = perf_counter()
            await _export(place, path)
            more = {"export_s": round(perf_counter() - began, 1), "bytes": path.stat().st_size}
            found = await _child("bundle", str(path), key.vkey)
            yield _figures("verify a bundle", found, bare, events, **more)


def _figures(
    what: str, found: dict[str, float], bare: dict[str, float], events: int, **more: object
) -> Figures:
    return Figures(
        what,
        spread(f"{events} events", [found["seconds"]]),
        spread("the same rows read and hashed once", [bare["seconds"]]),
        (
            Goal("seconds", found["seconds"], 60 * events / 1_000_000),
            Goal("peak MB", found["megabytes"], 300),
        ),
        {"events_per_s": round(events / found["seconds"]), **found, **more},
        unit="s",
    )


async def _fill(place: Ground, events: int, key: NoteKey) -> None:
    """Events by COPY, their leaves by the sequencer, signed after each batch."""
    engine = create_engine(place.services.database_url, answer_at_most=_PATIENCE)
    owner = await asyncpg.connect(place.services.owner_url.replace("+asyncpg", ""))
    try:
        for _ in range(0, events, _AT_A_TIME):
            rows = list(_rows(place, min(events, _AT_A_TIME)))
            for table in ("audit_streams", "audit_events", "audit_pending"):
                records = [record for name, record in rows if name == table]
                await owner.copy_records_to_table(table, records=records, columns=_COLUMNS[table])
            while (await sequence(engine)).events:
                await make_due(engine, [HeldKey(key)], every=timedelta(0), events=1)
        await owner.execute("vacuum analyze audit_events, audit_tiles, audit_streams")
    finally:
        await owner.close()
        await engine.dispose()


_COLUMNS: Mapping[str, Sequence[str] | None] = {
    "audit_streams": None,
    "audit_events": None,
    "audit_pending": ("organisation_id", "event_id", "leaf"),
}


def _rows(place: Ground, events: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Rows of each table, as `audit_append` would write them."""
    of = place.organisation_id
    for _ in range(events // _A_STREAM):
        stream, head = new_id(), b""
        for seq in range(1, _A_STREAM + 1):
            event, at = Event(of, stream, Kind.QUOTE_PRICED, _DATA), datetime.now(UTC)
            given: dict[str, JSON] = {"at": at.isoformat(timespec="microseconds"), "seq": seq}
            body = canonical({**event.body(), **given})
            sha256 = hashlib.sha256(body.encode()).digest()
            head = hashlib.sha256(head + sha256).digest()
            row = (of, stream, seq, event.id, at, event.tag, body, sha256)
            yield "audit_events", row
            yield "audit_pending", (of, event.id, leaf_hash(body.encode()))
        yield "audit_streams", (of, stream, _A_STREAM, head)


async def _export(place: Ground, path: Path) -> None:
    engine = create_engine(place.services.database_url, answer_at_most=_PATIENCE)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        await export(connection, place.organisation_id, path)
    await engine.dispose()


async def _child(*arguments: str) -> dict[str, float]:
    """Run `measure` in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.verify", *arguments), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    found: dict[str, float] = json.loads(out)
    return found


async def measure(what: str, where: str, vkey: str = "") -> dict[str, float]:
    """Seconds and the most memory that it took."""
    began = perf_counter()
    if what == "bare":
        await _read_and_hash(where)
    elif what == "bundle":
        assert verify_bundle(Path(where), read_keys(vkey)).kind is None
    else:
        engine = create_engine(where, answer_at_most=_PATIENCE)
        assert (await verify_database(engine, read_keys(vkey))).kind is None
        await engine.dispose()
    took = perf_counter() - began
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": round(took, 2), "megabytes": round(most, 1)}


async def _read_and_hash(url: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    async with connection.transaction():
        sql = "select cast(body as text) as body from audit_events"
        async for row in connection.cursor(sql, prefetch=2000):
            hashlib.sha256(row["body"].encode()).digest()
    await connection.close()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(*sys.argv[1:]))))
