"""Reading the tree: its head, where an event's leaf is, and proofs from a few tiles."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.merkle import WIDTH, Range, Tile, consistency, hashes, inclusion, tiles_of

_HEAD = text("select size, root from audit_trees where organisation_id = :organisation_id")
_LEAF = text("""
    select number, array_position(events, :id) as position from audit_tiles
    where organisation_id = :organisation_id and level = 0
        and span @> box(audit_spot(:organisation_id, :id), audit_spot(:organisation_id, :id))
        and :id = any (events)
""")
_TILES = text("""
    select level, number, hashes from audit_tiles
    where organisation_id = :organisation_id and (level, number) in (
        select * from unnest(cast(:levels as smallint[]), cast(:numbers as bigint[])))
""")


@dataclass(frozen=True, slots=True)
class Head:
    """How many leaves a tree has, and its root."""

    size: int
    root: bytes


async def head(connection: AsyncConnection, organisation_id: UUID) -> Head | None:
    """The tree as it stands; None before its first leaf."""
    row = (await connection.execute(_HEAD, {"organisation_id": organisation_id})).first()
    return Head(row.size, bytes(row.root)) if row else None


async def leaf_of(connection: AsyncConnection, organisation_id: UUID, event_id: UUID) -> int | None:
    """The number of an event's leaf; None where it has none (yet)."""
    values = {"organisation_id": organisation_id, "id": event_id}
    row = (await connection.execute(_LEAF, values)).first()
    return row.number * WIDTH + row.position - 1 if row else None


async def prove_inclusion(
    connection: AsyncConnection, organisation_id: UUID, leaf: int, size: int
) -> Sequence[bytes]:
    """RFC 9162's inclusion proof of a leaf in the tree as it was at `size`."""
    return await hashes_of(connection, organisation_id, inclusion(leaf, size))


async def prove_consistency(
    connection: AsyncConnection, organisation_id: UUID, old: int, size: int
) -> Sequence[bytes]:
    """RFC 9162's consistency proof between the tree at two sizes."""
    return await hashes_of(connection, organisation_id, consistency(old, size))


async def hashes_of(
    connection: AsyncConnection, organisation_id: UUID, ranges: Sequence[Range]
) -> Sequence[bytes]:
    """The hash of each range of leaves. Raises LookupError where the tree does not reach so far."""
    return hashes(ranges, await read_tiles(connection, organisation_id, tiles_of(ranges)))


async def read_tiles(
    connection: AsyncConnection, organisation_id: UUID, wanted: Iterable[Tile]
) -> Mapping[Tile, bytes]:
    """The hashes of those of the tiles that there are."""
    named = list(wanted)
    rows = await connection.execute(
        _TILES,
        {
            "organisation_id": organisation_id,
            "levels": [tile.level for tile in named],
            "numbers": [tile.number for tile in named],
        },
    )
    return {Tile(row.level, row.number): bytes(row.hashes) for row in rows}
