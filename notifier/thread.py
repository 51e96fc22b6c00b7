"""A thread and what stands in it: who serves it, what is due, what is posted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core.codec import load
from core.db import execute, fetch_all, fetch_one, from_json
from core.house import House
from core.messages import Message
from core.ports import Place, Sent
from core.words import Language, as_language

THREAD_LEASE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation of a task, and for whom it is written."""

    id: UUID
    platform: str
    place: Place
    language: Language
    time_zone: str


@dataclass(frozen=True, slots=True)
class Due:
    """A change that a slot has to show."""

    id: UUID
    slot: str
    state: str
    attempts: int
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that stands in the thread."""

    sent: Sent
    message: Message
    sha256: str
    edited_at: datetime


# Served by one at a time


async def take(house: House, organisation_id: UUID, thread_id: UUID, worker: str) -> bool:
    async with house.engine.begin() as connection:
        return bool(
            await execute(
                connection,
                "update threads set lease_owner = :worker,"
                " lease_until = now() + make_interval(secs => :lease)"
                " where organisation_id = :organisation_id and id = :id"
                " and (lease_until is null or lease_until < now() or lease_owner = :worker)",
                {
                    "worker": worker,
                    "lease": THREAD_LEASE.total_seconds(),
                    "organisation_id": organisation_id,
                    "id": thread_id,
                },
            )
        )


async def release(house: House, organisation_id: UUID, thread_id: UUID, worker: str) -> None:
    async with house.engine.begin() as connection:
        await execute(
            connection,
            "update threads set lease_owner = null, lease_until = null"
            " where organisation_id = :organisation_id and id = :id and lease_owner = :worker",
            {"organisation_id": organisation_id, "id": thread_id, "worker": worker},
        )


# What is due and what is posted


async def has_due(house: House, organisation_id: UUID, thread_id: UUID) -> bool:
    async with house.engine.connect() as connection:
        return bool(await due_in(connection, organisation_id, thread_id))


async def due_in(connection: Any, organisation_id: UUID, thread_id: UUID) -> list[Due]:
    # What waits after a failed attempt holds up the whole thread: nothing may overtake it.
    rows = await fetch_all(
        connection,
        "select d.id, d.slot, d.state, d.attempts, n.facts from deliveries d"
        " join notifications n on n.id = d.notification_id"
        " where d.organisation_id = :organisation_id and d.thread_id = :thread_id"
        " and d.state in ('pending', 'sending') and d.next_at <= now()"
        " and not exists (select from deliveries w where w.organisation_id = :organisation_id"
        " and w.thread_id = :thread_id and w.state = 'sending' and w.next_at > now())"
        " order by d.id",
        {"organisation_id": organisation_id, "thread_id": thread_id},
    )
    return [Due(row.id, row.slot, row.state, row.attempts, from_json(row.facts)) for row in rows]


async def read_thread(connection: Any, organisation_id: UUID, thread_id: UUID) -> Thread:
    row = await fetch_one(
        connection,
        "select h.id, h.platform, h.workspace, h.channel, h.root, h.account, h.person_id,"
        " coalesce(p.language, t.language) as language,"
        " coalesce(p.time_zone, r.time_zone) as time_zone"
        " from threads h join tasks t on t.id = h.task_id join people r on r.id = t.person_id"
        " left join people p on p.id = h.person_id"
        " where h.organisation_id = :organisation_id and h.id = :id",
        {"organisation_id": organisation_id, "id": thread_id},
    )
    assert row is not None  # noqa: S101  # threads are never deleted
    direct = row.person_id is not None
    place = Place(organisation_id, row.workspace, row.channel, row.root, row.account, direct)
    return Thread(row.id, row.platform, place, as_language(row.language), row.time_zone)


async def read_posted(
    connection: Any, organisation_id: UUID, thread_id: UUID, slot: str
) -> Posted | None:
    row = await fetch_one(
        connection,
        "select channel, external_id, extra, body, body_sha256, edited_at from messages"
        " where organisation_id = :organisation_id and thread_id = :thread_id and slot = :slot",
        {"organisation_id": organisation_id, "thread_id": thread_id, "slot": slot},
    )
    if row is None:
        return None
    sent = Sent(row.channel, row.external_id, from_json(row.extra))
    return Posted(sent, load(Message, from_json(row.body)), row.body_sha256, row.edited_at)
