"""Whoever asked for a task hears that it has stopped, also where they do not look at its thread."""

from core.codec import dump
from core.notices import Notice, Recipient, publish
from core.tasks import Task
from core.unit import Unit
from core.words import Words


async def tell_failed(
    work: Unit, task: Task, title: Words, failure: Words, step: str | None = None
) -> None:
    """A task has stopped. Its thread says so; whoever asked hears it elsewhere as well. What fails
    of theirs at the same step within a while is counted."""
    await publish(
        work,
        task.organisation_id,
        Notice(
            "task.failed",
            (Recipient("requester"),),
            {"reference": task.reference, "title": dump(title), "failure": dump(failure)},
            importance="high",
            task_id=task.id,
            group=f"{task.person_id}:{task.agent}:{step or ''}",
        ),
    )
