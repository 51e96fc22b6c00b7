"""What became of an act on the outside, where its answer was lost: the provider is asked.

Where the provider can't be asked or can't tell, a person is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import structlog

from core import effects, phrases
from core.agent import Effect
from core.codec import dump
from core.effects import EffectRow
from core.errors import LostLease, MiyabiError, NeedsInput, OutcomeUnknown, Permanent, TryLater
from core.lease import Walk, own
from core.unit import unit
from core.words import Words

log = structlog.get_logger()

FIND_TRIES = 3
"""How often a provider that can't be reached is asked before a person is."""
GRACE = 5.0
"""Seconds for which an act under way may go on once its walk is stopped; its outcome counts."""

Inputs = Mapping[str, Any]


async def find_out(walk: Walk, inputs_of: Callable[[Walk, Effect], Awaitable[Inputs]]) -> None:
    """Before a task is stopped: what became of the acts nobody knows of, as far as can be told."""
    for step in walk.agent.steps:
        effect = await of_step(walk, step) if isinstance(step, Effect) else None
        if effect is None or not effect.is_open or not isinstance(step, Effect):
            continue
        if effect.state == "intended":
            await mark(walk, effect, "unknown", how="no outcome")
        try:
            inputs = await inputs_of(walk, step)
            await let_settle(step, effect)
            found = await find(walk, step, effect, inputs, None)
        except LostLease:
            raise
        except Exception as error:  # it stays unknown, and is shown so
            log.warning("effect.not_found_out", effect=effect.key, error=repr(error))
            continue
        if found is None:
            await mark(walk, effect, "failed", how="not found")
        else:
            await mark(walk, effect, "done", how="found", result=dump(found))


async def let_settle(step: Effect, effect: EffectRow, over_for: float = 0) -> None:
    """Wait until an act whose answer was lost can't be under way at the provider any more.

    `over_for`: for how many seconds at least nobody has been at it. It is surely over once it is
    older than it may get.
    """
    if step.find is None:
        return
    oldest = step.deadline.total_seconds() + GRACE
    left = step.settles.total_seconds() - max(over_for, effect.age - oldest)
    if left > 0:
        await asyncio.sleep(left)


async def find(
    walk: Walk, step: Effect, effect: EffectRow, inputs: Inputs, why: Words | None
) -> Any:
    """Ask the provider; None where the act surely did not happen. Raises NeedsInput for a person.

    A provider that can't be reached is asked again later before a person is bothered.
    """
    act = walk.agent.labels[step.name]
    if step.find is None:
        raise NeedsInput(effects.question(effect, act, why))
    try:
        async with asyncio.timeout(step.deadline.total_seconds()):
            return await step.find(**step.arguments(step.find, inputs, effect.key))
    except LostLease:
        raise
    except (OutcomeUnknown, Permanent) as error:
        raise NeedsInput(effects.question(effect, act, error.words)) from error
    except Exception as error:
        if walk.attempts + 1 < FIND_TRIES:
            if isinstance(error, TimeoutError):
                raise TryLater(no_answer(step, effect)) from error
            raise
        log.warning("effect.not_found_out", effect=effect.key, error=repr(error))
        reason = error.words if isinstance(error, MiyabiError) else why
        raise NeedsInput(effects.question(effect, act, reason)) from error


async def of_step(walk: Walk, step: Effect) -> EffectRow | None:
    """The effect as it stands, once it was intended."""
    async with walk.house.engine.connect() as connection:
        return await effects.of_step(connection, walk.task, step.name)


async def mark(
    walk: Walk,
    effect: EffectRow,
    state: Literal["done", "failed", "unknown"],
    *,
    how: str,
    result: Any = None,
    error: str | None = None,
) -> None:
    """Write what became of it, in a unit of its own. Raises LostLease if the task was taken."""
    async with unit(walk.house) as work:
        await own(work, walk)  # also of a task that is being cancelled
        await effects.mark(work, walk.task, effect, state, how=how, result=result, error=error)


def no_answer(step: Effect, effect: EffectRow) -> Words:
    """That the provider was silent for too long."""
    return phrases.NO_ANSWER_IN_TIME.fill(target=effect.target or step.kind)
