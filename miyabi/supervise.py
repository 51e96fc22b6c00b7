"""`miyabi up`: web and worker as child processes, started again when they crash, stopped together.

Processes of their own, since a document being laid out must not make a webhook wait.
"""

import asyncio
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.settings import Settings
from miyabi.serve import SUPERVISED, listening
from miyabi.session import session

log = structlog.get_logger()

_ROOT = str(Path(__file__).resolve().parents[1])
_STOPS_WITHIN = 5.0
_FIRST_WAIT, _LAST_WAIT = 1.0, 30.0
_WELL_AFTER = 60.0  # seconds after which a crash is counted as the first again


@dataclass(slots=True)
class _Child:
    """One process of ours and how it has been doing."""

    name: str
    arguments: tuple[str, ...]
    process: asyncio.subprocess.Process | None = None

    async def keep(self) -> None:
        """Start it, and again whenever it ends, more slowly each time."""
        wait = _FIRST_WAIT
        while True:
            started = time.monotonic()
            self.process = await self._start()
            code = await self.process.wait()
            if time.monotonic() - started > _WELL_AFTER:
                wait = _FIRST_WAIT
            log.error("up.child_ended", child=self.name, code=code, again_in=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LAST_WAIT)

    async def stop(self) -> None:
        """Ask it to end, and make it end."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            async with asyncio.timeout(_STOPS_WITHIN):
                await self.process.wait()
        except TimeoutError:
            log.warning("up.child_killed", child=self.name)
            self.process.kill()
            await self.process.wait()

    async def _start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "miyabi",
            *self.arguments,
            env=os.environ | {SUPERVISED: str(os.getpid()), "PYTHONPATH": _ROOT},
            start_new_session=True,  # Ctrl-C is for us: we pass it on once and in order
        )


async def up(settings: Settings, *, workers: int) -> None:
    """Run everything until Ctrl-C or SIGTERM."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, told.set)
    with listening(settings):
        pass  # taken by `web` in a moment; in use, it is said now and once
    # Kept open: the embedded servers stay up while a child is started again.
    async with session(settings):
        children = [_Child("web", ("web",))]
        children += [_Child(f"worker {n}", ("worker",)) for n in range(1, workers + 1)]
        keeping = [asyncio.create_task(child.keep()) for child in children]
        try:
            await told.wait()
            log.info("up.stopping")
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*(child.stop() for child in children))
    log.info("up.stopped")
