"""Circulation (回覧): who is told of the end of an approval, and who has said that they saw it."""

from collections.abc import Sequence
from uuid import UUID

from audit.event import JSON, SYSTEM, Actor
from core import tasks
from core.approvals import wording
from core.approvals.plan import Circulated
from core.codec import load
from core.db import execute, fetch_one, from_json, to_json
from core.errors import Refused
from core.ids import new_id
from core.people import Person
from core.tags import Tag
from core.tasks import Task
from core.unit import Unit


async def send_round(work: Unit, task: Task, approval_id: UUID) -> None:
    """Tell those whom the route names, once it is approved."""
    row = await fetch_one(
        work.connection,
        "select inform from approvals where organisation_id = :organisation_id and id = :id",
        {"organisation_id": task.organisation_id, "id": approval_id},
    )
    assert row is not None  # noqa: S101  # its decision is being written
    everybody: list[Circulated] = [load(Circulated, each) for each in from_json(row.inform)]
    await circulate(work, task, approval_id, everybody)


async def circulate(
    work: Unit,
    task: Task,
    approval_id: UUID,
    people: Sequence[Circulated],
    actor: Actor | None = None,
) -> None:
    """Tell some people of it; each once, however often they are named."""
    rows = [
        {"id": str(new_id()), "person_id": str(each.person), "confirm": each.confirm}
        for each in people
    ]
    if not rows:
        return
    written = await execute(
        work.connection,
        "insert into circulations (id, organisation_id, approval_id, task_id, person_id, confirm,"
        " by_id, sent_at) select id, :organisation_id, :approval_id, :task_id, person_id, confirm,"
        " cast(:by_id as uuid), now() from jsonb_to_recordset(cast(:rows as jsonb))"
        " as round (id uuid, person_id uuid, confirm boolean)"
        " on conflict (approval_id, person_id) do nothing",
        {
            "organisation_id": task.organisation_id,
            "approval_id": approval_id,
            "task_id": task.id,
            "by_id": actor.person_id if actor else None,
            "rows": to_json(rows),
        },
    )
    if not written:
        return
    data: dict[str, JSON] = {
        "approval": str(approval_id),
        "people": [str(each.person) for each in people],
    }
    work.record(tasks.event(task, Tag.APPROVAL_CIRCULATED, data, actor or SYSTEM))
    await tasks.notify(work, task, "approval.circulated", {"approval": str(approval_id)})


async def confirm(work: Unit, person: Person, approval_id: UUID, actor: Actor) -> Task:
    """Somebody has seen it. Raises Refused where it was not circulated to them."""
    row = await fetch_one(
        work.connection,
        "select task_id, seen_at from circulations where organisation_id = :organisation_id"
        " and approval_id = :approval_id and person_id = :person_id",
        {
            "organisation_id": person.organisation_id,
            "approval_id": approval_id,
            "person_id": person.id,
        },
    )
    if row is None:
        raise Refused(wording.NOT_CIRCULATED)
    task = await tasks.lock(work.connection, person.organisation_id, row.task_id)
    seen = await execute(
        work.connection,
        "update circulations set seen_at = now() where organisation_id = :organisation_id"
        " and approval_id = :approval_id and person_id = :person_id and seen_at is null",
        {
            "organisation_id": person.organisation_id,
            "approval_id": approval_id,
            "person_id": person.id,
        },
    )
    if seen:
        data: dict[str, JSON] = {"approval": str(approval_id)}
        work.record(tasks.event(task, Tag.APPROVAL_SEEN, data, actor))
        await tasks.notify(work, task, "approval.circulated", {"approval": str(approval_id)})
    return task
