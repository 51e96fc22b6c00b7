"""Bringing a thread up to date, in order, one server at a time."""

from dataclasses import replace
from uuid import UUID

from core.codec import dump, fingerprint
from core.errors import Permanent
from core.house import House
from core.views import task_view
from notifier.rendering import render
from notifier.sending import Sending
from notifier.thread import due_in, has_due, read_posted, read_thread, release, take


async def serve(
    house: House, organisation_id: UUID, task_id: UUID, thread_id: UUID, worker: str
) -> None:
    """Bring a thread up to date, in order. Another worker at it means that it will do ours too."""
    while True:
        if not await take(house, organisation_id, thread_id, worker):
            return
        try:
            goes_on = True
            while goes_on:
                goes_on = await _pass(house, organisation_id, task_id, thread_id, worker)
        finally:
            await release(house, organisation_id, thread_id, worker)
        # What came while the lease was being given back found the thread taken: look once more.
        if not await has_due(house, organisation_id, thread_id):
            return


async def _pass(
    house: House, organisation_id: UUID, task_id: UUID, thread_id: UUID, worker: str
) -> bool:
    """Show the first slot that has something to show. False where nothing (more) can be done."""
    async with house.engine.connect() as connection:
        due = await due_in(connection, organisation_id, thread_id)
        if not due:
            return False
        slot = due[0].slot
        changes = [change for change in due if change.slot == slot]
        thread = await read_thread(connection, organisation_id, thread_id)
        posted = await read_posted(connection, organisation_id, thread_id, slot)
        view = await task_view(connection, house, organisation_id, task_id)
        message = await render(connection, view, thread, changes[-1], posted)
        if message is not None:
            message = replace(message, language=thread.language)
    outbound = house.outbounds.get(thread.platform)
    job = Sending(house, view, thread, slot, changes, posted, worker)
    if message is None or (posted is not None and posted.sha256 == fingerprint(dump(message))):
        await job.close("unchanged")
        return True
    if outbound is None:
        await job.fail(Permanent(f"this process does not speak {thread.platform}"))
        return True
    return await job.show(outbound, message)
