"""The books of claims: what was handed in, what was approved, and what looks like it was before.

`submit` and `approve` are written in the unit of an agent's step. With an approved claim it is
written what is to be paid of it (core/payables.py).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON
from core import tasks
from core.codec import dump, fingerprint, load
from core.db import execute, fetch_all, fetch_one, from_json, to_json
from core.errors import Permanent
from core.expenses.claim import Checked, CheckedLine
from core.ids import new_id
from core.payables import owe, withdraw
from core.reading.text import key_of
from core.tags import Tag
from core.tasks import Task
from core.unit import Unit
from core.words import Words

_GONE = Words(
    ja="この精算は帳簿にありません。もう一度申請してください。",
    en="The books have no such claim. Please hand it in again.",
    zh="账簿中没有此报销单，请重新申请。",
)


@dataclass(frozen=True, slots=True)
class Twin:
    """A line that another claim has as well: same day, amount and payee. `place` from 1."""

    place: int
    reference: int
    who: str
    own: bool


@dataclass(frozen=True, slots=True)
class Submitted:
    """A claim as it was handed in, with what looks like it was claimed before."""

    claim_id: UUID
    twins: tuple[Twin, ...] = ()


@dataclass(frozen=True, slots=True)
class Booked:
    """An approved claim in the books."""

    claim_id: UUID
    approved: int


@dataclass(frozen=True, slots=True)
class BookedLine:
    """A line of an approved claim, with the claim's number and person."""

    number: str
    person: str
    person_id: UUID
    department: str
    approved_on: date
    day: date
    payee: str
    purpose: str
    category: str
    category_name: Words
    account: str
    amount: int
    approved: int
    withheld: int
    rate: int
    tax: int
    credit: int
    registration: str | None
    exemption: str | None


async def submit(work: Unit, task: Task, checked: Checked) -> Submitted:
    """Write what is claimed, and find what looks like it.

    One at a time in an organisation: of two twins that are handed in together one sees the other.
    """
    connection = work.connection
    scope = {"organisation_id": task.organisation_id, "task_id": task.id}
    await execute(
        connection,
        "select pg_advisory_xact_lock(hashtextextended(cast(:organisation_id as text), 6))",
        {"organisation_id": str(task.organisation_id)},
    )
    claim_id = new_id()
    await execute(
        connection,
        "insert into claims (id, organisation_id, task_id, revision, person_id, department,"
        " claimed, approved, withheld, replaces_id)"
        " select :id, t.organisation_id, t.id, :revision, t.person_id, p.department, :claimed,"
        " :approved, :withheld, (select c.id from claims c"
        " where c.organisation_id = :organisation_id and c.task_id = t.revises_id"
        " and c.state <> 'submitted')"
        " from tasks t join people p on p.id = t.person_id"
        " where t.organisation_id = :organisation_id and t.id = :task_id",
        {
            **scope,
            "id": claim_id,
            "revision": task.revision,
            "claimed": checked.total,
            "approved": checked.approved,
            "withheld": checked.withheld,
        },
    )
    rows = [_row(place, each) for place, each in enumerate(checked.lines, 1)]
    await execute(
        connection,
        _INSERT_LINES,  # names organisation_id
        {**scope, "claim_id": claim_id, "lines": to_json(rows)},
    )
    return Submitted(claim_id, tuple(await _twins(connection, task, claim_id)))


def _row(place: int, each: CheckedLine) -> dict[str, object]:
    line = each.line
    return {
        "place": place,
        "day": line.day.isoformat(),
        "payee": line.payee,
        "payee_key": key_of(line.payee),
        "purpose": line.purpose,
        "category": line.category,
        "category_name": dump(each.name),
        "account": each.account,
        "amount": line.amount,
        "approved": each.approved,
        "withheld": each.withheld,
        "rate": line.rate,
        "tax": each.tax,
        "credit": each.credit,
        "registration": line.registration,
        "exemption": line.exemption,
        "attendees": "\n".join(line.attendees),
        "people": line.people,
    }


_COLUMNS = (
    "place, day, payee, payee_key, purpose, category, category_name, account, amount, approved,"
    " withheld, rate, tax, credit, registration, exemption, attendees, people"
)
_INSERT_LINES = f"""
    insert into claim_lines (organisation_id, claim_id, task_id, {_COLUMNS})
    select :organisation_id, :claim_id, :task_id, {_COLUMNS}
    from jsonb_to_recordset(cast(:lines as jsonb)) as line(place integer, day date, payee text,
        payee_key text, purpose text, category text, category_name jsonb, account text,
        amount bigint, approved bigint, withheld bigint, rate integer, tax bigint, credit integer,
        registration text, exemption text, attendees text, people integer)
"""  # noqa: S608


async def _twins(connection: AsyncConnection, task: Task, claim_id: UUID) -> list[Twin]:
    rows = await fetch_all(
        connection,
        """
        select distinct mine.place, t.reference, p.name, c.person_id = :person_id as own
        from claim_lines mine
        join claim_lines other on other.organisation_id = :organisation_id
            and other.day = mine.day and other.amount = mine.amount
            and other.payee_key = mine.payee_key and other.task_id <> mine.task_id
        join claims c on c.id = other.claim_id and c.state <> 'replaced'
        join tasks t on t.id = c.task_id and t.revision = c.revision
            and t.state not in ('rejected', 'cancelled')
        join people p on p.id = c.person_id
        where mine.organisation_id = :organisation_id and mine.claim_id = :claim_id
            and t.id is distinct from (select r.revises_id from tasks r
                where r.organisation_id = :organisation_id and r.id = :task_id)
        order by mine.place, t.reference
        """,
        {
            "organisation_id": task.organisation_id,
            "claim_id": claim_id,
            "task_id": task.id,
            "person_id": task.person_id,
        },
    )
    return [Twin(row.place, row.reference, row.name, row.own) for row in rows]


async def approve(work: Unit, task: Task, number: str) -> Booked:
    """Enter the task's claim as approved under its document's number.

    What is left to pay of it is owed from now on. A claim that it corrects is not paid any more;
    what was paid of it already counts towards this one. Raises Permanent where the books have none.
    """
    scope = {"organisation_id": task.organisation_id, "task_id": task.id}
    claim = await fetch_one(
        work.connection,
        "select id, replaces_id, approved, withheld, person_id, (select min(l.day)"
        " from claim_lines l where l.claim_id = claims.id and l.withheld > 0) as received_on"
        " from claims where organisation_id = :organisation_id and task_id = :task_id"
        " and revision = :revision and state = 'submitted' for update",
        {**scope, "revision": task.revision},
    )
    if claim is None:
        raise Permanent(_GONE)
    before = await _replace(work, task.organisation_id, claim.replaces_id)
    await execute(
        work.connection,
        "update claims set state = 'approved', approved_at = now(), number = :number,"
        " paid_before = :before where organisation_id = :organisation_id and id = :id",
        {
            "organisation_id": task.organisation_id,
            "id": claim.id,
            "number": number,
            "before": before,
        },
    )
    data: dict[str, JSON] = {
        "claim": str(claim.id),
        "approved": claim.approved,
        "lines_sha256": fingerprint(await _written(work.connection, task, claim.id)),
    }
    work.record(tasks.event(task, Tag.CLAIM_APPROVED, data))
    left = claim.approved - claim.withheld - before
    if left > 0:
        # A fee's law counts from the day on which the work was received.
        await owe(
            work, task, claim.person_id, left,
            withheld=claim.withheld, received_on=claim.received_on,
        )  # fmt: skip
    return Booked(claim.id, claim.approved)


async def _replace(work: Unit, organisation_id: UUID, replaced: UUID | None) -> int:
    """Take a corrected claim out of what is to be paid; the yen of it that are paid or on their
    way."""
    if replaced is None:
        return 0
    old = await fetch_one(
        work.connection,
        "update claims set state = 'replaced' where organisation_id = :organisation_id"
        " and id = :id returning task_id, paid_before",
        {"organisation_id": organisation_id, "id": replaced},
    )
    if old is None:
        return 0
    return int(old.paid_before) + await withdraw(work, organisation_id, old.task_id)


async def _written(connection: AsyncConnection, task: Task, claim_id: UUID) -> list[list[Any]]:
    """The lines as they stand, for the hash that the log has of them."""
    rows = await fetch_all(
        connection,
        "select place, cast(day as text) as day, payee, category, account, amount, approved,"
        " withheld, rate, tax, credit, registration, exemption from claim_lines"
        " where organisation_id = :organisation_id and claim_id = :id order by place",
        {"organisation_id": task.organisation_id, "id": claim_id},
    )
    return [list(row) for row in rows]


# For reports


async def booked_between(
    connection: AsyncConnection, organisation_id: UUID, since: date, until: date, zone: str
) -> list[BookedLine]:
    """The lines of claims that were approved from one day to another, both included, in the
    company's zone; by department, person and number. Claims that were corrected or declared void
    are left out."""
    rows = await fetch_all(
        connection,
        """
        select c.number, p.name as person, c.person_id, c.department,
            cast(c.approved_at at time zone :zone as date) as approved_on, l.day, l.payee,
            l.purpose, l.category, l.category_name, l.account, l.amount, l.approved, l.withheld,
            l.rate, l.tax, l.credit, l.registration, l.exemption
        from claims c
        join people p on p.id = c.person_id
        join documents d on d.organisation_id = :organisation_id and d.number = c.number
            and d.task_id = c.task_id and d.voided_at is null
        join claim_lines l on l.claim_id = c.id
        where c.organisation_id = :organisation_id and c.state = 'approved'
            and cast(c.approved_at at time zone :zone as date) between :since and :until
            and not exists (select from claims n where n.organisation_id = :organisation_id
                and n.replaces_id = c.id and n.state = 'approved')
        order by c.department, p.name, c.person_id, c.number, l.place
        """,
        {"organisation_id": organisation_id, "since": since, "until": until, "zone": zone},
    )
    return [
        BookedLine(**{**row._asdict(), "category_name": load(Words, from_json(row.category_name))})
        for row in rows
    ]
