"""A finished step in one statement: fence, result, event, news and the nudge to tell them.

What a unit does in seven round trips; most steps of a task end this way, the last one by a unit.
"""

from datetime import datetime
from typing import Any

from audit import log
from audit.event import JSON
from core import tasks
from core.db import fetch_one_alone, to_json
from core.errors import Cancelling, LostLease
from core.ids import new_id
from core.lease import BEGIN_ANEW, Walk
from core.ports import Job
from core.tags import Tag
from core.unit import OUTBOX_INSERT, outbox_row


async def finish(
    walk: Walk, step: str, result: Any, inputs_sha256: str, result_sha256: str, started: datetime,
    *, kept: bool,
) -> None:  # fmt: skip
    """Store a step's result and have the task's news told, or do nothing of it.

    Raises LostLease if the task was taken, Cancelling if it is to be stopped.
    """
    task = walk.task
    data: dict[str, JSON] = {"result_sha256": result_sha256, "kept": kept}
    events = [tasks.event(task, Tag.STEP_FINISHED, data, step=step)]
    jobs = [Job("announce", task.organisation_id, task.id, lane=task.lane, rank=task.rank)]
    row = await fetch_one_alone(
        walk.house.engine,
        _FINISH,
        {
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "fence": walk.fence,
            "revision": task.revision,
            "step": step,
            "inputs": inputs_sha256,
            "result": to_json(result),
            "started": started,
            "counted": bool(walk.attempts or walk.crashes),
            "notification_id": new_id(),
            "events": log.as_json(events),
            "jobs": to_json([outbox_row(job) for job in jobs]),
        },
    )
    if row is None or row.state is None:
        raise LostLease
    if row.state == "cancelling":
        raise Cancelling
    walk.begin_anew()
    await walk.house.doorbell.ring(jobs, events)


_FINISH = f"""
    with mine as (
        select id, state from tasks where organisation_id = :organisation_id and id = :task_id
            and fence = :fence for update
    ), fresh as (
        select id from mine where state = 'running'
    ), kept as (
        insert into steps (organisation_id, task_id, revision, name, inputs_sha256, result,
            started_at, finished_at)
        select :organisation_id, id, :revision, :step, :inputs, cast(:result as jsonb), :started,
            now() from fresh
    ), anew as (
        {BEGIN_ANEW} and :counted and exists (select from fresh)
    ), news as (
        insert into notifications (id, organisation_id, task_id, topic)
        select :notification_id, :organisation_id, id, 'task.moved' from fresh
    ), jobs as (
        {OUTBOX_INSERT} where exists (select from fresh)
    )
    select (select state from mine) as state,
        (select audit_append(:organisation_id, :task_id, cast(:events as jsonb)) from fresh)
"""  # noqa: S608
