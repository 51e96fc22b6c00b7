"""A new task in one statement: the delivery, the task, its ask, thread, news, outbox and event.

One round trip keeps the answer fast and makes it all or nothing (measured in bench/intake.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit import log
from audit.event import JSON, Event
from core import phrases
from core.agent import Agent
from core.codec import dump
from core.db import fetch_quickly, to_json
from core.ids import new_id
from core.inbound import Answer
from core.line import Standing
from core.messages import Message
from core.ports import Job
from core.request import Request
from core.tags import Tag
from core.unit import outbox_row
from core.words import same


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task about to be stored; its keys are drawn here so that one statement can use them all."""

    agent: Agent
    ask: Any
    reference: int
    text: str
    standing: Standing
    revises_id: UUID | None = None
    id: UUID = field(default_factory=new_id)

    def answer(self, request: Request) -> Answer:
        words = phrases.RECEIVED.fill(reference=f"#{self.reference}", title=self.agent.title)
        place = request.house.line.tell(self.standing)
        if place is not None:
            words = same("{received} {place}").fill(received=words, place=place)
        message = Message(words.to(request.language), language=request.language)
        return Answer("taken", message, self.id, self.reference)

    def events(self, request: Request) -> Sequence[Event]:
        data: dict[str, JSON] = {
            "reference": self.reference,
            "revision": 1,
            "agent": self.agent.name,
            "version": self.agent.version,
            "delivery": request.inbound.key,
            "revises": str(self.revises_id) if self.revises_id else None,
        }
        organisation_id = request.person.organisation_id
        return [Event(organisation_id, self.id, Tag.TASK_RECEIVED, data, request.actor)]

    def jobs(self, request: Request) -> Sequence[Job]:
        organisation_id = request.person.organisation_id
        lane, rank = request.inbound.lane, self.standing.rank
        return [
            Job("advance", organisation_id, self.id, lane=lane, rank=rank),
            Job("announce", organisation_id, self.id, lane=lane, rank=rank),
        ]


@dataclass(frozen=True, slots=True)
class Stored:
    """What a task began with, as it is now written."""

    answer: Answer
    events: Sequence[Event]
    jobs: Sequence[Job]


async def store(connection: AsyncConnection, request: Request, new: NewTask) -> Stored | None:
    """Write it all. None where this delivery was already taken in: then nothing was written."""
    stored = Stored(new.answer(request), new.events(request), new.jobs(request))
    row = await fetch_quickly(connection, _STORE, _values(request, new, stored))
    return stored if row is not None and row.fresh else None


def _values(request: Request, new: NewTask, stored: Stored) -> dict[str, object]:
    inbound = request.inbound
    return {
        "organisation_id": request.person.organisation_id,
        "person_id": request.person.id,
        "inbound_id": new_id(),
        "platform": inbound.sender.platform,
        "workspace": inbound.sender.workspace,
        "account": inbound.sender.account,
        "key": inbound.key,
        "answer": to_json(dump(stored.answer)),
        "task_id": new.id,
        "reference": new.reference,
        "agent": new.agent.name,
        "agent_version": new.agent.version,
        "language": request.language,
        "lane": inbound.lane,
        "turn": new.standing.turn,
        "rank": new.standing.rank,
        "text": new.text,
        "revises_id": new.revises_id,
        "ask": to_json(dump(new.ask)),
        "thread_id": new_id(),
        "channel": inbound.spot.channel,
        "root": inbound.spot.thread,
        "notification_id": new_id(),
        "events": log.as_json(stored.events),
        "jobs": to_json([outbox_row(job) for job in stored.jobs]),
    }


_STORE = """
    with fresh as (
        insert into inbound
            (id, organisation_id, platform, workspace, key, person_id, task_id, answer)
        values (:inbound_id, :organisation_id, :platform, :workspace, :key, :person_id, :task_id,
            cast(:answer as jsonb))
        on conflict (platform, workspace, key) do nothing
        returning id
    ), task as (
        insert into tasks (id, organisation_id, reference, agent, agent_version, person_id,
            language, text, revises_id, state, lane, turn, rank)
        select :task_id, :organisation_id, :reference, :agent, :agent_version, :person_id,
            :language, :text, cast(:revises_id as uuid), 'received', :lane, :turn,
            :rank from fresh
    ), revision as (
        insert into revisions (organisation_id, task_id, revision, ask, person_id)
        select :organisation_id, :task_id, 1, cast(:ask as jsonb), :person_id from fresh
    ), thread as (
        insert into threads
            (id, organisation_id, task_id, platform, workspace, channel, root, account)
        select :thread_id, :organisation_id, :task_id, :platform, :workspace, :channel,
            cast(:root as text), :account from fresh
    ), news as (
        insert into notifications (id, organisation_id, task_id, topic)
        select :notification_id, :organisation_id, :task_id, 'task.received' from fresh
    ), jobs as (
        insert into outbox (id, organisation_id, kind, subject_id, lane, rank, next_at)
        select job.id, job.organisation_id, job.kind, job.subject_id, job.lane, job.rank,
            now() + make_interval(secs => job.wait)
        from fresh, jsonb_to_recordset(cast(:jobs as jsonb)) as job(id uuid, organisation_id uuid,
            kind text, subject_id uuid, lane text, rank integer, wait integer)
    )
    select exists (select from fresh) as fresh,
        (select audit_append(:organisation_id, :task_id, cast(:events as jsonb)) from fresh)
"""
