"""A Slack slash command over HTTP, from the signature to the durable answer, beside bare Bolt.

The caller, our web process and the bare servers are processes of their own. What became of the
requests is counted in the database afterwards: an answer that was not stored is no answer.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from statistics import fmean
from time import perf_counter

import asyncpg  # type: ignore[import-untyped]

from bench.bare import bare_bolt
from bench.callers import call
from bench.children import child
from bench.figures import Figures, Goal, spread
from bench.ground import REQUEST, SIGNING_SECRET, SLACK_TEAM, Ground, ground, house_on, product
from bot.slack.installs import Install
from bot.slack.outbound import SlackOutbound
from core.unit import unit

_CALLERS = 20
_PATIENCE = 60.0

Times = dict[str, list[float]]


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """One caller and twenty, in turns between our server and the bare ones."""
    rounds, alone, together = (1, 20, 60) if quick else (3, 250, 1000)
    async with ground() as place:
        await install(place)
        async with _servers(place) as ports:
            for each in ports.values():
                await _call(each, 5, 1)
                await _call(each, 3 * _CALLERS, _CALLERS)
            await _finish(place)
            one = await _in_turns(place, ports, rounds, alone, 1)
            twenty = await _in_turns(place, ports, rounds, together, _CALLERS)
        sent = 5 + 3 * _CALLERS + rounds * (alone + together)
        more = await _durability(place, sent)
    yield _figures("intake, one at a time", one, 1, more)
    yield _figures(f"intake, {_CALLERS} callers", twenty, _CALLERS, {})


def _figures(name: str, times: Times, callers: int, more: Mapping[str, object]) -> Figures:
    ours = spread("POST /slack/events of `miyabi web`: task, events, outbox committed", times["us"])
    bare = spread("Bolt + FastAPI, process_before_response, stores nothing", times["bare"])
    default = spread("Bolt + FastAPI as Bolt comes", times["default"])
    goals = (
        (Goal("p50, ms", ours.p50, 5),)
        if callers == 1
        else (
            Goal("p50 in times the bare one's", ours.p50 / bare.p50, 3.5),
            Goal("p99, ms", ours.p99, 150),
        )
    )
    per_second = {
        "requests per second": round(callers * 1000 / fmean(times["us"])),
        "bare requests per second": round(callers * 1000 / fmean(times["bare"])),
    }
    return Figures(
        name, ours, bare, goals, {**per_second, "bare by default": default.as_json(), **more}
    )


# Callers


async def _in_turns(
    place: Ground, ports: Mapping[str, int], rounds: int, n: int, callers: int
) -> Times:
    """Each server in its turn, so that a busy moment of the machine falls on all of them."""
    times: Times = {name: [] for name in ports}
    for _ in range(rounds):
        for name, port in ports.items():
            few = n if name != "default" else max(n // 5, callers)
            times[name] += await _call(port, few, callers)
        await _finish(place)
    return times


async def _call(port: int, n: int, callers: int) -> list[float]:
    command = REQUEST.replace("見積", "quote", 1)
    async with child(call, port, n, callers, command) as calling:
        times: list[float] = await calling.result()
    return times


# Servers


@contextlib.asynccontextmanager
async def _servers(place: Ground) -> AsyncIterator[Mapping[str, int]]:
    """Their ports, by name: us, bare, and bare as Bolt comes."""
    port = free_port()
    with listener() as bare, listener() as default:
        async with (
            product(place, "web", port=port),
            child(bare_bolt, bare, SIGNING_SECRET, at_once=True),
            child(bare_bolt, default, SIGNING_SECRET, at_once=False),
        ):
            await until_served(port)
            yield {"us": port, "bare": bare.getsockname()[1], "default": default.getsockname()[1]}


@contextlib.contextmanager
def listener() -> Iterator[socket.socket]:
    """A socket of this machine that listens, for a child to serve."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        yield listening


def free_port() -> int:
    """A port that nobody has at the moment."""
    with listener() as listening:
        port: int = listening.getsockname()[1]
    return port


async def until_served(port: int) -> None:
    """Wait until somebody listens there. Raises TimeoutError where nobody ever does."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.1)


# The database


async def install(place: Ground) -> None:
    """Have the app installed in the workspace of whoever asks."""
    async with house_on(place) as (house, _):
        outbound = house.outbounds["slack"]
        assert isinstance(outbound, SlackOutbound)
        async with unit(house) as work:
            await outbound.installs.save(
                work,
                place.organisation_id,
                SLACK_TEAM,
                "bench",
                Install(SLACK_TEAM, "xoxb-bench", "U0BOT", "B0BOT"),
            )


async def _finish(place: Ground) -> None:
    """Put what was taken in so far at its end, as workers would: what is under way is limited."""
    database = await connect(place)
    await database.execute("update tasks set state = 'done' where state = 'received'")
    await database.close()


async def connect(place: Ground) -> asyncpg.Connection:
    """As the owner of the tables."""
    return await asyncpg.connect(place.services.owner_url.replace("+asyncpg", ""))


async def _durability(place: Ground, sent: int) -> dict[str, object]:
    """How durable it was. Raises AssertionError where a task, an event or a job is missing."""
    database = await connect(place)
    try:
        for counted in (
            "tasks",
            "inbound where task_id is not null",
            "audit_events where tag = 'intake:task:received'",
            "outbox where kind = 'advance'",
        ):
            found = await database.fetchval(f"select count(*) from {counted}")
            assert found == sent, f"{sent} were answered, but there are {found} {counted}"
        settings = {
            name: await database.fetchval(f"show {name}")
            for name in ("fsync", "synchronous_commit")
        }
        commits = await bare_commits(database)
    finally:
        await database.close()
    alone = spread("one row and its commit, by asyncpg alone", commits)
    return {"one commit": alone.as_json(), **settings}


async def bare_commits(database: asyncpg.Connection) -> list[float]:
    """One row and its commit at a time: what the disk takes, in ms."""
    await database.execute("create table bench_commit (id int)")
    times = []
    for number in range(200):
        began = perf_counter()
        await database.execute(f"insert into bench_commit values ({number})")
        times.append((perf_counter() - began) * 1000)
    return times
