"""What of a digest is still to be told when it goes out, and the one notice that tells it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Row

from audit.event import JSON, Event
from core.db import execute, fetch_all, from_json
from core.notices import IMPORTANCES, Importance, Notice, Recipient, publish, wake
from core.people import accounts_of
from core.preferences import Preferences, muted, muting
from core.tags import Tag
from core.unit import Unit
from notifier.hub.still_true import DECIDED, DECIDERS, has_right
from notifier.hub.topics import topic_of

TOPIC = "digest"
QUIET = "quiet"


class Due(Protocol):
    """A digest that is due, claimed, with whose it is."""

    @property
    def id(self) -> UUID: ...
    @property
    def organisation_id(self) -> UUID: ...
    @property
    def person_id(self) -> UUID: ...
    @property
    def kind(self) -> str: ...
    @property
    def active(self) -> bool: ...
    @property
    def roles(self) -> Collection[str]: ...
    @property
    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Item:
    """One notice that waits in it, with the dispatches that would have told it."""

    notice: Row[Any]
    dispatches: tuple[Row[Any], ...]


# Locked, so that an acknowledgement that comes meanwhile waits, or we for it.
_HELD = f"""
    select d.id, d.channel, n.id as notice_id, n.topic, n.importance, n.facts,
        n.count as times, n.resolved, n.task_id, t.reference, n.created_at, n.recipients,
        {DECIDERS} as deciders,
        case
            when not :active then 'left'
            when n.acknowledged_at is not null then 'acknowledged'
            when n.cancelled_at is not null then 'cancelled'
            when n.expires_at <= now() then 'expired'
            when {DECIDED} then 'decided'
            when exists (select from dispatches r where r.organisation_id = :organisation_id
                and r.notice_id = d.notice_id and r.person_id = d.person_id
                and r.state = 'read') then 'read_elsewhere'
        end as untrue
    from dispatches d join notices n on n.id = d.notice_id
        left join tasks t on t.id = n.task_id left join approvals a on a.id = n.approval_id
    where d.organisation_id = :organisation_id and d.digest_id = :digest_id and d.state = 'held'
    order by n.created_at, n.id, d.place_in_line
    for update of d
"""  # noqa: S608  # constants


async def held_items(
    work: Unit, digest: Due, chosen: Preferences, *, heard: bool
) -> tuple[Sequence[Item], int]:
    """What is still to be told, the oldest first, and how much is not: what has become untrue, was
    read or decided, or is not wanted any more is dropped with its reason.

    `heard`: they want digests at all; without, what they need to know is left.
    """
    rows = await fetch_all(
        work.connection,
        _HELD,
        {
            "organisation_id": digest.organisation_id,
            "digest_id": digest.id,
            "active": digest.active,
        },
    )
    dropped: list[tuple[Row[Any], str]] = []
    items: dict[UUID, Item] = {}
    for row in rows:
        why: str | None = row.untrue
        if why is None and not has_right(row, digest.person_id, digest.roles):
            why = "no_right"
        if why is None and not topic_of(row.topic).needed:
            silent = not heard or muted(chosen, row.topic, row.task_id, digest.now)
            why = "muted" if silent else None
        if why is not None:
            dropped.append((row, why))
            continue
        told = items.get(row.notice_id, Item(row, ()))
        items[row.notice_id] = Item(told.notice, (*told.dispatches, row))
    await _drop(work, digest, dropped)
    left_out = {row.notice_id for row, _ in dropped} - set(items)
    return list(items.values()), len(left_out)


async def _drop(work: Unit, digest: Due, dropped: Sequence[tuple[Row[Any], str]]) -> None:
    if not dropped:
        return
    await execute(
        work.connection,
        "update dispatches d set state = 'dropped', reason = u.reason, held_until = null"
        " from unnest(cast(:ids as uuid[]), cast(:reasons as text[])) as u (id, reason)"
        " where d.organisation_id = :organisation_id and d.id = u.id",
        {
            "organisation_id": digest.organisation_id,
            "ids": [row.id for row, _ in dropped],
            "reasons": [why for _, why in dropped],
        },
    )
    for row, why in dropped:
        _record(work, digest, row, Tag.DISPATCH_DROPPED, reason=why)


def _record(work: Unit, of: Due, row: Row[Any], tag: Tag, **said: JSON) -> None:
    data: dict[str, JSON] = {"dispatch": str(row.id), "channel": row.channel, **said}
    work.record(Event(of.organisation_id, row.notice_id, tag, data))


async def tell_together(
    work: Unit, digest: Due, items: Sequence[Item], left_out: int, most: int, *, heard: bool
) -> None:
    """Close it: one notice for all; for none, none. One alone that quiet hours held goes out as it
    is, with its buttons; and so does all that is left for somebody who wants no digests."""
    dispatches = [row for item in items for row in item.dispatches]
    alone = not heard or (digest.kind == QUIET and len(items) == 1)
    notice_id = None
    if items and not alone:
        importances: list[Importance] = [item.notice.importance for item in items]
        notice_id = await publish(
            work,
            digest.organisation_id,
            Notice(
                TOPIC,
                (Recipient("person", str(digest.person_id)),),
                facts=facts_of(digest.kind, items, most),
                importance=max(importances, key=IMPORTANCES.index),
            ),
        )
    await execute(
        work.connection,
        "with told as (update dispatches set held_until = null,"
        " state = case when :alone then 'queued' else 'digested' end,"
        " digest_id = case when :alone then null else digest_id end,"
        " reason = null, next_at = now()"
        " where organisation_id = :organisation_id and id = any(:ids))"
        " update digests set state = :state, notice_id = :notice_id, closed_at = now()"
        " where organisation_id = :organisation_id and id = :id",
        {
            "alone": alone,
            "organisation_id": digest.organisation_id,
            "ids": [row.id for row in dispatches],
            "state": "closed" if items else "empty",
            "notice_id": notice_id,
            "id": digest.id,
        },
    )
    for row in () if alone else dispatches:
        _record(work, digest, row, Tag.DISPATCH_DIGESTED, digest=str(digest.id))
    data: dict[str, JSON] = {
        "digest": str(digest.id),
        "items": len(items),
        "left_out": left_out,
    }
    work.record(Event(digest.organisation_id, digest.person_id, Tag.DIGEST_CLOSED, data))
    await wake(work)


async def hears_digests(work: Unit, digest: Due, chosen: Preferences) -> bool:
    """Whether there is a way by which they want digests."""
    mutes = muting(chosen, TOPIC, None, digest.now)
    if not mutes:
        return True
    if any(not mute.channel for mute in mutes):
        return False
    accounts = await accounts_of(work.connection, digest.organisation_id, digest.person_id)
    barred = {mute.channel for mute in mutes}
    return any(each.platform not in barred for each in accounts if each.listens)


def facts_of(kind: str, items: Sequence[Item], most: int) -> dict[str, Any]:
    """What the digest's template is told: the first so many, and how many there are. Whoever wants
    the rest says `notify list`."""
    return {
        "kind": kind,
        "items": [
            {
                "notice": str(item.notice.notice_id),
                "topic": item.notice.topic,
                "importance": item.notice.importance,
                "facts": from_json(item.notice.facts),
                "count": item.notice.times,
                "resolved": item.notice.resolved,
                "task": item.notice.reference,
                "at": item.notice.created_at.isoformat(),
            }
            for item in items[:most]
        ],
        "total": len(items),
        "left": max(0, len(items) - most),
    }
