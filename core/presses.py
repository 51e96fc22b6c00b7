"""What is behind the opaque ids that buttons carry where a platform has no room for more."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from core.db import execute, fetch_one_alone, to_json
from core.unit import Unit


async def keep(work: Unit, organisation_id: UUID, presses: Iterable[tuple[str, str, str]]) -> None:
    """Keep ids with their actions and values. The same id is always of the same two."""
    rows = [{"id": each, "action": action, "value": value} for each, action, value in presses]
    await execute(
        work.connection,
        "insert into presses (organisation_id, id, action, value)"
        " select :organisation_id, id, action, value"
        " from jsonb_to_recordset(cast(:presses as jsonb)) as press"
        " (id text, action text, value text) on conflict do nothing",
        {"organisation_id": organisation_id, "presses": to_json(rows)},
    )


async def behind(engine: AsyncEngine, organisation_id: UUID, press: str) -> tuple[str, str] | None:
    """Action and value of what was pressed; None for an id that is not ours."""
    row = await fetch_one_alone(
        engine,
        "select action, value from presses where organisation_id = :organisation_id and id = :id",
        {"organisation_id": organisation_id, "id": press.replace("\x00", "")},
    )
    return (row.action, row.value) if row else None
