"""What waits for somebody's decision, with what one has to know to decide it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from core.agent import Agent, Results, Summary
from core.db import fetch_all, from_json
from core.earlier import results_of
from core.house import House
from core.people import Person
from core.words import Language, Words

log = structlog.get_logger()

SHOWN = 20
"""So many are listed, those that have waited longest."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step of an approval that waits for this person. `stage` names it exactly as it was shown:
    it is another one as soon as the content, or the step, is.

    `person` is whose seat it is where they act for somebody. `amount` in whole yen, where the agent
    tells one. `text`: the beginning of what was asked for.
    """

    stage: UUID
    task_id: UUID
    reference: int
    title: Words
    requester: str
    person: str | None
    text: str
    total: str
    amount: int | None
    since: datetime
    due_at: datetime | None
    expires_at: datetime

    @property
    def spoken(self) -> str:
        return f"#{self.reference}"


# The seats first: of a hundred thousand that are open, only those of one person are looked at.
_WAITING = """
    with mine as (
        select h.stage_id, h.task_id, h.person_id, h.open_since, a.expires_at
        from approval_seats h
        join approval_stages s on s.id = h.stage_id join approvals a on a.id = s.approval_id
        where h.organisation_id = :organisation_id and h.holder_id = :person_id
            and h.state = 'open' and a.expires_at > now()
        order by h.open_since limit :most
    )
    select mine.stage_id, mine.open_since, t.id as task_id, t.reference, t.agent, t.agent_version,
        t.redacted, t.text, p.name as requester, s.due_at, mine.expires_at,
        case when mine.person_id <> :person_id then owner.name end as person, r.ask,
        (select jsonb_agg(jsonb_build_object('name', e.name, 'result', e.result)) from steps e
            where e.organisation_id = :organisation_id and e.task_id = t.id
            and e.revision = t.revision) as steps
    from mine join tasks t on t.id = mine.task_id
    join approval_stages s on s.id = mine.stage_id
    join people p on p.id = t.person_id
    join people owner on owner.id = mine.person_id
    left join revisions r on r.task_id = t.id and r.revision = t.revision
    where t.organisation_id = :organisation_id
    order by mine.open_since, mine.stage_id
"""


async def waiting_for(
    connection: AsyncConnection, house: House, person: Person, most: int = SHOWN
) -> tuple[Waiting, ...]:
    """What waits for a person, the oldest first."""
    rows = await fetch_all(
        connection,
        _WAITING,  # names organisation_id
        {"organisation_id": person.organisation_id, "person_id": person.id, "most": most},
    )
    return tuple(_waiting(house, row, person.language) for row in rows)


async def count_for(connection: AsyncConnection, person: Person) -> int:
    """How much waits for a person altogether."""
    [row] = await fetch_all(
        connection,
        "select count(*) as n from approval_seats h join approval_stages s on s.id = h.stage_id"
        " join approvals a on a.id = s.approval_id where h.organisation_id = :organisation_id"
        " and h.holder_id = :person_id and h.state = 'open' and a.expires_at > now()",
        {"organisation_id": person.organisation_id, "person_id": person.id},
    )
    return int(row.n)


def _waiting(house: House, row: Any, language: Language) -> Waiting:
    agent = house.agent(row.agent, row.agent_version, row.redacted)
    results = _results(agent, row)
    totals = agent.summarise(results, language).totals if results is not None else Summary().totals
    terms = agent.terms(results) if agent.terms and results is not None else {}
    amount = terms.get("amount")
    return Waiting(
        stage=row.stage_id,
        task_id=row.task_id,
        reference=row.reference,
        title=agent.title,
        requester=row.requester,
        person=row.person,
        text=" ".join(row.text.split())[:60],
        total=totals[-1].value if totals else "",
        amount=int(amount) if isinstance(amount, int) else None,
        since=row.open_since,
        due_at=row.due_at,
        expires_at=row.expires_at,
    )


def _results(agent: Agent, row: Any) -> Results | None:
    """What the task has worked out. None where that is not there, or of another version of the
    agent."""
    if row.ask is None:
        return None
    stored = {step["name"]: step["result"] for step in from_json(row.steps) or []}
    try:
        return results_of(agent, from_json(row.ask), stored)
    except (ValueError, TypeError) as error:
        log.warning("inbox.unreadable", task=str(row.task_id), error=repr(error))
        return None
