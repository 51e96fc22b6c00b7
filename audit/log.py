"""Append to the log. Works in the caller's transaction and never commits."""

import json
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import Event, canonical

_APPEND = text("select audit_append(:organisation_id, :stream, cast(:events as jsonb))")
# The rows of an array come in its order.
_APPEND_SEVERAL = text(
    "select audit_append(cast(each ->> 'organisation_id' as uuid), cast(each ->> 'stream' as uuid),"
    " each -> 'events') from jsonb_array_elements(cast(:streams as jsonb)) as each"
)

_FEW = 3
"""Streams that are appended to one by one; with more, one statement for all is quicker."""


async def append(connection: AsyncConnection, events: Sequence[Event]) -> None:
    """Write events, in the order given within each stream."""
    streams: dict[tuple[UUID, UUID], list[Event]] = {}
    for event in events:
        streams.setdefault((event.organisation_id, event.stream), []).append(event)
    if len(streams) > _FEW:
        await _append_several(connection, streams)
        return
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


async def _append_several(
    connection: AsyncConnection, streams: Mapping[tuple[UUID, UUID], Sequence[Event]]
) -> None:
    """The same in one statement, and in the same order."""
    rows = [
        {
            "organisation_id": str(organisation_id),
            "stream": str(stream),
            "events": [canonical(event.body()) for event in streams[organisation_id, stream]],
        }
        for organisation_id, stream in sorted(streams)
    ]
    await connection.execute(_APPEND_SEVERAL, {"streams": json.dumps(rows, ensure_ascii=False)})


def as_json(events: Iterable[Event]) -> str:
    """The argument of `audit_append`, for statements that call it themselves."""
    return json.dumps([canonical(event.body()) for event in events], ensure_ascii=False)
