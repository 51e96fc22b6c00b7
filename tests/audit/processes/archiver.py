"""A process that archives a month and brings it back, and dies on the way, by SIGKILL:
`archiver URL STORE MONTH`.

It forks for each life, so that what it imports is imported once. A life goes on from where the last
one ended, up to the first step at which none has died yet: before and after each statement that
writes, each commit of such, and each piece of work of the store. It prints what it died at, and
ends when a child has come to its end.
"""

import asyncio
import os
import re
import signal
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from audit import archives
from audit.store import Store, on_disk
from audit.subjects import PersonalKeys
from core.archive import go_on, month_due, restore
from core.db import create_engine
from core.heartbeat import Heartbeat
from core.house import House
from miyabi.archiving import alone, workshop
from tests.core.house import MASTER, Bell


class Steps:
    """Knows at which steps somebody has died, and dies at the first other one."""

    def __init__(self, died: set[str], tell: int) -> None:
        self._died, self._tell = died, tell
        self._work, self._wrote = "nothing", False

    def watch(self, engine: AsyncEngine) -> None:
        sync = engine.sync_engine
        event.listen(sync, "before_cursor_execute", self._before)
        event.listen(sync, "after_cursor_execute", self._after)
        event.listen(sync, "commit", lambda connection: self._written("before the commit"))
        event.listen(sync.pool, "checkin", self._over)

    def _before(self, connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if found := _WRITES.match(statement.strip()):
            self._written(f"before {found[1]}")
            if found[1] != "audit_append":  # the same for all: known by what it tells of
                state = f" {values[2]}" if found[1] == "audit_archive_move" else ""
                self._work = found[1] + state
            self._wrote = True

    def _after(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if found := _WRITES.match(statement.strip()):
            self._written(f"after {found[1]}")

    def _over(self, *_: Any) -> None:
        self._written("after the commit")
        self._wrote = False

    def _written(self, what: str) -> None:
        if self._wrote or what.startswith("before audit_"):
            self.step(what)

    def step(self, what: str) -> None:
        """Die here, unless somebody has."""
        step = f"{what}, at {self._work}"
        if step not in self._died:
            os.write(self._tell, step.encode())
            os.kill(os.getpid(), signal.SIGKILL)


_WRITES = re.compile(r"select (audit_\w+)")
"""What changes anything is a function of the database's."""


class DyingStore(Store):
    """A store in whose work there are steps as well."""

    __slots__ = ("steps",)
    steps: Steps

    async def put(self, name: str, content: bytes | Path) -> None:
        self.steps.step("before put")
        await super().put(name, content)
        self.steps.step("after put")

    async def fetch(self, name: str, path: Path) -> str:
        self.steps.step("before fetch")
        sha256 = await super().fetch(name, path)
        self.steps.step("after fetch")
        return sha256

    async def _settle(self, name: str) -> None:
        self.steps.step("before fsync")
        await super()._settle(name)


async def live(url: str, folder: Path, month: date, steps: Steps) -> None:
    """Go on with the month until it has left and is back."""
    there = on_disk(folder)
    store = DyingStore(there.objects, there.folder)
    object.__setattr__(store, "steps", steps)
    house = House(
        engine=create_engine(url),
        doorbell=Bell(),
        agents={},
        resources={},
        heartbeat=Heartbeat(url, timedelta(seconds=6)),
        personal=PersonalKeys([MASTER]),
        store=store,
    )
    async with workshop(house) as shop, alone(shop) as mine:
        assert mine
        async with shop.engine.connect() as connection:
            states = {each.state for each in await archives.every(connection, month=month)}
        steps.watch(shop.engine)
        steps.watch(house.engine)
        if states == {"restored"}:
            return
        if states != {"dropped"}:
            await month_due(shop, month)
            while await go_on(shop, month):
                pass
        await restore(shop, month)
    await house.engine.dispose()


async def released(url: str, month: date, events: int) -> None:
    """Wait until the server has noticed that the dead one's connections are gone; the month is
    there or not, nothing in between."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    others = "select count(*) from pg_stat_activity where datname = current_database() and"
    try:
        while await connection.fetchval(f"{others} application_name = 'miyabi'"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # nothing tells
        assert await _count(connection, month) in (0, events)
    finally:
        await connection.close()


async def _count(connection: asyncpg.Connection, month: date) -> int:
    found: int = await connection.fetchval(
        "select count(*) from audit_events where at >= $1 and at < $1 + interval '1 month'", month
    )
    return found


async def _events(url: str, month: date) -> int:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await _count(connection, month)
    finally:
        await connection.close()


def main(url: str, folder: Path, month: date) -> None:
    died = set[str]()
    events = asyncio.run(_events(url, month))
    while True:
        told, tell = os.pipe()
        child = os.fork()
        if not child:
            asyncio.run(live(url, folder, month, Steps(died, tell)))
            os._exit(0)
        os.close(tell)
        _, status = os.waitpid(child, 0)
        with os.fdopen(told, "rb") as pipe:
            step = pipe.read().decode()
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))
        os.write(1, f"{step}\n".encode())
        died.add(step)
        asyncio.run(released(url, month, events))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), date.fromisoformat(sys.argv[3]))
