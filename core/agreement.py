"""What the rows of tasks and notices say and what their events say, compared both ways.

One statement reads both of some tasks, so that they are of one moment: whoever works on a task
commits its rows with their events. It is a comparison of two lists of facts; each is a task, a kind
and a key, and has to stand in both as often.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import about
from core.db import fetch_all, from_json
from core.notice_agreement import EVENTS, FORGOTTEN, ROWS
from core.tags import Tag

MOST_TOLD = 100
"""Facts without their other side that are named; all are counted."""


@dataclass(frozen=True, slots=True)
class Lack:
    """A fact that stands in the rows `stored` times and in the log `said` times."""

    task_id: UUID
    reference: int | None
    kind: str
    key: str
    stored: int
    said: int

    @property
    def side(self) -> str:
        """What lacks: `event`, where the rows say more, or `row`."""
        return "event" if self.stored > self.said else "row"


@dataclass(frozen=True, slots=True)
class Compared:
    """How many facts there were of how many tasks, and of how many one side lacks; of those the
    `kinds`, and the `first` ones."""

    tasks: int
    facts: int
    lacking: int
    kinds: Sequence[str]
    first: Sequence[Lack]


async def compare(
    connection: AsyncConnection, organisation_id: UUID, tasks: Sequence[UUID]
) -> Compared:
    """Compare some tasks' rows with their events.

    A task that was begun when events said less (before version 2 of the envelope) is left out, and
    so is one of which events have left the database for the archive.
    """
    [row] = await fetch_all(
        connection,
        _COMPARE,  # names organisation_id
        {
            "organisation_id": organisation_id,
            "tasks": list(tasks),
            "earliest": about(tasks)[0],  # months before need not be looked into
            "most": MOST_TOLD,
        },
    )
    first = [_lack(each) for each in from_json(row.first or "[]")]
    return Compared(row.tasks, row.facts, row.lacking, row.kinds or (), first)


def _lack(found: dict[str, Any]) -> Lack:
    return Lack(**{**found, "task_id": UUID(found["task_id"])})


# Every table is read by its task: `any` of a list is looked up in an index, whatever PostgreSQL
# thinks of how many there are.
_ROWS = """
    select id as task_id, 'task' as kind, '' as key from tasks
        where organisation_id = :organisation_id and id = any (:tasks)
    union all
    select id, 'state', state || coalesce(':' || waiting_for, '') from tasks
        where organisation_id = :organisation_id and id = any (:tasks)
    union all
    select task_id, 'revision', cast(revision as text) from revisions
        where organisation_id = :organisation_id and task_id = any (:tasks) and revision > 1
    union all -- but for those whose event is the decision
    select s.task_id, 'step', s.revision || ':' || s.name from steps s
        where s.organisation_id = :organisation_id and s.task_id = any (:tasks)
        and not exists (select from approvals a where a.task_id = any (:tasks)
            and a.task_id = s.task_id and a.revision = s.revision and a.step = s.name)
    union all
    select task_id, 'approval', cast(id as text) from approvals
        where organisation_id = :organisation_id and task_id = any (:tasks)
    union all
    select task_id, 'closing', id || ':' || state from approvals
        where organisation_id = :organisation_id and task_id = any (:tasks) and state <> 'pending'
    union all
    select a.task_id, kind, d.approval_id || ':' || d.action
        from approvals a join decisions d on d.approval_id = a.id
        cross join lateral (values ('decision'), (case when d.undone_at is not null then 'undone'
            end)) as one_of(kind)
        where a.organisation_id = :organisation_id and a.task_id = any (:tasks)
        and kind is not null
    union all
    select distinct h.task_id, 'added', s.approval_id || ':' || h.person_id from approval_seats h
        join approval_stages s on s.id = h.stage_id
        where h.organisation_id = :organisation_id and h.task_id = any (:tasks)
        and h.added_by is not null
    union all
    select task_id, 'note', approval_id || ':' || kind from approval_notes
        where organisation_id = :organisation_id and task_id = any (:tasks) and kind <> 'forward'
    union all
    select task_id, 'seen', approval_id || ':' || person_id from circulations
        where organisation_id = :organisation_id and task_id = any (:tasks)
        and seen_at is not null
    union all
    select task_id, 'document', number from documents
        where organisation_id = :organisation_id and task_id = any (:tasks)
    union all
    select stream, 'entry', number from audit_documents
        where organisation_id = :organisation_id and stream = any (:tasks)
    union all
    select task_id, 'file', revision || ':' || (file ->> 'sha256') from documents
        where organisation_id = :organisation_id and task_id = any (:tasks) and file is not null
    union all
    select task_id, 'void', number from documents
        where organisation_id = :organisation_id and task_id = any (:tasks)
        and voided_at is not null
    union all
    select task_id, 'sent', cast(id as text) from attachments
        where organisation_id = :organisation_id and task_id = any (:tasks)
    union all
    select task_id, state, id || coalesce(':' || sha256, '') from attachments
        where organisation_id = :organisation_id and task_id = any (:tasks) and state <> 'pending'
    union all
    select task_id, 'intent', id || ':' || attempt
        from effects cross join lateral generate_series(1, attempts) as attempt
        where organisation_id = :organisation_id and task_id = any (:tasks)
    union all
    select task_id, 'effect', id || ':' || state from effects
        where organisation_id = :organisation_id and task_id = any (:tasks)
    union all
    select task_id, 'message', slot || ' ' || external_id from messages
        where organisation_id = :organisation_id and task_id = any (:tasks)
    union all
    select task_id, 'unknown', cast(id as text) from deliveries
        where organisation_id = :organisation_id and task_id = any (:tasks) and state = 'unknown'
    union all
    select task_id, 'settled', cast(id as text) from deliveries
        where organisation_id = :organisation_id and task_id = any (:tasks)
        and settled_by is not null
    union all -- once: several changes of a place are given up together
    select distinct task_id, 'given up', slot from deliveries
        where organisation_id = :organisation_id and task_id = any (:tasks) and state = 'failed'
    union all
    select task_id, 'claim', id || ':' || approved from claims
        where organisation_id = :organisation_id and task_id = any (:tasks)
        and state <> 'submitted'
    union all
    select task_id, 'owed', id || ':' || amount from payables
        where organisation_id = :organisation_id and task_id = any (:tasks)
    union all
    select task_id, 'link', id || ':' || sha256 from links
        where organisation_id = :organisation_id and task_id = any (:tasks)
    union all
    select task_id, 'revoked', cast(id as text) from links
        where organisation_id = :organisation_id and task_id = any (:tasks)
        and revoked_at is not null
    union all
    select a.task_id, 'page', cast(l.id as text) from approvals a
        join approval_links l on l.approval_id = a.id
        where a.organisation_id = :organisation_id and a.task_id = any (:tasks)
    union all -- once: whoever has decided on one has no use for the others
    select distinct a.task_id, 'page used', l.stage_id || ':' || l.person_id from approvals a
        join approval_links l on l.approval_id = a.id
        where a.organisation_id = :organisation_id and a.task_id = any (:tasks)
        and l.used_at is not null
"""

# Before routes had several steps, the action alone told the state.
_STATE_SINCE = """coalesce(data ->> 'state', case data ->> 'action' when 'approve' then 'approved'
    when 'reject' then 'rejected' else 'returned' end)"""

# What each event says; of those that follow one another about one thing, the last one counts.
# across organisations: of `event` below, which holds one's
_EVENTS = f"""
    select task_id, 'task', '' from event where tag = '{Tag.TASK_RECEIVED}'
    union all
    select task_id, 'state', case
            when bool_or(tag = '{Tag.TASK_STOPPED}'
                or tag = '{Tag.TASK_DROPPED}'
                or tag = '{Tag.TASK_CANCELLED}' and data ->> 'state' = 'cancelled')
                then 'cancelled'
            when bool_or(tag = '{Tag.TASK_CANCELLED}') then 'cancelling'
            else (array_agg(after order by seq desc))[1] end
        from event cross join lateral (select case tag
                when '{Tag.TASK_RECEIVED}' then 'received'
                when '{Tag.TASK_HELD}' then 'waiting:release'
                when '{Tag.TASK_RELEASED}' then 'received'
                when '{Tag.TASK_DROPPED}' then 'cancelled'
                when '{Tag.TASK_REVISED}' then 'received'
                when '{Tag.TASK_RETRIED}' then 'received'
                when '{Tag.FILE_RECEIVED}' then
                    case when data ->> 'again' = 'true' then 'received' end
                when '{Tag.QUESTION_ANSWERED}' then 'running'
                when '{Tag.EFFECT_SETTLED}' then 'running'
                when '{Tag.TASK_STARTED}' then 'running'
                when '{Tag.TASK_RETRYING}' then 'retrying'
                when '{Tag.TASK_FAILED}' then 'failed'
                when '{Tag.APPROVAL_EXPIRED}' then 'failed'
                when '{Tag.TASK_STOPPED}' then 'cancelled'
                when '{Tag.TASK_CANCELLED}' then 'cancelled'
                when '{Tag.TASK_DONE}' then 'done'
                when '{Tag.QUESTION_ASKED}' then 'waiting:answer'
                when '{Tag.APPROVAL_REQUESTED}' then 'waiting:approval'
                when '{Tag.APPROVAL_UNDONE}' then 'waiting:approval'
                when '{Tag.APPROVAL_DECIDED}' then case {_STATE_SINCE}
                    when 'approved' then 'running' when 'rejected' then 'rejected'
                    when 'returned' then 'waiting:answer' else 'waiting:approval' end
                when '{Tag.SEAT_LEFT}' then case data ->> 'state' when 'approved' then 'running'
                    when 'returned' then 'waiting:answer' else 'waiting:approval' end
            end as after) as moved
        where after is not null group by task_id
    union all
    select task_id, 'revision', data ->> 'to' from event where tag = '{Tag.TASK_REVISED}'
    union all
    select task_id, 'step', concat(body ->> 'revision', ':', body ->> 'step') from event
        where tag = '{Tag.STEP_FINISHED}'
    union all
    select task_id, 'approval', data ->> 'approval' from event
        where tag = '{Tag.APPROVAL_REQUESTED}'
    union all
    select task_id, 'closing', concat(approval, ':', state) from (
        select distinct on (task_id, data ->> 'approval') task_id, data ->> 'approval' as approval,
            case tag when '{Tag.APPROVAL_DECIDED}' then {_STATE_SINCE}
                when '{Tag.SEAT_LEFT}' then data ->> 'state'
                when '{Tag.APPROVAL_SUPERSEDED}' then data ->> 'state'
                when '{Tag.APPROVAL_EXPIRED}' then 'expired' else 'pending' end as state
        from event where tag in ('{Tag.APPROVAL_DECIDED}', '{Tag.APPROVAL_SUPERSEDED}',
            '{Tag.APPROVAL_EXPIRED}', '{Tag.APPROVAL_UNDONE}', '{Tag.SEAT_LEFT}')
        order by task_id, data ->> 'approval', seq desc) as last_of_approval
        where state <> 'pending'
    union all
    select task_id, 'undone', concat(data ->> 'approval', ':', 'approve') from event
        where tag = '{Tag.APPROVAL_UNDONE}'
    union all
    select distinct task_id, 'added', concat(data ->> 'approval', ':', data ->> 'person')
        from event where tag = '{Tag.SEAT_ADDED}'
    union all
    select task_id, 'note', concat(data ->> 'approval', ':', data ->> 'kind') from event
        where tag = '{Tag.APPROVAL_NOTED}'
    union all
    select task_id, 'seen', concat(data ->> 'approval', ':', body ->> 'person')
        from event
        where tag = '{Tag.APPROVAL_SEEN}'
    union all
    select task_id, 'decision', concat(data ->> 'approval', ':', data ->> 'action') from event
        where tag = '{Tag.APPROVAL_DECIDED}'
    union all
    select task_id, kind, data ->> 'number'
        from event cross join (values ('document'), ('entry')) as both_of(kind)
        where tag = '{Tag.DOCUMENT_NUMBERED}'
    union all
    select task_id, 'file', concat(body ->> 'revision', ':', data ->> 'sha256') from event
        where tag = '{Tag.DOCUMENT_ISSUED}'
    union all
    select task_id, 'void', data ->> 'number' from event where tag = '{Tag.DOCUMENT_VOIDED}'
    union all
    select task_id, 'sent', data ->> 'attachment' from event where tag = '{Tag.FILE_RECEIVED}'
    union all
    select task_id, case tag when '{Tag.FILE_KEPT}' then 'kept' else 'refused' end,
        concat_ws(':', data ->> 'attachment', data ->> 'sha256') from event
        where tag in ('{Tag.FILE_KEPT}', '{Tag.FILE_REFUSED}')
    union all
    select task_id, 'intent', concat(data ->> 'effect', ':', data ->> 'attempt') from event
        where tag = '{Tag.EFFECT_INTENDED}'
    union all
    select * from (
        select distinct on (task_id, data ->> 'effect') task_id, 'effect',
            concat(data ->> 'effect', ':', case tag
                when '{Tag.EFFECT_INTENDED}' then 'intended'
                when '{Tag.EFFECT_DONE}' then 'done'
                when '{Tag.EFFECT_FAILED}' then 'failed'
                when '{Tag.EFFECT_UNKNOWN}' then 'unknown'
                else case data ->> 'answer' when 'sent' then 'done' when 'again' then 'again'
                    else 'failed' end end)
        from event where data ->> 'effect' is not null
        order by task_id, data ->> 'effect', seq desc) as last_of_effect
    union all
    select task_id, 'message', concat(data ->> 'slot', ' ', data ->> 'external_id') from event
        where tag = '{Tag.MESSAGE_SENT}'
    union all
    select task_id, 'unknown', delivery from (
        select distinct on (task_id, data ->> 'delivery') task_id,
            data ->> 'delivery' as delivery, tag = '{Tag.MESSAGE_UNKNOWN}' as unknown
        from event where tag in ('{Tag.MESSAGE_UNKNOWN}', '{Tag.MESSAGE_SETTLED}',
            '{Tag.MESSAGE_FAILED}') and data ->> 'delivery' is not null
        order by task_id, data ->> 'delivery', seq desc) as last_of_message
        where unknown
    union all
    select distinct task_id, 'settled', data ->> 'delivery' from event
        where tag = '{Tag.MESSAGE_SETTLED}'
    union all
    select distinct task_id, 'given up', data ->> 'slot' from event
        where tag = '{Tag.MESSAGE_FAILED}'
    union all
    select task_id, 'claim', concat(data ->> 'claim', ':', data ->> 'approved') from event
        where tag = '{Tag.CLAIM_APPROVED}'
    union all
    select task_id, 'owed', concat(data ->> 'payable', ':', data ->> 'amount') from event
        where tag = '{Tag.PAYABLE_OWED}'
    union all
    select task_id, 'link', concat(data ->> 'link', ':', data ->> 'sha256') from event
        where tag = '{Tag.LINK_MADE}'
    union all
    select task_id, 'revoked', data ->> 'link' from event where tag = '{Tag.LINK_REVOKED}'
    union all
    select task_id, 'page', data ->> 'page' from event where tag = '{Tag.PAGE_MADE}'
    union all
    select distinct task_id, 'page used', concat(data ->> 'stage', ':', body ->> 'person')
        from event where tag = '{Tag.PAGE_USED}'
"""  # noqa: S608  # tags are constants

_COMPARE = f"""
    with written as materialized (
        select stream as task_id, seq, at, tag, body, body -> 'data' as data from audit_events
        where organisation_id = :organisation_id and stream = any (:tasks) and at >= :earliest
    ), earlier as materialized (
        select task_id from written where seq = 1 and body ->> 'v' = '1'
        union
        select stream from audit_archived_runs
        where organisation_id = :organisation_id and stream = any (:tasks)
        union
        {FORGOTTEN}
    ), event as materialized (
        select * from written where task_id not in (select task_id from earlier)
    ), stored as (
        select task_id, kind, key, count(*) as n from (
            {_ROWS}
            union all
            {ROWS}
            union all
            select stream, 'number', cast(seq as text)
                from audit_streams cross join lateral generate_series(1, count) as seq
                where organisation_id = :organisation_id and stream = any (:tasks)
        ) as fact
        where task_id not in (select task_id from earlier) group by task_id, kind, key
    ), said as (
        select task_id, kind, key, count(*) as n from (
            select task_id, 'number' as kind, cast(seq as text) as key from event
            union all
            {_EVENTS}
            union all
            {EVENTS}
        ) as fact group by task_id, kind, key
    ), fact as materialized (
        select task_id, kind, key, coalesce(stored.n, 0) as stored, coalesce(said.n, 0) as said
        from stored full join said using (task_id, kind, key)
    ), lack as materialized (
        select * from fact where stored <> said
    )
    select (select count(*) from unnest(cast(:tasks as uuid[])) as asked(id)
            where id not in (select task_id from earlier)) as tasks,
        (select count(*) from fact) as facts,
        (select count(*) from lack) as lacking,
        (select array_agg(distinct kind) from lack) as kinds,
        (select jsonb_agg(jsonb_build_object('task_id', task_id, 'reference', t.reference,
                'kind', kind, 'key', key, 'stored', stored, 'said', said))
            from (select * from lack order by task_id, kind, key limit :most) as told
                left join tasks t on t.id = task_id) as first
"""  # noqa: S608  # likewise
