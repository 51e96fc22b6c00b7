"""Append to the log and verify it. Works in the caller's transaction and never commits."""

import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import Event, canonical, digest

_APPEND = text("select audit_append(:organisation_id, :stream, cast(:events as jsonb))")


async def append(connection: AsyncConnection, events: Sequence[Event]) -> None:
    """Write events, in the order given within each stream."""
    streams: dict[tuple[UUID, UUID], list[Event]] = {}
    for event in events:
        streams.setdefault((event.organisation_id, event.stream), []).append(event)
    # Streams are locked in one order everywhere, so two writers of several can't deadlock.
    for organisation_id, stream in sorted(streams):
        await connection.execute(
            _APPEND,
            {
                "organisation_id": organisation_id,
                "stream": stream,
                "events": as_json(streams[organisation_id, stream]),
            },
        )


def as_json(events: Iterable[Event]) -> str:
    """The argument of `audit_append`, for statements that call it themselves."""
    return json.dumps([canonical(event.body()) for event in events], ensure_ascii=False)


@dataclass(slots=True)
class Verdict:
    """What `verify` found: how many events and streams it read, and each fault in words."""

    events: int = 0
    streams: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def verified(self) -> bool:
        return not self.faults


_EVENTS = """
    select organisation_id, stream, seq, id, at, tag, body, sha256 from audit_events
    where (cast(:organisation_id as uuid) is null or organisation_id = :organisation_id)
      and (cast(:stream as uuid) is null or stream = :stream)
    order by stream, seq
"""
_STREAMS = """
    select stream, count as events, head from audit_streams
    where (cast(:organisation_id as uuid) is null or organisation_id = :organisation_id)
      and (cast(:stream as uuid) is null or stream = :stream)
"""


async def verify(
    connection: AsyncConnection,
    *,
    organisation_id: UUID | None = None,
    stream: UUID | None = None,
    expected: Iterable[UUID] = (),
) -> Verdict:
    """Read the log again and recompute every hash and chain.

    `expected` are streams that the caller knows must exist (each task has one), so that a whole
    stream can't vanish. Finds changed, deleted, inserted and reordered rows; whoever can rewrite
    rows, chains and heads alike is found only by signed checkpoints outside of the database.
    """
    scope = {"organisation_id": organisation_id, "stream": stream}
    heads = {
        row.stream: (row.events, bytes(row.head))
        for row in await connection.execute(text(_STREAMS), scope)
    }
    verdict = Verdict(streams=len(heads))
    seen: set[UUID] = set()
    async for key, rows in _by_stream(connection, scope):
        seen.add(key)
        count, head = _walk(rows, verdict)
        if key not in heads:
            verdict.faults.append(f"stream {key}: has {count} events but no head")
        elif heads[key] != (count, head):
            verdict.faults.append(
                f"stream {key}: the head says {heads[key][0]} events, the chain of {count} events "
                "does not lead to it (a row was deleted, inserted or changed)"
            )
    for missing in (set(heads) | set(expected)) - seen:
        verdict.faults.append(f"stream {missing}: all of its events are gone")
    return verdict


async def _by_stream(
    connection: AsyncConnection, scope: dict[str, UUID | None]
) -> AsyncIterator[tuple[UUID, list[Any]]]:
    """Rows in runs of one stream, read by a cursor: the log may be larger than memory."""
    current: list[Any] = []
    result = await connection.stream(text(_EVENTS), scope)
    async for rows in result.partitions(1000):
        for stream, run in groupby(rows, key=lambda row: row.stream):
            if current and current[0].stream != stream:
                yield current[0].stream, current
                current = []
            current.extend(run)
    if current:
        yield current[0].stream, current


def _walk(rows: list[Any], verdict: Verdict) -> tuple[int, bytes]:
    """Check the rows of one stream; return their count and the head their chain leads to."""
    head = b""
    for position, row in enumerate(rows, start=1):
        verdict.events += 1
        where = f"stream {row.stream} event {row.seq}"
        body = row.body if isinstance(row.body, dict) else json.loads(row.body)
        if row.seq != position:
            verdict.faults.append(f"{where}: number {position} was expected here")
        if digest(body) != row.sha256:
            verdict.faults.append(f"{where}: the content does not match its hash")
        columns = {
            "id": str(row.id),
            "tag": row.tag,
            "organisation": str(row.organisation_id),
            "stream": str(row.stream),
            "at": row.at.isoformat(),
        }
        for name, value in columns.items():
            if body.get(name) != value:
                verdict.faults.append(f"{where}: the column {name} was changed")
        head = hashlib.sha256(head + row.sha256).digest()
    return len(rows), head
