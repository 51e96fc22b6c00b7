"""The web application on a real socket: its limits, its signs of life, and what it never says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest
from aiohttp import ClientSession
from pydantic import SecretStr
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core import workers
from core.db import create_engine
from core.platform import Opening, Platform
from core.ports import Outbound
from core.settings import Settings
from miyabi.build import Built, open_house
from miyabi.embedded import Services
from miyabi.session import newest_version
from tests.running import at_port
from web.app import create_app
from web.limits import ANSWER_WITHIN, BODY_LIMIT

SECRET = "the password is hunter2"


def _routes(opening: Opening) -> Sequence[object]:
    async def echo(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def crash(request: Request) -> Response:
        raise RuntimeError(SECRET)

    async def ask(request: Request) -> Response:
        async with opening.house.engine.connect() as connection:
            await connection.execute(text("select count(*) from organisations"))
        return PlainTextResponse("done")

    async def ask_in_parts(request: Request) -> Response:
        for _ in range(5):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await ask(request)
        return PlainTextResponse("done")

    return (
        Route("/echo", echo, methods=["POST"]),
        Route("/crash", crash, methods=["POST"]),
        Route("/ask", ask, methods=["POST"]),
        Route("/ask-in-parts", ask_in_parts, methods=["POST"]),
    )


def _no_outbound(opening: Opening) -> Outbound | None:
    return None


PLATFORM = Platform("probe", _no_outbound, _routes)


@pytest.fixture
async def built(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Built]:
    """The real house on a fresh database."""
    settings = Settings(
        home=tmp_path,
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        secret_key=SecretStr("A" * 43 + "="),
    )
    async with open_house(settings, Services(database_url, database_url, redis_url)) as built:
        yield built


@asynccontextmanager
async def served(
    opening: Opening, redis: Callable[[], Awaitable[object]]
) -> AsyncIterator[ClientSession]:
    """A client of the application, which uvicorn serves as `miyabi web` has it."""
    app = create_app(opening, [PLATFORM], {"redis": redis}, newest=newest_version())
    async with at_port(app) as url, ClientSession(url) as client:
        yield client


@pytest.fixture
async def client(built: Built) -> AsyncIterator[ClientSession]:
    """A client of the application with everything it needs running."""
    async with served(built.opening, built.redis.ping) as client:
        yield client


async def test_a_living_process_is_healthy_and_ready(client: ClientSession) -> None:
    healthy = await client.get("/healthz")
    ready = await client.get("/readyz")

    assert (healthy.status, await healthy.json()) == (200, {"status": "ok"})
    assert ready.status == 200
    # Nobody works here: what is taken in waits.
    assert await ready.json() == {
        "status": "degraded",
        "database": "ok",
        "migrations": "ok",
        "redis": "ok",
        "workers": 0,
    }
    assert "server" not in healthy.headers


async def test_without_database_and_redis_it_is_not_ready(built: Built) -> None:
    async def away() -> None:
        raise ConnectionRefusedError

    engine = create_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    house = replace(built.house, engine=engine)
    opening = Opening(built.opening.settings, house, built.opening.read_file)
    async with served(opening, away) as client:
        answer = await client.get("/readyz")

        assert answer.status == 503
        assert await answer.json() == {
            "status": "not ready",
            "database": "away",
            "migrations": "unknown",
            "redis": "degraded",
            "workers": 0,
        }
        assert (await client.get("/healthz")).status == 200
    await engine.dispose()


async def test_it_is_ready_when_somebody_hears_the_queue(built: Built) -> None:
    async def hears() -> None:
        return None

    heard = workers.Sign("host:1", "0", ("interactive", "bulk"), 0, silent=0.5, stopping=False)
    deaf = replace(heard, name="host:2", silent=6)
    for sign in (heard, deaf):
        await workers.write(built.house.engine, sign)
    async with served(built.opening, hears) as client:
        answer = await client.get("/readyz")

        assert answer.status == 200
        assert (await answer.json())["status"] == "ready"
        assert (await answer.json())["workers"] == 1


async def test_a_redis_that_hangs_degrades_and_is_not_waited_for(built: Built) -> None:
    async def hangs() -> None:
        await asyncio.sleep(60)

    async with asyncio.timeout(30), served(built.opening, hangs) as client:
        answer = await client.get("/readyz")

    assert (answer.status, (await answer.json())["redis"]) == (200, "degraded")


async def test_tables_that_are_behind_take_nothing_in(built: Built, database_url: str) -> None:
    async def hears() -> None:
        return None

    await _as_owner(database_url, "update alembic_version set version_num = '0001'")
    async with served(built.opening, hears) as client:
        behind = await client.get("/readyz")
        await _as_owner(database_url, "drop table alembic_version")
        missing = await client.get("/readyz")

    for answer in (behind, missing):
        assert answer.status == 503
        assert (await answer.json())["migrations"] == "behind"


async def _as_owner(database_url: str, statement: str) -> None:
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await connection.execute(statement)
    await connection.close()


async def test_a_body_up_to_the_limit_arrives_whole(client: ClientSession) -> None:
    answer = await client.post("/echo", data=b"x" * BODY_LIMIT)

    assert (answer.status, await answer.text()) == (200, str(BODY_LIMIT))


async def test_a_larger_body_is_refused_whether_or_not_it_says_its_length(
    client: ClientSession,
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    declared = await client.post("/echo", data=b"x" * (BODY_LIMIT + 1))
    chunked = await client.post("/echo", data=chunks())

    assert (declared.status, chunked.status) == (413, 413)
    assert (await chunked.json(content_type="application/problem+json"))["code"] == "too_large"


async def test_a_crash_says_an_id_and_nothing_else(client: ClientSession) -> None:
    answer = await client.post("/crash")
    said = await answer.text()

    assert answer.status == 500
    assert (await answer.json(content_type="application/problem+json"))["id"]
    assert SECRET not in said
    assert "RuntimeError" not in said


@pytest.mark.parametrize("path", ["/ask", "/ask-in-parts"])
async def test_a_delivery_is_answered_in_time_by_a_slow_database(
    built: Built, client: ClientSession, database_url: str, path: str
) -> None:
    """Each statement keeps to its own limit, and several of them in a row would not."""
    async with locked(database_url, "organisations"):
        began = asyncio.get_running_loop().time()
        answer = await client.post(path)
        took = asyncio.get_running_loop().time() - began

    body = await answer.json()
    assert (answer.status, body["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert answer.content_type == "application/problem+json"
    assert took < ANSWER_WITHIN + 1
    assert (await client.post(path)).status == 200  # and with it all is well again


@asynccontextmanager
async def locked(database_url: str, table: str) -> AsyncIterator[None]:
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        async with connection.transaction():
            await connection.execute(f"lock table {table} in access exclusive mode")
            yield
    finally:
        await connection.close()


async def test_there_is_nothing_to_explore(client: ClientSession) -> None:
    for path in ("/", "/docs", "/openapi.json", "/redoc"):
        answer = await client.get(path)

        said = await answer.json(content_type="application/problem+json")
        assert (answer.status, said["code"], said["detail"]) == (404, "not_found", "")


async def test_figures_count_answers_by_path_and_status(client: ClientSession) -> None:
    await client.post("/echo", data=b"x" * (BODY_LIMIT + 1))
    await client.get("/nowhere/<script>")

    figures = await (await client.get("/metrics")).text()

    assert 'miyabi_http_answers_total{path="/echo",status="413"}' in figures
    assert 'miyabi_http_answers_total{path="other",status="404"}' in figures
    assert "nowhere" not in figures
    assert 'miyabi_tasks_underway{state="running"} 0.0' in figures
    assert 'miyabi_rows_waiting{kind="outbox"} 0.0' in figures
