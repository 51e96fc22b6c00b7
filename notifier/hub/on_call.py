"""Rotas as they are kept: made, swapped and removed; and who is on call (notifier/hub/rotas.py)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from audit.registry import brief
from core.db import execute, fetch_all, from_json
from core.errors import Refused, Unknown
from core.ids import new_id
from core.people import Person
from core.tags import Tag
from core.unit import Unit
from core.words import Words, same
from notifier.hub.rotas import Rota, Swap, on_call

NAME_TAKEN = Words(
    ja="当番表「{name}」はすでにあります。",
    en="There is a rota “{name}” already.",
    zh="已有名为“{name}”的值班表。",
)
NO_SUCH_ROTA = Words(
    ja="当番表「{name}」はありません。あるもの: {known}",
    en="There is no rota “{name}”. There are: {known}",
    zh="没有值班表“{name}”。现有: {known}",
)
NONE = Words(ja="なし", en="none", zh="无")
OTHER_WEEKDAY = Words(
    ja="{day} は交代の曜日ではありません。",
    en="{day} is not the weekday of the hand-over.",
    zh="{day} 不是交接的星期几。",
)
ENDS_FIRST = Words(
    ja="終わりは始まりより後にしてください。",
    en="The end has to be after the beginning.",
    zh="结束时间必须晚于开始时间。",
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A rota of an organisation, with the names of all who are in it or in a swap of it."""

    id: UUID
    rota: Rota
    names: dict[UUID, str]


_ROTAS = """
    select r.id, r.name, r.zone, r.time_of_day, r.starts_on, r.people,
        (select jsonb_agg(jsonb_build_array(s.since, s.until, s.person_id) order by s.id)
            from rota_swaps s where s.organisation_id = :organisation_id and s.rota_id = r.id
            and s.removed_at is null) as swaps,
        (select jsonb_object_agg(p.id, jsonb_build_array(p.name, p.active)) from people p
            where p.organisation_id = :organisation_id and (p.id = any(r.people) or p.id in (
                select s.person_id from rota_swaps s where s.organisation_id = :organisation_id
                and s.rota_id = r.id and s.removed_at is null))) as known
    from rotas r where r.organisation_id = :organisation_id and r.removed_at is null
        and (cast(:name as text) is null or r.name = :name)
    order by r.name
"""


async def rotas_of(
    connection: AsyncConnection, organisation_id: UUID, name: str | None = None
) -> Sequence[Kept]:
    """All rotas of an organisation, or the one of that name."""
    rows = await fetch_all(
        connection, _ROTAS, {"organisation_id": organisation_id, "name": name}
    )  # names organisation_id
    return [_kept(row) for row in rows]


def _kept(row: Any) -> Kept:
    known = {UUID(person): each for person, each in (from_json(row.known) or {}).items()}
    swaps = tuple(
        Swap(datetime.fromisoformat(since), datetime.fromisoformat(until), UUID(person))
        for since, until, person in from_json(row.swaps) or ()
    )
    left = frozenset(person for person, (_, active) in known.items() if not active)
    rota = Rota(row.name, row.zone, row.time_of_day, row.starts_on, tuple(row.people), swaps, left)
    return Kept(row.id, rota, {person: name for person, (name, _) in known.items()})


async def rota_named(connection: AsyncConnection, organisation_id: UUID, name: str) -> Kept:
    """The rota of that name. Raises Unknown."""
    for kept in await rotas_of(connection, organisation_id, name):
        return kept
    names = [each.rota.name for each in await rotas_of(connection, organisation_id)]
    known = same(", ".join(names)) if names else NONE
    raise Unknown(NO_SUCH_ROTA.fill(name=name, known=known))


async def who_is_on_call(
    connection: AsyncConnection, organisation_id: UUID, name: str, moment: datetime
) -> UUID | None:
    """Who is on call by that rota; None where there is none of that name, or all of it left."""
    for kept in await rotas_of(connection, organisation_id, name):
        return on_call(kept.rota, moment)
    return None


async def add(
    work: Unit,
    organisation_id: UUID,
    name: str,
    people: Sequence[Person],
    *,
    zone: str,
    weekday: int,
    time_of_day: time,
    starts_on: date,
    actor: Actor = SYSTEM,
) -> UUID:
    """Have people on call in turn. Raises Refused for a name that is taken, or a first day that is
    not of that weekday."""
    if starts_on.weekday() != weekday:
        raise Refused(OTHER_WEEKDAY.fill(day=starts_on.isoformat()))
    rota_id = new_id()
    try:
        await execute(
            work.connection,
            "insert into rotas (id, organisation_id, name, zone, weekday, time_of_day, starts_on,"
            " people) values (:id, :organisation_id, :name, :zone, :weekday, :time_of_day,"
            " :starts_on, :people)",
            {
                "id": rota_id,
                "organisation_id": organisation_id,
                "name": name,
                "zone": zone,
                "weekday": weekday,
                "time_of_day": time_of_day,
                "starts_on": starts_on,
                "people": [person.id for person in people],
            },
        )
    except IntegrityError as error:
        raise Refused(NAME_TAKEN.fill(name=name)) from error
    _record(work, organisation_id, rota_id, name, [person.id for person in people], zone, actor)
    return rota_id


async def remove(work: Unit, organisation_id: UUID, kept: Kept, *, actor: Actor = SYSTEM) -> None:
    """Nobody is on call by it any more."""
    await execute(
        work.connection,
        "update rotas set removed_at = now() where organisation_id = :organisation_id"
        " and id = :id and removed_at is null",
        {"organisation_id": organisation_id, "id": kept.id},
    )
    _record(work, organisation_id, kept.id, kept.rota.name, [], kept.rota.zone, actor)


def _record(
    work: Unit,
    organisation_id: UUID,
    rota_id: UUID,
    name: str,
    people: Sequence[UUID],
    zone: str,
    actor: Actor,
) -> None:
    data = {"name": brief(name), "people": [str(person) for person in people], "zone": zone}
    work.record(Event(organisation_id, rota_id, Tag.ROTA_CHANGED, data, actor))


async def swap(
    work: Unit,
    organisation_id: UUID,
    kept: Kept,
    person: Person,
    since: datetime,
    until: datetime,
    *,
    actor: Actor = SYSTEM,
) -> None:
    """Have somebody on call in another's place for that time. Raises Refused."""
    if until <= since:
        raise Refused(ENDS_FIRST)
    await execute(
        work.connection,
        "insert into rota_swaps (id, organisation_id, rota_id, since, until, person_id)"
        " values (:id, :organisation_id, :rota_id, :since, :until, :person_id)",
        {
            "id": new_id(),
            "organisation_id": organisation_id,
            "rota_id": kept.id,
            "since": since,
            "until": until,
            "person_id": person.id,
        },
    )
    _swapped(work, organisation_id, kept, person.id, since, until, actor, removed=False)


async def unswap(
    work: Unit, organisation_id: UUID, kept: Kept, moment: datetime, *, actor: Actor = SYSTEM
) -> int:
    """Take back the swaps that count at that moment; gives how many."""
    rows = await fetch_all(
        work.connection,
        "update rota_swaps set removed_at = now() where organisation_id = :organisation_id"
        " and rota_id = :rota_id and removed_at is null and since <= :moment and until > :moment"
        " returning person_id, since, until",
        {"organisation_id": organisation_id, "rota_id": kept.id, "moment": moment},
    )
    for row in rows:
        _swapped(
            work, organisation_id, kept, row.person_id, row.since, row.until, actor, removed=True
        )
    return len(rows)


def _swapped(
    work: Unit,
    organisation_id: UUID,
    kept: Kept,
    person: UUID,
    since: datetime,
    until: datetime,
    actor: Actor,
    *,
    removed: bool,
) -> None:
    data: dict[str, JSON] = {
        "person": str(person),
        "since": since.isoformat(),
        "until": until.isoformat(),
        "removed": removed,
    }
    work.record(Event(organisation_id, kept.id, Tag.ROTA_SWAPPED, data, actor))
