"""What waits for somebody is shown by their other accounts once one of them is not reached."""

from uuid import UUID

from core import tasks
from core.db import fetch_all
from core.unit import Unit


async def show_elsewhere(work: Unit, organisation_id: UUID, person_id: UUID) -> None:
    """Have all that waits for a person's decision or answer shown where they are still reached.

    For the unit in which an account of theirs was found to be out of reach; said twice, it shows
    nothing twice.
    """
    rows = await fetch_all(
        work.connection,
        "select h.task_id from approval_seats h join approval_stages s on s.id = h.stage_id"
        " join approvals a on a.id = s.approval_id where h.organisation_id = :organisation_id"
        " and h.holder_id = :person_id and h.state = 'open' and a.state = 'pending'"
        " union select id from tasks where organisation_id = :organisation_id"
        " and person_id = :person_id and state = 'waiting' and waiting_for = 'answer'",
        {"organisation_id": organisation_id, "person_id": person_id},
    )
    found = await tasks.read(work.connection, organisation_id, [row.task_id for row in rows])
    for task in found.values():
        await tasks.notify(work, task, "person.unreachable", {"person": str(person_id)})
