"""Named points inside a running process: each is noted in the trace, and obeys a waiting order.

The product has no hooks for this. What passes is seen where our code meets its libraries: at each
commit, at each statement that the driver runs by itself, and at each call of Slack's client. A
commit is named by what it writes: by the tags of its events, or else by its tables.
"""

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import requests
from asyncpg import Connection  # type: ignore[import-untyped]
from slack_sdk.web.async_base_client import AsyncBaseClient
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection
from sqlalchemy.engine import Engine

from bot.slack.api import Api

_TAG = re.compile(r'"tag": ?"\w+:([\w:]+)"')
_STEP = re.compile(r'"step": ?"(\w+)"')
_SLOT = re.compile(r'"slot": ?"([a-z]+)')
_STREAM = re.compile(r'"stream": ?"([0-9a-f-]{36})"')
_WRITE = re.compile(r"\b(insert into|update|delete from)\s+([a-z_]+)")

Statement = tuple[str, Any]


def file_of(point: str) -> str:
    """The name of the file in which an order for this point waits."""
    return re.sub(r"[^\w+-]+", "_", point)


class Points:
    """The points of this process. `folder` holds the trace and the orders of all of them."""

    def __init__(self, folder: Path, role: str) -> None:
        self.role = role
        self._orders = folder / "orders"
        flags = os.O_APPEND | os.O_CREAT | os.O_WRONLY
        self._trace = os.open(folder / "trace.jsonl", flags, 0o600)

    def note(self, what: str, task: str | None = None) -> None:
        """One line in the trace; one write, so that the lines of several processes never mix."""
        line = {"at": time.time(), "pid": os.getpid(), "what": what, "task": task}
        os.write(self._trace, json.dumps(line).encode() + b"\n")

    def passed(self, point: str, task: str | None = None) -> None:
        """We are at this point now. Does not come back where an order says so."""
        name = f"{self.role}: {point}"
        self.note(name, task)
        order = self._order(name)
        if order == "kill":
            self.note(f"killed at {name}", task)
            os.kill(os.getpid(), signal.SIGKILL)
        elif order == "pause":
            self.note(f"paused at {name}", task)
            os.kill(os.getpid(), signal.SIGSTOP)
            self.note(f"resumed at {name}", task)

    def _order(self, name: str) -> str | None:
        """The order for this point, taken: whichever process comes first has it alone."""
        waiting = self._orders / file_of(name)
        taken = waiting.with_suffix(f".{os.getpid()}.taken")
        try:
            waiting.rename(taken)
        except FileNotFoundError:
            return None
        return taken.read_text().partition(" ")[0]


def install(points: Points) -> None:
    """See to it that everything that passes is noticed."""
    _at_commits(points)
    _at_quick_statements(points)
    _at_calls(points)
    _at_requests(points)


def named(statements: Sequence[Statement]) -> tuple[str | None, str | None]:
    """What statements do, in words, and the task it is about. (None, None) where they only read."""
    # Some events are handed over as texts in a list, with their quotes escaped.
    said = "\n".join(_texts(statements)).replace('\\"', '"')
    tags = list(dict.fromkeys(_TAG.findall(said)))
    stream = _STREAM.search(said)
    task = stream[1] if stream else None
    if tags:
        return " + ".join(_spelled(tag, said) for tag in tags), task
    written = [_WRITE.findall(sql.lower()) for sql, _ in statements]
    writes = dict.fromkeys(f"{verb} {table}" for found in written for verb, table in found)
    return (" + ".join(writes), None) if writes else (None, None)


def _spelled(tag: str, said: str) -> str:
    """`step:finished` with its step, `message:sent` with its slot."""
    detail = {"step": _STEP, "message": _SLOT}.get(tag.partition(":")[0])
    found = detail.search(said) if detail else None
    return " ".join([*tag.split(":"), *([found[1]] if found else [])])


def _texts(statements: Sequence[Statement]) -> list[str]:
    found: list[str] = []
    for _, parameters in statements:
        values = parameters.values() if isinstance(parameters, dict) else parameters or ()
        for value in values:
            each = value if isinstance(value, list) else [value]
            found += [one for one in each if isinstance(one, str)]
    return found


def _at_commits(points: Points) -> None:
    said: dict[int, list[Statement]] = {}
    commit, rollback = (
        AsyncAdapt_asyncpg_connection.commit,
        AsyncAdapt_asyncpg_connection.rollback,
    )

    @event.listens_for(Engine, "before_cursor_execute")
    def remember(
        connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> None:
        driver = connection.connection.dbapi_connection
        said.setdefault(id(driver), []).append((statement, parameters))

    def committed(self: Any) -> None:
        open_ = self._transaction is not None
        name, task = named(said.pop(id(self), []))
        if not open_ or name is None:
            commit(self)
            return
        points.passed(f"before commit of {name}", task)
        commit(self)
        points.passed(f"after commit of {name}", task)

    def rolled_back(self: Any) -> None:
        said.pop(id(self), None)
        rollback(self)

    AsyncAdapt_asyncpg_connection.commit = committed  # type: ignore[method-assign]
    AsyncAdapt_asyncpg_connection.rollback = rolled_back  # type: ignore[method-assign]


def _at_quick_statements(points: Points) -> None:
    """The statements that core.db hands to the driver itself, each a transaction of its own."""
    Connection.fetchrow = _noticed(points, Connection.fetchrow)
    Connection.fetch = _noticed(points, Connection.fetch)


def _noticed(points: Points, run: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def fetching(self: Any, query: str, *values: Any, **more: Any) -> Any:
        name, task = named([(query, values)])
        if name is None or self.is_in_transaction():
            return await run(self, query, *values, **more)
        points.passed(f"before commit of {name}", task)
        found = await run(self, query, *values, **more)
        if _wrote(found):
            points.passed(f"after commit of {name}", task)
        return found

    return fetching


def _wrote(found: Any) -> bool:
    """Whether a statement did what it was for: where it may not, it has written no event either."""
    rows = found if isinstance(found, list) else [found]
    noted = [row.get("noted", row.get("audit_append", True)) for row in rows if row is not None]
    return any(each is not None for each in noted)


def _at_calls(points: Points) -> None:
    """The calls that reach Slack: between intent and effect, and between effect and outcome."""
    call, put = AsyncBaseClient.api_call, Api.put

    async def api_call(self: Any, api_method: str, **more: Any) -> Any:
        points.passed(f"before {api_method}")
        answer = await call(self, api_method, **more)
        points.passed(f"after {api_method}")
        return answer

    async def putting(self: Any, url: str, content: bytes) -> None:
        points.passed("before the bytes of an upload")
        sending = asyncio.ensure_future(put(self, url, content))
        await asyncio.sleep(0.001)
        points.passed("amid the bytes of an upload")
        await sending
        points.passed("after the bytes of an upload")

    AsyncBaseClient.api_call = api_call  # type: ignore[method-assign]
    Api.put = putting  # type: ignore[method-assign]


def _at_requests(points: Points) -> None:
    """The requests that reach Google: an effect, and looking whether it was done."""
    send = requests.Session.send

    def sending(self: requests.Session, request: Any, **more: Any) -> Any:
        name = request.path_url.partition("?")[0].rpartition(":")[2].rpartition("/")[2]
        points.passed(f"before google {name}")
        answer = send(self, request, **more)
        points.passed(f"after google {name}")
        return answer

    requests.Session.send = sending  # type: ignore[method-assign]
