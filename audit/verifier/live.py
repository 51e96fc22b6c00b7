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
from audit.verifier.tree import Tree
from audit.verifier.verdict import Verdict

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


async def verify_database(
    engine: AsyncEngine,
    keys: Keys,
    *,
    organisation_id: UUID | None = None,
    since: datetime | None = None,
    anchors: Iterable[str] | None = None,
) -> Verdict:
    """Verify the log of one organisation or of all, by nothing but these public keys.

    `since`: only what came after that moment, on top of what the tree says of the time before.
    `anchors`: checkpoints kept elsewhere, which the log must still be able to show.
    """
    verdict = Verdict()
    async with _snapshot(engine) as connection:
        scope = {"organisation_id": organisation_id, "stream": None, "since": since}
        counts = {
            row.organisation_id: row.events
            for row in await connection.execute(_EVENTS, {"organisation_id": organisation_id})
        }
        trees = await connection.execute(_TREES, {"organisation_id": organisation_id})
        anchored = kept.by_origin(anchors or (), verdict)
        known = {*counts, *(row.organisation_id for row in trees)}
        known |= _of_anchors(anchored) if organisation_id is None else {organisation_id}
        for one in sorted(known):
            notes = anchored.get(f"{ORIGIN}{one}", []) if anchors is not None else None
            tree = Tree(connection, one, f"{ORIGIN}{one}", keys, verdict)
            await tree.verify(counts.get(one, 0), since, notes)
        await verify_chains(connection, scope, verdict)
    verdict.events = sum(counts.values()) if since is None else verdict.events
    return verdict


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
