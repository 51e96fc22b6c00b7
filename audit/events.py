"""Reading events by their ids: out of the months in which they can be, and only then out of all."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

ABOUT = timedelta(days=1)
"""An id begins with the time at which the event was made; the database has written it soon after,
by its own clock. What is further apart is found as well, by a look into each month."""

_BODIES = text("""
    select e.id, e.seq, cast(e.body as text) as body from audit_events e
    where e.organisation_id = :organisation_id and e.id = any (:ids)
        and e.at >= :since and e.at < :until
""")
_ANYWHERE = text("""
    select e.id, e.seq, cast(e.body as text) as body from audit_events e
    where e.organisation_id = :organisation_id and e.id = any (:ids)
""")


async def by_ids(
    connection: AsyncConnection, organisation_id: UUID, ids: Sequence[UUID]
) -> Mapping[UUID, Row[Any]]:
    """Those of the events that are there: `body` as text, and `seq`."""
    if not ids:
        return {}
    since, until = about(ids)
    values = {"organisation_id": organisation_id, "ids": list(ids), "since": since, "until": until}
    found = {row.id: row for row in await connection.execute(_BODIES, values)}
    if lost := [id_ for id_ in ids if id_ not in found]:
        values = {"organisation_id": organisation_id, "ids": lost}
        found |= {row.id: row for row in await connection.execute(_ANYWHERE, values)}
    return found


def about(ids: Sequence[UUID]) -> tuple[datetime, datetime]:
    """From when to when events of these ids were written, if no clock was wrong."""
    made = [id_.int >> 80 for id_ in ids]
    return _moment(min(made)) - ABOUT, _moment(max(made)) + ABOUT


_EARLIEST, _LATEST = datetime(1970, 1, 3, tzinfo=UTC), datetime(9999, 12, 1, tzinfo=UTC)


def _moment(milliseconds: int) -> datetime:
    """Any id has some moment, though not each is one that there can be."""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return _LATEST
    return min(max(moment, _EARLIEST), _LATEST)
