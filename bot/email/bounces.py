"""A letter came back: what becomes of it, of its address, and of what it was to say."""

from uuid import UUID

from audit.event import JSON, Event
from bot.email import addresses_kept, wording
from bot.email.reading.mail import Failed
from core import deliveries, dispatches
from core.db import fetch_one
from core.errors import TryLater
from core.inbound import Sender
from core.tags import Tag
from core.unit import Unit


async def bounced(
    work: Unit,
    organisation_id: UUID,
    failed: Failed,
    letter_id: UUID | None,
    why: str,
    *,
    surely: bool = True,
) -> None:
    """Take what a report says of a letter of ours; of anything else, nothing.

    One that will not be delivered counts against its address: one pauses nothing, the second in a
    row does. What it told is told by the next account of whoever it was for. One that is only
    delayed changes nothing. Said twice, it is the same. Not `surely`: others may know what the
    report knows. It has to name the address, and pauses nothing. Raises TryLater where the letter
    is just being sent.
    """
    if letter_id is None:
        return
    scope: dict[str, object] = {"organisation_id": organisation_id, "id": letter_id}
    row = await fetch_one(
        work.connection,
        "select l.recipient, l.state, l.thread_id is not null as told, o.slug from letters l"
        " join organisations o on o.id = l.organisation_id"
        " where l.organisation_id = :organisation_id and l.id = :id for update of l",
        scope,
    )
    if row is None or row.state not in {"sending", "sent", "unknown"}:
        return
    if not surely and failed.recipient.lower() != row.recipient:
        return
    if row.state == "sending":
        raise TryLater(wording.UNDER_WAY)
    if row.told and await deliveries.is_under_way(work.connection, organisation_id, letter_id):
        raise TryLater(wording.UNDER_WAY)  # what it told is about to be written as told
    status = failed.status[:20]
    if not failed.permanent:
        event: dict[str, JSON] = {"permanent": False, "status": status, "paused": None}
        work.record(Event(organisation_id, letter_id, Tag.LETTER_BOUNCED, event))
        return
    await fetch_one(
        work.connection,
        "update letters set state = 'bounced', error = :why"
        " where organisation_id = :organisation_id and id = :id returning id",
        {**scope, "why": why[:300] or status or "bounced"},
    )
    sender = Sender("email", row.slug, row.recipient)
    until = await addresses_kept.bounced(work, sender, organisation_id) if surely else None
    paused = until.isoformat(timespec="seconds") if until is not None else None
    event = {"permanent": True, "status": status, "paused": paused}
    work.record(Event(organisation_id, letter_id, Tag.LETTER_BOUNCED, event))
    words = wording.BOUNCED.fill(address=row.recipient)
    if row.told:
        await deliveries.came_back(work, organisation_id, letter_id, words)
    else:
        await dispatches.came_back(work, organisation_id, letter_id, words)
