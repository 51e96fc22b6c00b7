"""From news to posted messages: route what is new, then bring each thread up to date.

A slot is sent once and edited afterwards; of several changes that wait, only the last is shown.
"""

from uuid import UUID

from core.db import fetch_all
from core.house import House
from core.ids import new_id
from notifier.routing import route
from notifier.serving import serve


async def announce(house: House, organisation_id: UUID, task_id: UUID, worker: str) -> None:
    """Tell all that is new of a task, on every thread it has."""
    await route(house, organisation_id, task_id)
    # Two jobs of one worker must not serve a thread at once either.
    server = f"{worker}/{new_id().hex}"
    async with house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select distinct thread_id from deliveries where organisation_id = :organisation_id"
            " and task_id = :task_id and state in ('pending', 'sending')",
            {"organisation_id": organisation_id, "task_id": task_id},
        )
    for row in rows:
        await serve(house, organisation_id, task_id, row.thread_id, server)
