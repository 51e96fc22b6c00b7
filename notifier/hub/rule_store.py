"""A company's rules as they are kept: a file, whole, each change a version of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import SYSTEM, Actor, Event
from core.db import execute, fetch_all, to_json
from core.tags import Tag
from core.unit import Unit


@dataclass(frozen=True, slots=True)
class Version:
    """One version; an empty `source` is none of the company's own."""

    version: int
    source: str
    set_at: datetime
    set_by: str | None
    rules: int


async def put(
    work: Unit,
    organisation_id: UUID,
    source: str,
    rules: int,
    *,
    set_by: UUID | None = None,
    actor: Actor = SYSTEM,
) -> int | None:
    """Put a file's text in force, which was read before (notifier/hub/rule_file.py) and has so many
    rules; gives its version, None where nothing has changed. One at a time for a company."""
    await execute(
        work.connection,
        "select id from organisations where id = :organisation_id for no key update",
        {"organisation_id": organisation_id},
    )
    before = await versions(work.connection, organisation_id, most=1)
    if source == (before[0].source if before else ""):
        return None
    version = before[0].version + 1 if before else 1
    await execute(
        work.connection,
        "insert into notice_rules (organisation_id, version, body, set_by)"
        " values (:organisation_id, :version, cast(:body as jsonb), :set_by)",
        {
            "organisation_id": organisation_id,
            "version": version,
            "body": to_json({"source": source, "rules": rules}),
            "set_by": set_by,
        },
    )
    sha256 = hashlib.sha256(source.encode()).hexdigest()
    work.record(
        Event(
            organisation_id,
            organisation_id,
            Tag.RULES_CHANGED,
            {"version": version, "sha256": sha256},
            actor,
        )
    )
    return version


async def versions(
    connection: AsyncConnection, organisation_id: UUID, most: int = 20
) -> Sequence[Version]:
    """The newest so many, the newest first."""
    rows = await fetch_all(
        connection,
        "select r.version, r.body ->> 'source' as source, r.set_at, p.name as set_by,"
        " cast(r.body ->> 'rules' as integer) as rules"
        " from notice_rules r left join people p on p.id = r.set_by"
        " where r.organisation_id = :organisation_id order by r.version desc limit :most",
        {"organisation_id": organisation_id, "most": most},
    )
    return [Version(**row._mapping) for row in rows]
