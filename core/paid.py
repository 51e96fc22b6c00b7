"""How what is to be paid stands: open, in a run that is under way, or paid by which file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import fetch_all
from core.payables import IS_FREE

Standing = Literal["open", "under way", "paid", "not paid"]


@dataclass(frozen=True, slots=True)
class PaidFor:
    """So many yen of a task, and what became of them. `run` is the payment run's reference,
    `number` its file's; `not paid`: the task's document is void, or another takes its place."""

    reference: int
    name: str
    amount: int
    standing: Standing
    run: int | None
    number: str | None
    pay_on: date | None


async def standings(
    connection: AsyncConnection, organisation_id: UUID, *, most: int = 1000
) -> Sequence[PaidFor]:
    """The newest of an organisation, the newest first."""
    rows = await fetch_all(
        connection,
        f"""
        select t.reference, coalesce(nullif(p.payee, ''), who.name) as name, p.amount,
            case when p.withdrawn_at is not null then 'not paid'
                when not {IS_FREE} then case run.state when 'done' then 'paid' else 'under way' end
                when exists (select from documents d where d.organisation_id = :organisation_id
                    and d.task_id = p.task_id and d.voided_at is not null) then 'not paid'
                else 'open' end as standing,
            run.reference as run, file.number, p.pay_on
        from payables p join tasks t on t.id = p.task_id join people who on who.id = p.person_id
        left join tasks run on run.id = p.run_id
        left join documents file on file.task_id = run.id and file.revision = run.revision
            and file.voided_at is null
        where p.organisation_id = :organisation_id order by p.id desc limit :most
        """,  # noqa: S608
        {"organisation_id": organisation_id, "most": most},
    )
    return [_as_it_stands(row._asdict()) for row in rows]


def _as_it_stands(row: dict[str, object]) -> PaidFor:
    """Of a run that came to nothing nothing is told."""
    if row["standing"] in ("open", "not paid"):
        row |= {"run": None, "number": None, "pay_on": None}
    return PaidFor(**row)  # type: ignore[arg-type]
