"""Whether this process lives, and whether it can do its work."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.house import House

Probe = Callable[[], Awaitable[object]]
"""Asks something we depend on for a sign of life; raises where there is none."""

PATIENCE = 1.0
"""Seconds that each of them has to answer."""


def database_probe(house: House) -> Probe:
    """Whether the database answers a query."""

    async def ask() -> None:
        async with house.engine.connect() as connection:
            await connection.execute(text("select 1"))

    return ask


def routes(probes: Mapping[str, Probe]) -> list[BaseRoute]:
    """`/healthz`: the process answers. `/readyz`: all that it needs answers too, else 503."""

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        answers = await asyncio.gather(*(_answers(probe) for probe in probes.values()))
        found = dict(zip(probes, answers, strict=True))
        ready = all(found.values())
        state = {name: "ok" if well else "away" for name, well in found.items()}
        status = "ready" if ready else "not ready"
        return JSONResponse({"status": status, **state}, 200 if ready else 503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


async def _answers(probe: Probe) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await probe()
    except (TimeoutError, OSError, SQLAlchemyError, RedisError):
        return False
    return True
