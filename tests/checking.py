"""Whether the log and the tables agree after a test, asked by one connection that is kept.

A new connection has to learn of all tables and plan each statement anew, which takes ten times as
long as what is asked of it. Tests have event loops of their own: this one has a thread of its own.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from audit.event import ENVELOPE
from audit.sealed import is_sealed
from core.agreement import compare
from core.db import create_engine, from_json
from core.tags import Tag

NAME = "tests: checking"
"""What its connection calls itself, so that whoever ends all others leaves it alone."""

T = TypeVar("T")


async def check_events(database_url: str) -> None:
    """Every event that was written is as its tag declares it, in the database as well."""
    for body in await _asked(database_url, _bodies):
        assert set(body) == set(ENVELOPE)
        tag = Tag(body["tag"])
        tag.check(body["data"], body["revision"], body["step"])
        assert body["data"].get("reference") != 0
        personal = [body[name] for name in ("account", "ip", "user_agent")]
        personal += [body["data"][name] for name in {*tag.personal} & body["data"].keys()]
        assert all(value is None or is_sealed(value) for value in personal)


async def check_complete(database_url: str) -> None:
    """Each fact of the tables has its event, and each event its fact."""
    assert await _asked(database_url, _lacking) == []


async def _bodies(connection: AsyncConnection) -> list[dict[str, object]]:
    rows = await connection.execute(text("select body from audit_events where body <> '{}'"))
    return [from_json(row.body) for row in rows]


async def _lacking(connection: AsyncConnection) -> list[object]:
    rows = await connection.execute(
        text(
            "select id, organisation_id from tasks"
            # not those whose dispatches a test has written by hand
            " union all select id, organisation_id from notices n where exists (select from"
            f" audit_events where stream = n.id and tag = '{Tag.NOTICE_DECIDED}')"
        )
    )
    tasks: dict[UUID, list[UUID]] = {}
    for row in rows:
        tasks.setdefault(row.organisation_id, []).append(row.id)
    found: list[object] = []
    for organisation_id, ids in tasks.items():
        compared = await compare(connection, organisation_id, ids)
        found += [compared.lacking] if compared.lacking else []
        found += compared.first
    return found


class _Checker(threading.Thread):
    """The thread, and the engine of the database that was checked last."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.loop = asyncio.new_event_loop()
        self.url = ""
        self.engine: AsyncEngine | None = None
        self.start()

    def run(self) -> None:
        self.loop.run_forever()

    async def ask(self, url: str, what: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Again by a new connection where the old one was ended, as some tests do with all."""
        if self.engine is None or url != self.url:
            await self._renew(url)
        try:
            return await self._once(what)
        except (DBAPIError, OSError):
            await self._renew(url)
            return await self._once(what)

    async def _once(self, what: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        assert self.engine is not None
        async with self.engine.connect() as connection:
            return await what(connection)

    async def _renew(self, url: str) -> None:
        if self.engine is not None:
            await self.engine.dispose()
        self.url, self.engine = url, create_engine(url, pool_size=1)
        event.listen(self.engine.sync_engine, "connect", _name)


def _name(connection: object, record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute(f"set application_name = '{NAME}'")
    cursor.execute("set plan_cache_mode = force_generic_plan")
    cursor.close()
    connection.commit()  # type: ignore[attr-defined]  # or it would wait within a transaction


_checkers: list[_Checker] = []


async def _asked(url: str, what: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    if not _checkers:
        _checkers.append(_Checker())
    checker = _checkers[0]
    asked = asyncio.run_coroutine_threadsafe(checker.ask(url, what), checker.loop)
    return await asyncio.wrap_future(asked)
