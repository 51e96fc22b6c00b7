"""Work that goes on after a platform was answered."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger()

_STOPS_WITHIN = 1.0
"""Seconds that what is stopped has to give back what it holds."""


class Chores:
    """What goes on after the platform was answered, until the process ends."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Start it; a failure is logged, as nobody waits for it. Nothing where all is closed."""
        if self._closed:
            work.close()
            return
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("chore.failed", error=repr(error), exc_info=error)

    async def close(self, patience: float = 3.0) -> None:
        """Let what runs come to its end for a moment, then stop it."""
        self._closed = True
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=patience)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_STOPS_WITHIN)
