"""The results of steps, kept: one that is stored is never made again for its revision."""

from datetime import datetime

from core.db import execute, to_json
from core.tasks import Task
from core.unit import Unit


async def store_result(
    work: Unit, task: Task, step: str, inputs_sha256: str, result: object, started: datetime
) -> None:
    """Keep a step's result; it is never made again for this revision."""
    await execute(
        work.connection,
        "insert into steps (organisation_id, task_id, revision, name, inputs_sha256, result,"
        " started_at, finished_at)"
        " values (:organisation_id, :task_id, :revision, :name, :inputs,"
        " cast(:result as jsonb), :started, now())",
        {
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": task.revision,
            "name": step,
            "inputs": inputs_sha256,
            "result": to_json(result),
            "started": started,
        },
    )
