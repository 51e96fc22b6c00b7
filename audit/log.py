"""Append to the log. Works in the caller's transaction and never commits."""

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import Event, canonical

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
