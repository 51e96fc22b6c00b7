"""Checkpoints: a tree's head, signed. Made when there is news for so long, or so much of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from audit.keys import Signer
from audit.note import checkpoint_text, note, signature_line

EVERY = timedelta(seconds=10)
EVENTS = 1000

_DUE = text("""
    -- across organisations: the one who signs serves them all
    select organisation_id, size, root, date_trunc('second', clock_timestamp()) as at
    from audit_trees
    where size > checkpoint_size and (checkpoint_at is null or size - checkpoint_size >= :events
        or checkpoint_at <= now() - cast(:every as interval))
""")
_KEEP = text("select audit_checkpoint(:organisation_id, :size, :root, :note, :at)")
_NEWEST = text("""
    select size, root, note, at from audit_checkpoints where organisation_id = :organisation_id
    order by size desc limit 1
""")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree's signed head; `at` by the database's clock."""

    organisation_id: UUID
    size: int
    root: bytes
    note: str
    at: datetime


async def make_due(
    engine: AsyncEngine,
    signers: Sequence[Signer],
    *,
    every: timedelta = EVERY,
    events: int = EVENTS,
) -> Sequence[Checkpoint]:
    """Sign each head that is due, and keep it. Of several who do so at once, one's is kept.

    No transaction waits for a signature: it may come from far away. A key that can't be reached
    raises OSError; what is due stays so.
    """
    async with engine.connect() as connection:
        rows = (await connection.execute(_DUE, {"every": every, "events": events})).all()
    made = []
    for row in rows:
        text_ = checkpoint_text(row.organisation_id, row.size, bytes(row.root), row.at)
        signed = await _signed(text_, signers)
        made.append(Checkpoint(row.organisation_id, row.size, bytes(row.root), signed, row.at))
    async with engine.begin() as connection:
        return [each for each in made if await _keep(connection, each)]


async def newest(connection: AsyncConnection, organisation_id: UUID) -> Checkpoint | None:
    """The last checkpoint of an organisation's tree."""
    row = (await connection.execute(_NEWEST, {"organisation_id": organisation_id})).first()
    if row is None:
        return None
    return Checkpoint(organisation_id, row.size, bytes(row.root), row.note, row.at)


async def _signed(words: str, signers: Sequence[Signer]) -> str:
    return note(
        words,
        [
            signature_line(signer.name, signer.id, await signer.sign(words.encode()))
            for signer in signers
        ],
    )


async def _keep(connection: AsyncConnection, made: Checkpoint) -> bool:
    values = {
        "organisation_id": made.organisation_id,
        "size": made.size,
        "root": made.root,
        "note": made.note,
        "at": made.at,
    }
    return bool(await connection.scalar(_KEEP, values))
