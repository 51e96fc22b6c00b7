"""The sequencer: it gives events that are committed their leaves. One at a time, by a lock.

Writers need not wait for one another for a tree to be made of what they wrote: each leaves a row
beside its event. Whatever order they commit in and whoever is rolled back, a row that can be seen
is an event that is there to stay; it gets the next leaf, once.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from audit.hashing import SIZE
from audit.merkle import Tree

LOCK = 5_114_200_004

BATCH = 5000
"""Events a transaction: enough that its commit costs little, and few enough that it is short."""

_PATIENCE = "2s"
"""How long a sequencer that was stopped (SIGSTOP, a partition) keeps others waiting."""

_WAITING = text("select exists (select from audit_pending)")
_ALONE = text("""
    select pg_try_advisory_xact_lock(:lock) as alone,
        set_config('idle_in_transaction_session_timeout', :patience, true)
""")
_TAKE = text("""
    -- across organisations: the sequencer serves them all
    with waiting as materialized (
        select ctid as place, organisation_id, event_id, leaf from audit_pending
        where organisation_id <> all (cast(:without as uuid[])) limit :batch
    ), next as (
        select organisation_id, array_agg(place order by event_id) as places,
            string_agg(leaf, '' order by event_id) as leaves
        from waiting group by organisation_id
    )
    select next.*, coalesce(t.size, 0) as size, coalesce(t.edge, '') as edge
    from next left join audit_trees t on t.organisation_id = next.organisation_id
    order by next.organisation_id
""")
_GROW = text("""
    select audit_grow(:organisation_id, :size, cast(:places as tid[]), cast(:levels as bytea[]),
        :root, :edge)
""")


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction did: how many events got a leaf, and whether more may wait."""

    events: int = 0
    more: bool = False


class StuckTree(Exception):
    """A tree that can't grow: its tables are not as we left them. Nothing was written."""

    def __init__(self, organisation_id: UUID) -> None:
        super().__init__(f"the audit tree of {organisation_id} can't grow")
        self.organisation_id = organisation_id


async def sequence(
    engine: AsyncEngine, *, batch: int = BATCH, without: Collection[UUID] = ()
) -> Batch:
    """Turn up to `batch` events into leaves, unless another is at it or none waits.

    Raises StuckTree; the others' trees grow `without` that one.
    """
    async with engine.connect() as connection:
        if not await connection.scalar(_WAITING):
            return Batch()
        await connection.rollback()
        async with connection.begin():
            return await _sequence(connection, batch, without)


async def _sequence(
    connection: AsyncConnection, batch: int, without: Collection[UUID] = ()
) -> Batch:
    # The lock goes with the transaction, and so does the limit.
    lock = (await connection.execute(_ALONE, {"lock": LOCK, "patience": _PATIENCE})).one()
    if not lock.alone:
        return Batch()
    rows = (await connection.execute(_TAKE, {"batch": batch, "without": list(without)})).all()
    for row in rows:
        try:
            await connection.execute(_GROW, _growth(row))
        except (DBAPIError, IndexError) as error:
            if isinstance(error, DBAPIError) and not _is_refusal(error):
                raise
            raise StuckTree(row.organisation_id) from error
    events = sum(len(row.places) for row in rows)
    return Batch(events, more=events == batch)


def _is_refusal(error: DBAPIError) -> bool:
    """Whether the tables were found wrong (SQLSTATE 22, 23, 42, P0), rather than out of reach."""
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return state.startswith(("22", "23", "42", "P0"))


def _growth(row: Any) -> dict[str, object]:
    """What `audit_grow` is told of one organisation's tree."""
    tree, levels = Tree(row.size, _hashes(row.edge)).grown(_hashes(row.leaves))
    return {
        "organisation_id": row.organisation_id,
        "size": row.size,
        "places": row.places,
        "levels": levels,
        "root": tree.root(),
        "edge": b"".join(tree.edge),
    }


def _hashes(held: bytes) -> Sequence[bytes]:
    return [held[at : at + SIZE] for at in range(0, len(held), SIZE)]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for its leaf; `seconds` since the oldest of it was written."""

    events: int
    seconds: float


_BACKLOG = text("""
    -- across organisations: the sequencer serves them all
    select count(*) as events,
        coalesce(extract(epoch from clock_timestamp() - min(p.at)), 0) as seconds
    from (select at from audit_pending limit 100000) p
""")


async def backlog(connection: AsyncConnection) -> Backlog:
    """How far the sequencer is behind; counted up to 100,000 events."""
    row = (await connection.execute(_BACKLOG)).one()
    return Backlog(row.events, float(row.seconds))
