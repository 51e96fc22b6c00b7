"""A worker's walk through a task: take the lease, run each step that has no result, commit each.

`kill -9` anywhere: the next worker takes the lease when it has run out and goes on from the last
stored result. Every commit carries the fence of the lease; who lost it writes nothing more.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from audit import log as audit_log
from audit.event import JSON, Event
from core import approvals, phrases, tasks
from core.agent import (
    Agent,
    Approval,
    Deliver,
    Delivered,
    Document,
    Number,
    Numbered,
    Step,
    TaskInfo,
    gives,
    step_name,
)
from core.codec import dump, fingerprint, load
from core.db import execute, fetch_one, from_json
from core.documents import issue, take_number
from core.errors import LostLease, MiyabiError, NeedsInput, Question, TryLater
from core.house import House
from core.ids import new_id
from core.tags import Tag
from core.tasks import Task
from core.unit import Unit, unit
from core.views import results_of
from core.words import Words, as_language

log = structlog.get_logger()

TRIES = 5
"""How often a step is tried while the other side is busy."""
UNEXPECTED_TRIES = 3
"""How often a step is tried that fails for a reason nobody foresaw."""
FIRST_WAIT = timedelta(seconds=2)


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


async def advance(house: House, organisation_id: UUID, task_id: UUID, worker: str) -> None:
    """Go on with a task as far as it goes without a person. Does nothing if another has it."""
    walk = await _take(house, organisation_id, task_id, worker)
    if walk is None:
        return
    bound = structlog.contextvars.bound_contextvars(task=walk.task.spoken)
    with bound, contextlib.suppress(LostLease):
        async with _kept_lease(walk):
            await _walk(walk)


async def _walk(walk: Walk) -> None:
    if walk.task.state == "cancelling":
        await _stop_cancelled(walk)
        return
    for step in walk.agent.steps:
        if step_name(step) in walk.stored:
            continue
        try:
            goes_on = await _do(walk, step)
        except NeedsInput as needs:
            await _ask(walk, step, needs.question)
            return
        except TryLater as later:
            await _try_later(walk, step, later.words, later.after, TRIES)
            return
        except LostLease:
            raise
        except MiyabiError as error:
            await _fail(walk, step, error.words)
            return
        except Exception as error:  # an agent may raise anything; the task must not hang on it
            await _unexpected(walk, step, error)
            return
        if not goes_on:
            return


# The lease

_TAKE = text("""
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
            and kind = 'advance' and next_at <= now() + interval '3 seconds'
    )
    select mine.*, p.name as requester, p.time_zone, r.ask,
        (select jsonb_agg(jsonb_build_object('name', s.name, 'revision', s.revision,
                'inputs', s.inputs_sha256, 'result', s.result))
            from steps s where s.organisation_id = :organisation_id and s.task_id = mine.id
            and s.revision >= mine.revision - 1) as steps,
        audit_append(:organisation_id, :task_id, cast(:events as jsonb)) as noted
    from mine join people p on p.id = mine.person_id
    join revisions r on r.task_id = mine.id and r.revision = mine.revision
""")


async def _take(house: House, organisation_id: UUID, task_id: UUID, worker: str) -> Walk | None:
    """One statement: the lease, the end of the nudge, the event, and all that is to be known."""
    started = Event(organisation_id, task_id, Tag.TASK_STARTED, {"worker": worker})
    async with house.engine.connect() as raw:
        connection = await raw.execution_options(isolation_level="AUTOCOMMIT")
        row = (
            await connection.execute(
                _TAKE,
                {
                    "worker": worker,
                    "lease": house.lease.total_seconds(),
                    "organisation_id": organisation_id,
                    "task_id": task_id,
                    "events": audit_log.as_json([started]),
                },
            )
        ).first()
    if row is None:
        return None
    agent = house.agents[row.agent]
    task = Task(
        row.id, row.organisation_id, row.reference, row.agent, row.person_id, row.language,
        row.revision, row.state, None, None, row.text,
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
async def _kept_lease(walk: Walk) -> AsyncIterator[None]:
    """Renew the lease while the block runs; cancel the block when it is lost."""
    holder = asyncio.current_task()
    assert holder is not None  # noqa: S101  # we are inside of one
    lost = False

    async def renew() -> None:
        nonlocal lost
        while True:
            await asyncio.sleep(walk.house.lease.total_seconds() / 3)
            if not await _renew(walk):
                lost = True
                holder.cancel()
                return

    renewing = asyncio.create_task(renew())
    try:
        yield
    except asyncio.CancelledError:
        if lost:
            holder.uncancel()
            log.warning("runner.lost_lease", fence=walk.fence)
            raise LostLease from None
        raise
    finally:
        renewing.cancel()


async def _renew(walk: Walk) -> bool:
    """True while the lease is ours. A database that is away for a moment does not end it."""
    try:
        async with walk.house.engine.begin() as connection:
            return bool(
                await execute(
                    connection,
                    "update tasks set lease_until = now() + make_interval(secs => :lease)"
                    " where organisation_id = :organisation_id and id = :id and fence = :fence",
                    {
                        "lease": walk.house.lease.total_seconds(),
                        "organisation_id": walk.task.organisation_id,
                        "id": walk.task.id,
                        "fence": walk.fence,
                    },
                )
            )
    except (SQLAlchemyError, OSError):
        log.warning("runner.lease_not_renewed", fence=walk.fence, exc_info=True)
        return True


async def _hold(work: Unit, walk: Walk) -> None:
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


# Steps


async def _do(walk: Walk, step: Step) -> bool:
    """Do one step and commit it. False where the walk ends here for now."""
    started = datetime.now(UTC)
    if isinstance(step, Approval):
        await _request_approval(walk, step)
        return False
    inputs = await _inputs(walk, step)
    fingerprint_ = fingerprint(
        {name: dump(value) for name, value in inputs.items() if type(value) in walk.results}
    )
    kept = walk.earlier.get(step_name(step))
    if callable(step):
        if kept is not None and kept[0] == fingerprint_:
            await _commit(walk, step, kept[1], fingerprint_, started, again=True)
            return True
        result = await step(**inputs)
        await _commit(walk, step, dump(result), fingerprint_, started, value=result)
        return True
    if isinstance(step, Number):
        await _number(walk, step, started)
    else:
        await _deliver(walk, step, inputs["document"], started)
    return True


async def _inputs(walk: Walk, step: Step) -> dict[str, Any]:
    """What the step needs, by type: an earlier result, the task, or something of the house."""
    inputs: dict[str, Any] = {}
    for name, kind in walk.agent.inputs[step_name(step)].items():
        if kind in walk.results:
            inputs[name] = walk.results[kind]
        elif kind is TaskInfo:
            inputs[name] = TaskInfo(
                walk.task.reference,
                walk.task.revision,
                as_language(walk.task.language),
                walk.requester,
                walk.asked_on,
            )
        else:
            if kind not in walk.resources:
                give = walk.house.resources[kind]
                walk.resources[kind] = await give(walk.house, walk.task.organisation_id)
            inputs[name] = walk.resources[kind]
    return inputs


async def _commit(
    walk: Walk,
    step: Step,
    result: Any,
    inputs_sha256: str,
    started: datetime,
    *,
    value: Any = None,
    again: bool = False,
) -> None:
    """Store a step's result with its event and news. Raises LostLease if the task was taken."""
    async with unit(walk.house) as work:
        await _hold(work, walk)
        await _store(work, walk, step, result, inputs_sha256, started, again=again)
        if isinstance(value, Document) and Numbered in walk.results:
            await issue(work, walk.task, value)
    _remember(walk, step, result if again else value, raw=again)


async def _store(
    work: Unit,
    walk: Walk,
    step: Step,
    result: Any,
    inputs_sha256: str,
    started: datetime,
    *,
    again: bool = False,
) -> None:
    name = step_name(step)
    await approvals.store_result(work, walk.task, name, inputs_sha256, result, started)
    data: dict[str, JSON] = {"step": name, "result_sha256": fingerprint(result), "kept": again}
    work.record(tasks.event(walk.task, Tag.STEP_FINISHED, data))
    is_last = step is walk.agent.steps[-1]
    if is_last:
        await tasks.move(work, walk.task, "done", fence=walk.fence)
        work.record(tasks.event(walk.task, Tag.TASK_DONE, {}))
    await tasks.notify(work, walk.task, "task.done" if is_last else "task.moved")


def _remember(walk: Walk, step: Step, value: Any, *, raw: bool = False) -> None:
    kind = gives(step)
    walk.results[kind] = load(kind, value) if raw else value
    walk.stored.add(step_name(step))


async def _request_approval(walk: Walk, step: Approval) -> None:
    shown: Document = walk.results[step.shows]
    async with unit(walk.house) as work:
        await _hold(work, walk)
        await approvals.request(work, walk.task, step, shown.sha256, walk.house.approval_days)
        await tasks.move(work, walk.task, "waiting", waiting_for="approval", fence=walk.fence)
        await tasks.notify(work, walk.task, "task.moved")


async def _number(walk: Walk, step: Number, started: datetime) -> None:
    """The short transaction that issues the document: number, row, event and result together."""
    company = await walk.house.company(walk.task.organisation_id)
    async with unit(walk.house) as work:
        await _hold(work, walk)
        numbered = await take_number(
            work, walk.task, walk.agent.number, company.time_zone, walk.revises_id
        )
        await _store(work, walk, step, dump(numbered), "", started)
    _remember(walk, step, numbered)


async def _deliver(walk: Walk, step: Deliver, document: Document, started: datetime) -> None:
    """Hand the document to the task's threads: the deliveries are rows of this transaction."""
    delivered = Delivered(document.sha256)
    async with unit(walk.house) as work:
        await _hold(work, walk)
        await tasks.notify(work, walk.task, "document.issued", {"file": dump(document)})
        await _store(work, walk, step, dump(delivered), "", started)
    _remember(walk, step, delivered)


# Where a walk ends early


async def _ask(walk: Walk, step: Step, question: Question) -> None:
    async with unit(walk.house) as work:
        await _hold(work, walk)
        await tasks.move(
            work, walk.task, "waiting", waiting_for="answer", question=question, fence=walk.fence
        )
        data = {"step": step_name(step), "key": question.key}
        work.record(tasks.event(walk.task, Tag.QUESTION_ASKED, data))
        await tasks.notify(work, walk.task, "question.asked")


async def _fail(walk: Walk, step: Step, words: Words, error_id: str | None = None) -> None:
    log.warning("task.failed", step=step_name(step), why=words.en, error_id=error_id)
    async with unit(walk.house) as work:
        await _hold(work, walk)
        await tasks.move(work, walk.task, "failed", failure=words, fence=walk.fence)
        data: dict[str, JSON] = {"step": step_name(step), "error_id": error_id}
        work.record(tasks.event(walk.task, Tag.TASK_FAILED, data))
        await tasks.notify(work, walk.task, "task.failed", {"failure": dump(words)})


async def _try_later(
    walk: Walk, step: Step, words: Words, after: timedelta | None, tries: int
) -> None:
    attempts = walk.attempts + 1
    if attempts >= tries:
        await _fail(walk, step, phrases.GAVE_UP.fill(tries=attempts, reason=words))
        return
    wait = max(after or timedelta(0), FIRST_WAIT * 2 ** (attempts - 1))
    async with unit(walk.house) as work:
        await _hold(work, walk)
        await execute(
            work.connection,
            "update tasks set attempts = :attempts"
            " where organisation_id = :organisation_id and id = :id",
            {
                "attempts": attempts,
                "organisation_id": walk.task.organisation_id,
                "id": walk.task.id,
            },
        )
        await tasks.move(
            work, walk.task, "retrying", failure=words, retry_in=wait, fence=walk.fence
        )
        data: dict[str, JSON] = {
            "step": step_name(step),
            "try": attempts,
            "wait": int(wait.total_seconds()),
        }
        work.record(tasks.event(walk.task, Tag.TASK_RETRYING, data))
        await tasks.notify(work, walk.task, "task.moved")
        work.nudge("advance", walk.task.organisation_id, walk.task.id, after=wait)


async def _unexpected(walk: Walk, step: Step, error: Exception) -> None:
    """A fault nobody foresaw: try again, then stop with an id under which the log has it all."""
    error_id = new_id().hex[-8:]
    log.error("step.crashed", step=step_name(step), error_id=error_id, exc_info=error)
    words = phrases.UNEXPECTED.fill(error_id=error_id)
    if walk.attempts + 1 < UNEXPECTED_TRIES:
        await _try_later(walk, step, words, None, UNEXPECTED_TRIES)
    else:
        await _fail(walk, step, words, error_id)


async def _stop_cancelled(walk: Walk) -> None:
    async with unit(walk.house) as work:
        await _hold(work, walk)
        await tasks.move(work, walk.task, "cancelled", fence=walk.fence)
        work.record(tasks.event(walk.task, Tag.TASK_STOPPED, {"state": "cancelled"}))
        await tasks.notify(work, walk.task, "task.moved")
