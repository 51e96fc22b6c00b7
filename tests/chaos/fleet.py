"""The product's processes, kept running as `miyabi up` does: who dies is started again."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from miyabi.supervise import SUPERVISED
from tests.miyabi import warm

LAUNCHER = "tests.chaos.processes.launcher"
REPOSITORY = Path(__file__).resolve().parents[2]
AGAIN_AFTER = 0.7  # seconds between a process's end and its next start


@dataclass(slots=True)
class Life:
    """One process from its start to its end. Times are `time.time()`."""

    pid: int
    started: float
    ended: float | None = None
    code: int | None = None


@dataclass(slots=True)
class Kept:
    """One place in the fleet, and all lives it has had."""

    name: str
    role: str
    environment: Mapping[str, str]
    log: Path
    lives: list[Life] = field(default_factory=list)
    _keeping: asyncio.Task[None] | None = None
    _process: warm.Process | None = None

    def begin(self) -> None:
        """Start it, and again whenever it ends."""
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Let it come to its end, and make it."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
            process.terminate()
        try:
            async with asyncio.timeout(25):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    def signal(self, number: signal.Signals) -> int | None:
        """Send a signal to the life it has now; its pid, or None where it is between two."""
        process = self._process
        if process is None or process.returncode is not None:
            return None
        process.send_signal(number)
        return process.pid

    async def _keep(self) -> None:
        while True:
            environment = {**self.environment, SUPERVISED: "its parent"}
            self._process = await warm.start(
                LAUNCHER, [self.role], self.log.parent, environment, self.log
            )
            life = Life(self._process.pid, time.time())
            self.lives.append(life)
            life.code = await self._process.wait()
            life.ended = time.time()
            await asyncio.sleep(AGAIN_AFTER)


@dataclass(frozen=True, slots=True)
class Fleet:
    """All of them."""

    all: Sequence[Kept]

    @property
    def workers(self) -> list[Kept]:
        return [kept for kept in self.all if kept.role == "worker"]

    def of(self, pid: int) -> Kept | None:
        """Whose life this process is or was."""
        for kept in self.all:
            if any(life.pid == pid for life in kept.lives):
                return kept
        return None

    async def stop(self) -> None:
        await asyncio.gather(*(kept.stop() for kept in self.all))
