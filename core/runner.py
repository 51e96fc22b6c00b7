"""A worker's walk through a task: take the lease, run each step that has no result, commit each.

`kill -9` anywhere: the next worker takes the lease when it has run out and goes on from the last
stored result. Every commit carries the fence of the lease; who lost it writes nothing more.
"""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from audit.event import JSON
from core import acting, approvals, phrases, tasks
from core.agent import (
    Approval,
    Deliver,
    Delivered,
    Document,
    Effect,
    Number,
    Numbered,
    Step,
    TaskInfo,
    gives,
    step_name,
)
from core.codec import dump, fingerprint, load
from core.db import execute
from core.documents import issue, take_number
from core.errors import LostLease, MiyabiError, NeedsInput, Question, TryLater
from core.house import House
from core.ids import new_id
from core.lease import Walk, hold, kept_lease, leave, take
from core.tags import Tag
from core.unit import Unit, unit
from core.words import Words, as_language

log = structlog.get_logger()

TRIES = 5
"""How often a step is tried while the other side is busy."""
UNEXPECTED_TRIES = 3
"""How often a step is tried that fails for a reason nobody foresaw."""
FIRST_WAIT = timedelta(seconds=2)


async def advance(house: House, organisation_id: UUID, task_id: UUID, worker: str) -> None:
    """Go on with a task as far as it goes without a person. Does nothing if another has it."""
    walk = await take(house, organisation_id, task_id, worker)
    if walk is None:
        return
    bound = structlog.contextvars.bound_contextvars(task=walk.task.spoken)
    with bound, contextlib.suppress(LostLease):
        async with kept_lease(walk):
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
    if callable(step) or isinstance(step, Effect):
        if kept is not None and kept[0] == fingerprint_:
            await _commit(walk, step, kept[1], fingerprint_, started, again=True)
            return True
        if isinstance(step, Effect):
            acted = await acting.perform(walk, step, inputs)
            await _commit(
                walk, step, dump(acted.value), fingerprint_, started, value=acted.value, acted=acted
            )
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
    acted: acting.Acted | None = None,
) -> None:
    """Store a step's result with its event and news. Raises LostLease if the task was taken."""
    async with unit(walk.house) as work:
        await hold(work, walk)
        if acted is not None:
            await acting.record(work, walk, acted)
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
        await leave(work, walk, "done")
        work.record(tasks.event(walk.task, Tag.TASK_DONE, {}))
    await tasks.notify(work, walk.task, "task.done" if is_last else "task.moved")


def _remember(walk: Walk, step: Step, value: Any, *, raw: bool = False) -> None:
    kind = gives(step)
    walk.results[kind] = load(kind, value) if raw else value
    walk.stored.add(step_name(step))


async def _request_approval(walk: Walk, step: Approval) -> None:
    shown: Document = walk.results[step.shows]
    async with unit(walk.house) as work:
        await hold(work, walk)
        days, reminder = walk.house.approval_days, walk.house.approval_reminder
        await approvals.request(work, walk.task, step, shown.sha256, days, reminder)
        await leave(work, walk, "waiting", waiting_for="approval")
        await tasks.notify(work, walk.task, "task.moved")


async def _number(walk: Walk, step: Number, started: datetime) -> None:
    """The short transaction that issues the document: number, row, event and result together."""
    company = await walk.house.company(walk.task.organisation_id)
    async with unit(walk.house) as work:
        await hold(work, walk)
        numbered = await take_number(
            work, walk.task, walk.agent.number, company.time_zone, walk.revises_id
        )
        await _store(work, walk, step, dump(numbered), "", started)
    _remember(walk, step, numbered)


async def _deliver(walk: Walk, step: Deliver, document: Document, started: datetime) -> None:
    """Hand the document to the task's threads: the deliveries are rows of this transaction."""
    delivered = Delivered(document.sha256)
    async with unit(walk.house) as work:
        await hold(work, walk)
        await tasks.notify(work, walk.task, "document.issued", {"file": dump(document)})
        await _store(work, walk, step, dump(delivered), "", started)
    _remember(walk, step, delivered)


# Where a walk ends early


async def _ask(walk: Walk, step: Step, question: Question) -> None:
    async with unit(walk.house) as work:
        await hold(work, walk)
        await leave(work, walk, "waiting", waiting_for="answer", question=question)
        data = {"step": step_name(step), "key": question.key}
        work.record(tasks.event(walk.task, Tag.QUESTION_ASKED, data))
        await tasks.notify(work, walk.task, "question.asked")


async def _fail(walk: Walk, step: Step, words: Words, error_id: str | None = None) -> None:
    log.warning("task.failed", step=step_name(step), why=words.en, error_id=error_id)
    async with unit(walk.house) as work:
        await hold(work, walk)
        await leave(work, walk, "failed", failure=words)
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
        await hold(work, walk)
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
        await leave(work, walk, "retrying", failure=words, retry_in=wait)
        data: dict[str, JSON] = {
            "step": step_name(step),
            "try": attempts,
            "wait": int(wait.total_seconds()),
        }
        work.record(tasks.event(walk.task, Tag.TASK_RETRYING, data))
        await tasks.notify(work, walk.task, "task.moved")
        work.nudge("advance", walk.task, after=wait)


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
    await acting.find_out(walk, _inputs)
    async with unit(walk.house) as work:
        await hold(work, walk)
        await leave(work, walk, "cancelled")
        work.record(tasks.event(walk.task, Tag.TASK_STOPPED, {"state": "cancelled"}))
        await tasks.notify(work, walk.task, "task.moved")
