"""What a platform hears of a dispatch after it was sent: that it came back after all."""

from uuid import UUID

from audit.event import JSON, Event
from core.db import fetch_one
from core.notices import wake
from core.tags import Tag
from core.unit import Unit
from core.words import Words


async def came_back(work: Unit, organisation_id: UUID, dispatch_id: UUID, why: Words) -> bool:
    """It has not reached whom it was for, although it was sent: the hub tells them by the next of
    their ways. False where there is no such dispatch, or that was known."""
    row = await fetch_one(
        work.connection,
        "update dispatches set state = 'failed', reason = 'bounced', permanent = true,"
        " error = :why, next_at = now() where organisation_id = :organisation_id and id = :id"
        " and state in ('sent', 'unknown', 'delivered') returning notice_id, channel",
        {"organisation_id": organisation_id, "id": dispatch_id, "why": why.en},
    )
    if row is None:
        return False
    data: dict[str, JSON] = {
        "dispatch": str(dispatch_id),
        "channel": row.channel,
        "reason": "bounced",
        "permanent": True,
    }
    work.record(Event(organisation_id, row.notice_id, Tag.DISPATCH_FAILED, data))
    await wake(work)
    return True
