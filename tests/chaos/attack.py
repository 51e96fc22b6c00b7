"""Deals the blows of a plan, one after the other, and writes down who was away and how long."""

import asyncio
import contextlib
import json
import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import psutil
import redis.asyncio as redis

from tests.chaos.fleet import Kept
from tests.chaos.journal import Hit, Journal
from tests.chaos.plan import OVERTAKEN, SLACK_FAULTS, Blow
from tests.chaos.processes.points import file_of
from tests.chaos.town import Town, chosen
from tests.fakes.google_sheets.server import Hang, Reset, Status, Trouble

_CLAIM_PATIENCE = 2.0
"""Seconds for somebody to come to a point; then the order waits there, and the next blow falls."""
_NOBODY_COMES = 30.0
"""Seconds after which nobody will come to a point any more."""
_HANG = 8.6  # longer than bot/slack waits for an answer


@dataclass(slots=True)
class Attack:
    """One run's blows."""

    town: Town
    journal: Journal
    rng: random.Random
    _freezing: set[asyncio.Task[None]] = field(default_factory=set)
    _orders: dict[str, Hit] = field(default_factory=dict)

    async def run(self, blows: list[Blow]) -> None:
        """Deal them all, and wait for the frozen to be thawed."""
        for blow in blows:
            began = time.monotonic()
            await self._deal(blow)
            await asyncio.sleep(max(0.0, blow.pause - (time.monotonic() - began)))
        await asyncio.gather(*self._freezing)

    def withdraw(self) -> None:
        """Take back the orders of points to which nobody came."""
        for point, hit in self._orders.items():
            waiting = self._folder / file_of(point)
            if waiting.exists():
                waiting.unlink()
                hit.dealt = False

    @property
    def _folder(self) -> Path:
        return self.town.folder / "orders"

    async def _deal(self, blow: Blow) -> None:
        if blow.at == "the ledger":
            self._google(blow)
        elif blow.kind in SLACK_FAULTS or blow.kind == "hang":
            self._slack(blow)
        elif blow.kind == "stall":
            hit = self.journal.hit(str(blow), "stall")
            await self.town.proxies[blow.at].stall(blow.seconds)
            hit.back = time.time()
        elif blow.at == "valkey":
            await self._valkey(blow)
        elif blow.at == "postgres":
            await self._postgres(blow)
        elif blow.at == "a worker":
            self._worker(blow, chosen(self.rng, self.town.fleet))
        elif blow.at == "all workers":
            await self._roll()
        else:
            await self._order(blow)

    # Processes

    async def _order(self, blow: Blow) -> None:
        """Have whoever comes to a point next die there, or stand still."""
        await self._until_free(blow.at)
        kind = "kill" if blow.kind == "kill" else "pause"
        new = self._folder / "new"
        number = str(len(self.journal.hits))
        new.write_text(f"{kind} {number}")
        hit = self.journal.hit(str(blow), "kill" if blow.kind == "kill" else "freeze")
        self._orders[blow.at] = hit
        new.rename(self._folder / file_of(blow.at))
        if kind == "pause":
            self._keep(self._thaw_where_taken(blow, hit, number))
        until = time.monotonic() + _CLAIM_PATIENCE
        while time.monotonic() < until and not self._taker(blow.at, number):
            await asyncio.sleep(0.05)

    async def _until_free(self, point: str) -> None:
        """An order that still waits for somebody is not lost to another one of the same point."""
        until = time.monotonic() + _NOBODY_COMES
        while (self._folder / file_of(point)).exists() and time.monotonic() < until:
            await asyncio.sleep(0.05)

    def _taker(self, point: str, number: str) -> int | None:
        """The process that took the order of this number."""
        for taken in self._folder.glob(f"{file_of(point)}.*.taken"):
            if taken.read_text().endswith(f" {number}"):
                return int(taken.suffixes[-2].removeprefix("."))
        return None

    async def _thaw_where_taken(self, blow: Blow, hit: Hit, number: str) -> None:
        until = time.monotonic() + _NOBODY_COMES
        while (pid := self._taker(blow.at, number)) is None:
            if time.monotonic() > until:
                return
            await asyncio.sleep(0.05)
        hit.pid, hit.down = pid, time.time()
        await asyncio.sleep(blow.seconds)
        if blow.kind == OVERTAKEN:
            await self._until_overtaken(blow.at)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        hit.back = time.time()

    async def _until_overtaken(self, point: str) -> None:
        """Until a second one stands still at the point where the first does."""
        until = time.monotonic() + _NOBODY_COMES
        while len(list(self._folder.glob(f"{file_of(point)}.*.taken"))) < 2:
            if time.monotonic() > until:
                return
            await asyncio.sleep(0.05)

    def _worker(self, blow: Blow, kept: Kept) -> None:
        if blow.kind == "kill":
            pid = kept.signal(signal.SIGKILL)
            self.journal.hit(f"kill {kept.name}", "kill", pid)
            return
        pid = kept.signal(signal.SIGSTOP)
        if pid is not None:
            hit = self.journal.hit(f"freeze {kept.name} for {blow.seconds:g} s", "freeze", pid)
            self._keep(self._thaw(pid, blow.seconds, hit))

    async def _thaw(self, pid: int, seconds: float, hit: Hit) -> None:
        await asyncio.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        hit.back = time.time()

    async def _roll(self) -> None:
        """A rolling restart: each worker is told to end, and is back before the next is told."""
        for kept in self.town.fleet.workers:
            pid = kept.signal(signal.SIGTERM)
            if pid is None:
                continue
            hit = self.journal.hit(f"restart {kept.name}", "restart", pid)
            until = time.monotonic() + 30
            while kept.lives[-1].pid == pid and time.monotonic() < until:
                await asyncio.sleep(0.05)
            hit.back = time.time()

    def _keep(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._freezing.add(task)

    # Servers

    async def _valkey(self, blow: Blow) -> None:
        if blow.kind == "wipe":
            async with redis.Redis(unix_socket_path=str(self.town.valkey)) as client:
                await client.flushall()
            self.journal.hit(str(blow), "wipe").back = time.time()
            return
        for process in psutil.process_iter(["name", "cmdline"]):
            if str(self.town.valkey) in (process.info["cmdline"] or []):
                hit = self.journal.hit(str(blow), "server", process.pid)
                process.kill()
                await self._until(self._valkey_answers)
                hit.back = time.time()

    async def _valkey_answers(self) -> bool:
        async with redis.Redis(unix_socket_path=str(self.town.valkey)) as client:
            return bool(await client.ping())

    async def _postgres(self, blow: Blow) -> None:
        pid = int((self.town.home / "postgres" / "postmaster.pid").read_text().split("\n")[0])
        hit = self.journal.hit(str(blow), "server", pid)
        os.kill(pid, signal.SIGKILL if blow.kind == "kill" else signal.SIGINT)
        await asyncio.sleep(0.3)
        await self._until(self._postgres_answers)
        hit.back = time.time()

    async def _postgres_answers(self) -> bool:
        connection = await asyncpg.connect(self.town.database, timeout=2)
        await connection.close(timeout=2)
        return True

    async def _until(self, answers: Any) -> None:
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(
                    OSError, TimeoutError, redis.RedisError, asyncpg.PostgresError
                ):
                    if await answers():
                        return
                await asyncio.sleep(0.05)

    # What lies outside

    def _google(self, blow: Blow) -> None:
        hit = self.journal.hit(str(blow), "outside")
        hit.back = time.time()
        at: dict[str, Trouble] = {"429": Status(429, retry_after="1"), "500": Status(500)}
        after: dict[str, Trouble] = {
            "500 after": Status(500),
            "reset after": Reset(),
            "hang after": Hang(),
        }
        google = self.town.google
        if blow.kind == "lose":
            self._keep(self._lose_google(blow.seconds))
        elif blow.kind in at:
            google.trouble_at_append = at[blow.kind]
        else:
            google.trouble_after_append = after[blow.kind]

    async def _lose_google(self, seconds: float) -> None:
        """An entry is made and its answer lost, and then Google can't be asked for a while."""
        google = self.town.google
        google.trouble_after_append = Reset()
        until = time.monotonic() + 10
        while google.trouble_after_append is not None and time.monotonic() < until:
            await asyncio.sleep(0.005)
        google.trouble_after_append, google.trouble = None, Status(503)
        await asyncio.sleep(seconds)
        google.trouble = None

    def _slack(self, blow: Blow) -> None:
        how: dict[str, dict[str, Any]] = {
            "429": {"status": 429, "retry_after": 1},
            "500": {"status": 500},
            "500 after": {"status": 500, "after": True},
            "reset": {"reset": True},
            "hang": {"hang": _HANG, "status": 500},
            "hang after": {"hang": _HANG, "after": True},
        }
        self.town.slack.fail_next(blow.at, **how[blow.kind])
        self.journal.hit(str(blow), "outside").back = time.time()


def read_trace(folder: Path) -> list[dict[str, Any]]:
    """What passed in all processes, in order."""
    file = folder / "trace.jsonl"
    if not file.exists():
        return []
    lines = file.read_text("utf-8").splitlines()
    return sorted((json.loads(line) for line in lines), key=lambda line: line["at"])
