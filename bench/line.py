"""LINE: a webhook until its 200, a message until its first answer, and a card until it is drawn.

The other side is the LINE of the tests, which keeps LINE's rules. Web process, worker and callers
are processes of their own. The bare bot is line-bot-sdk as its example has it: it stores nothing.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from pydantic import SecretStr

from bench.bare import bare_line
from bench.children import child
from bench.figures import Figures, Goal, spread
from bench.ground import REQUEST, Ground, ground, house_on, product
from bench.intake import bare_commits, connect, free_port, listener, until_served
from bench.line_calls import at_rate, request
from bench.line_card import drawn
from core import people
from core.inbound import Sender
from core.settings import LineSettings
from core.unit import unit
from tests.fakes.line.description import Json
from tests.fakes.line.driver import Driver
from tests.fakes.line.server import FakeLine

_ASKERS = tuple(f"asker-{number}" for number in range(100))
_COMMAND = "ヘルプ"
_CHATTER = "おはようございます。今日もよろしくお願いします。"
_GROUP = "営業部"
_PER_SECOND = 200
_WARM_UP = 10  # events
_PATIENCE = 60.0


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """A few events, 200 a second, and how soon people hear something."""
    async with FakeLine() as line:
        line.home.quota = None
        async with ground(line=_settings(line, gather=0, first=0)) as place:
            await _settle(place, line)
            async with _web(place) as port, _bare(line) as bare:
                yield await _few(place, line, port, bare, quick=quick)
                yield await _many(place, line, port, bare, quick=quick)
                yield await _first(place, line, port, bare, quick=quick)
            usual = _as_it_comes(place, line)
            async with _web(usual) as port, product(usual, "worker", port=free_port()):
                yield await _first_as_it_comes(place, line, port, quick=quick)
        if line.violations:
            message = f"against LINE's rules: {line.violations[:3]}"
            raise AssertionError(message)
    yield drawn(quick=quick)


# What is measured


async def _few(place: Ground, line: FakeLine, port: int, bare: int, *, quick: bool) -> Figures:
    """Commands one at a time, each with time for what comes of it."""
    n = 10 if quick else 150
    times = await _in_turns(line, {"us": port, "bare": bare}, n, 15, lambda i: _command(line, i))
    await _dealt_with(place)
    ours = spread("POST /line/webhook of `miyabi web`: the event committed", times["us"])
    theirs = spread("line-bot-sdk + FastAPI: replied to, nothing stored", times["bare"])
    goals = (Goal("p50, ms", ours.p50, 5),)
    database = await connect(place)
    commits = spread("one row and its commit, by asyncpg alone", await bare_commits(database))
    await database.close()
    more = {"one commit": commits.as_json()}
    return Figures("line webhook, one at a time", ours, theirs, goals, more)


async def _many(place: Ground, line: FakeLine, port: int, bare: int, *, quick: bool) -> Figures:
    """Nine in ten are what people say to each other in a group, the tenth is a command."""
    n = 100 if quick else 2_000
    before = await _stored(place)

    def mixed(number: int) -> Json:
        return _command(line, number) if number % 10 == 0 else _said_in_group(line, number)

    ports = {"us": port, "bare": bare}
    times = await _in_turns(line, ports, n, _PER_SECOND, mixed)
    await _dealt_with(place)
    assert await _stored(place) - before == n + _WARM_UP, "an event was answered and is not stored"
    more: dict[str, object] = {}
    if not quick:
        began = time.monotonic()
        only = await _at(line, port, 1_000, _PER_SECOND, lambda i: _command(line, i))
        more["all of them commands"] = spread("", only).as_json()
        await _dealt_with(place)
        more["until all of those were answered, s"] = round(time.monotonic() - began, 1)
    ours = spread(f"POST /line/webhook, {_PER_SECOND} events/s", times["us"])
    theirs = spread(f"line-bot-sdk + FastAPI, {_PER_SECOND} events/s", times["bare"])
    goals = (Goal("p99, ms", ours.p99, 100),)
    return Figures(f"line webhook, {_PER_SECOND} events/s", ours, theirs, goals, more)


async def _first(place: Ground, line: FakeLine, port: int, bare: int, *, quick: bool) -> Figures:
    """From a person's message to the first reply at LINE."""
    n = 5 if quick else 100
    us, them = _driver(line, port), _driver(line, bare)
    command, asked, theirs = [], [], []
    for number in range(n):
        asker = _ASKERS[number % 50]
        command.append(await _until_heard(line, us, _COMMAND, asker))
        asked.append(await _until_heard(line, us, REQUEST, asker))
        theirs.append(await _until_heard(line, them, _COMMAND, asker))
    await _end_tasks(place)
    ours = spread("a command until its answer", command)
    new = spread(
        "a new request until “received” (first_answer_seconds = gather_seconds = 0)", asked
    )
    goals = (
        Goal("command, p50, ms", ours.p50, 50),
        Goal("new request, p50, ms", new.p50, 50),
    )
    bare_one = spread("line-bot-sdk + FastAPI, a message until its reply", theirs)
    return Figures("line first answer", ours, bare_one, goals, {"new request": new.as_json()})


async def _first_as_it_comes(place: Ground, line: FakeLine, port: int, *, quick: bool) -> Figures:
    """The same with the settings that an installation has by default, and a worker."""
    n = 3 if quick else 25
    us = _driver(line, port)
    loading, asked = [], []
    for number in range(n):
        before = len(line.calls_to("showLoadingAnimation"))
        began = time.monotonic()
        # Of the others nothing is to be told any more: these have asked for nothing yet.
        asked.append(await _until_heard(line, us, REQUEST, _ASKERS[50 + number]))
        shown = line.calls_to("showLoadingAnimation")[before:]
        loading += [(call.at - began) * 1000 for call in shown[:1]]
    ours = spread("a new request until the loading animation", loading)
    heard = spread("until the first message: 2 s in which more may be typed are part of it", asked)
    return Figures("line new request, default settings", ours, heard)


async def _until_heard(line: FakeLine, driver: Driver, text: str, asker: str) -> float:
    """From sending a message until LINE was told something for its chat, in ms."""
    event = driver.make.text(text, asker)
    chat = line.home.chat(asker)
    seen, said = len(line.calls), len(chat.bots)
    began = time.monotonic()
    reply = await driver.deliver(event)
    assert reply.status == 200, reply
    async with asyncio.timeout(_PATIENCE):
        while len(chat.bots) == said:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.001)
    ids = {each.call for each in chat.bots[said:]}
    return next((call.at - began) * 1000 for call in line.calls[seen:] if call.id in ids)


# Events


def _command(line: FakeLine, number: int) -> Json:
    return _driver(line, 0).make.text(_COMMAND, _ASKERS[number % len(_ASKERS)])


def _said_in_group(line: FakeLine, number: int) -> Json:
    return _driver(line, 0).make.text(_CHATTER, _ASKERS[number % len(_ASKERS)], _GROUP)


def _driver(line: FakeLine, port: int) -> Driver:
    return line.driver(f"http://127.0.0.1:{port}")


async def _in_turns(
    line: FakeLine, ports: dict[str, int], n: int, per_second: float, make: Callable[[int], Json]
) -> dict[str, Sequence[float]]:
    """Each server in its turn, after a few that warm it up."""
    times = {}
    for name, port in ports.items():
        await _at(line, port, _WARM_UP, 20, make)
        times[name] = await _at(line, port, n, per_second, make)
    return times


async def _at(
    line: FakeLine, port: int, n: int, per_second: float, make: Callable[[int], Json]
) -> Sequence[float]:
    home = line.home
    requests = [request(home.destination, home.secret, make(number)) for number in range(n)]
    async with child(at_rate, port, requests, per_second) as calling:
        times: Sequence[float] = await calling.result()
    return times


# Servers


def _settings(line: FakeLine, *, gather: float, first: float) -> LineSettings:
    return LineSettings(
        channel_id=line.home.id,
        channel_secret=SecretStr(line.home.secret),
        channel_access_token=SecretStr(line.home.token),
        api_url=line.api_url,
        data_url=line.api_url,
        gather_seconds=gather,
        first_answer_seconds=first,
    )


def _as_it_comes(place: Ground, line: FakeLine) -> Ground:
    """The same ground with LINE's default settings."""
    given = LineSettings()
    usual = _settings(line, gather=given.gather_seconds, first=given.first_answer_seconds)
    return replace(place, settings=place.settings.model_copy(update={"line": usual}))


@asynccontextmanager
async def _web(place: Ground) -> AsyncIterator[int]:
    port = free_port()
    async with product(place, "web", port=port):
        await until_served(port)
        yield port


@asynccontextmanager
async def _bare(line: FakeLine) -> AsyncIterator[int]:
    with listener() as listening:
        async with child(bare_line, listening, line.api_url, line.home.token, line.home.secret):
            yield listening.getsockname()[1]


# The database


async def _settle(place: Ground, line: FakeLine) -> None:
    """Everybody who asks has an account in LINE, and there is somebody who approves."""
    line.home.group(_GROUP, _ASKERS)
    async with house_on(place) as (house, _), unit(house) as work:
        everyone = await people.everyone(work.connection, place.organisation_id)
        for person in everyone:
            if person.handle in _ASKERS:
                account = line.home.user(person.handle).id
                await people.link(work, person, Sender("line", line.home.destination, account))
        approver = await people.add(
            work, place.organisation_id, "suzuki", "鈴木 一郎", frozenset({"approver"})
        )
        account = line.home.user("suzuki").id
        await people.link(work, approver, Sender("line", line.home.destination, account))


async def _stored(place: Ground) -> int:
    database = await connect(place)
    try:
        return int(await database.fetchval("select count(*) from arrivals"))
    finally:
        await database.close()


async def _dealt_with(place: Ground) -> None:
    """Wait until nothing that arrived is open any more."""
    database = await connect(place)
    try:
        async with asyncio.timeout(_PATIENCE):
            while await database.fetchval(  # noqa: ASYNC110  # nothing tells of it
                "select exists (select from arrivals where state = 'received')"
            ):
                await asyncio.sleep(0.05)
    finally:
        await database.close()


async def _end_tasks(place: Ground) -> None:
    """Put what was asked for at its end: what one person may have under way is limited."""
    database = await connect(place)
    await database.execute("update tasks set state = 'done' where state = 'received'")
    await database.execute("delete from outbox")
    await database.close()
