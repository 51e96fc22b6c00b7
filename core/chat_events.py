"""What is heard of a conversation besides words: that we joined or left it, what was taken back."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

from audit.event import JSON, Event
from core.arrivals import Arrival
from core.db import execute, fetch_all
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


async def member_left(work: Unit, arrival: Arrival, account: str) -> None:
    """Somebody is no longer in a conversation of several people: what they asked for there, and is
    not finished, goes on in their own conversation with us, which is called by their account."""
    moved = await fetch_all(
        work.connection,
        "update threads h set channel = :account, root = :account from tasks t, accounts a"
        " where h.organisation_id = :organisation_id and t.id = h.task_id"
        " and t.finished_at is null and h.person_id is null and h.platform = :platform"
        " and h.workspace = :workspace and h.channel = :channel and h.account = :account"
        " and a.organisation_id = :organisation_id and a.platform = :platform"
        " and a.workspace = :workspace and a.external_id = :account and a.person_id = t.person_id"
        " returning t.person_id",
        _place(arrival) | {"account": account},
    )
    if moved:
        event = _event(Tag.CHAT_MEMBER_LEFT, arrival, {"tasks": len(moved)})
        work.record(replace(event, stream=moved[0].person_id))


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
