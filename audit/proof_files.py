"""Proofs as files that stand alone: what is proven, the signed head, and the hashes between."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit import checkpoints
from audit.checkpoints import Checkpoint
from audit.event import JSON, canonical
from audit.events import by_ids
from audit.proofs import leaf_of, prove_consistency, prove_inclusion

_NOTE = text("""
    select note from audit_checkpoints where organisation_id = :organisation_id and size = :size
""")


async def inclusion_file(
    connection: AsyncConnection,
    organisation_id: UUID,
    event_id: UUID,
    head: Checkpoint | None = None,
) -> bytes:
    """The proof that an event is in the log, under that head or the newest one.

    Raises LookupError where it is in no signed head.
    """
    head = head or await checkpoints.newest(connection, organisation_id)
    leaf = await leaf_of(connection, organisation_id, event_id)
    event = (await by_ids(connection, organisation_id, [event_id])).get(event_id)
    if head is None or leaf is None or event is None or leaf >= head.size:
        raise LookupError(str(event_id))
    hashes = await prove_inclusion(connection, organisation_id, leaf, head.size)
    return _file(
        {
            "event": json.loads(event.body),
            "leaf": leaf,
            "checkpoint": head.note,
            "hashes": _hex(hashes),
        }
    )


async def consistency_file(
    connection: AsyncConnection, organisation_id: UUID, old: int, new: int
) -> bytes:
    """The proof that one checkpoint continues another. Raises LookupError for a size of none."""
    notes = [await _note(connection, organisation_id, size) for size in (old, new)]
    if old > new:
        raise LookupError(str(old))
    hashes = await prove_consistency(connection, organisation_id, old, new)
    return _file({"old": notes[0], "new": notes[1], "hashes": _hex(hashes)})


async def _note(connection: AsyncConnection, organisation_id: UUID, size: int) -> str:
    values = {"organisation_id": organisation_id, "size": size}
    note: str | None = await connection.scalar(_NOTE, values)
    if note is None:
        raise LookupError(str(size))
    return note


def _file(proof: dict[str, Any]) -> bytes:
    """Canonical JSON with a checksum: whatever an accident does to it is noticed."""
    said: dict[str, JSON] = {"format": 1, **proof}
    said["sha256"] = hashlib.sha256(canonical(said).encode()).hexdigest()
    return canonical(said).encode() + b"\n"


def _hex(hashes: Sequence[bytes]) -> list[JSON]:
    return [each.hex() for each in hashes]
