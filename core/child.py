"""Steps that are plain functions: each runs in a child process of its own, and can be killed.

A function that computes for long, or sleeps, or waits for a library that knows no asyncio, would
hold up everybody else in this process. A child takes 10 to 16 ms to start (a fork of a server that
has the agents' modules loaded), begins with its own limits, and leaves nothing behind. A pool of
children would spare that, and make a step wait for another to end.
"""

import asyncio
import inspect
import math
import multiprocessing
import resource
import signal
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeGuard

from pebble import ProcessExpired
from pebble.concurrent import process

from core import phrases
from core.agent import Agent, Step, Work
from core.errors import Permanent, TryLater

_MIB = 1024 * 1024
_LINGERS = timedelta(seconds=5)
"""After its time a child ends by itself, should nobody be left who could kill it."""

_context = multiprocessing.get_context("forkserver")  # a fork of ours would have half our threads


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use: seconds on the clock, seconds of computing, MiB of memory."""

    time: timedelta
    cpu: timedelta
    memory: int


def load_beforehand(agents: Iterable[Agent]) -> None:
    """Have the modules of plain steps loaded once for all children, before the first is started."""
    modules = {step.__module__ for agent in agents for step in agent.steps if is_plain(step)}
    _context.set_forkserver_preload([__name__, *sorted(modules)])


def is_plain(step: Step) -> TypeGuard[Work]:
    """Whether a step is a plain function, and so for a child process."""
    return inspect.isfunction(step) and not inspect.iscoroutinefunction(step)


async def run(function: Callable[..., Any], arguments: Mapping[str, Any], limits: Limits) -> Any:
    """What the function gives or raises, in a child. Cancelled, the child is killed.

    Raises Permanent where it needs more memory or computing than it may, TryLater where its
    process dies for another reason.
    """
    try:
        return await asyncio.wrap_future(await _started(function, arguments, limits))
    except MemoryError as error:
        raise Permanent(phrases.TOO_MUCH_MEMORY.fill(limit=limits.memory)) from error
    except ProcessExpired as error:
        raise _death(error.exitcode, limits) from error


async def _started(
    function: Callable[..., Any], arguments: Mapping[str, Any], limits: Limits
) -> "Future[Any]":
    # pebble reads `context`; its types say `mp_context`, which it would ignore without a word.
    begin: Any = process
    start = begin(context=_context, daemon=True, name="miyabi-step")(_in_child)
    starting = asyncio.ensure_future(
        asyncio.to_thread(start, function, dict(arguments), limits)  # it waits for the fork
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(_drop)
        raise


def _drop(starting: "asyncio.Future[Future[Any]]") -> None:
    if not starting.cancelled() and starting.exception() is None:
        starting.result().cancel()


def _death(code: int | None, limits: Limits) -> Exception:
    """Why the child is dead, from its exit code: the negative number of a signal."""
    if code == -signal.SIGXCPU:
        return Permanent(phrases.TOO_MUCH_CPU.fill(limit=math.ceil(limits.cpu.total_seconds())))
    try:
        how = signal.Signals(-(code or 0)).name
    except ValueError:
        how = f"exit {code}"
    return TryLater(phrases.CHILD_DIED.fill(how=how))


def _in_child(function: Callable[..., Any], arguments: dict[str, Any], limits: Limits) -> Any:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # at once, whatever the step is doing
    signal.setitimer(signal.ITIMER_REAL, (limits.time + _LINGERS).total_seconds())
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, math.ceil(limits.cpu.total_seconds()))
    _limit(resource.RLIMIT_DATA, limits.memory * _MIB)
    try:
        return function(**arguments)
    except (SystemExit, KeyboardInterrupt, asyncio.CancelledError, StopIteration) as error:
        # These would end more than the step where they are raised again.
        raise RuntimeError(f"the step raised {error!r}") from error


def _limit(what: int, amount: int) -> None:
    _, most = resource.getrlimit(what)
    resource.setrlimit(
        what, (amount if most == resource.RLIM_INFINITY else min(amount, most), most)
    )
