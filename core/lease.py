"""The lease on a task: taken with a fence, renewed during the walk, checked at every write."""

import asyncio
import contextlib
import time
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
from core.db import execute, fetch_one, fetch_one_alone, from_json, to_json
from core.earlier import results_of
from core.errors import Cancelling, LostLease, MiyabiError
from core.heartbeat import Held, News
from core.house import House
from core.ports import Job
from core.tags import Tag
from core.tasks import Task
from core.unit import OUTBOX_INSERT, Unit, outbox_row

log = structlog.get_logger()

HAND_BACK_WITHIN = 3.0
"""Seconds that giving a lease back may take; else it runs out."""


@dataclass(slots=True)
class Walk:
    """A task under this worker's lease, with the results so far.

    `attempts` and `trying_since` are about the step under way, `crashes` counts the workers that
    died at it. `over_at` is when the task's time is up; both moments are of time.monotonic().
    `stopping` gives LostLease or Cancelling once the walk has to end.
    """

    house: House
    agent: Agent
    task: Task
    fence: int
    attempts: int
    crashes: int
    trying_since: float | None
    over_at: float
    requester: str
    grade: str
    asked_on: date
    revises_id: UUID | None
    ask: Any
    steps: list[dict[str, Any]]
    stopping: "asyncio.Future[MiyabiError]"
    results: dict[type, Any] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    earlier: dict[str, tuple[str, Any]] = field(default_factory=dict)
    resources: dict[type, object] = field(default_factory=dict)
    held: Held | None = None
    files: int = 0
    """How many files that were sent with the task are still to be fetched."""

    def begin_anew(self) -> None:
        """A step was finished: what was counted about it says nothing of the next."""
        self.attempts, self.crashes, self.trying_since = 0, 0, None

    def read(self) -> None:
        """Read what is stored. Raises ValidationError where this version's types do not fit it."""
        revision = self.task.revision
        stored = {s["name"]: s["result"] for s in self.steps if s["revision"] == revision}
        self.results = dict(results_of(self.agent, self.ask, stored))
        self.stored = set(stored)
        self.earlier = {
            s["name"]: (s["inputs"], s["result"]) for s in self.steps if s["revision"] < revision
        }


# What this house has no agent for, or only an older version of, is left for a newer worker: the
# task, and the nudge too, which the reconciler goes on handing. A nudge that was handed (again) is
# otherwise used up by this; one that is put off for later stays.
# A lease that ran out under a running task is the death of a worker. The time in which nobody had
# the task is not its own: its limit moves on by as much.
_TAKE = """
    with known as (
        select * from unnest(cast(:agents as text[]), cast(:versions as integer[]),
            cast(:times as double precision[])) as known(agent, version, time)
    ), mine as (
        update tasks t set
            state = case when state = 'cancelling' then state else 'running' end,
            waiting_for = null, question = null, failure = null, retry_at = null,
            crashes = crashes + case when state = 'running' and lease_until < now() then 1
                else 0 end,
            due_by = coalesce(due_by + (now() - coalesce(lease_until, updated_at)),
                now() + make_interval(secs => known.time)),
            lease_owner = :worker, lease_until = now() + make_interval(secs => :lease),
            fence = fence + 1, updated_at = now()
        from known
        where organisation_id = :organisation_id and id = :task_id
            and known.agent = t.agent and t.agent_version <= known.version
            and state in ('received', 'running', 'retrying', 'cancelling')
            and (lease_until is null or lease_until < now())
            and (retry_at is null or retry_at <= now())
        returning t.*
    ), picked as (
        delete from outbox where organisation_id = :organisation_id and subject_id = :task_id
            and kind = 'advance'
            and (attempts > 0 or next_at <= now() + interval '3 seconds')
            and exists (select from tasks t join known on known.agent = t.agent
                where t.organisation_id = :organisation_id and t.id = :task_id
                and t.agent_version <= known.version)
    )
    select mine.*, p.name as requester, p.grade, p.time_zone, r.ask,
        extract(epoch from mine.due_by - now()) as time_left,
        extract(epoch from now() - mine.trying_since) as tried_for,
        (select count(*) from attachments a where a.organisation_id = :organisation_id
            and a.task_id = mine.id and a.state = 'pending') as files,
        (select jsonb_agg(jsonb_build_object('name', s.name, 'revision', s.revision,
                'inputs', s.inputs_sha256, 'result', s.result))
            from steps s where s.organisation_id = :organisation_id and s.task_id = mine.id
            and s.revision >= mine.revision - 1) as steps,
        audit_append(:organisation_id, :task_id, cast(:events as jsonb)) as noted
    from mine join people p on p.id = mine.person_id
    join revisions r on r.task_id = mine.id and r.revision = mine.revision
"""


async def take(house: House, organisation_id: UUID, task_id: UUID, worker: str) -> Walk | None:
    """One statement: the lease, the end of the nudge, the event, and all that is to be known.

    None where another worker has the task, or this house no agent for it.
    """
    started = Event(organisation_id, task_id, Tag.TASK_STARTED, {"worker": worker})
    agents = house.agents.values()
    row = await fetch_one_alone(
        house.engine,
        _TAKE,
        {
            "worker": worker,
            "lease": house.lease.total_seconds(),
            "organisation_id": organisation_id,
            "task_id": task_id,
            "agents": [agent.name for agent in agents],
            "versions": [agent.version for agent in agents],
            "times": [agent.task_deadline.total_seconds() for agent in agents],
            "events": audit_log.as_json([started]),
        },
    )
    return _walk(house, row) if row is not None else None


def _walk(house: House, row: Any) -> Walk:
    now = time.monotonic()
    task = Task(
        row.id, row.organisation_id, row.reference, row.agent, row.person_id, row.language,
        row.revision, row.state, None, None, row.text, row.lane, row.rank,
        row.agent_version,
    )  # fmt: skip
    return Walk(
        house=house,
        agent=house.agents[row.agent],
        task=task,
        fence=row.fence,
        attempts=row.attempts,
        crashes=row.crashes,
        trying_since=now - float(row.tried_for) if row.tried_for is not None else None,
        over_at=now + float(row.time_left),
        requester=row.requester,
        grade=row.grade,
        asked_on=row.created_at.astimezone(ZoneInfo(row.time_zone)).date(),
        revises_id=row.revises_id,
        ask=from_json(row.ask),
        steps=from_json(row.steps) or [],
        files=row.files,
        stopping=asyncio.get_running_loop().create_future(),
    )


@asynccontextmanager
async def kept_lease(walk: Walk) -> AsyncIterator[None]:
    """Have the lease renewed while the block runs; `walk.stopping` says when it has to end."""
    loop = asyncio.get_running_loop()

    def stop(news: News) -> None:
        if not walk.stopping.done():
            walk.stopping.set_result(LostLease() if news == "lost" else Cancelling())

    def tell(news: News) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the walk with it
            loop.call_soon_threadsafe(stop, news)

    def answer() -> None:
        held.due = None

    def ask() -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(answer)

    held = Held(walk.task.organisation_id, walk.task.id, walk.fence, tell, ask)
    walk.held = held
    walk.house.heartbeat.hold(held)
    try:
        yield
    except LostLease:
        log.warning("runner.lost_lease", fence=walk.fence)
        raise
    finally:
        walk.house.heartbeat.let_go(held)


async def own(work: Unit, walk: Walk) -> str:
    """Lock the task's row for this unit, or raise LostLease: the fence of every write.

    Returns the task's state: `running`, or `cancelling` where there is nothing to go on with.
    """
    row = await fetch_one(
        work.connection,
        "select state from tasks where organisation_id = :organisation_id and id = :id"
        " and fence = :fence for update",
        {
            "organisation_id": walk.task.organisation_id,
            "id": walk.task.id,
            "fence": walk.fence,
        },
    )
    if row is None:
        raise LostLease
    return str(row.state)


async def hold(work: Unit, walk: Walk) -> None:
    """The same for whatever goes on with the task. Raises Cancelling where it is to be stopped."""
    if await own(work, walk) == "cancelling":
        raise Cancelling


async def leave(work: Unit, walk: Walk, state: tasks.State, **more: Any) -> None:
    """Move the task as the end of this walk, which gives the lease back by itself.

    The heartbeat lets go first: it must not take the move that we make for a theft.
    """
    if walk.held is not None:
        walk.house.heartbeat.let_go(walk.held)
    await tasks.move(work, walk.task, state, fence=walk.fence, **more)


BEGIN_ANEW = """
    update tasks set step = null, attempts = 0, tries = null, trying_since = null, crashes = 0
    where organisation_id = :organisation_id and id = :task_id
"""


async def begin_anew(work: Unit, walk: Walk) -> None:
    """The same as `Walk.begin_anew`, in the walk and in the task's row."""
    if not walk.attempts and not walk.crashes:
        return
    scope = {"organisation_id": walk.task.organisation_id, "task_id": walk.task.id}
    await execute(work.connection, BEGIN_ANEW, scope)  # names organisation_id
    walk.begin_anew()


_HAND_BACK = f"""
    with back as (
        update tasks set lease_owner = null, lease_until = null, fence = fence + 1,
            updated_at = now()
        where organisation_id = :organisation_id and id = :task_id and fence = :fence
            and state in ('running', 'cancelling')
        returning id
    ), jobs as (
        {OUTBOX_INSERT} where exists (select from back)
    )
    select id from back
"""  # noqa: S608


async def hand_back(walk: Walk) -> None:
    """Give the lease back and nudge the next worker at once; no try is burned by this.

    Does nothing where the walk has ended in the meantime. Where the database can't be reached, the
    lease runs out instead.
    """
    if walk.held is not None:
        walk.house.heartbeat.let_go(walk.held)
    task = walk.task
    job = Job("advance", task.organisation_id, task.id, lane=task.lane, rank=task.rank)
    async with asyncio.timeout(HAND_BACK_WITHIN):
        back = await fetch_one_alone(
            walk.house.engine,
            _HAND_BACK,
            {
                "organisation_id": task.organisation_id,
                "task_id": task.id,
                "fence": walk.fence,
                "jobs": to_json([outbox_row(job)]),
            },
        )
        if back is not None:
            log.info("runner.handed_back", fence=walk.fence)
            await walk.house.doorbell.ring([job], [])
