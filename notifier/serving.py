"""Bringing a thread up to date, in order, one server at a time."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog

from core.errors import LostLease
from core.ports import Says
from notifier.outcome import Showing
from notifier.quiet import look_again
from notifier.saying import say_what_is_due
from notifier.sending import show
from notifier.thread import Due, Taken, take
from notifier.versions import Versions
from notifier.ways import way_out

log = structlog.get_logger()


async def serve(versions: Versions, thread_id: UUID, server: str) -> None:
    """Show what is due in a thread. Another server at it means that it will do ours too.

    What came while the lease was being given back found the thread taken, so that is looked for
    once more at the end.
    """
    while True:
        taken = await take(versions.house, versions.organisation_id, thread_id, server)
        if taken is None:
            return
        try:
            taken = await look_again(versions.house, taken)
            if taken.due:
                await _bring_up_to_date(versions, taken)
        except LostLease:
            log.warning("serve.lost_thread", thread=str(thread_id))
        finally:
            await taken.lease.release()


async def _bring_up_to_date(versions: Versions, taken: Taken) -> None:
    outbound = way_out(versions.house, taken.thread.platform)
    if isinstance(outbound, Says):
        await say_what_is_due(versions, taken, outbound)
        return
    slots: dict[str, list[Due]] = {}
    for change in taken.due:
        slots.setdefault(change.slot, []).append(change)
    for slot, changes in _cards_first(slots, taken):
        if not await show(Showing(versions.house, taken, slot, changes), versions):
            return


def _cards_first(slots: Mapping[str, list[Due]], taken: Taken) -> Sequence[tuple[str, list[Due]]]:
    """Cards that stand there lose their buttons before anything else is said."""
    return sorted(
        slots.items(), key=lambda each: not (each[0] in taken.posted and shows_buttons(each[0]))
    )


def shows_buttons(slot: str) -> bool:
    """Whether it is a slot in which something is decided."""
    return slot.startswith("card:")
