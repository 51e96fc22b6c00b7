"""New tasks in one statement: who asks, the place in line, and all that a task begins with.

One round trip keeps the answer fast and makes it all or nothing; and those who ask at the same
moment share it (measured in bench/intake.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from audit import log as audit_log
from audit.event import JSON, Event, canonical
from core import holding, phrases
from core.agent import Agent
from core.attachments import announced
from core.codec import dump
from core.db import Named, fetch_alone, to_json
from core.house import House
from core.ids import new_id
from core.inbound import Answer
from core.messages import Message
from core.ports import Job
from core.request import Request
from core.tags import Tag
from core.unit import HAND_AGAIN_AFTER
from core.words import Language, same

_UNNUMBERED = '"reference":0'
"""What stands in the canonical JSON of the event until the statement has drawn the reference. Text
that somebody typed can't hold it: there, its quotes are escaped."""


Values = dict[str, Any]
"""What the statement is told of one new task, by the names of `_ASKED`."""


class PersonChanged(Exception):
    """Who asks is no longer, or may no longer, what this process remembers. Nothing was written."""


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task about to be stored."""

    agent: Agent
    ask: Any
    text: str
    revises_id: UUID | None = None
    id: UUID = field(default_factory=new_id)

    def event(self, request: Request) -> Event:
        """Its first event, without the reference that nobody knows yet."""
        data: dict[str, JSON] = {
            "reference": 0,
            "agent": self.agent.name,
            "version": self.agent.version,
            "delivery": request.inbound.key,
            "revises": str(self.revises_id) if self.revises_id else None,
        }
        organisation_id = request.person.organisation_id
        return Event(organisation_id, self.id, Tag.TASK_RECEIVED, data, request.actor, revision=1)

    def more(self, request: Request, files: Sequence[Values]) -> list[Event]:
        """The events of the files that came with it, and that it is held."""
        organisation_id = request.person.organisation_id
        noted = [
            Event(
                organisation_id, self.id, Tag.FILE_RECEIVED,
                {"attachment": file["id"], "again": False}, request.actor,
            )
            for file in files
        ]  # fmt: skip
        if request.inbound.held:
            noted.append(Event(organisation_id, self.id, Tag.TASK_HELD, {}, request.actor))
        return noted

    def jobs(self, request: Request) -> tuple[Job, Job]:
        """To go on with it and to tell its news, without the rank that nobody knows yet."""
        organisation_id, lane = request.person.organisation_id, request.inbound.lane
        return (
            Job("advance", organisation_id, self.id, lane=lane),
            Job("announce", organisation_id, self.id, lane=lane),
        )


@dataclass(frozen=True, slots=True)
class Begun:
    """What a task began with, as it is now written."""

    answer: Answer
    events: Sequence[Event]
    jobs: Sequence[Job]


def taken(
    house: House,
    task_id: UUID,
    reference: int,
    agent: str,
    turn: int,
    language: Language,
    *,
    flat: bool,
) -> Answer:
    """What is said of a task that was taken in: at once, and again to a redelivery. `flat`: where
    it was said there are no threads."""
    title = house.agent(agent).title
    received = phrases.RECEIVED_FLAT if flat else phrases.RECEIVED
    words = received.fill(reference=f"#{reference}", title=title)
    place = house.line.tell(turn)
    if place is not None:
        words = same("{received} {place}").fill(received=words, place=place)
    message = Message(words.to(language), language=language)
    return Answer("taken", message, task_id, reference, follows=True)


async def store(request: Request, new: NewTask) -> Begun | None:
    """Write it all. None where this delivery was already taken in: then nothing was written.

    Raises Full where the line has no room, and PersonChanged.
    """
    house, organisation_id, lane = (
        request.house,
        request.person.organisation_id,
        request.inbound.lane,
    )
    held = request.inbound.held
    if held:
        await holding.check_room(house, request.person)
    await house.line.look(house.engine, organisation_id, lane)
    house.line.check(organisation_id, lane)
    event = await house.personal.sealed_alone(house.engine, new.event(request))
    jobs = new.jobs(request)
    values = _values(request, new, event, jobs)
    more: list[Event] = []
    if request.inbound.files or held:
        files = announced(request.inbound.files)
        for each in new.more(request, files):
            more.append(await house.personal.sealed_alone(house.engine, each))
        values |= {"files": to_json(files), "more": audit_log.as_json(more)}

    async def write(all_values: Sequence[Values]) -> Sequence[Named | None]:
        return await _write(house.engine, all_values)

    row: Named | None = await house.beginning.do(write, values)
    if row is None:
        raise PersonChanged
    if row.reference is None:
        house.line.check_person(row.turn, lane)
        return None
    if not held:
        house.line.begun(organisation_id, lane, row.turn)
    answer = taken(
        house,
        new.id,
        row.reference,
        new.agent.name,
        row.turn,
        request.language,
        flat=request.inbound.spot.flat,
    )
    numbered = replace(event, data={**event.data, "reference": row.reference})
    rung = [replace(job, rank=row.rank) for job in jobs if job.kind == "announce" or not held]
    return Begun(answer, [numbered, *more], rung)


def _values(request: Request, new: NewTask, event: Event, jobs: Sequence[Job]) -> Values:
    inbound, person, line = request.inbound, request.person, request.house.line
    advance, announce = jobs
    return {
        "organisation_id": person.organisation_id,
        "person_id": person.id,
        "roles": ",".join(person.roles),
        "person_language": person.language,
        "time_zone": person.time_zone,
        "inbound_id": new_id(),
        "platform": inbound.sender.platform,
        "workspace": inbound.sender.workspace,
        "account": inbound.sender.account,
        "key": inbound.key,
        "task_id": new.id,
        "agent": new.agent.name,
        "agent_version": new.agent.version,
        "language": request.language,
        "words": new.text,
        "revises_id": new.revises_id,
        "ask": to_json(dump(new.ask)),
        "thread_id": new_id(),
        "channel": inbound.spot.channel,
        "root": inbound.spot.thread,
        "notification_id": new_id(),
        "event": canonical(event.body()),
        "advance_id": advance.id,
        "announce_id": announce.id,
        "lane": inbound.lane,
        "held": inbound.held,
        "most": line.of_person(inbound.lane),
        "ranks": to_json(line.ranks(person.organisation_id, inbound.lane)),
        "files": "[]",
        "more": "[]",
    }


async def _write(engine: AsyncEngine, asked: Sequence[Values]) -> Sequence[Named | None]:
    """What became of each, in their order; None where who asks was not confirmed."""
    with_files = any(values["more"] != "[]" for values in asked)
    names, statement = (_WITH_FILES, _STORE_FILES) if with_files else (_ASKED, _STORE)
    columns = {name: [values[name] for values in asked] for name in names}
    more = {"unnumbered": _UNNUMBERED, "hand_again": HAND_AGAIN_AFTER}
    rows = {row.task_id: row for row in await fetch_alone(engine, statement, {**columns, **more})}
    return [rows.get(values["task_id"]) for values in asked]


_ASKED = {
    "organisation_id": "uuid", "person_id": "uuid", "roles": "text", "person_language": "text",
    "time_zone": "text", "inbound_id": "uuid", "platform": "text", "workspace": "text",
    "account": "text", "key": "text", "task_id": "uuid", "agent": "text",
    "agent_version": "integer", "language": "text", "words": "text", "revises_id": "uuid",
    "ask": "jsonb", "thread_id": "uuid", "channel": "text", "root": "text",
    "notification_id": "uuid", "event": "text", "advance_id": "uuid", "announce_id": "uuid",
    "lane": "text", "held": "boolean", "most": "integer", "ranks": "jsonb",
}  # fmt: skip
"""What is said of each new task, and of which type it is."""

_WITH_FILES = {**_ASKED, "files": "jsonb", "more": "jsonb"}
"""The same where more is to be said of any of them: the files that came with it, and events."""


def _statement(asked: Mapping[str, str], files: str = "", noted: str = "") -> str:
    # `given` hides how many are asked for from the planner: it would plan anew for each number.
    given = ", ".join(f"cast(:{name} as {kind}[]) as {name}" for name, kind in asked.items())
    names = ", ".join(asked)
    return f"""
    with given as materialized (
        select {given}
    ), asked as materialized (
        select each.* from given, unnest({names}) as each({names})
    ), line as materialized (
        select asked.*, mine.turn, cast(asked.ranks ->
            least(mine.turn, jsonb_array_length(asked.ranks) - 1) as integer) as rank
        from asked
        join accounts a on a.platform = asked.platform and a.workspace = asked.workspace
            and a.external_id = asked.account
        join people p on p.id = a.person_id and p.organisation_id = asked.organisation_id
        cross join lateral person_under_way(p.organisation_id, asked.lane, p.id, asked.most)
            as mine(turn)
        where p.id = asked.person_id and p.active and p.language = asked.person_language
            and p.time_zone = asked.time_zone and p.roles <@ string_to_array(asked.roles, ',')
            and p.roles @> string_to_array(asked.roles, ',')
    ), fresh as (
        insert into inbound
            (id, organisation_id, platform, workspace, key, person_id, task_id, answer)
        select inbound_id, organisation_id, platform, workspace, key, person_id, task_id, '{{}}'
        from line
        where turn < most
        -- In one order everywhere: two who are handed the same deliveries can't wait crosswise.
        order by platform, workspace, key
        on conflict (platform, workspace, key) do nothing
        returning task_id
    ), named as materialized (
        select line.*, next_reference(line.organisation_id) as reference
        from fresh join line on line.task_id = fresh.task_id
    ), task as (
        insert into tasks (id, organisation_id, reference, agent, agent_version, person_id,
            language, text, revises_id, state, waiting_for, lane, turn, rank)
        select task_id, organisation_id, reference, agent, agent_version, person_id,
            language, words, revises_id, case when held then 'waiting' else 'received' end,
            case when held then 'release' end, lane, turn, rank from named
    ), revision as (
        insert into revisions (organisation_id, task_id, revision, ask, person_id)
        select organisation_id, task_id, 1, ask, person_id from named
    ), thread as (
        insert into threads
            (id, organisation_id, task_id, platform, workspace, channel, root, account)
        select thread_id, organisation_id, task_id, platform, workspace, channel, root, account
        from named
    ), news as (
        insert into notifications (id, organisation_id, task_id, topic)
        select notification_id, organisation_id, task_id,
            case when held then 'task.held' else 'task.received' end from named
    ), jobs as (
        insert into outbox (id, organisation_id, kind, subject_id, lane, rank, next_at)
        select job.id, organisation_id, job.kind, task_id, lane, rank, now() + :hand_again
        from named, lateral (values (advance_id, 'advance'), (announce_id, 'announce'))
            as job(id, kind) where not (held and job.kind = 'advance')
    ){files}
    select line.task_id, line.turn, line.rank, named.reference,
        case when named.reference is not null then audit_begin(named.organisation_id,
            named.task_id, replace(named.event, :unnumbered,
            '"reference":' || named.reference)) end as noted{noted}
    from line left join named on named.task_id = line.task_id
    """  # noqa: S608


_STORE = _statement(_ASKED)
_STORE_FILES = _statement(
    _WITH_FILES,
    """, files as (
        insert into attachments (id, organisation_id, task_id, revision, person_id, platform,
            workspace, external_id, name, media_type, size)
        select file.id, organisation_id, task_id, 1, person_id, platform, workspace,
            file.external_id, file.name, file.media_type, file.size
        from named, jsonb_to_recordset(named.files) as file
            (id uuid, external_id text, name text, media_type text, size bigint)
    )""",
    # After the first event: what is selected is computed from left to right.
    """,
        case when named.reference is not null and named.more <> '[]' then
            audit_append(named.organisation_id, named.task_id, named.more) end as noted_more""",
)
