"""One organisation's tree: its leaves against its events, and its heads against what it was."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.verifier import anchors as kept
from audit.verifier.archived import Archived, archived
from audit.verifier.heads import Claim, Heads
from audit.verifier.notes import Keys
from audit.verifier.renumbered import Renumbered
from audit.verifier.rows import (
    COLUMNS,
    Clock,
    Contents,
    as_event_id,
    disagreement,
    misplaced,
    written_about,
)
from audit.verifier.tiles import WIDTH, Stored, fold, split
from audit.verifier.verdict import MOST_LISTED, Fault, Kind, Verdict

_TILES_AT_ONCE = 8

_EVENTS = f"""
    select {COLUMNS} from audit_events e where e.organisation_id = $1 and e.id = any($2)
"""  # noqa: S608 - both parts are constants
_EVENTS_ABOUT = f"{_EVENTS} and e.at >= $3 and e.at < $4"
_PENDING = f"""
    select p.event_id, p.leaf as waiting, {COLUMNS}
    from audit_pending p left join audit_events e
        on e.id = p.event_id and e.organisation_id = p.organisation_id
    where p.organisation_id = :organisation_id
"""  # noqa: S608 - likewise
_HEAD = text("""
    select size, root, checkpoint_size from audit_trees where organisation_id = :organisation_id
""")
_CHECKPOINTS = text("""
    select size, root, note from audit_checkpoints
    where organisation_id = :organisation_id and size > :above and size <= :upto order by size
""")
_KEPT = text("""
    select exists (select from audit_checkpoints
        where organisation_id = :organisation_id and size = :size) as kept
""")
_BEGIN = text("""
    select max(size) as size from audit_checkpoints
    where organisation_id = :organisation_id and at <= :since
""")
_STRANGERS = text("""
    select e.id, e.stream, e.seq from audit_events e
    where e.organisation_id = :organisation_id
        and (cast(:since as timestamptz) is null or e.at >= :since)
        and not exists (select from audit_pending p
            where p.organisation_id = :organisation_id and p.event_id = e.id)
        and not exists (select from (
                select unnest(events) as id from audit_tiles
                where organisation_id = :organisation_id and level = 0
            ) as leaves where leaves.id = e.id)
    order by e.id limit :most
""")
_DOUBLES = text("""
    select e.id, cast(min(cast(e.stream as text)) as uuid) as stream, min(e.seq) as seq
    from audit_events e
    where e.organisation_id = :organisation_id
    group by e.id having count(*) > 1 order by e.id limit :most
""")
_EXISTS = text("""
    select exists (select from audit_events
        where organisation_id = :organisation_id and id = :id) as found
""")
_PAST = 2**62


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is read at once: tiles by number, their events by id, heads by size."""

    tiles: Mapping[int, Any]
    events: Mapping[UUID, Any]
    claims: Sequence[Claim]


class Tree:
    """The check of one tree."""

    def __init__(
        self,
        connection: AsyncConnection,
        organisation_id: UUID,
        origin: str,
        keys: Keys,
        verdict: Verdict,
    ) -> None:
        self._connection = connection
        self._of = {"organisation_id": organisation_id}
        self._origin = origin
        self._keys = keys
        self._verdict = verdict
        self._stored = Stored(connection, organisation_id, origin)
        self._clock = Clock()
        self._archived = Archived([])
        self._found = 0  # leaves whose events are there
        self._gone: tuple[int, UUID] | None = None  # where a run of missing events began
        self._first: UUID | None = None  # the event after the last good head
        self._suspects: list[tuple[Fault, UUID | None]] = []  # events with another's content
        self._renumbered = Renumbered()

    async def verify(
        self, events: int, since: datetime | None, anchors: Sequence[str] | None
    ) -> None:
        """Check all of it. `events`: how many the organisation has."""
        self._archived = await archived(self._connection, self._of["organisation_id"])
        self._verdict.archives += self._archived.archives
        begin = await self._begin(since)
        self._growing = await self._left_of(begin)
        begin = self._growing.size
        self._heads = Heads(self._origin, self._keys, self._verdict, begin)
        self._anchors = kept.claims(anchors or (), self._heads, self._origin, self._verdict)
        await self._meet_left()
        last = await self._stored.last(0)
        if last is not None:
            await self._walk(begin // WIDTH, last)
            await self._tell_suspects()
        size = self._growing.size
        await self._stored.close(size, self._verdict)
        await self._compare_head(size)
        waiting = await self._pending()
        await self._strangers(events, since, begin + self._found + waiting)
        self._heads.close(size)
        self._verdict.leaves += size - begin
        if anchors is not None:
            self._note_unanchored(size)

    async def _begin(self, since: datetime | None) -> int:
        """The leaf to begin at: of a head from before that moment, at the beginning of a tile."""
        if since is None:
            return 0
        size = await self._connection.scalar(_BEGIN, {**self._of, "since": since})
        return int(size or 0) // WIDTH * WIDTH

    async def _left_of(self, begin: int) -> Any:
        try:
            return await self._stored.left_of(begin)
        except ValueError:
            about = "tiles above the leaves are not there"
            self._verdict.add(Fault(Kind.MISSING, about, self._origin, 0, begin))
            return await self._stored.left_of(0)

    async def _walk(self, first: int, last: int) -> None:
        """Read all tiles of leaves, with the events of some while those before are looked at."""
        ahead = asyncio.create_task(self._read(first))
        for low in range(first, last + 1, _TILES_AT_ONCE):
            batch = await ahead
            more = low + _TILES_AT_ONCE
            if more <= last:
                ahead = asyncio.create_task(self._read(more))
                await asyncio.sleep(0)  # so that the question is on its way
            for number in range(low, min(more, last + 1)):
                if number in batch.tiles:
                    full = self._tile(number, batch)
                elif (full := await self._above(number, ahead)) is None:
                    await asyncio.wait([ahead])
                    return
                if full is not None and self._stored.fills(full):
                    await asyncio.wait([ahead])  # one connection answers one question at a time
                    await self._stored.compare_above(number, self._verdict)
        self._end_gap(cut=True)

    async def _read(self, low: int) -> "_Batch":
        """Read some tiles, their events, and the heads of sizes that they reach."""
        tiles = {row.number: row for row in await self._stored.leaves(low, _TILES_AT_ONCE)}
        ids = [id_ for row in tiles.values() for id_ in row.events]
        events = await self._events(ids) if ids else {}
        begin = low * WIDTH
        claims = await self._claims(begin, begin + _TILES_AT_ONCE * WIDTH)
        return _Batch(tiles, events, claims)

    async def _events(self, ids: list[UUID]) -> dict[UUID, Any]:
        """Events by their ids: of the months about them, and what is not there of any."""
        driver: Any = (await self._connection.get_raw_connection()).driver_connection
        of, when = self._of["organisation_id"], written_about(ids)
        found = {row["id"]: row for row in await driver.fetch(_EVENTS_ABOUT, of, ids, *when)}
        if lost := [id_ for id_ in ids if id_ not in found]:
            found |= {row["id"]: row for row in await driver.fetch(_EVENTS, of, lost)}
        return found

    async def _claims(self, above: int, upto: int) -> list[Claim]:
        """Checkpoints and anchors of sizes in a range, the smallest first."""
        values = {**self._of, "above": above, "upto": upto}
        found = [claim for claim in self._anchors if above < claim.size <= upto]
        for row in await self._connection.execute(_CHECKPOINTS, values):
            claim = self._heads.open(row.note)
            if claim is None:
                continue
            if (claim.size, claim.root) != (row.size, bytes(row.root)):
                about = f"columns of the checkpoint of size {row.size} do not agree with its note"
                self._verdict.add(Fault(Kind.MODIFIED, about, self._origin, row.size))
            found.append(claim)
        return sorted(found, key=lambda claim: claim.size)

    async def _meet_left(self) -> None:
        """Heads of exactly the size at which the reading begins."""
        size = self._growing.size
        for claim in await self._claims(size - 1, size) if size else ():
            self._heads.meet(claim, self._growing.root())

    def _tile(self, number: int, batch: "_Batch") -> bytes | None:
        """Take a tile's leaves into the tree; its root if it is full."""
        tile, claims = batch.tiles[number], batch.claims
        hashes = split(bytes(tile.hashes))
        leaf = number * WIDTH
        sizes = {claim.size for claim in claims if leaf < claim.size <= leaf + WIDTH}
        for hash_, id_ in zip(hashes, tile.events, strict=True):
            self._leaf(leaf, hash_, id_, batch.events.get(id_))
            if leaf == self._heads.good:
                self._first = id_
            self._growing.push(hash_)
            leaf += 1
            if leaf in sizes:
                root = self._growing.root()
                for claim in claims:
                    if claim.size == leaf:
                        self._heads.meet(claim, root, self._first)
        return fold(hashes) if len(hashes) == WIDTH else None

    async def _above(self, number: int, ahead: "asyncio.Task[_Batch]") -> bytes | None:
        """A tile is gone: go on by what stands above it; None where nothing does."""
        first = number * WIDTH
        about = f"tile 0/{number} is not there"
        self._verdict.add(Fault(Kind.MISSING, about, self._origin, first, first + WIDTH))
        await asyncio.wait([ahead])
        above = await self._stored.upper(1, number // WIDTH)
        if number % WIDTH >= len(above) or self._growing.size != first:
            return None
        root = above[number % WIDTH]
        self._growing.join(8, root)
        return root

    def _leaf(self, leaf: int, hash_: bytes, id_: UUID, row: Any) -> None:
        """Compare a leaf with its event."""
        if row is None and not self._archived.holds(leaf, id_):
            if self._gone is None:
                self._gone = (leaf, id_)
            return
        if self._gone is not None:
            self._end_gap(cut=False, until=leaf)
        if row is None:
            self._verdict.archived += 1
            return
        self._found += 1
        contents = Contents(row)
        if contents.leaf != hash_:
            self._differs(leaf, contents)
            return
        fault = disagreement(contents, self._origin, leaf)
        if fault is None and self._clock.is_late(row["at"]):
            about = "dated back: others of a later time were there before it"
            place = {"event": id_, "stream": row["stream"], "seq": row["seq"]}
            fault = Fault(Kind.INSERTED, about, self._origin, leaf, **place)
        elif fault is not None and fault.kind is Kind.REORDERED and not misplaced(contents):
            fault = self._renumbered.add(fault, contents.body.get("seq"))
        if fault is not None:
            self._verdict.add(fault)

    def _differs(self, leaf: int, contents: Contents) -> None:
        """What an event says is not what its leaf was made of."""
        row = contents.row
        place = {"event": row["id"], "stream": row["stream"], "seq": row["seq"]}
        about = "the content does not match its hash"
        fault = Fault(Kind.MODIFIED, about, self._origin, leaf, **place)
        if misplaced(contents) and len(self._suspects) < MOST_LISTED:
            self._suspects.append((fault, as_event_id(contents.body.get("id"))))
        else:
            self._verdict.add(fault)

    async def _tell_suspects(self) -> None:
        """Whether what stands in an event's place was said by another event that there is."""
        for fault, said_by in self._suspects:
            values = {**self._of, "id": said_by}
            if said_by is not None and await self._connection.scalar(_EXISTS, values):
                about = f"here stands what event {said_by} said"
                self._verdict.add(replace(fault, kind=Kind.REORDERED, about=about))
            else:
                self._verdict.add(fault)

    def _end_gap(self, *, cut: bool, until: int | None = None) -> None:
        """A run of leaves without events has come to its end, or to that of the tree."""
        if self._gone is None:
            return
        leaf, id_ = self._gone
        kind = Kind.TAIL_CUT if cut else Kind.MISSING
        until = self._growing.size if until is None else until
        about = f"{until - leaf} events are gone"
        self._verdict.add(Fault(kind, about, self._origin, leaf, until, id_))
        self._gone = None

    async def _compare_head(self, size: int) -> None:
        """The tree's own head, and heads of sizes that it does not reach."""
        head = (await self._connection.execute(_HEAD, self._of)).first()
        said = head.size if head is not None else 0
        if said > size:
            about = f"the tree's head says {said} leaves, there are {size}"
            self._verdict.add(Fault(Kind.TAIL_CUT, about, self._origin, size, said))
        elif said < size:
            about = f"the tree's head says {said} leaves, there are {size}"
            self._verdict.add(Fault(Kind.INSERTED, about, self._origin, said, size))
        elif head is not None and bytes(head.root) != self._growing.root():
            about = "the tree's head has another root"
            good = self._heads.good
            self._verdict.add(Fault(Kind.INCONSISTENT, about, self._origin, good, size))
        self._heads.beyond(await self._claims(size, _PAST), size)
        newest = head.checkpoint_size if head is not None else 0
        if newest and not await self._connection.scalar(_KEPT, {**self._of, "size": newest}):
            about = f"the checkpoint of size {newest} is gone"
            self._verdict.add(Fault(Kind.TAIL_CUT, about, self._origin))

    async def _pending(self) -> int:
        """Events that wait for their leaf: how many of them are there."""
        found = 0
        result = await self._connection.stream(text(_PENDING), self._of)
        async for row in result.mappings():
            self._verdict.unsequenced += 1
            if row["id"] is None:
                about = "an event that waits for its leaf is gone"
                event = row["event_id"]
                self._verdict.add(Fault(Kind.MISSING, about, self._origin, event=event))
                continue
            found += 1
            contents = Contents(row)
            place = {"event": row["id"], "stream": row["stream"], "seq": row["seq"]}
            if contents.leaf != row["waiting"]:
                about = "the content is not what waits for a leaf"
                self._verdict.add(Fault(Kind.MODIFIED, about, self._origin, **place))
            elif fault := disagreement(contents, self._origin, None):
                self._verdict.add(fault)
        return found

    async def _strangers(self, events: int, since: datetime | None, known: int) -> None:
        """Events that have neither a leaf nor wait for one. Looked for if the numbers say so."""
        rows: list[Any] = []
        if since is not None or events != known:
            rows = await self._not_of_the_tree(since, events - known)
        if since is None and events < known:
            about = f"{known} leaves, but {events} events: some have more than one"
            self._verdict.add(Fault(Kind.INSERTED, about, self._origin))
        missing = bool({Kind.MISSING, Kind.TAIL_CUT} & self._verdict.counts.keys())
        inserted = {row.stream for row in rows}
        for fault in self._renumbered.unexplained(inserted=inserted, missing=missing):
            self._verdict.add(fault)

    async def _not_of_the_tree(self, since: datetime | None, more: int) -> list[Any]:
        """Events without a leaf; and those that have one and stand there more than once."""
        values = {**self._of, "since": since, "most": MOST_LISTED}
        found: list[Any] = []
        for sql, about in (
            (_STRANGERS, "this event was never taken into the tree"),
            (_DOUBLES, "this event stands there more than once"),
        ):
            if found and len(found) >= min(more, MOST_LISTED):
                break
            for row in await self._connection.execute(sql, values):
                found.append(row)
                place = {"event": row.id, "stream": row.stream, "seq": row.seq}
                self._verdict.add(Fault(Kind.INSERTED, about, self._origin, **place))
        return found

    def _note_unanchored(self, size: int) -> None:
        tail = max(size - self._heads.anchored, 0)
        self._verdict.unanchored = (self._verdict.unanchored or 0) + tail
        if tail:
            about = f"{tail} events are under no anchor yet"
            self._verdict.add(
                Fault(Kind.UNANCHORED, about, self._origin, self._heads.anchored, size)
            )
