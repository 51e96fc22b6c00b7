"""How long a step may take, and what stops it early: its deadline, a cancel, a lost lease."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import structlog

from core import outcomes, phrases
from core.agent import Effect, Step, step_name
from core.errors import Permanent, TryLater
from core.lease import Walk

log = structlog.get_logger()

T = TypeVar("T")

GRACE = timedelta(seconds=1)
"""How long a step that was told to stop is waited for; after that it is left to itself."""


class PastDeadline(TryLater):
    """A step took longer than it may."""


class _StoppedItself(Exception):
    """A step ended as cancelled, though nobody had cancelled it."""


async def in_time(walk: Walk, step: Step, work: Coroutine[Any, Any, T]) -> T:
    """What the step's work gives, or what it raises.

    Raises PastDeadline where it takes longer than it may, Permanent where the time of the whole
    task is up, and Cancelling or LostLease as soon as one of them is known. In all these cases the
    work is cancelled; if it does not listen it is abandoned, and the fence keeps its result out.
    """
    limit = _limit(walk, step)
    left = timedelta(seconds=walk.over_at - time.monotonic())
    doing = asyncio.create_task(work)
    ends: set[asyncio.Future[Any]] = {doing, walk.stopping}
    _watch(walk, min(limit, left) + _grace(step))
    try:
        await asyncio.wait(
            ends,
            timeout=max(0, min(limit, left).total_seconds()),
            return_when=asyncio.FIRST_COMPLETED,
        )
    finally:
        ended = doing.done()
        if not ended:
            await _stop(doing, step)
        _watch(walk, None)
    if ended:
        if doing.cancelled():
            raise _StoppedItself(step_name(step))
        return doing.result()
    if walk.stopping.done():
        raise walk.stopping.result()
    label = walk.agent.labels[step_name(step)]
    if left < limit:
        raise Permanent(
            phrases.TASK_TOO_LONG.fill(step=label, limit=_spoken(walk.agent.task_deadline))
        )
    raise PastDeadline(phrases.STEP_TOO_LONG.fill(step=label, limit=_spoken(limit)))


def _limit(walk: Walk, step: Step) -> timedelta:
    if isinstance(step, Effect):
        # The act, the wait for what may still be under way, and asking what became of it.
        return 2 * step.deadline + step.settles + timedelta(seconds=outcomes.GRACE)
    return walk.agent.step_deadline


def _grace(step: Step) -> timedelta:
    return GRACE + timedelta(seconds=outcomes.GRACE if isinstance(step, Effect) else 0)


async def _stop(doing: "asyncio.Task[Any]", step: Step) -> None:
    doing.add_done_callback(_fetch)
    doing.cancel()
    await asyncio.wait({doing}, timeout=_grace(step).total_seconds())
    if not doing.done():
        log.error("step.abandoned", step=step_name(step))


def _fetch(doing: "asyncio.Task[Any]") -> None:
    """Look at how it ended, so that asyncio need not complain that nobody did."""
    if not doing.cancelled():
        doing.exception()


def _watch(walk: Walk, within: timedelta | None) -> None:
    """Tell the heartbeat by when the loop will have ended the step, if it is not blocked."""
    if walk.held is None:
        return
    walk.held.asked_at = None
    walk.held.due = time.monotonic() + within.total_seconds() if within is not None else None


def _spoken(limit: timedelta) -> object:
    seconds = limit.total_seconds()
    if seconds >= 120 and seconds % 60 == 0:
        return phrases.MINUTES.fill(n=int(seconds // 60))
    return phrases.SECONDS.fill(n=f"{seconds:g}")
