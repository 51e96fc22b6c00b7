"""Figures for Prometheus: answers by path and status here, everything counted elsewhere beside."""

import asyncio
import time
from collections.abc import Sequence

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, Histogram
from prometheus_client import generate_latest as latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.house import House

ANSWERS = Counter("miyabi_http_answers", "HTTP requests answered", ["path", "status"])
SECONDS = Histogram(
    "miyabi_http_seconds",
    "Seconds from a request to the end of its answer",
    ["path"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
TASKS = Gauge("miyabi_tasks_underway", "Tasks that are not at their end", ["state"])
WAITING = Gauge("miyabi_rows_waiting", "Rows that wait for a worker", ["kind"])

_PATIENCE = 1.0  # seconds the database has; the figures of this process are given in any case
_STATES = ("received", "running", "waiting", "retrying", "cancelling", "failed")

# across organisations: figures of the installation, which name nobody
_TASKS = text("select state, count(*) as n from tasks where finished_at is null group by state")
_WAITING = text("""
    select 'outbox' as kind, count(*) as n from outbox where next_at <= now()
    union all select 'deliveries', count(*) from deliveries
        where state in ('pending', 'sending') and next_at <= now()
    union all select 'notices', count(*) from notices where fanned_at is null and next_at <= now()
    union all select 'dispatches', count(*) from dispatches
        where state in ('queued', 'sending') and next_at <= now()
    union all select 'dispatches held', count(*) from dispatches where state = 'held'
    union all select 'dead letters', count(*) from dispatches where dead_at is not null
    union all select 'circuits open', count(*) from circuits where state <> 'closed'
""")


class Counted:
    """Counts every answer under the paths that there are; what nobody serves is `other`."""

    def __init__(self, app: ASGIApp, paths: Sequence[str]) -> None:
        self._app = app
        self._paths = frozenset(paths)
        self._patterns = [(compile_path(path)[0], path) for path in paths if "{" in path]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                ANSWERS.labels(self._path(scope), message["status"]).inc()
            await send(message)

        try:
            await self._app(scope, receive, counting)
        finally:
            SECONDS.labels(self._path(scope)).observe(time.perf_counter() - started)

    def _path(self, scope: Scope) -> str:
        """The path as its route has it, without the values in it.

        What was refused before it came to the routes counts where it was meant for.
        """
        route = scope.get("route")
        if isinstance(route, Route):
            return f"{scope['root_path']}{route.path}"
        said = scope["path"]
        if said in self._paths:
            return str(said)
        return next((path for pattern, path in self._patterns if pattern.match(said)), "other")


def routes(house: House) -> list[BaseRoute]:
    """`/metrics`."""

    async def metrics(request: Request) -> Response:
        await _look(house)
        return Response(latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return [Route("/metrics", metrics)]


async def _look(house: House) -> None:
    """Ask the database how much is under way; without it these figures stay as they were."""
    try:
        async with asyncio.timeout(_PATIENCE), house.engine.connect() as connection:
            tasks = {row.state: row.n for row in await connection.execute(_TASKS)}
            waiting = {row.kind: row.n for row in await connection.execute(_WAITING)}
    except (TimeoutError, OSError, SQLAlchemyError):
        return
    for state in _STATES:
        TASKS.labels(state).set(tasks.get(state, 0))
    for kind, count in waiting.items():
        WAITING.labels(kind).set(count)
