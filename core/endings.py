"""Where a walk ends before its last step: it asks, waits to try again, fails, or is cancelled."""

import random
import time
from datetime import timedelta

import structlog

from audit.event import JSON
from core import phrases, tasks
from core.agent import Step, step_name
from core.codec import dump
from core.errors import Question, TryLater, topic
from core.failing import tell_failed
from core.ids import new_id
from core.lease import Walk, hold, leave, own
from core.pace import PastDeadline
from core.patience import LATE_TRIES, TRIES, UNEXPECTED_TRIES, WITHIN, next_wait
from core.tags import Tag
from core.tasks import Again
from core.unit import unit
from core.words import Words

log = structlog.get_logger()


async def ask(walk: Walk, step: Step, question: Question) -> None:
    """Put a question in the thread; the answer sets the task going again."""
    async with unit(walk.house) as work:
        await hold(work, walk)
        await leave(work, walk, "waiting", waiting_for="answer", question=question)
        data: dict[str, JSON] = {"about": topic(question.key)}
        work.record(tasks.event(walk.task, Tag.QUESTION_ASKED, data, step=step_name(step)))
        await tasks.notify(work, walk.task, "question.asked")


async def fail(walk: Walk, step: Step, words: Words, error_id: str | None = None) -> None:
    """Stop with the reason and a Retry button."""
    log.warning("task.failed", step=step_name(step), why=words.en, error_id=error_id)
    async with unit(walk.house) as work:
        await hold(work, walk)
        await leave(work, walk, "failed", failure=words, step=step_name(step))
        data: dict[str, JSON] = {"error_id": error_id}
        work.record(tasks.event(walk.task, Tag.TASK_FAILED, data, step=step_name(step)))
        await tasks.notify(work, walk.task, "task.failed", {"failure": dump(words)})
        await tell_failed(work, walk.task, walk.agent.title, words, step_name(step))


async def try_later(walk: Walk, step: Step, error: TryLater) -> None:
    """Try the step again after a while, or fail where it was tried for long enough."""
    late = isinstance(error, PastDeadline)
    await _again(walk, step, error.words, error.after, LATE_TRIES if late else TRIES)


async def unexpected(walk: Walk, step: Step, error: Exception) -> None:
    """A fault nobody foresaw: try again, then stop with an id under which the log has it all."""
    error_id = new_id().hex[-8:]
    log.error("step.crashed", step=step_name(step), error_id=error_id, exc_info=error)
    words = phrases.UNEXPECTED.fill(error_id=error_id)
    if walk.attempts + 1 < UNEXPECTED_TRIES:
        await _again(walk, step, words, None, UNEXPECTED_TRIES)
    else:
        await fail(walk, step, words, error_id)


async def crashed(walk: Walk, step: Step) -> None:
    """Too many workers died at this step: it may be what kills them."""
    error_id = new_id().hex[-8:]
    log.error("step.kills_workers", step=step_name(step), error_id=error_id, crashes=walk.crashes)
    label = walk.agent.labels[step_name(step)]
    words = phrases.WORKERS_DIED.fill(n=walk.crashes, step=label, error_id=error_id)
    await fail(walk, step, words, error_id)


async def stop(walk: Walk) -> None:
    """The last word on a task that a person has cancelled."""
    async with unit(walk.house) as work:
        await own(work, walk)
        await leave(work, walk, "cancelled")
        work.record(tasks.event(walk.task, Tag.TASK_STOPPED, {"state": "cancelled"}))
        await tasks.notify(work, walk.task, "task.moved", {"stopped": True})


async def _again(walk: Walk, step: Step, words: Words, after: timedelta | None, tries: int) -> None:
    tried = walk.attempts + 1
    left = WITHIN - _tried_for(walk)
    if after is not None and after > left:
        minutes = -(-after // timedelta(minutes=1))
        await fail(walk, step, phrases.ASKED_TO_WAIT.fill(minutes=minutes, reason=words))
        return
    wait = next_wait(tried, after, random.random())  # noqa: S311  # not a secret
    if tried >= tries or wait > left:
        await fail(walk, step, phrases.GAVE_UP.fill(tries=tried, reason=words))
        return
    async with unit(walk.house) as work:
        await hold(work, walk)
        again = Again(tried, tries, wait)
        await leave(work, walk, "retrying", failure=words, step=step_name(step), again=again)
        data: dict[str, JSON] = {"try": tried, "of": tries, "wait": int(wait.total_seconds())}
        work.record(tasks.event(walk.task, Tag.TASK_RETRYING, data, step=step_name(step)))
        await tasks.notify(work, walk.task, "task.moved")
        work.nudge("advance", walk.task, after=wait)


def _tried_for(walk: Walk) -> timedelta:
    """How long ago the step failed for the first time."""
    if walk.trying_since is None:
        return timedelta(0)
    return timedelta(seconds=time.monotonic() - walk.trying_since)
