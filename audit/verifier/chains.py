"""The chains of streams: the events of each task, person or company are numbered without a gap."""

from collections.abc import AsyncIterator, Iterable
from hashlib import sha256
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.verifier.rows import COLUMNS, Contents, disagreement
from audit.verifier.verdict import Fault, Kind, Verdict

_SCOPE = """
    (cast(:organisation_id as uuid) is null or organisation_id = :organisation_id)
    and (cast(:stream as uuid) is null or stream = :stream)
    and (cast(:since as timestamptz) is null or stream in (
        select e.stream from audit_events e where e.at >= :since
            and (cast(:organisation_id as uuid) is null or e.organisation_id = :organisation_id)))
"""
# across organisations where none is named: the operator verifies all
_PLACES = f"""
    select stream, seq, id, sha256 from audit_events where {_SCOPE} order by stream, seq
"""  # noqa: S608 - both parts are constants
_WHOLE = f"""
    select {COLUMNS} from audit_events e where {_SCOPE} order by e.stream, e.seq
"""  # noqa: S608 - likewise
_HEADS = f"""
    select stream, count as events, head from audit_streams where {_SCOPE} order by stream
"""  # noqa: S608 - likewise
_RUNS = f"""
    select stream, first, last, before, after from audit_archived_runs where {_SCOPE}
    order by stream, first
"""  # noqa: S608 - likewise
_HOUR = 3_600_000
"""Milliseconds by which ids of one stream may go backwards: clocks differ, transactions wait."""

_REMEMBERED = 10_000  # events of a stream that are put into another order to see which it was


async def verify_streams(
    connection: AsyncConnection,
    *,
    organisation_id: UUID | None = None,
    stream: UUID | None = None,
    expected: Iterable[UUID] = (),
) -> Verdict:
    """Verify streams by themselves, contents and chains, without the tree.

    `expected` are streams that must exist, so that none can vanish with its head.
    """
    verdict = Verdict()
    scope = {"organisation_id": organisation_id, "stream": stream, "since": None}
    seen: set[UUID] = set()

    def look(row: Any) -> None:
        seen.add(row.stream)
        _look_into(row, verdict)

    await walk(connection, _WHOLE, scope, verdict, look)
    for missing in set(expected) - seen:
        verdict.add(Fault(Kind.MISSING, "all events of this stream are gone", stream=missing))
    return verdict


async def verify_chains(
    connection: AsyncConnection, scope: dict[str, Any], verdict: Verdict
) -> None:
    """Verify how events of each stream follow one another; their contents are not read."""
    await walk(connection, _PLACES, scope, verdict, lambda row: None)


async def walk(
    connection: AsyncConnection, sql: str, scope: dict[str, Any], verdict: Verdict, look: Any
) -> None:
    """Merge the streams' events with their heads, both in the order of streams."""
    heads = _rows(connection, _HEADS, scope)
    head = await anext(heads, None)
    archived = _Archived(_rows(connection, _RUNS, scope))
    current: _Chain | None = None

    async def pass_over(stream: UUID | None) -> None:
        """Streams before this one that have a head, and no events here."""
        nonlocal head
        while head is not None and (stream is None or head.stream < stream):
            if runs := await archived.of(head.stream):
                _Chain(head.stream, verdict, runs).compare(head.events, bytes(head.head))
            else:
                _gone(head, verdict)
            head = await anext(heads, None)

    async def close(chain: _Chain) -> None:
        nonlocal head
        if head is not None and head.stream == chain.stream:
            chain.compare(head.events, bytes(head.head))
            head = await anext(heads, None)
        else:
            chain.fault(Kind.INSERTED, "this stream has events but no head", None)

    result = await connection.stream(text(sql), scope)
    async for rows in result.partitions(2000):
        verdict.events += len(rows)
        for stream, run in groupby(rows, key=lambda row: row.stream):
            if current is None or current.stream != stream:
                if current is not None:
                    await close(current)
                await pass_over(stream)
                current = _Chain(stream, verdict, await archived.of(stream))
            for row in run:
                look(row)
                current.follow(row)
    if current is not None:
        await close(current)
    await pass_over(None)


async def _rows(connection: AsyncConnection, sql: str, scope: dict[str, Any]) -> AsyncIterator[Any]:
    result = await connection.stream(text(sql), scope)
    async for rows in result.partitions(2000):
        for row in rows:
            yield row


class _Archived:
    """The runs of numbers that have left the database, by streams, asked for in their order."""

    def __init__(self, rows: AsyncIterator[Any]) -> None:
        self._rows = rows
        self._next: Any = None
        self._begun = False

    async def of(self, stream: UUID) -> list[Any]:
        """Those of a stream, the first numbers first."""
        found = []
        if not self._begun:
            self._begun, self._next = True, await anext(self._rows, None)
        while self._next is not None and self._next.stream <= stream:
            if self._next.stream == stream:
                found.append(self._next)
            self._next = await anext(self._rows, None)
        return found


def _gone(head: Any, verdict: Verdict) -> None:
    verdict.streams += 1
    about = f"all {head.events} events of this stream are gone"
    verdict.add(Fault(Kind.TAIL_CUT, about, stream=head.stream, seq=1))


class _Chain:
    """The events of one stream, in the order of their numbers."""

    def __init__(self, stream: UUID, verdict: Verdict, runs: list[Any]) -> None:
        self.stream = stream
        self._runs = runs
        self._archived = 0
        self._verdict = verdict
        self._head = b""
        self._rows: list[tuple[UUID, bytes]] = []
        self._count = 0
        self._last = 0
        self._gap = False
        self._made = 0
        verdict.streams += 1

    def fault(self, kind: Kind, about: str, seq: int | None, event: UUID | None = None) -> None:
        self._verdict.add(Fault(kind, about, stream=self.stream, seq=seq, event=event))

    def follow(self, row: Any) -> None:
        """Add the next event."""
        self._skip()
        if row.seq == self._last:
            self._gap = True
            about = f"number {row.seq} of this stream stands there twice"
            self.fault(Kind.INSERTED, about, row.seq, row.id)
        elif row.seq != self._last + 1:
            self._gap = True
            about = f"number {self._last + 1} of this stream is not there, number {row.seq} is"
            self.fault(Kind.MISSING, about, self._last + 1)
        if _made(row.id) < self._made - _HOUR:
            about = "made long before the event in front of it"
            self.fault(Kind.REORDERED, about, row.seq, row.id)
        self._made = _made(row.id)
        self._last = row.seq
        self._count += 1
        self._head = sha256(self._head + row.sha256).digest()
        if len(self._rows) < _REMEMBERED:
            self._rows.append((row.id, row.sha256))

    def _skip(self) -> None:
        """Go on behind what was archived, if that comes next."""
        while self._runs and self._runs[0].first <= self._last + 1:
            run = self._runs.pop(0)
            if run.first <= self._last:
                about = f"numbers {run.first} to {run.last} were archived, and are here as well"
                self.fault(Kind.INSERTED, about, run.first)
                continue
            if bytes(run.before) != self._head:
                about = f"number {run.first} was archived as following something else"
                self.fault(Kind.MODIFIED, about, run.first)
            self._last, self._head = run.last, bytes(run.after)
            self._count += run.last - run.first + 1
            self._archived += run.last - run.first + 1

    def compare(self, events: int, head: bytes) -> None:
        """Compare with what the stream's head says."""
        self._skip()
        if (self._count, self._head) == (events, head):
            return
        if self._last > events:
            about = f"the stream's head says {events} events, there are {self._last}"
            self.fault(Kind.INSERTED, about, events + 1, self._id(events - self._archived))
        elif self._last < events:
            about = f"the stream's head says {events} events, the last is number {self._last}"
            self.fault(Kind.TAIL_CUT, about, self._last + 1)
        elif not self._gap:
            self._tell_order(head)

    def _tell_order(self, head: bytes) -> None:
        """As many events as there should be, but their chain leads elsewhere."""
        ordered, chain = sorted(self._rows), b""
        for _, digest in ordered:
            chain = sha256(chain + digest).digest()
        if chain != head or len(ordered) < self._count:  # or some of it was archived
            self.fault(Kind.MODIFIED, "the stream's chain does not lead to its head", None)
            return
        seq = next(n for n, (a, b) in enumerate(zip(self._rows, ordered, strict=True)) if a != b)
        about = "events of this stream stand in one another's place"
        self.fault(Kind.REORDERED, about, seq + 1, self._id(seq))

    def _id(self, position: int) -> UUID | None:
        return self._rows[position][0] if position < len(self._rows) else None


def _made(id_: UUID) -> int:
    """When an id was made, in milliseconds: a UUIDv7 begins with that."""
    return id_.int >> 80


def _look_into(row: Any, verdict: Verdict) -> None:
    """Check an event's content where there is no tree to check it by."""
    contents = Contents(row._mapping)
    if not contents.body or not contents.hashed:
        about = "the content does not match its hash"
        verdict.add(Fault(Kind.MODIFIED, about, event=row.id, stream=row.stream, seq=row.seq))
    elif fault := disagreement(contents, None, None):
        verdict.add(fault)
