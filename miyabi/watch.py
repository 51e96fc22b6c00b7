"""A worker's watch over itself: its row in the database, and whether it hears the queue at all."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from core import workers
from core.ports import Lane

log = structlog.get_logger()

DEAF = 75
"""Exit code of a worker that could not be mended: to be started again (EX_TEMPFAIL)."""


class Deaf(Exception):
    """The queue is not heard, though Redis answers others."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: of silence until a worker takes itself for deaf, and then until it gives up."""

    deaf_after: float = workers.DEAF_AFTER
    gives_up_after: float = 15.0
    looks_every: float = 1.0


class Watched(Protocol):
    """What is watched: the crew of a worker process."""

    @property
    def name(self) -> str: ...
    @property
    def lanes(self) -> Sequence[Lane]: ...
    @property
    def jobs(self) -> int: ...
    @property
    def silent(self) -> float: ...
    @property
    def stopping(self) -> bool: ...
    async def begin_anew(self) -> None: ...
    async def reaches_redis(self) -> bool: ...


async def watch(crew: Watched, patience: Patience) -> None:
    """Look for ever whether the crew hears the queue. Raises Deaf where it can't be mended.

    A Redis that is away is waited for: another process would hear no more.
    """
    loop = asyncio.get_running_loop()
    deaf_since: float | None = None
    while True:
        await asyncio.sleep(patience.looks_every)
        if crew.silent < patience.deaf_after or not await crew.reaches_redis():
            deaf_since = None
            continue
        if crew.silent < patience.deaf_after:  # heard while we asked
            continue
        if deaf_since is None:
            deaf_since = loop.time()
        elif loop.time() - deaf_since > patience.gives_up_after:
            log.error("worker.deaf", silent=round(crew.silent))
            raise Deaf
        log.warning("worker.begins_anew", silent=round(crew.silent))
        await crew.begin_anew()
        await asyncio.sleep(patience.deaf_after)


async def keep_row(engine: AsyncEngine, crew: Watched) -> None:
    """Write every 2 s how the worker is; when cancelled, that it has ended."""
    try:
        while True:
            await _write(engine, crew)
            await asyncio.sleep(workers.SEEN_EVERY)
    finally:
        try:
            await workers.end(engine, crew.name)
        except Exception as error:  # it is of no use to whoever waits for our end
            log.warning("worker.end_not_written", error=repr(error))


async def _write(engine: AsyncEngine, crew: Watched) -> None:
    try:
        await workers.write(engine, _sign(crew))
    except (SQLAlchemyError, OSError) as error:
        log.warning("worker.row_not_written", error=repr(error))
    except Exception:  # without its row a worker at work counts as gone
        log.exception("worker.row_crashed")


def _sign(crew: Watched) -> workers.Sign:
    return workers.Sign(crew.name, _version(), crew.lanes, crew.jobs, crew.silent, crew.stopping)


def _version() -> str:
    try:
        return version("miyabi")
    except PackageNotFoundError:  # run from its sources
        return "-"
