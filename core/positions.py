"""Where somebody stands in the company: routes of approvals find people by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from audit.registry import brief
from core.db import execute, fetch_all
from core.errors import Refused
from core.people import Person
from core.tags import Tag
from core.unit import Unit
from core.words import Words

_NO_SUPERIOR = Words(
    ja="上長にする「{handle}」という人がいません。",
    en="There is nobody called “{handle}” to be the superior.",
    zh="没有名为“{handle}”的人可作为上级。",
)
_ROUND = Words(
    ja="上長が一周してしまいます: {names}",
    en="The superiors would go round in a circle: {names}",
    zh="上级关系会形成循环: {names}",
)


@dataclass(frozen=True, slots=True)
class Position:
    """Department (部署), post (役職), grade (等級), and the handle of the superior (上長), "" for
    none of them."""

    department: str = ""
    post: str = ""
    grade: str = ""
    superior: str = ""


async def positions(connection: AsyncConnection, organisation_id: UUID) -> Mapping[UUID, Position]:
    """Where everybody of the organisation stands."""
    rows = await fetch_all(
        connection,
        "select p.id, p.department, p.post, p.grade, coalesce(s.handle, '') as superior"
        " from people p left join people s on s.id = p.superior_id"
        " where p.organisation_id = :organisation_id",
        {"organisation_id": organisation_id},
    )
    return {row.id: Position(row.department, row.post, row.grade, row.superior) for row in rows}


async def place(work: Unit, person: Person, position: Position, *, actor: Actor = SYSTEM) -> None:
    """Put somebody there; what is submitted from now on finds them by it.

    Raises Refused for a superior who is not there, or with whom they would go round in a circle.
    """
    superior_id = None
    if position.superior:
        superior_id = await _superior(work.connection, person, position.superior)
    await execute(
        work.connection,
        "update people set department = :department, post = :post, grade = :grade,"
        " superior_id = :superior_id where organisation_id = :organisation_id and id = :id",
        {
            "department": position.department,
            "post": position.post,
            "grade": position.grade,
            "superior_id": superior_id,
            "organisation_id": person.organisation_id,
            "id": person.id,
        },
    )
    data: dict[str, JSON] = {
        "department": brief(position.department),
        "post": brief(position.post),
        "grade": brief(position.grade),
        "superior": str(superior_id) if superior_id else None,
    }
    work.record(Event(person.organisation_id, person.id, Tag.PERSON_PLACED, data, actor))


async def _superior(connection: AsyncConnection, person: Person, handle: str) -> UUID:
    """The id of who has that handle. Raises Refused."""
    rows = await fetch_all(
        connection,
        "select id, handle, superior_id, active from people"
        " where organisation_id = :organisation_id",
        {"organisation_id": person.organisation_id},
    )
    by_id = {row.id: row for row in rows}
    found = next((row for row in rows if row.handle == handle and row.active), None)
    if found is None:
        raise Refused(_NO_SUPERIOR.fill(handle=handle))
    above, names = found.id, [person.handle]
    while above in by_id and by_id[above].handle not in names:
        names.append(by_id[above].handle)
        above = by_id[above].superior_id
    if above == person.id:
        raise Refused(_ROUND.fill(names=" → ".join([*names, person.handle])))
    return found.id  # type: ignore[no-any-return]
