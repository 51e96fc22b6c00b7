"""A company's own words for topics, as they are kept."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import SYSTEM, Actor, Event
from core.db import execute, fetch_all, fetch_one
from core.ids import new_id
from core.tags import Tag
from core.unit import Unit
from core.words import Language
from notifier.hub.rendering import Own


@dataclass(frozen=True, slots=True)
class Kept:
    """One of them."""

    topic: str
    language: Language
    body: str
    set_at: datetime
    set_by: str | None


async def every(connection: AsyncConnection, organisation_id: UUID) -> Sequence[Kept]:
    """All of a company's, by topic and language."""
    rows = await fetch_all(
        connection,
        "select t.topic, t.language, t.body, t.set_at, p.name as set_by from notice_templates t"
        " left join people p on p.id = t.set_by where t.organisation_id = :organisation_id"
        " and t.removed_at is null order by t.topic, t.language",
        {"organisation_id": organisation_id},
    )
    return [Kept(**row._mapping) for row in rows]


async def own_of(connection: AsyncConnection, organisation_id: UUID) -> Own:
    """What stands in place of ours."""
    found = await every(connection, organisation_id)
    return {(each.topic, each.language): each.body for each in found}


async def put(
    work: Unit,
    organisation_id: UUID,
    topic: str,
    language: Language,
    body: str,
    *,
    set_by: UUID | None = None,
    actor: Actor = SYSTEM,
) -> bool:
    """Keep a text that was tried before (notifier/hub/trying.py); False where it is there already.
    What was there stays in the table, out of force."""
    await _lock(work, organisation_id)
    standing = await fetch_one(
        work.connection,
        "select body from notice_templates where organisation_id = :organisation_id"
        " and topic = :topic and language = :language and removed_at is null",
        {"organisation_id": organisation_id, "topic": topic, "language": language},
    )
    if standing is not None and standing.body == body:
        return False
    await _take_away(work, organisation_id, topic, language)
    await execute(
        work.connection,
        "insert into notice_templates (id, organisation_id, topic, language, body, set_by)"
        " values (:id, :organisation_id, :topic, :language, :body, :set_by)",
        {
            "id": new_id(),
            "organisation_id": organisation_id,
            "topic": topic,
            "language": language,
            "body": body,
            "set_by": set_by,
        },
    )
    _record(work, organisation_id, topic, language, body, actor)
    return True


async def remove(
    work: Unit, organisation_id: UUID, topic: str, language: Language, *, actor: Actor = SYSTEM
) -> bool:
    """Ours again; False where it was ours."""
    await _lock(work, organisation_id)
    if not await _take_away(work, organisation_id, topic, language):
        return False
    _record(work, organisation_id, topic, language, None, actor)
    return True


async def _lock(work: Unit, organisation_id: UUID) -> None:
    await execute(
        work.connection,
        "select id from organisations where id = :organisation_id for no key update",
        {"organisation_id": organisation_id},
    )


async def _take_away(work: Unit, organisation_id: UUID, topic: str, language: Language) -> int:
    return await execute(
        work.connection,
        "update notice_templates set removed_at = now() where organisation_id = :organisation_id"
        " and topic = :topic and language = :language and removed_at is null",
        {"organisation_id": organisation_id, "topic": topic, "language": language},
    )


def _record(
    work: Unit,
    organisation_id: UUID,
    topic: str,
    language: Language,
    body: str | None,
    actor: Actor,
) -> None:
    sha256 = hashlib.sha256(body.encode()).hexdigest() if body is not None else None
    data = {"topic": topic, "language": language, "sha256": sha256}
    work.record(Event(organisation_id, organisation_id, Tag.TEMPLATE_CHANGED, data, actor))
