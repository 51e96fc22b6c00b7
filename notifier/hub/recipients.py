"""Whom the recipients of notices are: people and places, of many notices at once.

Nobody who has left, and not who did it. Where something important was for somebody who does not
exist (a rota without people, a role that nobody has), the admins are told rather than nobody.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import fetch_all
from core.notices import Importance, Recipient
from notifier.hub.on_call import who_is_on_call

_ADMINS = Recipient("role", "admin")
_IMPORTANT = frozenset({"high", "critical"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A notice's recipients, with what they go by."""

    recipients: Sequence[Recipient]
    importance: Importance = "normal"
    task_id: UUID | None = None
    by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Spot:
    """A place of many readers."""

    id: UUID
    channel: str
    off: bool


@dataclass(frozen=True, slots=True)
class Audience:
    """Who hears it, each once, in the order in which they are named. `besides`: whom it is for
    since, as those that were named are nobody."""

    people: Sequence[UUID]
    places: Sequence[Spot]
    besides: Sequence[Recipient] = ()


@dataclass(frozen=True, slots=True)
class _Known:
    """What has been looked up of the recipients of a batch."""

    ids: frozenset[UUID]
    handles: Mapping[str, UUID]
    roles: Mapping[str, Sequence[UUID]]
    tasks: Mapping[UUID, "tuple[Sequence[UUID], Sequence[UUID]]"]
    rotas: Mapping[str, UUID | None]
    places: Mapping[str, Spot]

    def of(self, task_id: UUID | None) -> "tuple[Sequence[UUID], Sequence[UUID]]":
        """Who asked for a task, and for whom it waits."""
        return self.tasks.get(task_id, ((), ())) if task_id is not None else ((), ())


async def resolve(
    connection: AsyncConnection, organisation_id: UUID, asked: Sequence[Asked], now: datetime
) -> Sequence[Audience]:
    """The audience of each."""
    every = {each for one in asked for each in one.recipients}
    if any(one.importance in _IMPORTANT for one in asked) and every:
        every.add(_ADMINS)
    known = _Known(
        *await _people(connection, organisation_id, every),
        await _tasks(connection, organisation_id, asked),
        {
            each.of: await who_is_on_call(connection, organisation_id, each.of, now)
            for each in every
            if each.kind == "on_call"
        },
        await _places(connection, organisation_id, every),
    )
    return [_audience(one, known) for one in asked]


def _audience(asked: Asked, known: _Known) -> Audience:
    people = _named(asked.recipients, asked, known)
    places = [
        known.places[each.of]
        for each in asked.recipients
        if each.kind == "place" and each.of in known.places
    ]
    besides: Sequence[Recipient] = ()
    if not people and not places and asked.recipients and asked.importance in _IMPORTANT:
        besides = [_ADMINS]
        people = _named(besides, asked, known)
    told = [person for person in dict.fromkeys(people) if person != asked.by]
    return Audience(told, list(dict.fromkeys(places)), besides)


def _named(recipients: Iterable[Recipient], asked: Asked, known: _Known) -> list[UUID]:
    found: list[UUID] = []
    for each in recipients:
        found += _people_of(each, asked, known)
    return found


def _people_of(recipient: Recipient, asked: Asked, known: _Known) -> Sequence[UUID]:
    match recipient.kind:
        case "person":
            person = _as_id(recipient.of) or known.handles.get(recipient.of)
            return [person] if person in known.ids else []
        case "role" | "all":
            return known.roles.get(recipient.of, ())
        case "on_call":
            on_call = known.rotas[recipient.of]
            return [on_call] if on_call else []
        case "requester" | "waits_for":
            requester, waits_for = known.of(asked.task_id)
            return requester if recipient.kind == "requester" else waits_for
        case "place":
            return []


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _people(
    connection: AsyncConnection, organisation_id: UUID, recipients: Iterable[Recipient]
) -> tuple[frozenset[UUID], Mapping[str, UUID], Mapping[str, Sequence[UUID]]]:
    """The active people who may be meant: by id, by handle, by role ("" for everybody)."""
    named = {each.of for each in recipients if each.kind == "person"}
    ids = {found for each in named if (found := _as_id(each))}
    every = any(each.kind in {"role", "all"} for each in recipients)
    rows = await fetch_all(
        connection,
        "select id, handle, roles from people where organisation_id = :organisation_id and active"
        " and (:every or id = any(:ids) or handle = any(:handles)) order by handle",
        {
            "organisation_id": organisation_id,
            "every": every,
            "ids": list(ids),
            "handles": sorted(named),
        },
    )
    roles: dict[str, list[UUID]] = {"": [row.id for row in rows]}
    for row in rows:
        for role in row.roles:
            roles.setdefault(role, []).append(row.id)
    return (
        frozenset(row.id for row in rows),
        {row.handle: row.id for row in rows},
        roles if every else {},
    )


async def _tasks(
    connection: AsyncConnection, organisation_id: UUID, asked: Sequence[Asked]
) -> Mapping[UUID, tuple[Sequence[UUID], Sequence[UUID]]]:
    """Of the tasks: who asked, and for whom they wait."""
    tasks = {
        one.task_id
        for one in asked
        if one.task_id and any(each.kind in {"requester", "waits_for"} for each in one.recipients)
    }
    if not tasks:
        return {}
    rows = await fetch_all(
        connection,
        "select t.id, t.person_id, case when t.state <> 'waiting' then cast('{}' as uuid[])"
        " when t.waiting_for = 'answer' then array[t.person_id] else array("
        " select s.holder_id from approval_seats s where s.organisation_id = :organisation_id"
        " and s.task_id = t.id and s.state = 'open' order by s.id) end as waits_for"
        " from tasks t where t.organisation_id = :organisation_id and t.id = any(:tasks)",
        {"organisation_id": organisation_id, "tasks": list(tasks)},
    )
    return {row.id: ([row.person_id], row.waits_for) for row in rows}


async def _places(
    connection: AsyncConnection, organisation_id: UUID, recipients: Iterable[Recipient]
) -> Mapping[str, Spot]:
    names = [each.of for each in recipients if each.kind == "place"]
    if not names:
        return {}
    rows = await fetch_all(
        connection,
        "select id, name, channel, off_since is not null as off from notice_places"
        " where organisation_id = :organisation_id and name = any(:names) and removed_at is null",
        {"organisation_id": organisation_id, "names": names},
    )
    return {row.name: Spot(row.id, row.channel, row.off) for row in rows}
