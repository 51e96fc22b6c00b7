"""The line of tasks under way: the place of a new one in it, and how many may stand there.

A task's `turn` is how many tasks of the same person were under way when it was asked for. Its
`rank` is how many of its organisation had a turn no higher; lower ranks go first. So nobody's two
hundred tasks push back another person's one, and no organisation's another organisation's.
Each lane is a line of its own: what a program hands in by the hundred closes no chat.

The turn is counted by the statement that writes the task. What stands in an organisation's line is
counted about once a second in each process, and what this process adds is added here: who asks
need not wait for hundreds to be counted, and nobody sees a difference.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from uuid import UUID

from prometheus_client import Counter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncEngine

from core import phrases
from core.db import fetch_alone
from core.errors import Full
from core.ports import Lane
from core.words import Words

FULL = Counter(
    "miyabi_intake_full", "Requests refused because as much as is allowed is under way", ["limit"]
)

_COUNT_AGAIN = 1.0
"""Seconds for which what was counted is taken as known, unless it leaves no room."""


class Limits(BaseModel):
    """How many tasks may be under way at a time: of a person and of an organisation in each lane.

    From `tell_from` tasks of a person on, whoever asks is told the place in line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: int = Field(default=200, ge=1)
    person_bulk: int = Field(default=1_000, ge=1, description="handed in by a program")
    organisation: int = Field(default=1_000, ge=1)
    everyone: int = Field(default=5_000, ge=1, description="all organisations and lanes together")
    tell_from: int = Field(default=20, ge=1)


@dataclass(slots=True)
class _Counted:
    """How many of a line have each turn, and when that was counted."""

    of_turn: list[int] = field(default_factory=list)
    at: float = float("-inf")
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def add(self, turn: int) -> None:
        """One more has this turn."""
        self.of_turn += [0] * (turn + 1 - len(self.of_turn))
        self.of_turn[turn] += 1


@dataclass(slots=True)
class Line:
    """The limits, and what this process last knew of what is under way.

    Those who ask at the same moment do not see one another, so the limit of a person may be passed
    by as many as ask at once, and the others by as many as come to other processes within a second.
    They hold off a flood; counting exactly would make all who ask wait for each other.
    """

    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], float] = time.monotonic
    _lines: dict[tuple[UUID, Lane], _Counted] = field(default_factory=dict)
    _everyone: int = 0

    async def look(self, engine: AsyncEngine, organisation_id: UUID, lane: Lane) -> None:
        """Count what is under way, where it is time to. Whoever asks meanwhile goes by what is
        known, unless that leaves no room: nobody is refused by an old number."""
        counted = self._lines.setdefault((organisation_id, lane), _Counted())
        now = self.clock()
        if self._is_full(counted):
            async with counted.counting:
                if counted.at < now:  # else somebody has counted since we came
                    await self._count(engine, organisation_id, lane, counted)
        elif now - counted.at >= _COUNT_AGAIN and not counted.counting.locked():
            async with counted.counting:
                await self._count(engine, organisation_id, lane, counted)

    async def _count(
        self, engine: AsyncEngine, organisation_id: UUID, lane: Lane, counted: _Counted
    ) -> None:
        counted.at = self.clock()
        [row] = await fetch_alone(
            engine,
            "select turns_under_way(:organisation_id, :lane, :most) as turns,"
            " all_under_way(:most_of_all) as everyone",
            {
                "organisation_id": organisation_id,
                "lane": lane,
                "most": self.limits.organisation,
                "most_of_all": self.limits.everyone,
            },
        )
        counted.of_turn = []
        for turn in row.turns:
            counted.add(turn)
        self._everyone = row.everyone

    def _is_full(self, counted: _Counted) -> bool:
        return (
            sum(counted.of_turn) >= self.limits.organisation
            or self._everyone >= self.limits.everyone
        )

    def check(self, organisation_id: UUID, lane: Lane) -> None:
        """Raises Full where the organisation, or all together, have no room for one more."""
        standing = sum(self._lines[organisation_id, lane].of_turn)
        if standing >= self.limits.organisation:
            raise _full("organisation", phrases.FULL_ORGANISATION, standing)
        if self._everyone >= self.limits.everyone:
            raise _full("everyone", phrases.FULL_EVERYONE, self._everyone)

    def check_person(self, turn: int, lane: Lane) -> None:
        """Raises Full where a person has no room for one more."""
        if turn >= self.of_person(lane):
            raise _full("person", phrases.FULL_PERSON, turn)

    def ranks(self, organisation_id: UUID, lane: Lane) -> list[int]:
        """The rank that a new task gets, by its turn; the last one is that of all higher turns."""
        return list(accumulate(self._lines[organisation_id, lane].of_turn)) or [0]

    def begun(self, organisation_id: UUID, lane: Lane, turn: int) -> None:
        """One more was taken in here."""
        self._lines[organisation_id, lane].add(turn)
        self._everyone += 1

    def of_person(self, lane: Lane) -> int:
        """How many tasks a person may have under way."""
        return self.limits.person if lane == "interactive" else self.limits.person_bulk

    def tell(self, turn: int) -> Words | None:
        """The place in words, where so many are before it that it is worth knowing."""
        if turn < self.limits.tell_from:
            return None
        return phrases.PLACE_IN_LINE.fill(waiting=turn, number=turn + 1)


def _full(limit: str, words: Words, count: int) -> Full:
    FULL.labels(limit).inc()
    return Full(words.fill(count=count))
