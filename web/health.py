"""Whether this process lives, whether it can take work in, and whether somebody does it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core import workers
from core.house import House

Probe = Callable[[], Awaitable[object]]
"""Asks something we can do without for a while for a sign of life; raises where there is none."""

PATIENCE = 1.0
"""Seconds that each of them has to answer."""

_Found = TypeVar("_Found")

# across organisations: one database for them all
_VERSION = text("select max(version_num) from alembic_version")


@dataclass(frozen=True, slots=True)
class Database:
    """How the database is. Without it, or with tables older than ours, nothing is taken in."""

    answers: bool
    migrated: bool = False
    working: int = 0


def routes(house: House, probes: Mapping[str, Probe], newest: str) -> list[BaseRoute]:
    """`/healthz`: the process answers. `/readyz`: work is taken in, else 503.

    `degraded` (200): it is taken in and waits, as what `probes` asks is away or nobody works.
    `newest` is the version that the database's tables must have reached.
    """

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        database, answers = await asyncio.gather(
            _within(_database(house, newest), Database(answers=False)),
            asyncio.gather(*(_within(_answers(probe), False) for probe in probes.values())),
        )
        ready = database.answers and database.migrated
        whole = ready and all(answers) and database.working > 0
        body = {
            "status": "ready" if whole else "degraded" if ready else "not ready",
            "database": "ok" if database.answers else "away",
            "migrations": _migrations(database),
            **{
                name: "ok" if well else "degraded"
                for name, well in zip(probes, answers, strict=True)
            },
            "workers": database.working,
        }
        return JSONResponse(body, 200 if ready else 503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def _migrations(database: Database) -> str:
    if not database.answers:
        return "unknown"
    return "ok" if database.migrated else "behind"


async def _database(house: House, newest: str) -> Database:
    """Newer tables than ours are well: during an upgrade the old processes go on for a while."""
    async with house.engine.connect() as connection:
        try:
            version = await connection.scalar(_VERSION)
        except ProgrammingError:  # not even that table
            return Database(answers=True)
        if str(version or "") < newest:
            return Database(answers=True)
        found = await workers.every(connection)
    return Database(True, True, sum(worker.state == "working" for worker in found))


async def _answers(probe: Probe) -> bool:
    await probe()
    return True


async def _within(asking: Coroutine[Any, Any, _Found], otherwise: _Found) -> _Found:
    """What was found within `PATIENCE`; what hangs is left behind, as giving up may hang too."""
    task = asyncio.create_task(asking)
    done, _ = await asyncio.wait({task}, timeout=PATIENCE)
    if not done:
        task.cancel()
        task.add_done_callback(_over)
        _left_behind.add(task)
        return otherwise
    try:
        return task.result()
    except (OSError, SQLAlchemyError, RedisError):
        return otherwise


def _over(task: "asyncio.Task[Any]") -> None:
    _left_behind.discard(task)
    if not task.cancelled():
        task.exception()  # looked at, or asyncio logs that nobody has


_left_behind: set["asyncio.Task[Any]"] = set()
