"""Proofs for what is handed over: each event's inclusion under a signed head of the log."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit import checkpoints
from audit.proof_files import inclusion_file
from core import workers
from core.house import House

PATIENCE = timedelta(seconds=20)
"""How long is waited for the leaf of an event of just now, and for the checkpoint over it: workers
give it the first within a second, and sign ten seconds later at the latest."""

_LOOK_EVERY = 0.5  # seconds
_YOUNG = 300_000
"""Milliseconds: an older event without a leaf is not about to get one."""


async def proofs(
    house: House,
    organisation_id: UUID,
    events: Collection[UUID],
    patience: timedelta | None = None,
) -> AsyncIterator[tuple[UUID, bytes]]:
    """The proof of each event that is under a checkpoint, or soon will be; of others there is none.

    Unless told otherwise, nothing is waited for where no worker is at work.
    """
    wanted, began = list(events), time.monotonic()
    while wanted:
        async with house.engine.connect() as connection:
            if patience is None:
                patience = PATIENCE if await _is_worked(connection) else timedelta(0)
            head = await checkpoints.newest(connection, organisation_id)
            left = []
            for event in wanted:
                try:
                    proof = await inclusion_file(connection, organisation_id, event, head)
                except LookupError:
                    left.append(event)
                else:
                    yield event, proof
        wanted = [event for event in left if _is_young(event)]
        if wanted and time.monotonic() - began > patience.total_seconds():
            return
        await asyncio.sleep(_LOOK_EVERY if wanted else 0)


async def _is_worked(connection: AsyncConnection) -> bool:
    return any(each.state == "working" for each in await workers.every(connection))


def _is_young(event: UUID) -> bool:
    return time.time() * 1000 - (event.int >> 80) < _YOUNG
