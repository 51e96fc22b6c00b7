"""From the intake's commit to the first line of the step, in a worker process of its own."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from time import monotonic_ns
from uuid import UUID, uuid4

from arq import Worker

from bench.bare import ARQ_POLL, BARE_QUEUE, BARE_SEEN, bare_arq, bare_redis
from bench.children import Life, child, until_stopped
from bench.figures import Figures, Goal, spread
from bench.ground import Ground, Stamping, ask, ground, house_on, worker_process
from bench.plain import plain_agent
from core.db import fetch_all, from_json
from core.house import House
from miyabi.worker import make_worker

_PATIENCE = 30.0
_WARM_UP = 5


@dataclass(frozen=True, slots=True)
class ProbeAsk:
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """When the step's first line ran. The clock is one for all processes of a machine."""

    at_ns: int


async def look(ask: ProbeAsk) -> Seen:
    return Seen(monotonic_ns())


probe = plain_agent("probe", ProbeAsk, ProbeAsk, look)


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """Our woken worker beside arq as it comes, and our jobs under arq's own poll."""
    woken_n, polled_n = (10, 6) if quick else (120, 100)
    async with ground() as place:
        async with child(worker_process, place, probe):
            woken = await _tasks(place, woken_n, every=0.2)
        async with child(bare_arq, place.services.redis_url):
            bare = await _bare(place, polled_n, every=0.12)
        more: dict[str, object] = {}
        if not quick:
            async with child(polled_worker, place):
                polled = await _tasks(place, polled_n, every=0.12)
            more["under arq's own poll"] = spread(
                "our worker, polling as arq does", polled
            ).as_json()
    ours = spread("intake's commit to the step's first line, worker woken by pub/sub", woken)
    yield Figures(
        "pickup",
        ours,
        spread("arq alone, default poll of 0.5 s: enqueued to the job's first line", bare),
        (Goal("p50, ms", ours.p50, 8), Goal("p99, ms", ours.p99, 25)),
        more,
    )


async def _tasks(place: Ground, n: int, *, every: float) -> list[float]:
    """Ask n times, at moments that no poll can be in step with; how long each waited, in ms."""
    rung: dict[UUID, int] = {}
    async with house_on(place, probe) as (plain, built):
        house = replace(plain, doorbell=Stamping(built.doorbell, rung))
        warm_up = [await _one(house, every) for _ in range(_WARM_UP)]
        await _seen(house, place, set(warm_up))
        tasks = {await _one(house, every) for _ in range(n)}
        seen = await _seen(house, place, tasks)
    return [(seen[task] - rung[task]) / 1e6 for task in tasks]


async def _one(house: House, every: float) -> UUID:
    await asyncio.sleep(random.uniform(0.5, 1.5) * every)
    return await ask(house, "probe 1")


async def _seen(house: House, place: Ground, tasks: set[UUID]) -> dict[UUID, int]:
    """When each task's step began. Raises TimeoutError where some never do."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            async with house.engine.connect() as connection:
                rows = await fetch_all(
                    connection,
                    "select task_id, result from steps where organisation_id = :organisation_id"
                    " and task_id = any(:tasks)",
                    {"organisation_id": place.organisation_id, "tasks": list(tasks)},
                )
            if len(rows) == len(tasks):
                return {row.task_id: int(from_json(row.result)["at_ns"]) for row in rows}
            await asyncio.sleep(0.1)


async def polled_worker(life: Life, place: Ground) -> None:
    """A child: our jobs, but arq's own main loop."""
    async with house_on(place, probe) as (house, built):
        worker = make_worker(house, built.redis, "interactive")
        worker.poll_delay_s = ARQ_POLL
        life.ready()
        await until_stopped(life, Worker.main(worker))
        if worker.tasks:
            await asyncio.wait(worker.tasks.values(), timeout=_PATIENCE)


# arq alone


async def _bare(place: Ground, n: int, *, every: float) -> list[float]:
    """As `_tasks`, with a job that goes to arq and nowhere else."""
    redis = bare_redis(place.services.redis_url)
    sent: dict[str, int] = {}
    for _ in range(n + _WARM_UP):
        await asyncio.sleep(random.uniform(0.5, 1.5) * every)
        key = uuid4().hex
        await redis.enqueue_job("note", key, _queue_name=BARE_QUEUE)
        sent[BARE_SEEN + key] = monotonic_ns()
    async with asyncio.timeout(_PATIENCE):
        seen = await redis.mget(sent)
        while None in seen:
            await asyncio.sleep(0.1)
            seen = await redis.mget(sent)
    await redis.aclose(close_connection_pool=True)
    waited = [(int(at) - began) / 1e6 for at, began in zip(seen, sent.values(), strict=True)]
    return waited[_WARM_UP:]
