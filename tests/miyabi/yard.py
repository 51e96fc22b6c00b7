"""Servers of a test's own, which it may kill, and real processes of ours beside them."""

import asyncio
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from pydantic import SecretStr

from core.migrate import upgrade_async
from core.settings import Settings
from miyabi.embedded import Services, embedded
from tests.miyabi import warm

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = {"postgres": "postgres", "valkey": "valkey-server"}


@dataclass(frozen=True, slots=True)
class Yard:
    """Where the servers answer, and the folder they are kept in."""

    home: Path
    services: Services

    async def restart(self, server: str) -> None:
        """Kill a server; its keeper starts it again within about a second."""
        victim = self._process(server)
        victim.send_signal(signal.SIGQUIT if server == "postgres" else signal.SIGKILL)
        await until(lambda: not victim.is_running() or victim.status() == psutil.STATUS_ZOMBIE)
        await until(lambda: self._found(server) not in (None, victim))

    def _process(self, server: str) -> psutil.Process:
        found = self._found(server)
        assert found is not None
        return found

    def _found(self, server: str) -> psutil.Process | None:
        """The server itself: the keeper's child."""
        for process in psutil.process_iter(["cmdline"]):
            command = process.info["cmdline"] or []
            if "miyabi.keeper" in command and server in command and str(self.home) in command:
                children = process.children()
                return next((c for c in children if c.name().startswith(PROGRAMS[server])), None)
        return None

    @asynccontextmanager
    async def process(self, *arguments: str, **more: str) -> AsyncIterator["Running"]:
        """`miyabi ARGUMENTS` on these servers; its log is kept. Killed at the end if need be."""
        log = self.home / f"{'-'.join(arguments)}-{time.monotonic_ns()}.log"
        environment = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "DATABASE_URL": self.services.database_url,
            "REDIS_URL": self.services.redis_url,
            "MIYABI_HOME": str(self.home),
            "MIYABI_SECRET_KEY": "A" * 43 + "=",
            **more,
        }
        process = await warm.start("miyabi", [*arguments], Path.cwd(), environment, log)
        running = Running(process, log)
        try:
            yield running
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@dataclass(frozen=True, slots=True)
class Running:
    """A process of ours."""

    process: warm.Process
    log: Path

    def said(self) -> str:
        return self.log.read_text("utf-8")

    async def stop(self, seconds: float = 20) -> int:
        """SIGTERM; its exit code."""
        self.process.terminate()
        async with asyncio.timeout(seconds):
            return await self.process.wait()


@asynccontextmanager
async def open_yard() -> AsyncIterator[Yard]:
    """PostgreSQL with every table, and Valkey."""
    # Not under pytest's base folder: as root, pytest closes that to PostgreSQL's account.
    home = Path(tempfile.mkdtemp(prefix="miyabi-yard-"))
    try:
        # Durable, as it is killed: what was committed must be there afterwards.
        async with embedded(Settings(home=home)) as services:
            await upgrade_async(services.owner_url)
            yield Yard(home, services)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def settings_of(services: Services, home: Path) -> Settings:
    """Settings that name these servers."""
    return Settings(
        home=home,
        database_url=SecretStr(services.database_url),
        redis_url=SecretStr(services.redis_url),
        secret_key=SecretStr("A" * 43 + "="),
    )


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


STARTED = 120.0
"""Seconds a process may take to start: half a minute was seen on a machine busy with other work."""


async def until(
    holds: Callable[[], bool | Awaitable[bool]], seconds: float = 60, said: Callable[[], str] = str
) -> float:
    """Wait until it holds; how long that took. `said` is shown where it never does."""
    started = time.monotonic()
    while True:
        found = holds()
        if found if isinstance(found, bool) else await found:
            return time.monotonic() - started
        assert time.monotonic() - started < seconds, said()
        await asyncio.sleep(0.02)
