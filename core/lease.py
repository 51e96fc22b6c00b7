"""The lease on a task: taken with a fence, renewed during the walk, checked at every write."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from audit import log as audit_log
from audit.event import Event
from core import tasks
from core.agent import Agent
from core.db import fetch_one, fetch_quickly, from_json
from core.errors import LostLease
from core.heartbeat import Held
from core.house import House
from core.tags import Tag
from core.tasks import Task
from core.unit import Unit
from core.views import results_of

log = structlog.get_logger()


@dataclass(slots=True)
class Walk:
    """A task under this worker's lease, with the results so far."""

    house: House
    agent: Agent
    task: Task
    fence: int
    attempts: int
    requester: str
    asked_on: date
    revises_id: UUID | None
    results: dict[type, Any]
    stored: set[str]
    earlier: dict[str, tuple[str, Any]]
    resources: dict[type, object] = field(default_factory=dict)
    held: Held | None = None


# A nudge that was handed (again) is used up by this; one that is put off for later stays.
_TAKE = """
    with mine as (
        update tasks set
            state = case when state = 'cancelling' then state else 'running' end,
            waiting_for = null, question = null, failure = null, retry_at = null,
            lease_owner = :worker, lease_until = now() + make_interval(secs => :lease),
            fence = fence + 1, updated_at = now()
        where organisation_id = :organisation_id and id = :task_id
            and state in ('received', 'running', 'retrying', 'cancelling')
            and (lease_until is null or lease_until < now())
            and (retry_at is null or retry_at <= now())
        returning *
    ), picked as (
        delete from outbox where organisation_id = :organisation_id and subject_id = :task_id
            and kind = 'advance'
            and (attempts > 0 or next_at <= now() + interval '3 seconds')
    )
    select mine.*, p.name as requester, p.time_zone, r.ask,
        (select jsonb_agg(jsonb_build_object('name', s.name, 'revision', s.revision,
                'inputs', s.inputs_sha256, 'result', s.result))
            from steps s where s.organisation_id = :organisation_id and s.task_id = mine.id
            and s.revision >= mine.revision - 1) as steps,
        audit_append(:organisation_id, :task_id, cast(:events as jsonb)) as noted
    from mine join people p on p.id = mine.person_id
    join revisions r on r.task_id = mine.id and r.revision = mine.revision
"""


async def take(house: House, organisation_id: UUID, task_id: UUID, worker: str) -> Walk | None:
    """One statement: the lease, the end of the nudge, the event, and all that is to be known."""
    started = Event(organisation_id, task_id, Tag.TASK_STARTED, {"worker": worker})
    async with house.engine.connect() as raw:
        connection = await raw.execution_options(isolation_level="AUTOCOMMIT")
        row = await fetch_quickly(
            connection,
            _TAKE,
            {
                "worker": worker,
                "lease": house.lease.total_seconds(),
                "organisation_id": organisation_id,
                "task_id": task_id,
                "events": audit_log.as_json([started]),
            },
        )
    if row is None:
        return None
    agent = house.agents[row.agent]
    task = Task(
        row.id, row.organisation_id, row.reference, row.agent, row.person_id, row.language,
        row.revision, row.state, None, None, row.text, row.lane, row.rank,
    )  # fmt: skip
    steps = from_json(row.steps) or []
    stored = {s["name"]: s["result"] for s in steps if s["revision"] == row.revision}
    earlier = {s["name"]: (s["inputs"], s["result"]) for s in steps if s["revision"] < row.revision}
    results = dict(results_of(agent, from_json(row.ask), stored))
    asked_on = row.created_at.astimezone(ZoneInfo(row.time_zone)).date()
    return Walk(
        house, agent, task, row.fence, row.attempts, row.requester, asked_on, row.revises_id,
        results, set(stored), earlier,
    )  # fmt: skip


@asynccontextmanager
async def kept_lease(walk: Walk) -> AsyncIterator[None]:
    """Have the lease renewed while the block runs; cancel the block when it is lost."""
    holder = asyncio.current_task()
    assert holder is not None  # noqa: S101  # we are inside of one
    loop = asyncio.get_running_loop()
    state = {"lost": False, "over": False}

    def cancel() -> None:
        if not state["over"]:
            state["lost"] = True
            holder.cancel()

    def lost() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the walk with it
            loop.call_soon_threadsafe(cancel)

    held = Held(walk.task.organisation_id, walk.task.id, walk.fence, lost)
    walk.held = held
    walk.house.heartbeat.hold(held)
    try:
        yield
    except asyncio.CancelledError:
        if state["lost"]:
            holder.uncancel()
            log.warning("runner.lost_lease", fence=walk.fence)
            raise LostLease from None
        raise
    finally:
        state["over"] = True
        walk.house.heartbeat.let_go(held)


async def hold(work: Unit, walk: Walk) -> None:
    """Lock the task's row for this unit, or raise LostLease: the fence of every write."""
    row = await fetch_one(
        work.connection,
        "select id from tasks where organisation_id = :organisation_id and id = :id"
        " and fence = :fence for update",
        {
            "organisation_id": walk.task.organisation_id,
            "id": walk.task.id,
            "fence": walk.fence,
        },
    )
    if row is None:
        raise LostLease


async def leave(work: Unit, walk: Walk, state: tasks.State, **more: Any) -> None:
    """Move the task as the end of this walk, which gives the lease back by itself.

    The heartbeat lets go first: it must not take the move that we make for a theft.
    """
    if walk.held is not None:
        walk.house.heartbeat.let_go(walk.held)
    await tasks.move(work, walk.task, state, fence=walk.fence, **more)
