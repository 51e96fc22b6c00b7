"""What is heard of a conversation besides words: that we joined or left it, what was taken back."""

from hashlib import sha256
from typing import Any

from audit.event import JSON, Event
from core.arrivals import Arrival
from core.db import execute
from core.tags import Tag
from core.unit import Unit


async def joined(work: Unit, arrival: Arrival) -> None:
    """We are in a conversation of several people from now on, or once more. Whether amounts may be
    shown there has to be said anew where we had left it: others may be there now."""
    await execute(
        work.connection,
        "insert into chats as c (organisation_id, platform, workspace, channel)"
        " values (:organisation_id, :platform, :workspace, :channel)"
        " on conflict (platform, workspace, channel) do update set joined_at = now(),"
        " amounts = c.amounts and c.left_at is null, left_at = null"
        " where c.organisation_id = :organisation_id",
        _place(arrival),
    )
    work.record(_event(Tag.CHAT_JOINED, arrival))


async def left(work: Unit, arrival: Arrival) -> None:
    """We were removed from it, or it is no more."""
    await execute(
        work.connection,
        "insert into chats as c (organisation_id, platform, workspace, channel, left_at)"
        " values (:organisation_id, :platform, :workspace, :channel, now())"
        " on conflict (platform, workspace, channel) do update set left_at = now()"
        " where c.organisation_id = :organisation_id",
        _place(arrival),
    )
    work.record(_event(Tag.CHAT_LEFT, arrival))


async def unsent(work: Unit, arrival: Arrival, message: str) -> None:
    """Somebody took back what they had said. Nothing is undone by it: it is known that they did."""
    data: dict[str, JSON] = {"message_sha256": sha256(message.encode()).hexdigest()}
    work.record(_event(Tag.MESSAGE_UNSENT, arrival, data))


def _event(tag: Tag, arrival: Arrival, more: dict[str, JSON] | None = None) -> Event:
    """Of the organisation; what a platform calls a conversation stands nowhere in the log."""
    data: dict[str, JSON] = {
        "platform": arrival.platform,
        "workspace": arrival.workspace,
        "chat_sha256": sha256(arrival.chat.encode()).hexdigest(),
        **(more or {}),
    }
    return Event(arrival.organisation_id, arrival.organisation_id, tag, data)


def _place(arrival: Arrival) -> dict[str, Any]:
    return {
        "organisation_id": arrival.organisation_id,
        "platform": arrival.platform,
        "workspace": arrival.workspace,
        "channel": arrival.chat,
    }
