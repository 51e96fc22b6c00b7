"""A process that seals the log and dies at a given step of it, by SIGKILL: `sealer URL KEY`.

It forks for each step, so that what it imports is imported once. The steps are seen where our code
meets SQLAlchemy: before and after each statement, and before and after each commit. It prints what
it died at, and ends when a child has come to its end.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit import log
from audit.checkpoints import make_due
from audit.event import Event
from audit.keys import HeldKey
from audit.note import NoteKey
from audit.sequencer import sequence
from core.db import create_engine
from tests.audit.happening import Happening
from tests.audit.log_of_one import ORGANISATION


class Steps:
    """Counts steps, and dies at one of them."""

    def __init__(self, engine: AsyncEngine, last: int) -> None:
        self._left = last
        sync = engine.sync_engine
        event.listen(sync, "before_cursor_execute", self._statement("before"))
        event.listen(sync, "after_cursor_execute", self._statement("after"))
        event.listen(sync, "commit", lambda connection: self._pass("before commit"))
        event.listen(sync.pool, "checkin", lambda *_: self._pass("after its end"))

    def _statement(self, when: str):  # type: ignore[no-untyped-def]
        def seen(connection, cursor, statement, *_):  # type: ignore[no-untyped-def]
            words = " ".join(statement.split())
            self._pass(f"{when} {words[:60]}")

        return seen

    def _pass(self, what: str) -> None:
        self._left -= 1
        if self._left < 0:
            os.write(1, f"{what}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


async def seal(url: str, key: NoteKey, last: int) -> None:
    """Write three events, then seal them."""
    engine = create_engine(url)
    stream = uuid7()
    async with engine.begin() as connection:
        happened = [Event(ORGANISATION, stream, Happening.HAPPENED, {"n": n}) for n in range(3)]
        await log.append(connection, happened)
    Steps(engine, last)
    await sequence(engine)
    await make_due(engine, [HeldKey(key)], every=timedelta(0), events=1)
    await engine.dispose()


async def released(url: str) -> None:
    """Wait until the server has noticed that the dead one's connections are gone."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    others = "select count(*) from pg_stat_activity where datname = current_database() and"
    try:
        while await connection.fetchval(f"{others} application_name = 'miyabi'"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # nothing tells
    finally:
        await connection.close()


def main(url: str, key: NoteKey) -> None:
    step = 0
    while True:
        child = os.fork()
        if not child:
            asyncio.run(seal(url, key, step))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))
        asyncio.run(released(url))
        step += 1


if __name__ == "__main__":
    main(sys.argv[1], NoteKey.read(sys.argv[2]))
