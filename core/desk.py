"""What lies on somebody's desk: what they asked for, and what waits for their approval."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core import phrases
from core.approvals.inbox import Waiting, waiting_for
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
    waiting: tuple[Waiting, ...]


async def desk(connection: AsyncConnection, house: House, person: Person) -> Desk:
    """The person's latest open or recent tasks, and the approvals they may decide."""
    mine = await fetch_all(
        connection,
        "select id, reference, agent, state, waiting_for, text from tasks"
        " where organisation_id = :organisation_id and person_id = :person_id"
        " order by created_at desc limit 10",
        {"organisation_id": person.organisation_id, "person_id": person.id},
    )
    return Desk(
        tuple(_desk_line(house, row, person.language) for row in mine),
        await waiting_for(connection, house, person),
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
    waiting = [
        f"{each.spoken} {each.title.to(language)}: {each.requester}  {each.text}  {each.total}"
        for each in listing.waiting
    ]
    mine = [
        f"#{line.reference} {line.title}: {line.state.to(language)}  {line.text}"
        for line in listing.mine
    ]
    fields = tuple(
        Field(heading.to(language), "\n".join(each.strip() for each in lines))
        for heading, lines in ((phrases.WAITS_FOR_ME, waiting), (phrases.MY_TASKS, mine))
        if lines
    )
    text = "\n".join(f"{field.label}\n{field.value}" for field in fields)
    return Message(text=text, fields=fields, language=language)
