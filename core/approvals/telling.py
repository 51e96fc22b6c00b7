"""Words about an approval, in direct conversations, to people it concerns in another way."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core import tasks
from core.codec import dump
from core.db import fetch_all
from core.unit import InLine, Unit
from core.words import Words


async def tell_people(
    work: Unit, task: InLine, people: Sequence[UUID], key: str, words: Words
) -> None:
    """Have each of them told. The same `key` is one message of a task, however often it is said."""
    if not people:
        return
    facts: dict[str, object] = {
        "people": [str(person) for person in people],
        "slot": f"word:{key}",
        "words": dump(words),
    }
    await tasks.notify(work, task, "approval.told", facts)


async def admins(connection: AsyncConnection, organisation_id: UUID) -> list[UUID]:
    """Those who look after the organisation."""
    rows = await fetch_all(
        connection,
        "select id from people where organisation_id = :organisation_id and active"
        " and 'admin' = any (roles) order by handle",
        {"organisation_id": organisation_id},
    )
    return [row.id for row in rows]
