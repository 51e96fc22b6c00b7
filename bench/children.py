"""Processes of their own, as in an installation: started fresh, told when to stop, asked what came.

A child ends by itself when its parent is gone: its end of the pipe then reads as closed.
"""

import asyncio
import contextlib
import multiprocessing
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Concatenate, ParamSpec

import uvloop

from bench.figures import tell
from miyabi.logs import configure

P = ParamSpec("P")

_spawn = multiprocessing.get_context("spawn")
_START_PATIENCE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Life:
    """What a child is given: how to say that it is ready, and when it is to stop."""

    pipe: Connection
    stop: asyncio.Event

    def ready(self) -> None:
        """Tell the parent that the work can begin."""
        self.pipe.send(None)


Body = Callable[Concatenate[Life, P], Awaitable[Any]]
"""What a child does; what it returns reaches the parent. Must be a function of a module."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running child, seen from its parent."""

    process: SpawnProcess
    pipe: Connection

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    async def result(self) -> Any:
        """What the child returned. Raises EOFError where it died instead."""
        return await asyncio.to_thread(self.pipe.recv)

    async def stop(self) -> Any:
        """Let it come to its end; what it returned."""
        self.pipe.send(None)
        return await self.result()


@asynccontextmanager
async def child(body: Body[P], *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[Child]:
    """Run `body` in a process of its own, on uvloop, until the block ends. Entered when ready."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=_live, args=(body, theirs, args, kwargs), daemon=True)
    process.start()
    theirs.close()
    try:
        if not await asyncio.to_thread(ours.poll, _START_PATIENCE):
            raise TimeoutError(f"{body.__name__} was not ready after {_START_PATIENCE:.0f} s")
        ours.recv()
        yield Child(process, ours)
    finally:
        ours.close()
        await asyncio.to_thread(process.join, 15)
        if process.is_alive():
            tell(f"{body.__name__} did not stop and was killed")
            process.kill()


def _live(
    body: Callable[..., Awaitable[Any]],
    pipe: Connection,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    sys.stdout = sys.stderr  # stdout is for the figures alone
    quiet()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(_until_stopped(body, pipe, args, kwargs))
    with contextlib.suppress(OSError):
        pipe.send(outcome)


async def _until_stopped(
    body: Callable[..., Awaitable[Any]],
    pipe: Connection,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def heard() -> None:
        with contextlib.suppress(EOFError, OSError):
            pipe.recv()
        loop.remove_reader(pipe.fileno())
        stop.set()

    loop.add_reader(pipe.fileno(), heard)
    return await body(Life(pipe, stop), *args, **kwargs)


def quiet() -> None:
    """The product's own log, as in an installation, but only from warnings on."""
    configure(as_json=None, level="WARNING")


async def until_stopped(life: Life, work: Awaitable[Any]) -> None:
    """Do endless work until the parent says stop, then cancel it. Raises what ended it before."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.create_task(life.stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        working.result()
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
