"""Notices accepted by `POST /api/notify`, beside a bare FastAPI that inserts a row for each.

Every one that was answered is counted in the database afterwards, with its event: an answer that
was not stored is no answer. Each call has a key of its own.
"""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace

import asyncpg  # type: ignore[import-untyped]
import uvicorn
from fastapi import FastAPI, Request, Response

from bench.children import Life, child, until_stopped
from bench.figures import Figures, Goal, spread
from bench.ground import Ground, house_on, product
from bench.intake import free_port, listener, until_served
from core import notice_senders
from core.ids import new_id
from core.settings import NotifySettings
from core.unit import unit
from web.notify_body import Given

_PATH = "/api/notify"
_EACH = 20
"""Callers at a time."""


async def accepting(place: Ground, *, quick: bool) -> AsyncIterator[Figures]:
    """One caller and twenty; then events in batches of a hundred."""
    alone, together, batches = (20, 100, 2) if quick else (300, 3000, 60)
    notify = NotifySettings(send_per_minute=10_000_000)
    place = replace(place, settings=place.settings.model_copy(update={"notify": notify}))
    async with house_on(place) as (house, _), unit(house) as work:
        key = await notice_senders.add(work, place.organisation_id, "bench", ["log.*"])
    port = free_port()
    with listener() as listening:
        async with (
            product(place, "web", port=port),
            child(bare, listening, place.services.database_url),
        ):
            await until_served(port)
            bare_port = listening.getsockname()[1]
            await _call(port, key, 2 * _EACH, _EACH)
            await _call(bare_port, key, 2 * _EACH, _EACH)
            one = await _call(port, key, alone, 1)
            bare_one = await _call(bare_port, key, alone, 1)
            many = await _call(port, key, together, _EACH)
            bare_many = await _call(bare_port, key, together, _EACH)
            bulk = await _call(port, key, batches, 4, batch=100)
    stored = await _stored(place)
    sent = 2 * _EACH + alone + together + 100 * batches
    assert stored == (sent, sent), f"{sent} were accepted, {stored} notices and events are there"
    yield Figures(
        "notices accepted, one at a time",
        spread("POST /api/notify of `miyabi web`: notice and event committed", one[0]),
        spread("FastAPI and asyncpg, a row and a commit each", bare_one[0]),
        (Goal("p50, ms", spread("", one[0]).p50, 3.9),),
    )
    yield Figures(
        f"notices accepted, {_EACH} callers",
        spread("POST /api/notify of `miyabi web`: notice and event committed", many[0]),
        spread("FastAPI and asyncpg, a row and a commit each", bare_many[0]),
        (),
        {
            "accepted per second": round(together / many[1]),
            "bare per second": round(together / bare_many[1]),
            "accepted per second in batches of 100 CloudEvents": round(100 * batches / bulk[1]),
        },
    )


async def _call(
    port: int, key: str, n: int, callers: int, batch: int = 0
) -> tuple[Sequence[float], float]:
    """Times in ms, and how many seconds it took in all."""
    async with child(call, port, key, n, callers, batch) as calling:
        found: tuple[Sequence[float], float] = await calling.result()
    return found


async def call(
    life: Life, port: int, key: str, n: int, callers: int, batch: int
) -> tuple[Sequence[float], float]:
    """A child: n posts by so many callers, each sending the next once it was answered."""
    waiting = iter([_post(key, batch) for _ in range(n)])
    life.ready()
    began = time.perf_counter()
    measured = await asyncio.gather(*(_caller(port, waiting) for _ in range(callers)))
    return [each for times in measured for each in times], time.perf_counter() - began


async def _caller(port: int, waiting: Iterator[bytes]) -> Sequence[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times = []
    for request in waiting:
        began = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        await reader.readexactly(int(head.partition("content-length: ")[2].split("\r\n")[0]))
        assert " 202 " in head.partition("\r\n")[0], head
        times.append((time.perf_counter() - began) * 1000)
    writer.close()
    return times


def _post(key: str, batch: int) -> bytes:
    """One whole request: a notice, or a batch of events."""
    facts = {"host": "db1", "size": 12_345, "took": "00:04:12"}
    if batch:
        path, kind = f"{_PATH}/cloudevents", "application/cloudevents-batch+json"
        content: object = [
            {"specversion": "1.0", "id": str(new_id()), "source": "/bench", "type": "log.backup",
             "subject": "バックアップが終わりました", "to": "tanaka", "data": facts}
            for _ in range(batch)
        ]  # fmt: skip
    else:
        path, kind = _PATH, "application/json"
        content = {
            "topic": "log.backup", "importance": "low", "to": ["tanaka"], "facts": facts,
            "title": "バックアップが終わりました",
        }  # fmt: skip
    body = json.dumps(content, ensure_ascii=False).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Idempotency-Key: {new_id()}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def bare(life: Life, listening: socket.socket, database_url: str) -> None:
    """A child: what is sent is read by the same model, inserted and committed, and nothing else."""
    pool = await asyncpg.create_pool(database_url.replace("+asyncpg", ""), min_size=20, max_size=20)
    await pool.execute(
        "create table if not exists bare_notices (id uuid primary key, topic text, body jsonb)"
    )
    app = FastAPI()

    @app.post(_PATH, status_code=202)
    async def accept(given: Given, request: Request) -> Response:
        made = new_id()
        await pool.execute(
            "insert into bare_notices values ($1, $2, $3)",
            made, given.topic, (await request.body()).decode(),
        )  # fmt: skip
        return Response(json.dumps({"id": str(made)}), 202, media_type="application/json")

    config = uvicorn.Config(
        app, http="httptools", log_config=None, access_log=False, lifespan="off"
    )
    life.ready()
    await until_stopped(life, uvicorn.Server(config).serve(sockets=[listening]))


async def _stored(place: Ground) -> tuple[int, int]:
    connection = await asyncpg.connect(place.services.database_url.replace("+asyncpg", ""))
    try:
        row = await connection.fetchrow(
            "select (select count(*) from notices where topic = 'log.backup') as notices,"
            " (select count(*) from audit_events where tag = 'notifier:notice:published') as events"
        )
    finally:
        await connection.close()
    return row["notices"], row["events"]
