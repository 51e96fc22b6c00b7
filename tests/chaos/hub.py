"""The attack on the hub: senders killed at the worst moment, a provider down, another that hangs.

Three workers in one process send to platforms that remember every call; between the act and what is
written of it they are cancelled, which is all that a kill leaves behind: rows in hand of somebody
who is not heard of again. Nothing here is timed by how fast the machine is.
"""

import asyncio
import contextlib
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from core import people
from core.db import execute, fetch_all
from core.errors import TryLater
from core.gate import Paces
from core.inbound import Sender
from core.messages import Message
from core.migrate import upgrade_async
from core.notices import Notice, Recipient, publish
from core.ports import Place, Sent
from core.settings import Settings
from core.unit import unit
from miyabi.embedded import embedded
from miyabi.queue import connect
from notifier.hub.circuit import Circuits
from notifier.hub.fanning import fan_out_due
from notifier.hub.gate import HubGate
from notifier.hub.lanes import Lane
from notifier.hub.limiter import Limiter
from notifier.hub.sending import Ways
from tests.core.house import Office, Wall, open_office

WORKERS = 3
_PATIENCE = 600.0
_COOLS = timedelta(milliseconds=200)


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it. `rate`: what the provider takes a second when it is back."""

    people: int
    each: int
    down: float
    rate: float
    kills: int


SMALL = Size(people=6, each=5, down=0.8, rate=60.0, kills=4)
FULL = Size(people=500, each=10, down=20.0, rate=400.0, kills=60)
FLOOD = 40
"""Notices to all of them at once."""


@dataclass
class Provider(Wall):
    """A platform that can be down or hang, and takes its time to answer after it took a message."""

    paces: Paces = field(default_factory=Paces)
    down: bool = False
    hangs: bool = False
    answers_after: float = 0.0
    refused: int = 0
    times: dict[str, float] = field(default_factory=dict)

    async def send(self, place: Place, message: Message, key: str) -> Sent:
        if self.hangs:
            await asyncio.Event().wait()
        if self.down:
            self.refused += 1
            raise TryLater("HTTP 503")
        sent = await super().send(place, message, key)
        self.times[key] = time.monotonic()
        await asyncio.sleep(self.answers_after)
        return sent


@dataclass(slots=True)
class Attack:
    """An office with many people, and workers that may be killed. `wrong` is what it found."""

    office: Office
    redis_url: str
    size: Size
    rng: random.Random
    provider: Provider = field(default_factory=Provider)
    slow: Provider = field(default_factory=Provider)
    wrong: list[str] = field(default_factory=list)
    seen: dict[str, object] = field(default_factory=dict)
    _lanes: list[tuple[Lane, asyncio.Task[None]]] = field(default_factory=list)
    _redis: Any = None

    def must(self, well: bool, what: str) -> None:
        if not well:
            self.wrong.append(what)

    # The people, and what they are told

    async def all(self) -> None:
        """One after the other."""
        for part in (self.killed_between_yes_and_commit, self.down, self.one_hangs):
            began = time.monotonic()
            await part()
            self.seen[f"{part.__name__}, s"] = round(time.monotonic() - began, 1)

    async def settle(self) -> None:
        """So many more people, each with an account of both providers."""
        async with unit(self.office.house) as work:
            for number in range(self.size.people):
                person = await people.add(
                    work, self.office.organisation.id, f"p{number}", f"P {number}",
                    frozenset({"requester", "accountant"}),
                )  # fmt: skip
                await people.link(work, person, Sender("wall", "w1", person.handle))
        await self.run("delete from notices")

    async def tell(self, topic: str, times: int) -> None:
        """All of them, so many times."""
        for number in range(times):
            async with unit(self.office.house) as work:
                notice = Notice(topic, (Recipient("role", "accountant"),), {"title": f"n{number}"})
                await publish(work, self.office.organisation.id, notice)
        while await fan_out_due(self.office.house):
            pass

    async def run(self, sql: str) -> None:
        async with unit(self.office.house) as work:
            await execute(work.connection, sql, {})

    async def rows(self, sql: str) -> Sequence[Any]:
        async with self.office.house.engine.connect() as connection:
            return await fetch_all(connection, sql, {"o": self.office.organisation.id})

    async def states(self, topic: str) -> Counter[tuple[str, str | None]]:
        rows = await self.rows(
            "select d.state, d.reason, count(*) as n from dispatches d"
            " join notices n on n.id = d.notice_id where d.organisation_id = :o"
            f" and n.topic = '{topic}' group by 1, 2"
        )
        return Counter({(row.state, row.reason): row.n for row in rows})

    async def until_over(self, topic: str) -> None:
        """Nothing of it is on its way any more."""
        async with asyncio.timeout(_PATIENCE):
            while {"queued", "sending"} & {state for state, _ in await self.states(topic)}:
                await asyncio.sleep(0.1)

    # The workers

    def begin(self, name: str, *channels: str) -> None:
        """A worker with a gate and lanes of its own."""
        house = replace(self.office.house, outbounds={"wall": self.provider, "slow": self.slow})
        gate = HubGate(Limiter(self._redis, house.engine), Circuits(house, _COOLS))
        ways = Ways(replace(house, gate=gate), Settings(secret_key=None))
        for channel in channels or ("wall",):
            lane = Lane(ways, channel, name)
            self._lanes.append((lane, asyncio.create_task(lane.run())))

    async def kill(self, which: int | None = None) -> None:
        """One of them, or all, wherever they are; what they had in hand is anybody's at once."""
        dying = [self._lanes.pop(which)] if which is not None else self._lanes
        if which is None:
            self._lanes = []
        for _, task in dying:
            task.cancel()
        await asyncio.gather(*(task for _, task in dying), return_exceptions=True)
        for lane, _ in dying:
            await self.run(
                "update dispatches set lease_until = now() - interval '1 second'"
                f" where state = 'sending' and lease_owner = '{lane.owner}'"
            )

    # The attacks

    async def killed_between_yes_and_commit(self) -> None:
        """Once or unknown, never silently twice."""
        topic, wanted = "alert.kill", self.size.people * self.size.each
        self.provider.answers_after = 0.02
        await self.tell(topic, self.size.each)
        for number in range(WORKERS):
            self.begin(f"k{number}")
        for number in range(self.size.kills):
            await asyncio.sleep(self.rng.uniform(0.005, 0.08))
            await self.kill(self.rng.randrange(WORKERS))
            self.begin(f"k{WORKERS + number}")
        await self.until_over(topic)
        await self.kill()
        self.provider.answers_after = 0.0
        states = await self.states(topic)
        self.seen["killed"] = {str(state): n for (state, _), n in states.items()}
        twice = [key for key, n in Counter(self.provider.sends).items() if n > 1]
        self.must(not twice, f"{len(twice)} were sent twice by killed senders")
        told = states["sent", None]
        self.must(told + sum(n for (s, _), n in states.items() if s == "unknown") == wanted,
                  f"of {wanted} {dict(states)}")  # fmt: skip
        self.must(len(set(self.provider.sends)) >= told, "what is said to be sent was not")

    async def down(self) -> None:
        """Away for a while: all out afterwards, in order, at its pace, nothing that went stale."""
        topic, size, provider = "alert.down", self.size, self.provider
        before = len(provider.sends)
        provider.down, provider.paces = True, Paces(bot=size.rate)
        await self.tell(topic, size.each)
        for number in range(WORKERS):
            self.begin(f"d{number}")
        await asyncio.sleep(size.down)
        await self.run(
            f"update notices set cancelled_at = now() where topic = '{topic}'"
            " and facts ->> 'title' = 'n1'"
        )
        asked, provider.down = provider.refused, False
        back = time.monotonic()
        await self.until_over(topic)
        await self.kill()
        provider.paces = Paces()
        states = await self.states(topic)
        self.seen["down"] = {"asked while it was down": asked, "waiting": size.people * size.each}
        left = size.people * (size.each - 1)
        self.must(states["sent", None] == left, f"after it was back: {dict(states)}, not {left}")
        self.must(states["dropped", "cancelled"] == size.people, "what went stale was not dropped")
        keys = provider.sends[before:]
        self.must(len(keys) == len(set(keys)), "something was sent twice after it was back")
        # What is let through before all of them know that it is shut, and the probes.
        most = WORKERS * 60 + 2 * size.down / _COOLS.total_seconds()
        self.must(asked <= most, f"it was asked {asked} times while it was down")
        by_room: dict[str, list[int]] = {}
        for key in keys:
            number = int(provider.posted[key].title.rpartition("n")[2])
            by_room.setdefault(provider.rooms[key], []).append(number)
        self.must(all(sent == sorted(sent) for sent in by_room.values()), "out of order")
        times = sorted(provider.times[key] for key in keys)
        rate = (len(times) - 1) / max(times[-1] - times[0], 1e-6)
        self.seen["down"] |= {"a second": round(rate, 1), "back, s": round(times[-1] - back, 1)}  # type: ignore[operator]
        self.must(rate <= size.rate * 1.02, f"{rate:.1f} a second, {size.rate} are allowed")
        events = await self.rows(
            "select body -> 'data' ->> 'state' as state from audit_events"
            " where organisation_id = :o and body ->> 'tag' = 'notifier:circuit:changed'"
            " order by id desc limit 1"
        )
        self.must([row.state for row in events] == ["closed"], "the circuit is not closed")

    async def one_hangs(self) -> None:
        """What goes out by another provider does not wait for it."""
        topic = "alert.slow"
        quiet = await self._times(f"{topic}.before")
        self.slow.hangs = True
        await self.run(
            "insert into accounts (id, platform, workspace, external_id, organisation_id,"
            " person_id) select gen_random_uuid(), 'slow', 's1', handle, organisation_id, id"
            " from people where handle like 'p%'"
        )
        await self.tell(f"{topic}.hung", 1)
        await self.run(
            "update dispatches set channel = 'slow', workspace = 's1' where state = 'queued'"
        )
        self.begin("h0", "slow")
        await asyncio.sleep(0.2)
        hung = await self._times(f"{topic}.beside", "h1")
        await self.kill()
        self.seen["one hangs"] = {"all out, s": [round(quiet, 2), round(hung, 2)]}
        self.must(not self.slow.sends, "what hangs has sent")
        self.must(hung < quiet * 3 + 0.5, f"{hung:.2f} s beside one that hangs, {quiet:.2f} alone")

    async def flood(self) -> None:
        """So many at once for all of them: each is told of each once."""
        topic, before = "alert.flood", len(self.provider.sends)
        await self.tell(topic, FLOOD)
        for number in range(WORKERS):
            self.begin(f"f{number}")
        await self.until_over(topic)
        await self.kill()
        keys = self.provider.sends[before:]
        wanted = FLOOD * self.size.people
        self.must(len(keys) == len(set(keys)), f"{len(keys) - len(set(keys))} were sent twice")
        self.must(len(set(keys)) == wanted, f"{len(set(keys))} were sent, not {wanted}")

    async def _times(self, topic: str, worker: str = "t") -> float:
        """Until all are told, in seconds."""
        await self.tell(topic, 2)
        began = time.monotonic()
        self.begin(worker)
        await self.until_over(topic)
        took = time.monotonic() - began
        if worker == "t":
            await self.kill()
        states = await self.states(topic)
        self.must(states["sent", None] == 2 * self.size.people, f"{topic}: {dict(states)}")
        return took


@asynccontextmanager
async def attack(office: Office, redis_url: str, size: Size, seed: int) -> AsyncIterator[Attack]:
    """On that office, with so many people."""
    found = Attack(office, redis_url, size, random.Random(seed))  # not a secret
    found._redis = connect(redis_url)
    await found.settle()
    try:
        yield found
    finally:
        await found.kill()
        with contextlib.suppress(OSError):
            await found._redis.aclose(close_connection_pool=True)


async def whole(seed: int) -> Attack:
    """All of it, on a database of its own."""
    with tempfile.TemporaryDirectory(prefix="miyabi-hub-") as folder:
        settings = Settings(home=Path(folder), database_url=None, redis_url=None, secret_key=None)
        async with embedded(settings) as services:
            await upgrade_async(services.owner_url)
            async with (
                open_office(services.owner_url) as office,
                attack(office, services.redis_url, FULL, seed) as found,
            ):
                await found.all()
                began = time.monotonic()
                await found.flood()
                found.seen["flood, s"] = round(time.monotonic() - began, 1)
    return found
