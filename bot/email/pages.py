"""The links in a letter that lead to pages on which a step is decided."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from bot.email.render import DECIDES
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
    """The address of a page for each step that the messages have buttons to decide, by the step's
    id. Of each letter its own; none for nobody in particular, and without a public address."""
    steps = {
        UUID(button.value)
        for message in messages
        for button in message.buttons
        if button.action in DECIDES and _is_id(button.value)
    }
    if person_id is None or not steps:
        return {}
    rows = await fetch_all(
        work.connection,
        "select s.id, s.approval_id from approval_stages s join approvals a on a.id = s.approval_id"
        " where a.organisation_id = :organisation_id and s.id = any(:steps) order by s.id",
        {"organisation_id": organisation_id, "steps": list(steps)},
    )
    found: dict[str, str] = {}
    for row in rows:
        link = await page_link(
            work, house, organisation_id, row.approval_id, row.id, person_id, lasts
        )
        if link is not None:
            found[str(row.id)] = link
    return found


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
