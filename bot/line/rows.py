"""The rows of `installations` for LINE's channels."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from audit.event import SYSTEM, Actor, Event
from core.db import fetch_alone, fetch_one
from core.ids import new_id
from core.tags import Tag
from core.unit import Unit


async def save(
    work: Unit,
    organisation_id: UUID,
    workspace: str,
    name: str,
    sealed: bytes | None,
    actor: Actor = SYSTEM,
) -> None:
    """Write a channel's row, with what opens it: `secret`, `channel_id` and `token`, sealed.

    Without it what the row has stays, and what that lacks is the settings'. One that came from
    there introduces itself at every start, which is news only where the row changes.
    """
    row = await fetch_one(
        work.connection,
        "insert into installations as i (id, organisation_id, platform, workspace, name, secrets)"
        " values (:id, :organisation_id, 'line', :workspace, :name, :sealed)"
        " on conflict (platform, workspace) do update set name = excluded.name,"
        " secrets = coalesce(excluded.secrets, i.secrets), installed_at = now(), removed_at = null"
        " where i.removed_at is not null or i.name <> excluded.name"
        " or (excluded.secrets is not null and i.secrets is distinct from excluded.secrets)"
        " returning id, organisation_id",
        {
            "id": new_id(),
            "organisation_id": organisation_id,
            "workspace": workspace,
            "name": name,
            "sealed": sealed,
        },
    )
    if row is not None:
        data = {"platform": "line", "workspace": workspace}
        work.record(Event(row.organisation_id, row.id, Tag.WORKSPACE_CONNECTED, data, actor))


async def remove(work: Unit, organisation_id: UUID, workspace: str) -> None:
    """Forget what opens a channel of the organisation; nothing reaches it any more."""
    row = await fetch_one(
        work.connection,
        "update installations set removed_at = now(), secrets = null"
        " where platform = 'line' and workspace = :workspace and removed_at is null"
        " and organisation_id = :organisation_id returning id",
        {"workspace": workspace, "organisation_id": organisation_id},
    )
    if row is not None:
        data = {"platform": "line", "workspace": workspace}
        work.record(Event(organisation_id, row.id, Tag.WORKSPACE_REMOVED, data))


async def owner(connection: AsyncConnection, workspace: str) -> UUID | None:
    """The organisation that a channel belongs to, also where it is no longer connected."""
    row = await fetch_one(
        connection,
        # across organisations: a channel belongs to exactly one, and this says which
        "select organisation_id from installations where platform = 'line'"
        " and workspace = :workspace",
        {"workspace": workspace},
    )
    return row.organisation_id if row is not None else None


async def connected(engine: AsyncEngine, organisation_id: UUID | None) -> Sequence[str]:
    """The connected channels, the oldest first: of an organisation, or all there are."""
    found = await fetch_alone(
        engine,
        # across organisations: where none is named, the operator's list
        "select workspace from installations where platform = 'line' and removed_at is null"
        " and (cast(:of as uuid) is null or organisation_id = :of) order by installed_at",
        {"of": organisation_id},
    )
    return [row.workspace for row in found]
