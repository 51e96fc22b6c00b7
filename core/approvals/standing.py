"""How an approval stands for whoever wants to decide it, and what they are told where they can't.

One statement without a lock: of many who click at once, all but the first are told by this, without
queueing for the task.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from core import phrases
from core.approvals import wording
from core.approvals.acting_for import LONGEST
from core.approvals.wording import ACTIONS, called, moment
from core.db import fetch_all, fetch_quickly
from core.errors import NotAllowed, Refused, Unknown
from core.people import Person
from core.words import Words, same


@dataclass(frozen=True, slots=True)
class Standing:
    """An approval as one person meets it. `current` is its task's revision now, `shown` the state
    of the step that the button they pressed belongs to; `mine`: they hold a seat that is open.

    `late`: its time is over by the database's clock, and the schedule is about to close it. The
    decision told of is the last one: of the step that was shown, or of the whole.
    """

    id: UUID
    task_id: UUID
    revision: int
    current: int
    step: str
    route: str
    agent: str
    state: str
    shown_sha256: str
    expires_at: datetime
    now: datetime
    late: bool
    shown: str | None
    mine: bool
    later: bool
    waits: Sequence[str] | None
    handed_to: str | None
    action: str | None
    decided_at: datetime | None
    decided_by: str | None
    on_behalf_of: str | None
    my_action: str | None
    my_decision_at: datetime | None


class Changed(Refused):
    """What was shown is not what is to be decided any more; the newest card is shown instead."""

    def __init__(self, words: Words, task_id: UUID) -> None:
        super().__init__(words)
        self.task_id = task_id


_STANDING = """
    select a.id, a.task_id, a.revision, t.revision as current, a.step, a.route, t.agent, a.state,
        a.shown_sha256, a.expires_at, clock_timestamp() as now,
        a.state = 'pending' and a.expires_at <= now() as late, shown.state as shown,
        exists (select from approval_seats h where h.organisation_id = :organisation_id
            and h.stage_id = o.id and h.holder_id = :person_id and h.state = 'open') as mine,
        exists (select from approval_seats h join approval_stages s on s.id = h.stage_id
            where h.organisation_id = :organisation_id and s.approval_id = a.id
            and h.holder_id = :person_id and h.state = 'todo') as later,
        (select array_agg(p.name order by p.name) from approval_seats h
            join people p on p.id = h.holder_id where h.organisation_id = :organisation_id
            and h.stage_id = o.id and h.state = 'open') as waits,
        (select p.name from approval_seats h join people p on p.id = h.holder_id
            where h.organisation_id = :organisation_id and h.stage_id = o.id
            and h.person_id = :person_id and h.holder_id <> :person_id and h.state = 'open'
            limit 1) as handed_to,
        d.action, d.decided_at, p.name as decided_by, b.name as on_behalf_of,
        m.action as my_action, m.decided_at as my_decision_at
    from approvals a join tasks t on t.id = a.task_id
    left join approval_stages shown on shown.id = :value
    left join approval_stages o on o.approval_id = a.id and o.state = 'open'
    left join lateral (select * from decisions d where d.approval_id = a.id
        and d.undone_at is null and (a.state <> 'pending' or d.stage_id = shown.id)
        order by d.decided_at desc, d.id desc limit 1) d on true
    left join people p on p.id = d.person_id
    left join people b on b.id = d.on_behalf_of
    left join lateral (select * from decisions m where m.approval_id = a.id
        and m.undone_at is null and m.stage_id = o.id and m.person_id = :person_id
        order by m.decided_at desc limit 1) m on true
    where a.organisation_id = :organisation_id and a.id = coalesce((select approval_id
        from approval_stages where organisation_id = :organisation_id and id = :value), :value)
"""


async def check_open(connection: AsyncConnection, person: Person, value: UUID) -> Standing:
    """Raises Refused with what became of an approval that this person can't decide any more.

    `value` is the step that a button belongs to, or an approval, of which the open step is meant.
    """
    row = await fetch_quickly(
        connection,
        _STANDING,  # names organisation_id
        {
            "organisation_id": person.organisation_id,
            "value": value,
            "person_id": person.id,
        },
    )
    if row is None:
        raise Unknown(phrases.UNKNOWN_TASK.fill(target="?"))
    standing = Standing(**dict(row))
    if standing.state == "superseded" or standing.revision != standing.current:
        raise Changed(phrases.CONTENT_CHANGED, standing.task_id)
    closed = _closed(standing, ZoneInfo(person.time_zone))
    if closed is not None:
        raise Refused(closed)
    return standing


def _closed(standing: Standing, zone: ZoneInfo) -> Words | None:
    """What became of an approval or of the step that was shown; None while it waits."""
    if standing.state == "withdrawn":
        return phrases.WITHDRAWN
    if standing.state == "expired" or standing.late:
        return phrases.EXPIRED.fill(at=moment(standing.expires_at, zone))
    if standing.state != "pending":
        return _decided(standing, zone, phrases.ALREADY_DECIDED)
    waits = names(standing.waits)
    if standing.shown in {"passed", "returned", "closed"}:
        return _decided(standing, zone, wording.STEP_DECIDED, waits=waits)
    if not standing.mine and standing.my_action and standing.my_decision_at:
        at = moment(standing.my_decision_at, zone)
        action = ACTIONS[standing.my_action]
        return wording.YOU_DECIDED.fill(at=at, action=action, waits=waits)
    return None


def _decided(standing: Standing, zone: ZoneInfo, words: Words, **more: object) -> Words | None:
    if standing.action is None or standing.decided_at is None or standing.decided_by is None:
        return None
    return words.fill(
        who=called(standing.decided_by, standing.on_behalf_of),
        at=moment(standing.decided_at, zone),
        action=ACTIONS[standing.action],
        **more,
    )


def names(found: Sequence[str] | None) -> Words:
    """Those whom it waits for, in a line."""
    return same(", ".join(found)) if found else phrases.NOBODY


async def check_right(connection: AsyncConnection, person: Person, standing: Standing) -> None:
    """Raises NotAllowed unless the person holds an open seat, and neither asked for it, nor edited
    it, nor acts for somebody who did."""
    waits = names(standing.waits)
    authors = await authors_of(connection, person.organisation_id, standing.task_id)
    if person.id in authors:
        raise NotAllowed(phrases.OWN_REQUEST.fill(who=waits))
    if not standing.mine:
        if standing.handed_to is not None:
            raise NotAllowed(wording.HANDED_ON.fill(who=standing.handed_to))
        if standing.later:
            raise NotAllowed(wording.NOT_YET.fill(waits=waits))
        raise NotAllowed(phrases.NOT_YOURS.fill(who=waits))
    if person.id in await acting_for(connection, person, authors, standing.agent):
        raise NotAllowed(wording.ACTS_FOR_AUTHOR.fill(who=waits))


async def authors_of(
    connection: AsyncConnection, organisation_id: UUID, task_id: UUID
) -> frozenset[UUID]:
    """Who asked for a task or edited it: none of them may approve it."""
    rows = await fetch_all(
        connection,
        "select person_id from revisions"
        " where organisation_id = :organisation_id and task_id = :task_id"
        " union select person_id from tasks"
        " where organisation_id = :organisation_id and id = :task_id",
        {"organisation_id": organisation_id, "task_id": task_id},
    )
    return frozenset(row.person_id for row in rows)


async def acting_for(
    connection: AsyncConnection, person: Person, authors: frozenset[UUID], agent: str
) -> frozenset[UUID]:
    """The person, where they act for one of the authors today, for this kind of work; or for who
    does, as far as chains of delegates go."""
    rows = await fetch_all(
        connection,
        "with recursive acts (id, far) as ("
        " select author, 0 from unnest(cast(:authors as uuid[])) as author"
        " union select d.delegate_id, far + 1 from acts join delegations d on d.person_id = acts.id"
        " join people p on p.id = d.person_id"
        " where d.organisation_id = :organisation_id and d.revoked_at is null and far < :longest"
        " and cast(now() at time zone p.time_zone as date) between d.since and d.until"
        " and (d.forms = '{}' or :agent = any(d.forms))"
        ") select id from acts where id = :person_id and far > 0",
        {
            "organisation_id": person.organisation_id,
            "person_id": person.id,
            "authors": list(authors),
            "agent": agent,
            "longest": LONGEST,
        },
    )
    return frozenset(row.id for row in rows)
