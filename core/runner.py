"""A worker's walk through a task: take the lease, run each step that has no result, commit each.

`kill -9` anywhere: the next worker takes the lease when it has run out and goes on from the last
stored result. Every commit carries the fence of the lease; who lost it writes nothing more.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from audit.event import JSON
from core import acting, child, endings, outcomes, tasks
from core.agent import (
    Approval,
    Deal,
    Deliver,
    Delivered,
    Document,
    Effect,
    Number,
    Numbered,
    Record,
    Step,
    TaskInfo,
    Work,
    gives,
    step_name,
)
from core.approvals import opening
from core.codec import dump, fingerprint, load
from core.db import is_away
from core.documents import issue, take_number
from core.errors import Cancelling, LostLease, MiyabiError, NeedsInput, TryLater, WorkersDie
from core.fetching import fetch_files
from core.finish import finish
from core.house import House
from core.lease import Walk, begin_anew, hand_back, hold, kept_lease, leave, own, take
from core.pace import in_time
from core.patience import CRASHES
from core.results import store_result
from core.tags import Tag
from core.unit import Unit, unit
from core.words import as_language

log = structlog.get_logger()

_HAND_BACK_EVERY = 0.3  # seconds, while the database is away


async def advance(house: House, organisation_id: UUID, task_id: UUID, worker: str) -> None:
    """Go on with a task as far as it goes without a person. Does nothing if another has it.

    Cancelled because its worker stops, it gives the task back first, for another to go on at once.
    """
    taking = asyncio.ensure_future(take(house, organisation_id, task_id, worker))
    try:
        walk = await asyncio.shield(taking)
    except asyncio.CancelledError:
        walk = await taking
        if walk is not None:
            await _hand_back(walk)
        raise
    if walk is None:
        return
    bound = structlog.contextvars.bound_contextvars(task=walk.task.spoken)
    with bound, contextlib.suppress(LostLease):
        async with kept_lease(walk):
            try:
                await _until_stopped(walk)
            except asyncio.CancelledError:
                await _hand_back(walk)
                raise
            except Exception as error:
                if is_away(error):
                    await _hand_back(walk)
                raise


async def _until_stopped(walk: Walk) -> None:
    try:
        if walk.task.state == "cancelling":
            raise Cancelling
        await _walk(walk)
    except Cancelling:
        with contextlib.suppress(Exception):  # what can't be read any more can still be stopped
            walk.read()
            await outcomes.find_out(walk, _inputs)
        await endings.stop(walk)


async def _hand_back(walk: Walk) -> None:
    """Give the task back; for as long as the lease may last, where the database is away."""
    until = time.monotonic() + walk.house.lease.total_seconds()
    while True:
        try:
            await hand_back(walk)
        except (SQLAlchemyError, OSError) as error:
            if time.monotonic() > until:
                log.warning("runner.not_handed_back", error=repr(error))
                return
            await asyncio.sleep(_HAND_BACK_EVERY)
        else:
            return


async def _walk(walk: Walk) -> None:
    try:
        walk.read()
    except Exception as error:  # stored by another version of the agent
        await endings.unexpected(walk, walk.agent.steps[0], error)
        return
    for step in walk.agent.steps:
        if step_name(step) in walk.stored:
            continue
        # An effect's last try is looked after first; only what dies of that too is stopped here.
        if walk.crashes >= (2 * CRASHES if isinstance(step, Effect) else CRASHES):
            await endings.crashed(walk, step)
            return
        if not await _goes_on_after(walk, step):
            return


async def _goes_on_after(walk: Walk, step: Step) -> bool:
    """Do one step. False where the walk ends here for now, which is committed then."""
    try:
        return await _do(walk, step)
    except NeedsInput as needs:
        await endings.ask(walk, step, needs.question)
    except TryLater as later:
        await endings.try_later(walk, step, later)
    except (LostLease, Cancelling):
        raise
    except WorkersDie:
        await endings.crashed(walk, step)
    except MiyabiError as error:
        await endings.fail(walk, step, error.words)
    except Exception as error:  # an agent may raise anything; the task must not hang on it
        if is_away(error):
            raise
        await endings.unexpected(walk, step, error)
    return False


# Steps


async def _do(walk: Walk, step: Step) -> bool:
    """Do one step and commit it. False where the walk ends here for now."""
    started = datetime.now(UTC)
    if walk.files:
        await in_time(walk, step, fetch_files(walk))
    if isinstance(step, Approval):
        await _request_approval(walk, step)
        return False
    if isinstance(step, Number):
        await _number(walk, step, started)
    elif isinstance(step, Deliver):
        await _deliver(walk, step, started)
    elif isinstance(step, Record):
        await _record(walk, step, started)
    else:
        made = await in_time(walk, step, _make(walk, step))
        await _commit(walk, step, made, started)
    return True


@dataclass(frozen=True, slots=True)
class _Made:
    """What a step gave: as it is stored, and the hash of what it was made from.

    `again`: it was made for an earlier revision out of the same. `acted`: it was an effect.
    """

    value: Any
    result: Any
    inputs_sha256: str = ""
    again: bool = False
    acted: acting.Acted | None = None


async def _make(walk: Walk, step: Work | Effect) -> _Made:
    inputs = await _inputs(walk, step)
    inputs_sha256 = fingerprint(
        {name: dump(value) for name, value in inputs.items() if type(value) in walk.results}
    )
    kept = walk.earlier.get(step_name(step))
    if kept is not None and kept[0] == inputs_sha256:
        return _Made(load(gives(step), kept[1]), kept[1], inputs_sha256, again=True)
    if isinstance(step, Effect):
        acted = await acting.perform(walk, step, inputs)
        return _Made(acted.value, dump(acted.value), inputs_sha256, acted=acted)
    if child.is_plain(step):
        agent = walk.agent
        limits = child.Limits(agent.step_deadline, agent.step_cpu, agent.step_memory)
        value = await child.run(step, inputs, limits)
    else:
        value = await step(**inputs)
    return _Made(value, dump(value), inputs_sha256)


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
                walk.grade,
            )
        else:
            if kind not in walk.resources:
                give = walk.house.resources[kind]
                walk.resources[kind] = await give(walk.house, walk.task.organisation_id)
            inputs[name] = walk.resources[kind]
    return inputs


async def _commit(walk: Walk, step: Step, made: _Made, started: datetime) -> None:
    """Store a step's result with its event and news.

    Raises LostLease if the task was taken, Cancelling if it was cancelled meanwhile: then only the
    outcome of an act on the outside is written.
    """
    if made.acted is None and not _ends(walk, step, made):
        await finish(
            walk, step_name(step), made.result, made.inputs_sha256, fingerprint(made.result),
            started, kept=made.again,
        )  # fmt: skip
        _remember(walk, step, made)
        return
    async with unit(walk.house) as work:
        cancelling = await own(work, walk) == "cancelling"
        if made.acted is not None:
            await acting.record(work, walk, made.acted)
        if not cancelling:
            await _store(work, walk, step, made, started)
            if isinstance(made.value, Document) and Numbered in walk.results:
                await issue(work, walk.task, made.value)
    if cancelling:
        raise Cancelling
    _remember(walk, step, made)


def _ends(walk: Walk, step: Step, made: _Made) -> bool:
    """Whether more is to be written with it: the end of the task, or the document it issues."""
    issues = isinstance(made.value, Document) and Numbered in walk.results
    return issues or step is walk.agent.steps[-1]


async def _store(work: Unit, walk: Walk, step: Step, made: _Made, started: datetime) -> None:
    name = step_name(step)
    await store_result(work, walk.task, name, made.inputs_sha256, made.result, started)
    data: dict[str, JSON] = {"result_sha256": fingerprint(made.result), "kept": made.again}
    work.record(tasks.event(walk.task, Tag.STEP_FINISHED, data, step=name))
    is_last = step is walk.agent.steps[-1]
    if is_last:
        await leave(work, walk, "done")
        work.record(tasks.event(walk.task, Tag.TASK_DONE, {}))
    else:
        await begin_anew(work, walk)
    await tasks.notify(work, walk.task, "task.done" if is_last else "task.moved")


def _remember(walk: Walk, step: Step, made: _Made) -> None:
    walk.results[gives(step)] = made.value
    walk.stored.add(step_name(step))


async def _request_approval(walk: Walk, step: Approval) -> None:
    shown: Document = walk.results[step.shows]
    async with unit(walk.house) as work:
        await hold(work, walk)
        await opening.request(
            work, walk.house, walk.task, walk.agent, step, walk.results, shown.sha256
        )
        await leave(work, walk, "waiting", waiting_for="approval")
        await tasks.notify(work, walk.task, "task.moved")


async def _number(walk: Walk, step: Number, started: datetime) -> None:
    """The short transaction that issues the document: number, row, event and result together."""
    company = await walk.house.company(walk.task.organisation_id)
    deal = walk.agent.deal(walk.results) if walk.agent.deal else Deal()
    async with unit(walk.house) as work:
        await hold(work, walk)
        numbered = await take_number(
            work, walk.task, walk.agent.number, company.time_zone, walk.revises_id, deal,
            walk.house.keep_years,
        )  # fmt: skip
        made = _Made(numbered, dump(numbered))
        await _store(work, walk, step, made, started)
    _remember(walk, step, made)


async def _record(walk: Walk, step: Record, started: datetime) -> None:
    """What the step writes into our database, and its result: one unit."""
    inputs = await _inputs(walk, step)
    async with unit(walk.house) as work:
        await hold(work, walk)
        value = await step.work(work, walk.task, **inputs)
        made = _Made(value, dump(value))
        await _store(work, walk, step, made, started)
    _remember(walk, step, made)


async def _deliver(walk: Walk, step: Deliver, started: datetime) -> None:
    """Hand the document to the task's threads: the deliveries are rows of this transaction."""
    document: Document = walk.results[step.shows]
    delivered = Delivered(document.sha256)
    made = _Made(delivered, dump(delivered))
    async with unit(walk.house) as work:
        await hold(work, walk)
        await tasks.notify(work, walk.task, "document.issued", {"file": dump(document)})
        await _store(work, walk, step, made, started)
    _remember(walk, step, made)
