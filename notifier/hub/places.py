"""Places that are told things besides people: a webhook, a room in Teams, a channel of a chat.

A dispatch to one names it by its id. What opens it is sealed. One that answers that it is gone is
off from then on, and its owner is told so by other ways; a test that arrives turns it on again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import SYSTEM, Actor, Event
from core.channel import Channel, Posting
from core.codec import dump
from core.db import execute, fetch_all, fetch_one, from_json, to_json
from core.errors import Permanent, Refused
from core.house import House
from core.ids import new_id
from core.messages import Message
from core.notices import Notice, Recipient, publish
from core.ports import Place, Sent
from core.sealing import seal, unseal
from core.settings import Settings
from core.tags import Tag
from core.unit import Unit
from core.words import Language, Words, as_language
from notifier.hub.place_words import NO_SUCH, NOT_HERE, TAKEN
from notifier.hub.told import Told

_USE = b"miyabi: secrets of places"

PLACE_OFF = "system.place_off"
"""The topic by which an owner, or the admins, are told that a place is gone."""


@dataclass(frozen=True, slots=True)
class NoticePlace:
    """A place. `channel` is one that only sends, or a platform's name; then `workspace` and
    `address` are a chat there."""

    id: UUID
    organisation_id: UUID
    name: str
    channel: str
    address: str
    workspace: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    language: Language = "ja"
    owner_id: UUID | None = None
    off_since: datetime | None = None
    off_why: str = ""


# Rows


async def by_id(
    connection: AsyncConnection, house: House, organisation_id: UUID, place_id: UUID
) -> NoticePlace | None:
    """The place of that id; None where it was removed."""
    row = await fetch_one(
        connection,
        "select * from notice_places where organisation_id = :organisation_id and id = :id"
        " and removed_at is null",
        {"organisation_id": organisation_id, "id": place_id},
    )
    return _place(house, row) if row else None


async def by_name(
    connection: AsyncConnection, house: House, organisation_id: UUID, name: str
) -> NoticePlace:
    """The place of that name. Raises Refused."""
    row = await fetch_one(
        connection,
        "select * from notice_places where organisation_id = :organisation_id and name = :name"
        " and removed_at is null",
        {"organisation_id": organisation_id, "name": name},
    )
    if row is None:
        raise Refused(NO_SUCH.fill(name=name[:80]))
    return _place(house, row)


async def every(
    connection: AsyncConnection, house: House, organisation_id: UUID
) -> list[NoticePlace]:
    """All places of an organisation, oldest first."""
    rows = await fetch_all(
        connection,
        "select * from notice_places where organisation_id = :organisation_id"
        " and removed_at is null order by created_at, id",
        {"organisation_id": organisation_id},
    )
    return [_place(house, row) for row in rows]


def made(organisation_id: UUID, name: str, channel: str, address: str, **more: Any) -> NoticePlace:
    """A new one, not kept yet."""
    return NoticePlace(new_id(), organisation_id, name, channel, address, **more)


async def add(work: Unit, house: House, place: NoticePlace, *, actor: Actor = SYSTEM) -> None:
    """Keep a new one that was checked. Raises Refused where there is one of that name."""
    try:
        async with work.connection.begin_nested():
            await execute(
                work.connection,
                "insert into notice_places (id, organisation_id, name, channel, workspace,"
                " address, settings, secrets, language, owner_id) values (:id, :organisation_id,"
                " :name, :channel, :workspace, :address, cast(:settings as jsonb), :secrets,"
                " :language, :owner_id)",
                {**_values(house, place), "channel": place.channel},
            )
    except IntegrityError as error:
        raise Refused(TAKEN.fill(name=place.name)) from error
    data = {"name": place.name, "channel": place.channel}
    work.record(Event(place.organisation_id, place.id, Tag.PLACE_ADDED, data, actor))


async def change(work: Unit, house: House, place: NoticePlace, *, actor: Actor = SYSTEM) -> None:
    """Keep what was changed of one, and checked; its channel stays."""
    await execute(
        work.connection,
        "update notice_places set name = :name, workspace = :workspace, address = :address,"
        " settings = cast(:settings as jsonb), secrets = :secrets, language = :language,"
        " owner_id = :owner_id where organisation_id = :organisation_id and id = :id",
        _values(house, place),
    )
    work.record(Event(place.organisation_id, place.id, Tag.PLACE_CHANGED, {}, actor))


async def remove(work: Unit, place: NoticePlace, *, actor: Actor = SYSTEM) -> None:
    """Tell it nothing more, and forget what opens it."""
    await execute(
        work.connection,
        "update notice_places set removed_at = now(), secrets = null"
        " where organisation_id = :organisation_id and id = :id",
        {"organisation_id": place.organisation_id, "id": place.id},
    )
    work.record(Event(place.organisation_id, place.id, Tag.PLACE_REMOVED, {}, actor))


async def turn_off(work: Unit, place: NoticePlace, why: Words) -> bool:
    """It answered that it is gone. Its owner hears of it, or the admins; once, however many
    messages found out at the same time. Whether it was on."""
    if not await _switch(work, place, off=True, why=why.en[:500]):
        return False
    work.record(Event(place.organisation_id, place.id, Tag.PLACE_OFF, {}, SYSTEM))
    owner = await fetch_one(
        work.connection,
        "select id from people where organisation_id = :organisation_id and id = :id and active",
        {"organisation_id": place.organisation_id, "id": place.owner_id},
    )
    told = Recipient("person", str(owner.id)) if owner else Recipient("role", "admin")
    facts = {"name": place.name, "channel": place.channel, "why": dump(why)}
    await publish(work, place.organisation_id, Notice(PLACE_OFF, (told,), facts, importance="high"))
    return True


async def turn_on(work: Unit, place: NoticePlace) -> bool:
    """Something arrived there. Whether it had been off."""
    if not await _switch(work, place, off=False, why=None):
        return False
    work.record(Event(place.organisation_id, place.id, Tag.PLACE_ON, {}, SYSTEM))
    return True


async def _switch(work: Unit, place: NoticePlace, *, off: bool, why: str | None) -> bool:
    changed = await execute(
        work.connection,
        "update notice_places set off_since = case when :off then now() end, off_why = :why"
        " where organisation_id = :organisation_id and id = :id and removed_at is null"
        " and (off_since is null) = :off",
        {"organisation_id": place.organisation_id, "id": place.id, "off": off, "why": why},
    )
    return changed > 0


def _values(house: House, place: NoticePlace) -> dict[str, Any]:
    key = house.key_of(_USE)
    return {
        "id": place.id,
        "organisation_id": place.organisation_id,
        "name": place.name,
        "workspace": place.workspace,
        "address": place.address,
        "settings": to_json(dict(place.settings)),
        "secrets": seal(key, "place", str(place.id), place.secrets) if place.secrets else None,
        "language": place.language,
        "owner_id": place.owner_id,
    }


def _place(house: House, row: Any) -> NoticePlace:
    sealed = bytes(row.secrets) if row.secrets else None
    return NoticePlace(
        row.id, row.organisation_id, row.name, row.channel, row.address, row.workspace,
        from_json(row.settings),
        unseal(house.key_of(_USE), "place", str(row.id), sealed) if sealed else {},
        as_language(row.language), row.owner_id, row.off_since, row.off_why or "",
    )  # fmt: skip


# What they are told by


def chat(place: NoticePlace) -> Place:
    """A place of a chat platform, as its way out takes it."""
    return Place(place.organisation_id, place.workspace, place.address, None, None)


def as_data(told: Told) -> dict[str, Any]:
    """What programs are told of a notice beside its words: the same at each try of one revision."""
    seen = told.acknowledged_at
    return {
        "id": str(told.id),
        "topic": told.topic,
        "importance": told.importance,
        "facts": dict(told.facts),
        "task": told.task,
        "count": told.count,
        "resolved": told.resolved,
        "cancelled": told.cancelled,
        "acknowledged_at": seen.isoformat(timespec="seconds") if seen else None,
        "time": told.at.isoformat(timespec="seconds"),
    }


def posting(
    place: NoticePlace,
    message: Message,
    notice: Mapping[str, Any],
    key: str,
    *,
    again: bool = False,
    edits: Sent | None = None,
) -> Posting:
    """One message on its way to a place of a channel that only sends."""
    return Posting(
        place.organisation_id, place.address, place.settings, place.secrets, message, notice, key,
        again, edits,
    )  # fmt: skip


async def tell(
    house: House,
    settings: Settings,
    channels: Mapping[str, Channel],
    place: NoticePlace,
    message: Message,
    notice: Mapping[str, Any],
) -> Sent:
    """Say something there once, at once: a test. Raises what ways out raise."""
    key = str(new_id())
    channel = channels.get(place.channel)
    if channel is not None:
        return await channel.send(settings, posting(place, message, notice, key))
    outbound = house.outbounds.get(place.channel)
    send = getattr(outbound, "send", None)
    if send is None:  # it says things to people only
        raise Permanent(NOT_HERE.fill(channel=place.channel))
    sent: Sent = await send(chat(place), message, key)
    return sent
