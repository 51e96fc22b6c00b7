"""Tasks and the table of their moves. Each function is one compare-and-set in the caller's unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from core.codec import dump
from core.commands import Target
from core.db import execute, fetch_all, fetch_one, from_json, to_json
from core.errors import LostLease, Question, Unknown
from core.ids import new_id
from core.phrases import UNKNOWN_TASK
from core.ports import Lane
from core.tags import Tag
from core.unit import InLine, Unit
from core.words import Words

State = Literal[
    "received", "running", "waiting", "retrying", "cancelling", "done", "rejected", "cancelled",
    "failed",
]  # fmt: skip

FINAL: frozenset[str] = frozenset({"done", "rejected", "cancelled"})

MOVES: dict[str, frozenset[str]] = {
    "received": frozenset({"running", "cancelled", "received"}),
    "running": frozenset(
        {"running", "waiting", "retrying", "cancelling", "done", "failed", "received"}
    ),
    "waiting": frozenset({"running", "received", "rejected", "cancelled", "failed", "waiting"}),
    "retrying": frozenset({"running", "cancelled", "received"}),
    "cancelling": frozenset({"cancelled"}),
    "failed": frozenset({"received", "cancelled"}),
    "done": frozenset(),
    "rejected": frozenset(),
    "cancelled": frozenset(),
}
"""From which state a task may go where. What goes from `running` to `running` was left by a worker
that died or handed it back; a task that a worker has is cancelled by way of `cancelling`."""


def may_come_from(state: State) -> list[str]:
    """The states from which a task may go to this one."""
    return sorted(origin for origin, ends in MOVES.items() if state in ends)


@dataclass(frozen=True, slots=True)
class Again:
    """A further try of a step: how many of how many tries were made, and how long to wait."""

    tried: int
    tries: int
    wait: timedelta


@dataclass(frozen=True, slots=True)
class Task:
    """A task's row, locked for the rest of the unit."""

    id: UUID
    organisation_id: UUID
    reference: int
    agent: str
    person_id: UUID
    language: str
    revision: int
    state: str
    waiting_for: str | None
    question: dict[str, Any] | None
    text: str
    lane: Lane
    rank: int
    agent_version: int

    @property
    def spoken(self) -> str:
        return f"#{self.reference}"


_COLUMNS = (
    "id, organisation_id, reference, agent, person_id, language, revision, state, waiting_for,"
    " question, text, lane, rank, agent_version"
)


async def lock(connection: AsyncConnection, organisation_id: UUID, task_id: UUID) -> Task:
    """The task, locked. Raises Unknown where the organisation has no such task."""
    row = await fetch_one(
        connection,
        f"select {_COLUMNS} from tasks"  # noqa: S608
        " where organisation_id = :organisation_id and id = :id for update",
        {"organisation_id": organisation_id, "id": task_id},
    )
    if row is None:
        raise Unknown(UNKNOWN_TASK.fill(target="?"))
    return _task(row)


async def read(
    connection: AsyncConnection, organisation_id: UUID, task_ids: Sequence[UUID]
) -> dict[UUID, Task]:
    """Some tasks as they are, by their ids; not locked, so for what changes nothing of them."""
    rows = await fetch_all(
        connection,
        f"select {_COLUMNS} from tasks"  # noqa: S608
        " where organisation_id = :organisation_id and id = any(:ids)",
        {"organisation_id": organisation_id, "ids": list(task_ids)},
    )
    return {row.id: _task(row) for row in rows}


def _task(row: Any) -> Task:
    return Task(**{**row._asdict(), "question": from_json(row.question) if row.question else None})


async def find(connection: AsyncConnection, organisation_id: UUID, target: Target) -> UUID:
    """The task a person named by its reference or its document's number. Raises Unknown."""
    if target.number is not None:
        row = await fetch_one(
            connection,
            "select task_id as id from documents"
            " where organisation_id = :organisation_id and number = :number",
            {"organisation_id": organisation_id, "number": target.number},
        )
    else:
        row = await fetch_one(
            connection,
            "select id from tasks"
            " where organisation_id = :organisation_id and reference = :reference",
            {"organisation_id": organisation_id, "reference": target.reference},
        )
    if row is None:
        spoken = target.number or f"#{target.reference}"
        raise Unknown(UNKNOWN_TASK.fill(target=spoken))
    task_id = row.id
    assert isinstance(task_id, UUID)  # noqa: S101  # the column's type
    return task_id


async def in_thread(
    connection: AsyncConnection, organisation_id: UUID, platform: str, channel: str, root: str
) -> UUID | None:
    """The latest task whose conversation a thread is."""
    row = await fetch_one(
        connection,
        "select task_id from threads where organisation_id = :organisation_id"
        " and platform = :platform and channel = :channel and root = :root"
        " order by created_at desc limit 1",
        {
            "organisation_id": organisation_id,
            "platform": platform,
            "channel": channel,
            "root": root,
        },
    )
    return row.task_id if row else None


async def is_conversation(
    connection: AsyncConnection, platform: str, workspace: str, channel: str, root: str
) -> bool:
    """Whether a thread is that of some task: for adapters that overhear much that is not."""
    row = await fetch_one(
        connection,
        # across organisations: a workspace belongs to exactly one
        "select 1 from threads where platform = :platform and workspace = :workspace"
        " and channel = :channel and root = :root limit 1",
        {"platform": platform, "workspace": workspace, "channel": channel, "root": root},
    )
    return row is not None


async def open_question(
    connection: AsyncConnection, task_id: UUID, person_id: UUID, organisation_id: UUID
) -> str | None:
    """The key of what a task asks this person, if it does."""
    row = await fetch_one(
        connection,
        "select question ->> 'key' as key from tasks where organisation_id = :organisation_id"
        " and id = :id and person_id = :person_id",
        {"organisation_id": organisation_id, "id": task_id, "person_id": person_id},
    )
    return row.key if row else None


async def move(
    work: Unit,
    task: Task,
    state: State,
    *,
    waiting_for: str | None = None,
    question: Question | None = None,
    failure: Words | None = None,
    step: str | None = None,
    again: Again | None = None,
    fence: int | None = None,
) -> None:
    """Put a task into another state, releasing whoever worked on it.

    `step` is where it stopped, `again` when it will go on there by itself: the tries, and the time
    in which it has to be over, go on counting then and begin anew otherwise. With `fence`, only
    while the caller's lease is the last one given. Raises LostLease where the task moved meanwhile.
    """
    moved = await execute(
        work.connection,
        """
        update tasks set state = :state, waiting_for = :waiting_for,
            question = cast(:question as jsonb), failure = cast(:failure as jsonb),
            retry_at = now() + make_interval(secs => :wait),
            step = :step, attempts = :tried, tries = :tries, crashes = 0,
            trying_since = case when :state = 'retrying' then coalesce(trying_since, now()) end,
            due_by = case when :state = 'retrying' then due_by end,
            lease_owner = null, lease_until = null, updated_at = now(),
            fence = fence + 1,
            finished_at = case when :state in ('done', 'rejected', 'cancelled') then now() end
        where organisation_id = :organisation_id and id = :id and state = any(:origins)
            and (cast(:fence as bigint) is null or fence = :fence)
        """,
        {
            "state": state,
            "waiting_for": waiting_for,
            "question": to_json(_question_row(question)) if question else None,
            "failure": to_json(dump(failure)) if failure else None,
            "step": step,
            "wait": again.wait.total_seconds() if again else None,
            "tried": again.tried if again else 0,
            "tries": again.tries if again else None,
            "organisation_id": task.organisation_id,
            "id": task.id,
            "origins": may_come_from(state),
            "fence": fence,
        },
    )
    if moved != 1:
        raise LostLease


async def ask_to_stop(work: Unit, task: Task) -> None:
    """Tell the worker that has the task to stop. It keeps its lease, and says when it has."""
    await execute(
        work.connection,
        "update tasks set state = 'cancelling', updated_at = now()"
        " where organisation_id = :organisation_id and id = :id and state = 'running'",
        {"organisation_id": task.organisation_id, "id": task.id},
    )


def _question_row(question: Question) -> dict[str, Any]:
    return {"id": str(new_id()), **dump(question)}


def event(
    task: Task,
    tag: Tag,
    data: Mapping[str, JSON],
    actor: Actor = SYSTEM,
    *,
    step: str | None = None,
) -> Event:
    """An event of a task; every one says which revision it is about."""
    return Event(
        task.organisation_id,
        task.id,
        tag,
        {"reference": task.reference, **data},
        actor,
        task.revision,
        step,
    )


async def notify(
    work: Unit, task: InLine, topic: str, facts: dict[str, object] | None = None
) -> None:
    """Write what should be told of a task, and have it told after the commit."""
    await execute(
        work.connection,
        "insert into notifications (id, organisation_id, task_id, topic, facts)"
        " values (:id, :organisation_id, :task_id, :topic, cast(:facts as jsonb))",
        {
            "id": new_id(),
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "topic": topic,
            "facts": to_json(facts or {}),
        },
    )
    work.nudge("announce", task)
