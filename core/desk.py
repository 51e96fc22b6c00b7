"""What lies on somebody's desk: what they asked for, and what waits for their approval."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core import phrases
from core.db import fetch_all
from core.house import House
from core.messages import Field, Message
from core.people import Person
from core.words import Language, Words


@dataclass(frozen=True, slots=True)
class DeskLine:
    """One task in somebody's list."""

    task_id: UUID
    reference: int
    title: str
    state: Words
    text: str


@dataclass(frozen=True, slots=True)
class Desk:
    """What lies on somebody's desk: what they asked for and what waits for them."""

    mine: tuple[DeskLine, ...]
    waiting: tuple[DeskLine, ...]


async def desk(connection: AsyncConnection, house: House, person: Person) -> Desk:
    """The person's latest open or recent tasks, and the approvals they may decide."""
    mine = await fetch_all(
        connection,
        "select id, reference, agent, state, waiting_for, text from tasks"
        " where organisation_id = :organisation_id and person_id = :person_id"
        " order by created_at desc limit 10",
        {"organisation_id": person.organisation_id, "person_id": person.id},
    )
    waiting = await fetch_all(
        connection,
        """
        select t.id, t.reference, t.agent, t.state, t.waiting_for, t.text
        from approval_seats h join approval_stages s on s.id = h.stage_id
            join approvals a on a.id = s.approval_id join tasks t on t.id = h.task_id
        where h.organisation_id = :organisation_id and h.holder_id = :person_id
            and h.state = 'open' and a.expires_at > now()
        order by h.open_since limit 20
        """,
        {"organisation_id": person.organisation_id, "person_id": person.id},
    )
    return Desk(
        tuple(_desk_line(house, row, person.language) for row in mine),
        tuple(_desk_line(house, row, person.language) for row in waiting),
    )


def _desk_line(house: House, row: Any, language: Language) -> DeskLine:
    return DeskLine(
        task_id=row.id,
        reference=row.reference,
        title=house.agent(row.agent).title.to(language),
        state=phrases.state_words(row.state, row.waiting_for),
        text=" ".join(row.text.split())[:60],
    )


def desk_message(listing: Desk, language: Language) -> Message:
    """Somebody's desk as a message."""
    fields: list[Field] = []
    for heading, lines in (
        (phrases.WAITS_FOR_ME, listing.waiting),
        (phrases.MY_TASKS, listing.mine),
    ):
        if lines:
            spoken = "\n".join(
                f"#{line.reference} {line.title}: {line.state.to(language)}  {line.text}"
                for line in lines
            )
            fields.append(Field(heading.to(language), spoken))
    text = "\n".join(f"{field.label}\n{field.value}" for field in fields)
    return Message(text=text, fields=tuple(fields), language=language)
