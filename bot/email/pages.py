"""The links in a letter that lead to pages on which a step is decided."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from bot.email.render import DECIDES
from core.ack_links import Asked, ack_link
from core.acknowledging import ACK
from core.approvals.by_link import page_link
from core.db import fetch_all
from core.house import House
from core.messages import Message
from core.unit import Unit

LASTS = timedelta(days=14)
"""That a page opens, where the settings do not say."""


async def pages_for(
    work: Unit,
    house: House,
    organisation_id: UUID,
    person_id: UUID | None,
    messages: Sequence[Message],
    lasts: timedelta = LASTS,
) -> dict[str, str]:
    """The address of a page for each step that the messages have buttons to decide, and for each
    notice that they have one to acknowledge, by its id. Of each letter its own; none for nobody in
    particular, and without a public address."""
    steps = {
        UUID(button.value)
        for message in messages
        for button in message.buttons
        if button.action in DECIDES and _is_id(button.value)
    }
    if person_id is None:
        return {}
    found = _acks(house, organisation_id, person_id, messages)
    if not steps:
        return found
    rows = await fetch_all(
        work.connection,
        "select s.id, s.approval_id from approval_stages s join approvals a on a.id = s.approval_id"
        " where a.organisation_id = :organisation_id and s.id = any(:steps) order by s.id",
        {"organisation_id": organisation_id, "steps": list(steps)},
    )
    for row in rows:
        link = await page_link(
            work, house, organisation_id, row.approval_id, row.id, person_id, lasts
        )
        if link is not None:
            found[str(row.id)] = link
    return found


def _acks(
    house: House, organisation_id: UUID, person_id: UUID, messages: Sequence[Message]
) -> dict[str, str]:
    found = {}
    for button in (button for message in messages for button in message.buttons):
        if button.action == ACK and _is_id(button.value):
            link = ack_link(house, Asked(organisation_id, UUID(button.value), person_id))
            if link is not None:
                found[button.value] = link
    return found


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
