"""Conversations of several people: which there are, and whether amounts are shown in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from core.db import fetch_all, fetch_one
from core.tags import Tag
from core.unit import Unit


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation of several people, as far as its platform tells of it."""

    platform: str
    workspace: str
    channel: str
    name: str
    amounts: bool
    joined_at: datetime
    left_at: datetime | None


async def chats_of(
    connection: AsyncConnection, organisation_id: UUID, platform: str | None = None
) -> Sequence[Chat]:
    """All of an organisation, on one platform or on any, the oldest first."""
    rows = await fetch_all(
        connection,
        "select platform, workspace, channel, name, amounts, joined_at, left_at from chats"
        " where organisation_id = :organisation_id"
        " and platform = coalesce(:platform, platform) order by joined_at, channel",
        {"organisation_id": organisation_id, "platform": platform},
    )
    return [Chat(**row._asdict()) for row in rows]


async def shows_amounts(
    connection: AsyncConnection,
    organisation_id: UUID,
    platform: str,
    workspace: str,
    channel: str,
) -> bool:
    """Whether amounts may be shown in a conversation of several people; not where nobody said."""
    row = await fetch_one(
        connection,
        "select amounts from chats where organisation_id = :organisation_id"
        " and platform = :platform and workspace = :workspace and channel = :channel",
        {
            "organisation_id": organisation_id,
            "platform": platform,
            "workspace": workspace,
            "channel": channel,
        },
    )
    return bool(row and row.amounts)


async def set_amounts(
    work: Unit,
    organisation_id: UUID,
    platform: str,
    workspace: str,
    channel: str,
    on: bool,
    *,
    actor: Actor = SYSTEM,
) -> bool:
    """Say whether amounts may be shown there from now on, also in one not heard of before. False
    where it was so already, or the conversation is another organisation's."""
    changed = await fetch_one(
        work.connection,
        "insert into chats as c (organisation_id, platform, workspace, channel, amounts)"
        " select :organisation_id, :platform, :workspace, :channel, :on where :on or exists"
        " (select from chats where organisation_id = :organisation_id and platform = :platform"
        " and workspace = :workspace and channel = :channel)"
        " on conflict (platform, workspace, channel) do update set amounts = excluded.amounts"
        " where c.organisation_id = :organisation_id and c.amounts <> excluded.amounts"
        " returning channel",
        {
            "organisation_id": organisation_id,
            "platform": platform,
            "workspace": workspace,
            "channel": channel,
            "on": on,
        },
    )
    if changed is None:
        return False
    data: dict[str, JSON] = {
        "platform": platform,
        "workspace": workspace,
        # What a platform calls a conversation stands nowhere in the log.
        "chat_sha256": sha256(channel.encode()).hexdigest(),
        "amounts": on,
    }
    work.record(Event(organisation_id, organisation_id, Tag.CHAT_CHANGED, data, actor))
    return True
