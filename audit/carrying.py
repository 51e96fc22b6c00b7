"""The queue of each anchor: what it lacks, when it is tried, and its receipts.

What it lacks is what the database has after its last receipt, so nothing can fall out of a queue
and an anchor that was away goes on with the newest. Who tries is whoever moved `next_at` first
(audit_anchors); no transaction is open while an anchor is waited for. A process that dies between
sending and receipt leaves the rest to the next, which gives the same once more.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from audit.anchors import MOST, Anchor, AnchorAway, Parcel, Receipt, Signed, Stamped
from audit.proof_files import consistency_file

EVERY = timedelta(minutes=10)
"""How often an anchor that does not want each checkpoint is given the newest, if there is news."""

MARGIN = timedelta(seconds=30)
"""Beyond an anchor's patience, after which another may try: who tried is dead or cut off."""

FIRST_WAIT, LONGEST_WAIT = 5.0, 600.0
"""Seconds until an anchor that was away is tried again: doubled each time, up to the longest."""

_LONGEST_ERROR = 500

_LACKING = text("""
    -- across organisations: the worker who carries serves them all
    select t.organisation_id from audit_trees t
    left join audit_anchors a on a.organisation_id = t.organisation_id and a.anchor = :anchor
    where (a.next_at is null or a.next_at <= clock_timestamp())
        and t.checkpoint_size > coalesce((select max(r.size) from audit_receipts r
            where r.organisation_id = t.organisation_id and r.anchor = :anchor), 0)
    order by a.next_at nulls first limit 100
""")
_CLAIM = text("""
    insert into audit_anchors as a (organisation_id, anchor, tries, next_at)
    values (:organisation_id, :anchor, 1, clock_timestamp() + cast(:within as interval))
    on conflict (organisation_id, anchor)
        do update set tries = a.tries + 1, next_at = excluded.next_at
        where a.next_at <= clock_timestamp()
    returning tries
""")
_LAST = text("""
    select coalesce(max(size), 0) as size from audit_receipts
    where organisation_id = :organisation_id and anchor = :anchor
""")
# The newest that has a time stamp, while stamps are to be had: then all anchors keep the same.
_NEWER = text("""
    select c.size, c.root, c.note from audit_checkpoints c
    where c.organisation_id = :organisation_id and c.size > :size
        and (cast(:stamps as text) is null
            or exists (select from audit_receipts r
                where r.organisation_id = c.organisation_id and r.anchor = :stamps
                    and r.size = c.size)
            or exists (select from audit_anchors a
                where a.organisation_id = c.organisation_id and a.anchor = :stamps
                    and a.tries > 0 and (a.error is not null or a.tries > 1)))
    order by c.size desc limit :most
""")
_STAMPED = text("""
    select r.size, c.note, r.token from audit_receipts r
    join audit_checkpoints c on c.organisation_id = r.organisation_id and c.size = r.size
    where r.organisation_id = :organisation_id and r.anchor = :stamps and r.token is not null
        and r.size <= :size
    order by r.size desc limit 1
""")
_RECEIPT = text("""
    insert into audit_receipts (organisation_id, anchor, size, place, token)
    values (:organisation_id, :anchor, :size, :place, :token)
    on conflict (organisation_id, anchor, size) do nothing
""")
_REST = text("""
    update audit_anchors
    set tries = 0, error = null, next_at = clock_timestamp() + cast(:wait as interval)
    where organisation_id = :organisation_id and anchor = :anchor
""")
_LATER = text("""
    update audit_anchors
    set error = :error, next_at = clock_timestamp() + cast(:wait as interval)
    where organisation_id = :organisation_id and anchor = :anchor
""")
_LOOK_AGAIN = text("""
    update audit_anchors set tries = tries - 1, next_at = clock_timestamp() + interval '1 second'
    where organisation_id = :organisation_id and anchor = :anchor
""")


@dataclass(frozen=True, slots=True)
class Failure:
    """An anchor did not take what it was given; it is tried again."""

    anchor: str
    organisation_id: UUID
    tries: int
    why: str


async def lacking(engine: AsyncEngine, anchor: Anchor) -> Sequence[UUID]:
    """The organisations that have something for an anchor which is to be tried now."""
    async with engine.connect() as connection:
        rows = await connection.execute(_LACKING, {"anchor": anchor.name})
        return [row.organisation_id for row in rows]


async def carry_to(
    engine: AsyncEngine,
    anchor: Anchor,
    organisation_id: UUID,
    *,
    every: timedelta = EVERY,
    stamps: str | None = None,
) -> Receipt | Failure | None:
    """Give an anchor what it lacks of an organisation's checkpoints, unless another is at it.

    `stamps` names the anchor whose time stamps go along. Raises what the database raises.
    """
    values: dict[str, object] = {"organisation_id": organisation_id, "anchor": anchor.name}
    within = timedelta(seconds=anchor.patience) + MARGIN
    async with engine.begin() as connection:
        tries = await connection.scalar(_CLAIM, {**values, "within": within})
    if tries is None:
        return None
    async with engine.begin() as connection:
        parcel = await _parcel(connection, anchor, organisation_id, stamps)
        if parcel is None:  # another was quicker, or its time stamp is on its way
            await connection.execute(_LOOK_AGAIN, values)
            return None
    try:
        async with asyncio.timeout(anchor.patience):
            receipt = await anchor.put(parcel)
    except OSError as error:  # also of the time-out
        why = _words(error)
        wait = timedelta(seconds=_wait(tries))
        async with engine.begin() as connection:
            await connection.execute(_LATER, {**values, "error": why, "wait": wait})
        return Failure(anchor.name, organisation_id, tries, why)
    kept = {"size": parcel.newest.size, "place": receipt.place, "token": receipt.token}
    async with engine.begin() as connection:
        await connection.execute(_RECEIPT, {**values, **kept})
        wait = timedelta(0) if anchor.each else every
        await connection.execute(_REST, {**values, "wait": wait})
    return receipt


async def _parcel(
    connection: AsyncConnection, anchor: Anchor, organisation_id: UUID, stamps: str | None
) -> Parcel | None:
    """What an anchor lacks; None where that is nothing (yet)."""
    values: dict[str, object] = {"organisation_id": organisation_id}
    after = int(await connection.scalar(_LAST, {**values, "anchor": anchor.name}) or 0)
    wanted = None if anchor.each or anchor.stamps else stamps
    newer = {"size": after, "stamps": wanted, "most": MOST if anchor.each else 1}
    rows = list(await connection.execute(_NEWER, {**values, **newer}))
    if not rows:
        return None
    found = [Signed(row.size, bytes(row.root), row.note) for row in reversed(rows)]
    size = found[-1].size
    proof = await _joined(connection, organisation_id, after, size)
    stamped = None
    if wanted is not None:
        with_stamp = {**values, "stamps": wanted, "size": size}
        row = (await connection.execute(_STAMPED, with_stamp)).first()
        stamped = Stamped(row.size, row.note, bytes(row.token)) if row is not None else None
    return Parcel(organisation_id, found, after, proof, stamped)


async def _joined(
    connection: AsyncConnection, organisation_id: UUID, after: int, size: int
) -> bytes | None:
    """The proof from what an anchor had last; none where the tree that would prove it is broken:
    then the checkpoint is all the more to be kept elsewhere."""
    if not after:
        return None
    try:
        return await consistency_file(connection, organisation_id, after, size)
    except LookupError:
        return None


def _wait(tries: int) -> float:
    longest: float = min(FIRST_WAIT * 2.0 ** min(tries - 1, 16), LONGEST_WAIT)
    return longest * random.uniform(0.75, 1.0)  # noqa: S311  # not a secret


def _words(error: OSError) -> str:
    """What an anchor's own error says; of others only what they are, as they may hold anything."""
    if isinstance(error, AnchorAway):
        return str(error)[:_LONGEST_ERROR]
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (error.strerror or type(error).__name__)[:_LONGEST_ERROR]
