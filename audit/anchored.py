"""How far each anchor is, as the database knows it. Who verifies believes the anchors instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.anchors import Stamped


@dataclass(frozen=True, slots=True)
class Reach:
    """An organisation's tree at one anchor: anchored up to `size`, of `of` that are signed for.

    `behind` is for how many seconds the oldest checkpoint has waited that is not covered; `tries`
    since the last receipt, and what the last of them came to.
    """

    organisation_id: UUID
    anchor: str
    size: int
    of: int
    at: datetime | None
    place: str | None
    behind: float
    tries: int
    error: str | None


_REACH = text("""
    -- across organisations where none is named: the operator sees to all of them
    select t.organisation_id, n.anchor, coalesce(r.size, 0) as size, t.checkpoint_size as of,
        r.at, r.place, coalesce(a.tries, 0) as tries, a.error,
        coalesce((select extract(epoch from clock_timestamp() - c.at) from audit_checkpoints c
            where c.organisation_id = t.organisation_id and c.size > coalesce(r.size, 0)
            order by c.size limit 1), 0) as behind
    from audit_trees t
    cross join unnest(cast(:anchors as text[])) with ordinality as n(anchor, place)
    left join lateral (
        select size, at, place from audit_receipts
        where organisation_id = t.organisation_id and anchor = n.anchor order by size desc limit 1
    ) r on true
    left join audit_anchors a on a.organisation_id = t.organisation_id and a.anchor = n.anchor
    where t.checkpoint_size > 0
        and (cast(:organisation_id as uuid) is null or t.organisation_id = :organisation_id)
    order by t.organisation_id, n.place
""")
_USED = text("""
    -- across organisations: what an anchor is called is the installation's business
    select distinct anchor from audit_anchors order by anchor
""")
_TOKENS = text("""
    select r.size, c.note, r.token from audit_receipts r
    join audit_checkpoints c on c.organisation_id = r.organisation_id and c.size = r.size
    where r.organisation_id = :organisation_id and r.token is not null order by r.size
""")


async def reach(
    connection: AsyncConnection, anchors: Sequence[str], organisation_id: UUID | None = None
) -> Sequence[Reach]:
    """How far these anchors are, for one organisation or for all that have a checkpoint."""
    values = {"anchors": list(anchors), "organisation_id": organisation_id}
    return [
        Reach(
            row.organisation_id,
            row.anchor,
            row.size,
            row.of,
            row.at,
            row.place,
            float(row.behind),
            row.tries,
            row.error,
        )
        for row in await connection.execute(_REACH, values)
    ]


async def used(connection: AsyncConnection) -> Sequence[str]:
    """The names of all anchors that anything was ever carried to."""
    return list(await connection.scalars(_USED))


async def stamps(connection: AsyncConnection, organisation_id: UUID) -> Sequence[Stamped]:
    """All checkpoints of an organisation that have a time stamp, with it."""
    rows = await connection.execute(_TOKENS, {"organisation_id": organisation_id})
    return [Stamped(row.size, row.note, bytes(row.token)) for row in rows]
