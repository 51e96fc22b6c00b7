"""How a worker does an act on the outside: intent, act, outcome, and what to do where it is lost.

The intent is committed before the act, the outcome with the step's result after it. Whatever
happens in between leaves a row that says so, and nothing is done a second time before it is known
that it was not done the first time: the provider is asked, or else a person.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from core import effects
from core.agent import Effect, EffectKey, gives
from core.codec import dump, load
from core.db import fetch_one
from core.effects import EffectRow
from core.errors import LostLease, MiyabiError, OutcomeUnknown, TryLater, WorkersDie
from core.lease import Walk, hold
from core.outcomes import GRACE, Inputs, find, let_settle, mark, no_answer, of_step
from core.patience import CRASHES
from core.unit import Unit, unit
from core.words import Words

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Acted:
    """An effect that was done, with its result. `how` says what tells so.

    None: that is recorded already, or there was nothing to do.
    """

    effect: EffectRow | None
    value: Any
    how: str | None


async def perform(walk: Walk, step: Effect, inputs: Inputs) -> Acted:
    """The result of an act, which is done only where it surely was not done before.

    Raises what the act raises where it surely was not done, NeedsInput where a person has to say
    whether it was, TryLater where the provider is to be asked again later, WorkersDie where it
    surely was not done and is not to be tried again.
    """
    effect = await of_step(walk, step)
    if step.skip is not None and (effect is None or effect.state == "failed"):
        nothing_to_do = _call(step.skip, step, inputs, None)
        if nothing_to_do is not None:
            return Acted(None, nothing_to_do, None)
    if effect is None or effect.state in {"failed", "again"}:
        return await _attempt(walk, step, inputs)
    if effect.state == "done":
        return Acted(effect, _known_result(step, effect, inputs), None)
    dead_for = 0.0
    if effect.state == "intended":  # by a worker that died: its lease has run out since
        dead_for = walk.house.lease.total_seconds() * 2 / 3
        await mark(walk, effect, "unknown", how="no outcome")
    await let_settle(step, effect, dead_for)
    found = await find(walk, step, effect, inputs, None)
    if found is not None:
        return Acted(effect, found, "found")
    await mark(walk, effect, "failed", how="not found")
    return await _attempt(walk, step, inputs)


async def record(work: Unit, walk: Walk, acted: Acted) -> None:
    """Write the outcome, in the unit that stores the step's result."""
    if acted.effect is not None and acted.how is not None:
        result = dump(acted.value)
        await effects.mark(work, walk.task, acted.effect, "done", how=acted.how, result=result)


# The act


async def _attempt(walk: Walk, step: Effect, inputs: Inputs) -> Acted:
    # Not before it is known what became of the last try: nobody would be told of it.
    if walk.crashes >= CRASHES:
        raise WorkersDie
    target = _call(step.target, step, inputs, None) if callable(step.target) else step.target
    effect = await _intend(walk, step, target)
    try:
        value = await _act(walk, step, effect, inputs)
    except LostLease:
        raise
    except MiyabiError as error:
        if not isinstance(error, OutcomeUnknown):
            await mark(walk, effect, "failed", how="refused", error=error.words.en)
            raise
        reason: Exception = error
    except TimeoutError:
        reason = OutcomeUnknown(no_answer(step, effect))
    except Exception as error:  # anything may have happened
        log.exception("effect.crashed", effect=effect.key, step=step.name)
        reason = error
    else:
        return Acted(effect, value, "answered")
    return await _after_unknown(walk, step, effect, inputs, reason)


async def _intend(walk: Walk, step: Effect, target: str) -> EffectRow:
    """Commit the intent. The lease surely holds when this returns, unless the process stops now.

    A process that was frozen since the commit must not act: its lease may be another's, who acts.
    """
    asked_at = time.monotonic()
    async with unit(walk.house) as work:
        await hold(work, walk)
        effect = await effects.intend(work, walk.task, step.name, step.kind, target)
    while time.monotonic() - asked_at > walk.house.lease.total_seconds() / 2:
        asked_at = time.monotonic()
        async with unit(walk.house) as work:
            await hold(work, walk)
    return effect


async def _after_unknown(
    walk: Walk, step: Effect, effect: EffectRow, inputs: Inputs, reason: Exception
) -> Acted:
    """The answer is lost. Raises what the step ends with where the act surely was not done."""
    why = reason.words if isinstance(reason, MiyabiError) else None
    await mark(walk, effect, "unknown", how="no answer", error=_spoken(why))
    await let_settle(step, effect)
    found = await find(walk, step, effect, inputs, why)
    if found is not None:
        return Acted(effect, found, "found")
    await mark(walk, effect, "failed", how="not found", error=_spoken(why))
    if isinstance(reason, OutcomeUnknown):
        raise TryLater(reason.words) from reason
    raise reason


async def _act(walk: Walk, step: Effect, effect: EffectRow, inputs: Inputs) -> Any:
    """Do it. Raises TimeoutError past the deadline, after which it was told to stop."""
    work = step.work(**step.arguments(step.work, inputs, effect.key))
    acting = asyncio.ensure_future(work)
    try:
        await asyncio.wait({acting}, timeout=step.deadline.total_seconds())
    except asyncio.CancelledError:
        await _stopped(walk, effect, acting)
        raise
    if not acting.done():
        acting.cancel()
        raise TimeoutError
    if acting.cancelled():
        raise OutcomeUnknown(no_answer(step, effect))
    return acting.result()


async def _stopped(walk: Walk, effect: EffectRow, acting: "asyncio.Future[Any]") -> None:
    """The walk is stopped in the middle of an act: let the act end, if it is still ours, and note
    how. Whoever takes the task next goes by that.
    """
    if await _still_ours(walk):
        await asyncio.wait({acting}, timeout=GRACE)
    ended = acting.done() and not acting.cancelled()
    acting.cancel()
    error = acting.exception() if ended else None
    try:
        if ended and error is None:
            await mark(walk, effect, "done", how="answered", result=dump(acting.result()))
        elif isinstance(error, MiyabiError) and not isinstance(error, OutcomeUnknown):
            await mark(walk, effect, "failed", how="refused", error=error.words.en)
        else:
            await mark(walk, effect, "unknown", how="stopped")
    except Exception as lost:  # it stays intended, as if the process had died
        log.warning("effect.outcome_not_noted", effect=effect.key, error=repr(lost))


async def _still_ours(walk: Walk) -> bool:
    try:
        async with walk.house.engine.connect() as connection:
            row = await fetch_one(
                connection,
                "select 1 from tasks where organisation_id = :organisation_id and id = :id"
                " and fence = :fence",
                {
                    "organisation_id": walk.task.organisation_id,
                    "id": walk.task.id,
                    "fence": walk.fence,
                },
            )
    except Exception as error:  # who can't ask must take it for lost
        log.warning("effect.lease_not_known", error=repr(error))
        return False
    return row is not None


def _known_result(step: Effect, effect: EffectRow, inputs: Inputs) -> Any:
    """The result that was stored with the outcome, or what follows from a person's word."""
    if effect.result is not None:
        return load(gives(step), effect.result)
    return _call(step.assumed or gives(step), step, inputs, effect.key)


def _spoken(words: Words | None) -> str | None:
    return words.en if words is not None else None


def _call(function: Callable[..., Any], step: Effect, inputs: Inputs, key: EffectKey | None) -> Any:
    if isinstance(function, type):
        return function()  # a result's type that needs no arguments
    return function(**step.arguments(function, inputs, key))
