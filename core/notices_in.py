"""Notices of programs in one statement: each with its event, and all that come together in one go.

The key that a program gives makes it once: what is sent again finds the first. The statement
confirms that the program may still send, so that a process may remember who called.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from audit.event import Actor, Event, canonical
from core.codec import dump
from core.db import Named, fetch_alone, fetch_one_alone, from_json, to_json
from core.ids import new_id
from core.notice_senders import Sender
from core.notices import WAKES, Notice
from core.tags import Tag

ACTOR = Actor(channel="notify")
"""Whom events name where a program did something: its id stands in their data."""

Values = dict[str, Any]
"""What the statement is told of one notice, by the names of `_GIVEN`."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one. `again`: it had been taken in before. `differs`: under that key it was
    something else, and nothing was done."""

    id: UUID
    again: bool
    differs: bool


def values_of(sender: Sender, key: str, content: bytes, notice: Notice) -> Values:
    """A notice as the statement takes it. `content` is what came with the key, byte by byte."""
    notice_id = new_id()
    event = Event(
        sender.organisation_id,
        notice_id,
        Tag.NOTICE_PUBLISHED,
        {
            "topic": notice.topic,
            "importance": notice.importance,
            "sender": str(sender.id),
            "task": None,
        },
        ACTOR,
    )
    return {
        "id": notice_id,
        "organisation_id": sender.organisation_id,
        "sender_id": sender.id,
        "topic": notice.topic,
        "importance": notice.importance,
        "facts": to_json(dict(notice.facts)),
        "recipients": to_json([{"kind": to.kind, "of": to.of} for to in notice.recipients]),
        "actions": to_json([dump(action) for action in notice.actions]),
        "file": to_json(dump(notice.file)) if notice.file else None,
        "key": key,
        "key_sha256": hashlib.sha256(content).digest(),
        "group_key": notice.group,
        "resolved": notice.resolved,
        "ladder": to_json(dump(notice.ladder)) if notice.ladder else None,
        "expires_at": notice.expires_at,
        "event": canonical(event.body()),
    }


async def take_in(engine: AsyncEngine, given: Sequence[Values]) -> list[Taken | None]:
    """Write them all, or find those that were there; None where the program may send no more.

    Of two with the same key at once the first counts, in one call and in several.
    """
    columns = {name: [values[name] for values in given] for name in _GIVEN}
    rows = await fetch_alone(engine, _STORE, {**columns, "wakes": WAKES})
    found: dict[tuple[UUID, str], Named] = {(row.sender_id, row.key): row for row in rows}
    taken = [_taken(values, found.get((values["sender_id"], values["key"]))) for values in given]
    missed = [
        values
        for values, each in zip(given, taken, strict=True)
        if each is None and (values["sender_id"], values["key"]) not in found
    ]
    if not missed:
        return taken
    # Whoever had the key was not committed yet when the statement began to look.
    late = await fetch_alone(engine, _LATE, {name: [v[name] for v in missed] for name in _KEYS})
    found |= {(row.sender_id, row.key): row for row in late}
    return [_taken(values, found.get((values["sender_id"], values["key"]))) for values in given]


def _taken(values: Values, row: Named | None) -> Taken | None:
    if row is None:
        return None
    return Taken(row.id, row.id != values["id"], bytes(row.key_sha256) != values["key_sha256"])


_KEYS = ("sender_id", "key")
_GIVEN = {
    "id": "uuid", "organisation_id": "uuid", "sender_id": "uuid", "topic": "text",
    "importance": "text", "facts": "jsonb", "recipients": "jsonb", "actions": "jsonb",
    "file": "jsonb", "key": "text", "key_sha256": "bytea", "group_key": "text",
    "resolved": "boolean", "ladder": "jsonb", "expires_at": "timestamptz", "event": "text",
}  # fmt: skip
"""What is said of each, and of which type it is."""

_NAMES = ", ".join(_GIVEN)
_CASTS = ", ".join(f"cast(:{name} as {kind}[]) as {name}" for name, kind in _GIVEN.items())
_COLUMNS = ", ".join(name for name in _GIVEN if name != "event")

# `given` hides how many there are from the planner: it would plan anew for each number.
_STORE = f"""
    with given as materialized (
        select {_CASTS}
    ), asked as materialized (
        select each.* from given,
            unnest({_NAMES}) with ordinality as each({_NAMES}, place)
    ), allowed as materialized (
        select distinct on (asked.sender_id, asked.key) asked.* from asked
        join notice_senders s on s.id = asked.sender_id
            and s.organisation_id = asked.organisation_id
        where s.revoked_at is null
        -- In one order everywhere: two who are handed the same keys can't wait crosswise.
        order by asked.sender_id, asked.key, asked.place
    ), fresh as (
        insert into notices ({_COLUMNS})
        select {_COLUMNS} from allowed order by sender_id, key
        on conflict (sender_id, key) do nothing
        returning id, sender_id, key, key_sha256
    )
    select fresh.id, fresh.sender_id, fresh.key, fresh.key_sha256,
        audit_begin(allowed.organisation_id, allowed.id, allowed.event) as noted,
        case when row_number() over () = 1 then pg_notify(:wakes, '') end as woken
    from fresh join allowed on allowed.id = fresh.id
    union all
    select n.id, n.sender_id, n.key, n.key_sha256, null, null
    from allowed join notices n on n.sender_id = allowed.sender_id and n.key = allowed.key
"""  # noqa: S608

_LATE = """
    select n.id, n.sender_id, n.key, n.key_sha256
    from unnest(cast(:sender_id as uuid[]), cast(:key as text[])) as asked(sender_id, key)
    join notices n on n.sender_id = asked.sender_id and n.key = asked.key
    join notice_senders s on s.id = n.sender_id and s.organisation_id = n.organisation_id
        and s.revoked_at is null
"""


async def status(engine: AsyncEngine, sender: Sender, notice_id: UUID) -> "Standing | None":
    """How a notice of that program's stands; None where it sent none of that id."""
    row = await fetch_one_alone(
        engine,
        _STATUS,
        {
            "organisation_id": sender.organisation_id,
            "sender_id": sender.id,
            "id": notice_id,
        },
    )
    if row is None:
        return None
    return Standing(
        notice_id,
        sender.organisation_id,
        row.topic,
        row.importance,
        row.created_at,
        row.fanned_at,
        row.head_id,
        row.count,
        row.resolved,
        row.acknowledged_at,
        row.cancelled_at,
        row.expires_at,
        tuple(from_json(row.dispatches)),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """How a notice stands. `head_id`: the first of its group, that it is counted with and told as;
    the rest is of that one. `dispatches`: to whom, by which channel, in which state, and why."""

    id: UUID
    organisation_id: UUID
    topic: str
    importance: str
    created_at: datetime
    fanned_at: datetime | None
    head_id: UUID | None
    count: int
    resolved: bool
    acknowledged_at: datetime | None
    cancelled_at: datetime | None
    expires_at: datetime | None
    dispatches: Sequence[dict[str, Any]]


_STATUS = """
    select mine.topic, mine.importance, mine.created_at, mine.fanned_at, mine.head_id, shown.count,
        shown.resolved, shown.acknowledged_at, shown.cancelled_at, shown.expires_at,
        (select coalesce(jsonb_agg(jsonb_build_object('to', coalesce(p.handle, place.name),
            'channel', d.channel, 'state', d.state, 'reason', d.reason,
            'sent_at', d.sent_at, 'seen_at', d.seen_at) order by d.created_at, d.id), '[]')
         from dispatches d left join people p on p.id = d.person_id
         left join notice_places place on d.person_id is null and cast(place.id as text) = d.address
         where d.notice_id = shown.id and d.organisation_id = :organisation_id) as dispatches
    from notices mine join notices shown on shown.id = coalesce(mine.head_id, mine.id)
    where mine.organisation_id = :organisation_id and mine.sender_id = :sender_id
        and mine.id = :id
"""
