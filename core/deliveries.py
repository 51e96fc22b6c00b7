"""Messages of which nobody knows whether they were posted: a person says what became of them."""

from dataclasses import dataclass
from uuid import UUID

from core import phrases, tasks
from core.db import execute, fetch_one
from core.errors import Refused, Unknown
from core.inbound import Answer
from core.request import Request
from core.tags import Tag
from core.target import about, only_requester
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
        "select task_id, thread_id, slot from deliveries"
        " where organisation_id = :organisation_id and id = :id",
        scope,
    )
    if row is None:
        raise Unknown(phrases.UNKNOWN_TASK.fill(target="?"))
    task = await tasks.lock(work.connection, organisation_id, row.task_id)
    await only_requester(work.connection, request, task, "approver", "admin")
    settled = await execute(
        work.connection,
        "update deliveries set state = :state, attempts = 0, next_at = now(), error = null,"
        " sent_at = case when :state = 'sent' then now() end, settled_by = :person_id"
        " where organisation_id = :organisation_id and id = :id and state = 'unknown'",
        {
            **scope,
            "state": "sent" if action == SENT else "pending",
            "person_id": request.person.id,
        },
    )
    if settled != 1:
        raise Refused(phrases.QUESTION_OVER)
    facts: dict[str, object] = {
        "delivery": str(delivery_id),
        "thread": str(row.thread_id),
        "slot": row.slot,
        "answer": action,
        "who": request.person.name,
        "behind": action == SENT and await _is_behind(work, scope),
    }
    data = {"delivery": str(delivery_id), "slot": str(row.slot), "answer": action}
    work.record(tasks.event(task, Tag.MESSAGE_SETTLED, data, request.actor))
    await tasks.notify(work, task, "delivery.settled", facts)
    return about(task, request.say(phrases.ANSWERED))


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
