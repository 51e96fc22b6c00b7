"""The log in its database: every event, tile, checkpoint and chain is read and compared.

All is read in one snapshot; the log goes on being written meanwhile. Memory does not grow with it.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from audit.verifier import anchors as kept
from audit.verifier.chains import verify_chains
from audit.verifier.notes import Keys
from audit.verifier.stamps import Open, Stamps, resolve, verify_stamps
from audit.verifier.tree import Tree
from audit.verifier.verdict import Fault, Kind, Verdict

ORIGIN = "miyabi/"

# across organisations where none is named: the operator verifies all
_EVENTS = text("""
    select organisation_id, count(*) as events from audit_events
    where cast(:organisation_id as uuid) is null or organisation_id = :organisation_id
    group by organisation_id
""")
# across organisations where none is named, likewise
_TREES = text("""
    select organisation_id from (
        select organisation_id from audit_trees union select organisation_id from audit_checkpoints
        union select organisation_id from audit_tiles where level = 0 and number = 0
        union select organisation_id from audit_pending
    ) as known
    where cast(:organisation_id as uuid) is null or organisation_id = :organisation_id
""")
# across organisations: a time stamp does not say of whom its note is
_STAMPED = text("""
    select note from audit_checkpoints where sha256(convert_to(note, 'UTF8')) = any (:imprints)
""")


async def verify_database(
    engine: AsyncEngine,
    keys: Keys,
    *,
    organisation_id: UUID | None = None,
    since: datetime | None = None,
    anchors: Iterable[str] | None = None,
    stamps: Stamps | None = None,
) -> Verdict:
    """Verify the log of one organisation or of all, by nothing but these public keys.

    `since`: only what came after that moment, on top of what the tree says of the time before.
    `anchors`: checkpoints kept elsewhere, which the log must still be able to show; `stamps`: time
    stamps of these, or of others that then must be in the database.
    """
    verdict = Verdict()
    notes = None if anchors is None else list(anchors)
    stamped = verify_stamps(stamps, notes or (), verdict) if stamps is not None else ()
    async with _snapshot(engine) as connection:
        scope = {"organisation_id": organisation_id, "stream": None, "since": since}
        counts = {
            row.organisation_id: row.events
            for row in await connection.execute(_EVENTS, {"organisation_id": organisation_id})
        }
        trees = await connection.execute(_TREES, {"organisation_id": organisation_id})
        if stamped:
            notes = [*(notes or ()), *await _stamped_here(connection, stamped, verdict)]
        anchored = kept.by_origin(notes or (), verdict)
        known = {*counts, *(row.organisation_id for row in trees)}
        known |= _of_anchors(anchored) if organisation_id is None else {organisation_id}
        for one in sorted(known):
            of_one = anchored.get(f"{ORIGIN}{one}", []) if notes is not None else None
            tree = Tree(connection, one, f"{ORIGIN}{one}", keys, verdict)
            await tree.verify(counts.get(one, 0), since, of_one)
        await verify_chains(connection, scope, verdict)
    verdict.events = sum(counts.values()) if since is None else verdict.events
    return verdict


async def _stamped_here(
    connection: AsyncConnection, stamped: Sequence[Open], verdict: Verdict
) -> Sequence[str]:
    """The checkpoints of the database that time stamps are of. One that it lacks is a fault."""
    rows = await connection.execute(_STAMPED, {"imprints": [each.imprint for each in stamped]})
    notes = [row.note for row in rows]
    for each in resolve(stamped, notes, verdict):
        about = f"the time stamp of {each.at.isoformat()} is of a checkpoint that is not here"
        verdict.add(Fault(Kind.INCONSISTENT, about))
    return notes


def _of_anchors(anchored: Mapping[str, Sequence[str]]) -> set[UUID]:
    """Organisations that there once were, or no anchor would tell of them."""
    found = set()
    for origin in anchored:
        try:
            found.add(UUID(origin.removeprefix(ORIGIN)))
        except ValueError:
            continue  # another installation's or another program's
    return found


@asynccontextmanager
async def _snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection on which all statements see one moment."""
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ"}
    async with engine.connect() as connection:
        await connection.execution_options(**options)
        await connection.execute(text("set transaction read only"))
        yield connection
