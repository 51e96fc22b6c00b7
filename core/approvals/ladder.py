"""The ladder of a route: what becomes of a step that nobody decides, working day by working day.

Each rung is a row of the schedule, written when the step opens (core/approvals/rungs.py does it).
Reminding is not among them: the reminders of whoever holds a seat go by the ladder themselves
(core/approvals/reminding.py).
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core import schedule
from core.approvals.deadlines import calendar_of
from core.approvals.plan import Rung
from core.approvals.run import Run
from core.codec import load
from core.db import fetch_one, from_json
from core.tasks import Task
from core.unit import Unit

RUNG = "approval.rung"


async def climb(work: Unit, task: Task, after: Run) -> None:
    """See to it that the step which has just been opened is handed up or on in time."""
    stage = after.open
    if stage is None or stage.opened_at is None:
        return
    ladder = await ladder_of(work.connection, task.organisation_id, after.id)
    if all(rung.act == "remind" for rung in ladder):
        return
    holders = [seat.holder for seat in stage.living]
    calendar = await calendar_of(work.connection, task.organisation_id, holders)
    for n, rung in enumerate(ladder):
        if rung.act != "remind":
            await schedule.at(
                work,
                f"rung:{stage.id}:{opening_of(stage.opened_at)}:{n}",
                calendar.waited(stage.opened_at, rung.days),
                RUNG,
                organisation_id=task.organisation_id,
                subject_id=stage.id,
            )


async def ladder_of(
    connection: AsyncConnection, organisation_id: UUID, approval_id: UUID
) -> list[Rung]:
    row = await fetch_one(
        connection,
        "select ladder from approvals where organisation_id = :organisation_id and id = :id",
        {"organisation_id": organisation_id, "id": approval_id},
    )
    return [load(Rung, each) for each in from_json(row.ladder)] if row else []


def opening_of(opened_at: datetime) -> str:
    """Which opening of a step is meant: it opens anew where an approval was taken back."""
    return str(int(opened_at.timestamp() * 1000))
