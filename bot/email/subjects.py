"""What a letter is called: the number of its task always, and the same all along a conversation."""

import re
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.email import wording
from bot.email.boxes import Box
from bot.email.compose import one_line
from core.db import fetch_one
from core.messages import Message

LONGEST = 120
"""Characters of a subject; mail clients show some 60."""

_ANSWERS = re.compile(
    r"^(?:\s*(?:re|aw|sv|antw|回复|答复|返信)(?:\[\d+\])?\s*[:：])+", re.IGNORECASE
)


async def answer_subject(
    connection: AsyncConnection,
    box: Box,
    task_id: UUID | None,
    subject: str | None,
    message: Message,
) -> str:
    """The subject of an answer to a mail: its own, with the number of the task it is about."""
    if task_id is None:
        return answering(subject, message)
    row = await fetch_one(
        connection,
        "select reference from tasks where organisation_id = :organisation_id and id = :id",
        {"organisation_id": box.organisation_id, "id": task_id},
    )
    return answering(subject, message, row.reference if row is not None else None)


def answering(subject: str | None, message: Message, reference: int | None = None) -> str:
    """`Re: [#1042] 見積のお願い`: the number in front, where programs that thread by subjects
    take it for a list's."""
    bare = _ANSWERS.sub("", one_line(subject or "")).strip()
    if not bare:
        return beginning(message, reference)
    if reference is not None and not _names(bare[: LONGEST - 4], reference):
        bare = f"[#{reference}] {bare}"
    return f"Re: {bare}"[:LONGEST]


def beginning(message: Message, reference: int | None = None) -> str:
    """The subject of a conversation that we begin."""
    title = one_line(message.title) or one_line(message.text.partition("\n")[0])
    title = title or wording.FROM_MIYABI.to(message.language)
    if reference is None or _names(title[:LONGEST], reference):
        return title[:LONGEST]
    return f"[#{reference}] {title}"[:LONGEST]


def _names(subject: str, reference: int) -> bool:
    return re.search(rf"#{reference}(?!\d)", subject) is not None
