"""Miyabi's own: the intake takes the request in, the worker walks through it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]

from bench.children import Life
from bench.ground import ASKERS, Ground, ask, house_on, worker_process
from bench.plain import plain_agent
from bench.queues.work import Enqueue, work
from core.agent import Agent, Work

_FOLDER = "BENCH_NOTES"
TEN = 10


@dataclass(frozen=True, slots=True)
class Piece:
    key: str


@dataclass(frozen=True, slots=True)
class Worked:
    at_ns: int


def _step(number: int) -> Work:
    async def step(ask: Piece) -> Worked:
        return Worked(await work(Path(os.environ[_FOLDER]), ask.key, step=number))

    step.__name__ = f"step{number}"
    return step


def _agent(name: str, steps: int) -> Agent:
    return plain_agent(
        name,
        Piece,
        lambda text: Piece(text.rsplit(maxsplit=1)[-1]),
        *(_step(number) for number in range(steps)),
    )


async def _worker(life: Life, place: Ground, folder: Path, number: int) -> None:
    os.environ[_FOLDER] = str(folder)
    await worker_process(life, place, _agent("piece", 1), _agent("pieces", TEN))


@dataclass(frozen=True, slots=True)
class Ours:
    """One task a piece of work, with its audit events.

    `told`: with its flash update in the thread as well, which the others have nothing of.
    """

    steps: int = 1
    told: bool = True

    @property
    def name(self) -> str:
        name = "miyabi" if self.told else "miyabi, nobody told"
        return name if self.steps == 1 else f"{name}, {self.steps} steps a task"

    @property
    def setting(self) -> str:
        told = "the requester told in the thread" if self.told else "nobody told of it"
        return (
            "as installed: a task in PostgreSQL with its audit events, each step's result and "
            f"event in a transaction, {told}; arq on Valkey as a doorbell"
        )

    async def prepare(self, place: Ground) -> None:
        """Nothing: the ground is made for it."""

    async def handed_in(self, place: Ground) -> None:
        """Take away those who would be told."""
        if self.told:
            return
        database = await asyncpg.connect(place.services.owner_url.replace("+asyncpg", ""))
        try:
            await database.execute(
                "delete from threads h where not exists"
                " (select from deliveries d where d.thread_id = h.id)"
            )
        finally:
            await database.close()

    @asynccontextmanager
    async def producer(self, place: Ground) -> AsyncIterator[Enqueue]:
        """The intake, as a chat platform calls it."""
        word = "piece" if self.steps == 1 else "pieces"
        async with house_on(place, _agent("piece", 1), _agent("pieces", TEN)) as (house, _):
            turns = cycle(ASKERS)

            async def enqueue(key: str) -> None:
                await ask(house, f"{word} {key}", next(turns))

            yield enqueue

    worker = staticmethod(_worker)
