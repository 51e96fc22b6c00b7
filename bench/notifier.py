"""The notification hub: soon, for many, at the provider's pace, and for long.

The other side is the Slack of these benchmarks (bench/slack.py), which notes when it was asked to
post what. Hub, Slack and the bare client's processes share the machine's cores with PostgreSQL.
"""

import asyncio
import datetime as dt
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from time import monotonic_ns
from uuid import UUID

import psutil
from slack_sdk.web.async_client import AsyncWebClient

from bench.children import Child, Life, child, until_stopped
from bench.figures import Figures, Goal, spread
from bench.ground import SLACK_ASKERS, SLACK_TEAM, Ground, ground, house_on
from bench.intake import connect, install, listener
from bench.notify_in import accepting
from bench.slack import read_notes, slack
from core import people
from core.house import House
from core.ids import new_id
from core.inbound import Sender
from core.notices import Notice, Recipient, publish
from core.preferences import Channels, QuietHours, change
from core.unit import unit
from miyabi.queue import connect as redis_at
from notifier.hub.explaining import explain
from notifier.hub.fanning import fan_out_due
from notifier.hub.limiter import Clock, Limiter
from notifier.hub.working import work_on_notices

WORKERS = 3
PEOPLE = 500
_PATIENCE = 900.0
_IN_FLIGHT = 32


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """How soon, for how many at once, how exactly, how many a second, and how large."""
    deliveries = 300 if quick else int(os.environ.get("MIYABI_BENCH_DELIVERIES", "20000"))
    with listener() as listening:
        port = listening.getsockname()[1]
        async with ground(slack_api=f"http://127.0.0.1:{port}/api/") as laid:
            place = _at_any_pace(laid)
            await install(place)
            async with child(slack, listening):
                yield await _interactive(place, port, quick=quick)
                yield await _sustained(place, port, deliveries)
            yield await _for_many(place, quick=quick)
            yield await _explained(place, quick=quick)
            yield await _paced(place, quick=quick)
    async with ground() as bare:  # whose notices are counted afterwards
        async for figures in accepting(bare, quick=quick):
            yield figures


def _at_any_pace(place: Ground) -> Ground:
    """Without the rates that Slack asks for, which would be all that is measured."""
    notify = place.settings.notify.model_copy(update={"paces": {"slack.conversation": 0.0}})
    return replace(place, settings=place.settings.model_copy(update={"notify": notify}))


async def hub(life: Life, place: Ground) -> None:
    """A child: what a worker does for the hub."""
    async with house_on(place) as (_, built):
        life.ready()
        await until_stopped(life, work_on_notices(built.opening, {}))


# How soon


async def _interactive(place: Ground, port: int, *, quick: bool) -> Figures:
    """From a notice's commit until the provider has the request."""
    n = 20 if quick else 200
    committed: dict[str, int] = {}
    async with child(hub, place), house_on(place) as (house, _):
        handles = await _handles(house, place)
        for number in range(n + 10):
            name = f"soon-{number}"
            await _tell(house, place, handles[number % len(handles)], name)
            committed[name] = monotonic_ns()
            await asyncio.sleep(0.1)  # each is over before the next
        seen = await _seen(port, "soon-", n + 10)
    times = [(seen[f"soon-{i}"] - committed[f"soon-{i}"]) / 1e6 for i in range(10, n + 10)]
    ours = spread("a notice's commit until chat.postMessage is at Slack", times)
    bare = spread(
        "slack_sdk: chat_postMessage until it is at Slack",
        await _bare_soon(port, 10 if quick else n),
    )
    goals = (Goal("p50, ms", ours.p50, 30), Goal("p99, ms", ours.p99, 150))
    return Figures("hub, one at a time", ours, bare, goals)


async def _bare_soon(port: int, n: int) -> Sequence[float]:
    client = AsyncWebClient("xoxb-bench", base_url=f"http://127.0.0.1:{port}/api/")
    began: dict[str, int] = {}
    for number in range(n):
        name = f"bare-{number}"
        began[name] = monotonic_ns()
        await client.chat_postMessage(channel="D1", text=name)
    seen = await _seen(port, "bare-", n)
    return [(seen[name] - at) / 1e6 for name, at in began.items()]


# How many a second, and how large


async def _sustained(place: Ground, port: int, n: int) -> Figures:
    """What waits goes out by three workers; beside it, three processes that only call."""
    async with house_on(place) as (house, _):
        handles = await _handles(house, place)
        for begin in range(0, n, 500):
            async with unit(house) as work:
                for number in range(begin, min(begin + 500, n)):
                    who = Recipient("person", str(handles[number % len(handles)]))
                    notice = Notice("log.bench", (who,), {"title": f"many-{number}"})
                    await publish(work, place.organisation_id, notice)
            while await fan_out_due(house):
                pass
    began = monotonic_ns()
    async with _running(place) as workers:
        sizes = await _grown(port, workers, n)
        seen = await _seen(port, "many-", n)
    doubled = [name for name, at in seen.items() if at < 0]
    assert not doubled, f"sent twice: {doubled[:3]}"
    first, last = min(seen.values()), max(seen.values())
    ours = n / ((last - first) / 1e9)
    calls = min(n, 6_000)
    async with AsyncExitStack() as stack:
        callers = [
            await stack.enter_async_context(child(call, port, worker, calls // WORKERS))
            for worker in range(WORKERS)
        ]
        took = [await each.result() for each in callers]
    bare = WORKERS * (calls // WORKERS) / max(took)
    small, large = sizes
    return Figures(
        f"hub, {n} deliveries by {WORKERS} workers",
        spread(
            "ms a delivery: claimed, looked at again, sent, written with its events", [1e3 / ours]
        ),
        spread(
            f"ms a call: slack_sdk in {WORKERS} processes, {_IN_FLIGHT} at a time", [1e3 / bare]
        ),
        (
            Goal("times as long as the bare call (0.6 of its rate)", bare / ours, 1 / 0.6),
            Goal("grown between a fifth and the end, MB a worker", large - small, 20),
        ),
        {
            "deliveries per second": round(ours, 1),
            "bare calls per second": round(bare, 1),
            "share of the bare rate": round(ours / bare, 2),
            "MB resident of the largest worker, after a fifth and at the end": [small, large],
            "until the first, s": round((first - began) / 1e9, 2),
        },
    )


async def _grown(port: int, workers: Sequence[Child], n: int) -> tuple[float, float]:
    """How large the largest was after a fifth, and at the end."""
    async with asyncio.timeout(_PATIENCE):
        await _until(port, "many-", n // 5)
        small = _largest(workers)
        await _until(port, "many-", n)
    return small, _largest(workers)


def _largest(workers: Sequence[Child]) -> float:
    sizes = [psutil.Process(each.process.pid).memory_info().rss for each in workers]
    return round(max(sizes) / 1e6, 1)


async def call(life: Life, port: int, worker: int, n: int) -> float:
    """A child: so many calls; how long they took, in seconds."""
    client = AsyncWebClient("xoxb-bench", base_url=f"http://127.0.0.1:{port}/api/")
    numbers = iter(range(n))

    async def caller() -> None:
        for number in numbers:
            name = f"call-{worker}-{number}"
            block = {"type": "section", "text": {"type": "mrkdwn", "text": name}}
            await client.chat_postMessage(channel=f"D{number % 100}", text=name, blocks=[block])

    await client.auth_test()
    life.ready()
    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(_IN_FLIGHT)))
    return time.perf_counter() - began


@asynccontextmanager
async def _running(place: Ground) -> AsyncIterator[Sequence[Child]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(child(hub, place)) for _ in range(WORKERS)]


# For how many at once


async def _for_many(place: Ground, *, quick: bool) -> Figures:
    """One notice to 500 people, each with preferences of their own: decided and stored."""
    rounds = 2 if quick else 10
    async with house_on(place) as (house, _):
        await _settle(house, place)
        times = []
        for number in range(rounds + 1):
            to = (Recipient("role", "accountant"),)
            notice = Notice("community.bench", to, {"title": f"n{number}"})
            async with unit(house) as work:
                await publish(work, place.organisation_id, notice)
            began = time.perf_counter()
            await fan_out_due(house)
            times.append((time.perf_counter() - began) * 1000)
    database = await connect(place)
    stored = await database.fetchval(
        "select count(*) from dispatches d join notices n on n.id = d.notice_id"
        " where n.topic = 'community.bench'"
    )
    assert stored >= PEOPLE * (rounds + 1), f"only {stored} were stored"
    bare = []
    await database.execute("create table if not exists bare_rows (id uuid primary key, body jsonb)")
    for _ in range(rounds):
        rows = [(new_id(), '{"to": "U1"}') for _ in range(PEOPLE)]
        began = time.perf_counter()
        await database.executemany("insert into bare_rows values ($1, $2)", rows)
        bare.append((time.perf_counter() - began) * 1000)
    await database.close()
    ours = spread(
        f"a notice to {PEOPLE} people: decided for each, stored with its event", times[1:]
    )
    theirs = spread(f"asyncpg: {PEOPLE} rows inserted", bare)
    return Figures("hub, fan-out", ours, theirs, (Goal("p50, ms", ours.p50, 300),))


async def _settle(house: House, place: Ground) -> None:
    roles = frozenset({"requester", "accountant"})
    async with unit(house) as work:
        for number in range(PEOPLE):
            handle = f"many-{number}"
            person = await people.add(
                work,
                place.organisation_id,
                handle,
                "佐藤 花子",
                roles,
            )
            await people.link(work, person, Sender("slack", SLACK_TEAM, f"U0MANY{number:03}"))
            channels = (Channels("community.*", ("slack", "line")), Channels("*", ("slack",)))
            hours = QuietHours(dt.time(22), dt.time(7)) if number % 2 else None
            await change(
                work, place.organisation_id, person.id,
                partial(replace, channels=channels, quiet=hours),
            )  # fmt: skip


# What is decided, and the clocks


async def _explained(place: Ground, *, quick: bool) -> Figures:
    """What would be decided for one person, and why."""
    n = 10 if quick else 300
    async with house_on(place) as (house, _):
        async with house.engine.connect() as connection:
            person = await people.by_handle(connection, place.organisation_id, "many-1")
        assert person is not None
        times, bare = [], []
        database = await connect(place)
        for _ in range(n + 5):
            began = time.perf_counter()
            await explain(house, person, "community.bench")
            times.append((time.perf_counter() - began) * 1000)
            began = time.perf_counter()
            await database.fetchrow("select * from people where id = $1", person.id)
            bare.append((time.perf_counter() - began) * 1000)
        await database.close()
    ours = spread("explain: read and decided, with each reason", times[5:])
    goals = (Goal("p99, ms", ours.p99, 20),)
    return Figures("hub, explain", ours, spread("one row by its primary key", bare[5:]), goals)


async def _paced(place: Ground, *, quick: bool) -> Figures:
    """Turns taken by three limiters of one clock."""
    rate, seconds = 200.0, 0.5 if quick else 10.0
    redis = redis_at(place.services.redis_url)
    async with house_on(place) as (house, _):
        limiters = [Limiter(redis, house.engine) for _ in range(WORKERS)]
        turns: list[float] = []
        left = iter(range(int(rate * seconds) + 1))

        async def caller(limiter: Limiter) -> None:
            for _ in left:
                await limiter.take([Clock("bench", rate)])
                turns.append(time.perf_counter())

        await asyncio.gather(*(caller(each) for each in limiters for _ in range(16)))
        turns.sort()
        found = (len(turns) - 1) / (turns[-1] - turns[0])
        asked = []
        for _ in range(100):
            began = time.perf_counter()
            await redis.ping()
            asked.append((time.perf_counter() - began) * 1000)
        taking = []
        for number in range(100):
            began = time.perf_counter()
            await limiters[0].take([Clock(f"free-{number}", rate)])
            taking.append((time.perf_counter() - began) * 1000)
    await redis.aclose(close_connection_pool=True)
    return Figures(
        "hub, limiter",
        spread("a turn of a clock that nobody waits for", taking),
        spread("a ping of Valkey", asked),
        (Goal("off the rate, %", abs(found / rate - 1) * 100, 2),),
        {"turns a second, asked for": rate, "taken": round(found, 2), "callers": 48},
    )


# What was seen


async def _seen(port: int, begins: str, n: int) -> dict[str, int]:
    """When Slack was asked to post what begins so; below 0 what it was asked twice."""
    async with asyncio.timeout(_PATIENCE):
        await _until(port, begins, n)
    found: dict[str, int] = {}
    for text, at in (await read_notes(port)).posted:
        if text.startswith(begins):
            name = text.split()[0]
            found[name] = -1 if name in found else at
    return found


async def _until(port: int, begins: str, n: int) -> None:
    while await _count(port, begins) < n:  # noqa: ASYNC110  # it is in another process
        await asyncio.sleep(0.3)


async def _count(port: int, begins: str) -> int:
    return sum(text.startswith(begins) for text, _ in (await read_notes(port)).posted)


async def _handles(house: House, place: Ground) -> Sequence[UUID]:
    """The people who ask in Slack."""
    async with house.engine.connect() as connection:
        found = [
            await people.by_handle(connection, place.organisation_id, f"asker-{number}")
            for number in range(len(SLACK_ASKERS))
        ]
    return [each.id for each in found if each is not None]


async def _tell(house: House, place: Ground, person: UUID, name: str) -> None:
    async with unit(house) as work:
        notice = Notice("log.bench", (Recipient("person", str(person)),), {"title": name})
        await publish(work, place.organisation_id, notice)
