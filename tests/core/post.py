"""A post office outside the house, and an agent that hands a parcel to it: an act, once."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from core.agent import Agent, Effect, EffectKey, Results, Summary
from core.heartbeat import Heartbeat
from core.house import LEASE, House
from core.runner import advance
from core.words import Language, Words, same
from tests.core.house import Letter, Office, letter_agent, write


@dataclass(slots=True)
class Post:
    """Remembers every parcel it took with its key. What goes wrong next, before and after."""

    parcels: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    before: list[Exception] = field(default_factory=list)
    after: list[Exception] = field(default_factory=list)
    asking: list[Exception] = field(default_factory=list)
    late: float = 0
    """Seconds after which a parcel arrives that went wrong `before`."""
    hang: asyncio.Event | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, key: str, text: str) -> str:
        if self.before:
            if self.late:
                loop = asyncio.get_running_loop()
                loop.call_later(self.late, self.parcels.append, (key, text))
            raise self.before.pop(0)
        self.parcels.append((key, text))
        self.reached.set()
        if self.hang is not None:
            await self.hang.wait()
        if self.after:
            raise self.after.pop(0)
        return f"receipt {len(self.parcels)}"

    async def look(self, key: str) -> str | None:
        self.asked.append(key)
        if self.asking:
            raise self.asking.pop(0)
        return "found" if key in [taken for taken, _ in self.parcels] else None


@dataclass(frozen=True, slots=True)
class Receipt:
    text: str


async def post(letter: Letter, office: Post, key: EffectKey) -> Receipt:
    return Receipt(await office.take(key, letter.text))


async def find(office: Post, key: EffectKey) -> Receipt | None:
    found = await office.look(key)
    return Receipt(found) if found is not None else None


def target(letter: Letter) -> str:
    return f"post office for {letter.text}"


def assumed(key: EffectKey) -> Receipt:
    return Receipt("as a person said")


BLIND = Effect(post, "parcel", target=target, assumed=assumed)
"""Nobody can ask the post office."""
SEEING = replace(BLIND, find=find, settles=timedelta(0))


def post_agent(effect: Effect) -> Agent:
    """Write a letter, post it."""
    return replace(
        letter_agent,
        name="parcel",
        number="",
        steps=(write, effect),
        words=("parcel",),
        takes_free_text=False,
        labels={"write": same("write"), "post": Words(ja="投函", en="Posting", zh="投寄")},
        summarise=_summarise,
    )


def _summarise(results: Results, language: Language) -> Summary:
    return Summary()


async def die_at(office: Office, reached: asyncio.Event, task_id: UUID) -> "asyncio.Task[None]":
    """Have a worker walk until that is reached; then nothing more is heard of it.

    It has not gone, as one that was killed: its walk hangs, its heart has stopped, and its lease
    has run out.
    """
    heartbeat = Heartbeat(office.house.engine.url.render_as_string(hide_password=False), LEASE)
    house = replace(office.house, heartbeat=heartbeat)
    walking = asyncio.create_task(advance(house, office.organisation.id, task_id, "the dead"))
    await reached.wait()
    await asyncio.to_thread(heartbeat.stop)
    await office.execute("update tasks set lease_until = now() - interval '1 second'")
    return walking


def open_post(office: Office, effect: Effect) -> Post:
    """Give the office an agent that posts parcels; returns the post office."""
    outside = Post()

    async def give(house: House, organisation_id: object) -> Post:
        return outside

    office.house = replace(
        office.house,
        agents={**office.house.agents, "parcel": post_agent(effect)},
        resources={**office.house.resources, Post: give},
    )
    return outside
