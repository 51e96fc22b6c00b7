"""The documents that are decided on, to lie beside what asks for it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.email.render import DECIDES
from core.agent import Document
from core.db import fetch_all
from core.house import House
from core.messages import Attachment, Message
from core.views import task_view


async def papers_for(
    connection: AsyncConnection,
    house: House,
    organisation_id: UUID,
    task_id: UUID,
    messages: Sequence[Message],
) -> list[Attachment]:
    """The files of exactly the hashes that the messages have buttons to decide on; none where
    nothing is decided by them."""
    steps = {b.value for each in messages for b in each.buttons if b.action in DECIDES}
    if not steps:
        return []
    rows = await fetch_all(
        connection,
        "select distinct a.shown_sha256 from approvals a join approval_stages s"
        " on s.approval_id = a.id where a.organisation_id = :organisation_id"
        " and a.task_id = :task_id and cast(s.id as text) = any(:steps)",
        {"organisation_id": organisation_id, "task_id": task_id, "steps": list(steps)},
    )
    shown = {row.shown_sha256 for row in rows}
    view = await task_view(connection, house, organisation_id, task_id)
    made = [each for each in view.results.values() if isinstance(each, Document)]
    return [
        Attachment(each.sha256, each.name, each.media_type) for each in made if each.sha256 in shown
    ][:1]
