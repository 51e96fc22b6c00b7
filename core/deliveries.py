"""Messages of which nobody knows whether they were posted: a person says what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, Actor, Event
from audit.registry import brief
from core import phrases, tasks
from core.codec import dump
from core.db import execute, fetch_all, fetch_one
from core.errors import Refused, Unknown
from core.inbound import Answer
from core.people import Person
from core.request import Request
from core.tags import Tag
from core.target import about, only_requester
from core.tasks import Task
from core.unit import Unit
from core.words import Words, same

SENT, RESEND = "sent", "resend"
ANSWERS = frozenset({SENT, RESEND})
"""What can be pressed beside such a message; the button's value is the delivery's id."""


@dataclass(frozen=True, slots=True)
class Unsure:
    """A message that was to be sent, with no word of what became of it. `why`: in English."""

    id: UUID
    slot: str
    why: str | None
    place: str

    @property
    def what(self) -> Words:
        """What people call it."""
        kind = self.slot.partition(":")[0]
        return phrases.MESSAGES.get(kind, same(kind))


async def settle(work: Unit, request: Request, delivery_id: UUID, action: str) -> Answer:
    """Take a person's word for it: it is there, or it is to be sent again. The first word counts.

    Raises NotAllowed for whoever is neither the requester nor approves nor administers, Refused
    where it was answered before.
    """
    organisation_id = request.person.organisation_id
    scope: dict[str, object] = {"organisation_id": organisation_id, "id": delivery_id}
    row = await fetch_one(
        work.connection,
        "select id, task_id, thread_id, slot from deliveries"
        " where organisation_id = :organisation_id and id = :id",
        scope,
    )
    if row is None:
        raise Unknown(phrases.UNKNOWN_TASK.fill(target="?"))
    task = await tasks.lock(work.connection, organisation_id, row.task_id)
    await only_requester(work.connection, request, task, "approver", "admin")
    if not await _settle(work, task, row, action, request.person, request.actor):
        raise Refused(phrases.QUESTION_OVER)
    return about(task, request.say(phrases.ANSWERED))


async def is_under_way(connection: AsyncConnection, organisation_id: UUID, call: UUID) -> bool:
    """Whether what a call said is yet to be written as said."""
    row = await fetch_one(
        connection,
        "select 1 from deliveries where organisation_id = :organisation_id and call = :call"
        " and state in ('pending', 'sending') limit 1",
        {"organisation_id": organisation_id, "call": call},
    )
    return row is not None


async def _settle(
    work: Unit, task: Task, row: Any, action: str, person: Person, actor: Actor
) -> bool:
    """By this person's word. False where it was settled before, or never was unknown."""
    scope: dict[str, object] = {"organisation_id": task.organisation_id, "id": row.id}
    settled = await execute(
        work.connection,
        "update deliveries set state = :state, attempts = 0, next_at = now(), error = null,"
        " sent_at = case when :state = 'sent' then now() end, settled_by = :person_id"
        " where organisation_id = :organisation_id and id = :id and state = 'unknown'",
        {
            **scope,
            "state": "sent" if action == SENT else "pending",
            "person_id": person.id,
        },
    )
    if settled != 1:
        return False
    facts: dict[str, object] = {
        "delivery": str(row.id),
        "thread": str(row.thread_id),
        "slot": row.slot,
        "answer": action,
        "who": person.name,
        "behind": action == SENT and await _is_behind(work, scope),
    }
    data = {"delivery": str(row.id), "slot": str(row.slot), "answer": action}
    work.record(tasks.event(task, Tag.MESSAGE_SETTLED, data, actor))
    await tasks.notify(work, task, "delivery.settled", facts)
    return True


# What a platform hears of a call later (core.ports.Says)

_OF_CALL = """
    select d.id, d.task_id, d.thread_id, d.slot, h.platform from deliveries d
    join threads h on h.id = d.thread_id
    where d.organisation_id = :organisation_id and d.call = :call and d.state = any(:states)
    order by d.id
"""


async def arrived(work: Unit, organisation_id: UUID, call: UUID, person: Person) -> None:
    """Whoever a call of unknown outcome was for has answered it: it was sent, by their word."""
    for task, row in await _of_call(work, organisation_id, call, ["unknown"]):
        await _settle(work, task, row, SENT, person, Actor(person.id))


async def came_back(work: Unit, organisation_id: UUID, call: UUID, why: Words) -> None:
    """What was said in a call has not reached whom it was for, although it was sent: it is told
    where they are reached, with `why`."""
    found = await _of_call(work, organisation_id, call, ["sent", "unknown"])
    for task, row in found:
        await execute(
            work.connection,
            "update deliveries set state = 'failed', error = :error"
            " where organisation_id = :organisation_id and id = :id",
            {"organisation_id": organisation_id, "id": row.id, "error": why.en},
        )
        data: dict[str, JSON] = {
            "slot": row.slot,
            "place": f"{row.platform}:{row.thread_id}",
            "delivery": str(row.id),
            "why": brief(why.en),
        }
        data["reference"] = task.reference
        work.record(Event(organisation_id, task.id, Tag.MESSAGE_FAILED, data))
    for task, first in found[:1]:
        facts = {
            "thread": str(first.thread_id),
            "slots": [row.slot for _, row in found],
            "why": dump(why),
        }
        await tasks.notify(work, task, "delivery.bounced", facts)


async def _of_call(
    work: Unit, organisation_id: UUID, call: UUID, states: Sequence[str]
) -> list[tuple[Task, Any]]:
    """The messages of a call, all of one task, which is locked first."""
    scope = {"organisation_id": organisation_id, "call": call, "states": list(states)}
    first = await fetch_one(work.connection, _OF_CALL, scope)  # names organisation_id
    if first is None:
        return []
    task = await tasks.lock(work.connection, organisation_id, first.task_id)
    rows = await fetch_all(work.connection, _OF_CALL, scope)  # names organisation_id
    return [(task, row) for row in rows]


async def _is_behind(work: Unit, scope: dict[str, object]) -> bool:
    """Whether the message's place had more to show meanwhile, which waited for this answer."""
    row = await fetch_one(
        work.connection,
        "select 1 from deliveries d join deliveries later on later.thread_id = d.thread_id"
        " and later.slot = d.slot and later.id > d.id and later.state = 'superseded'"
        " where d.organisation_id = :organisation_id and later.organisation_id = :organisation_id"
        " and d.id = :id limit 1",
        scope,
    )
    return row is not None
