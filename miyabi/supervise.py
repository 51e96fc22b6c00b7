"""`miyabi up`: web and worker as child processes, started again when they crash, stopped together.

Processes of their own, since a document being laid out must not make a webhook wait.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.errors import Permanent
from core.settings import Settings
from core.words import Words
from miyabi.embedded import embedded

log = structlog.get_logger()

SUPERVISED = "MIYABI_SUPERVISOR"
"""Names the process that started this one; without it, this one ends too."""

_NO_PORT = Words(
    ja="{host}:{port} を使えません（{why}）。MIYABI_PORT で別の番号を指定できます。",
    en="{host}:{port} can't be used ({why}). MIYABI_PORT names another.",
    zh="无法使用 {host}:{port}（{why}）。可用 MIYABI_PORT 指定其他端口。",
)

_ROOT = str(Path(__file__).resolve().parents[1])
_SAID_WHY = 1  # commands.frame.Exit.FAILED
_WEB_STOPS_WITHIN = 4.0
_WORKER_STOPS_WITHIN = 20.0
"""Seconds. A step under way may end, or its task is handed back."""
_FIRST_WAIT, _LAST_WAIT = 1.0, 30.0
_WELL_AFTER = 60.0  # seconds after which a crash is counted as the first again


@dataclass(slots=True)
class _Child:
    """One process of ours and how it has been doing."""

    name: str
    arguments: tuple[str, ...]
    stops_within: float
    process: asyncio.subprocess.Process | None = None

    async def keep(self) -> None:
        """Start it, and again whenever it ends, more slowly each time.

        Comes back where the first start failed for a reason that it gave: the next would too.
        """
        wait, first = _FIRST_WAIT, True
        while True:
            started = time.monotonic()
            self.process = await self._start()
            code = await self.process.wait()
            if first and code == _SAID_WHY:
                return
            first = False
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
            async with asyncio.timeout(self.stops_within):
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


async def up(settings: Settings, *, workers: int) -> bool:
    """Run everything until Ctrl-C or SIGTERM; False where a process could not even begin."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, told.set)
    with listening(settings):
        pass  # taken by `web` in a moment; in use, it is said now and once
    # Kept open: the embedded servers stay up while a child is started again.
    async with embedded(settings):
        children = [_Child("web", ("web",), _WEB_STOPS_WITHIN)]
        children += [
            _Child(f"worker {n}", ("worker",), _WORKER_STOPS_WITHIN) for n in range(1, workers + 1)
        ]
        keeping = [asyncio.create_task(child.keep()) for child in children]
        waiting = asyncio.create_task(told.wait())
        try:
            await asyncio.wait([waiting, *keeping], return_when=asyncio.FIRST_COMPLETED)
            log.info("up.stopping")
        finally:
            for task in (waiting, *keeping):
                task.cancel()
            await asyncio.gather(*(child.stop() for child in children))
    log.info("up.stopped")
    return told.is_set()


@contextlib.contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """The web's socket, taken before anything else: a port in use is the likeliest of all faults.

    Raises Permanent where it can't be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise Permanent(
                _NO_PORT.fill(host=settings.host, port=settings.port, why=error.strerror or error)
            ) from error
        yield listener
