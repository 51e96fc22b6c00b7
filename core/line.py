"""The line of tasks under way: the place of a new one in it, and how many may stand there.

A task's `turn` is how many tasks of the same person were under way when it was asked for. Its
`rank` is how many of its organisation had a turn no higher; lower ranks go first. So nobody's two
hundred tasks push back another person's one, and no organisation's another organisation's.
Each lane is a line of its own: what a program hands in by the hundred closes no chat.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import Counter
from pydantic import BaseModel, ConfigDict, Field

from core import phrases
from core.errors import Full
from core.ports import Lane
from core.words import Words

FULL = Counter(
    "miyabi_intake_full", "Requests refused because as much as is allowed is under way", ["limit"]
)

_COUNT_AGAIN = 1.0
"""Seconds for which a process takes the number of all tasks under way as known."""


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


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a new task comes to stand. `organisation` is how many of its lane are under way.

    No number is counted beyond its limit.
    """

    turn: int
    rank: int
    organisation: int


NOBODY_BEFORE = Standing(0, 0, 0)


@dataclass(slots=True)
class Line:
    """The limits, and what this process last knew of the number of all tasks under way.

    Those who ask at the same moment do not see one another, so a limit may be passed by as many as
    ask at once (the one for everyone by as many as other processes take in within a second). It
    holds off a flood, and counting exactly would make all who ask wait for each other.
    """

    limits: Limits = field(default_factory=Limits)
    _everyone: int = 0
    _counted_at: float = float("-inf")

    def bounds(self, lane: Lane, *, begins: bool) -> dict[str, Any]:
        """How far to count for a new task, as parameters; 0 where it need not be counted now."""
        now = time.monotonic()
        due = begins and now - self._counted_at >= _COUNT_AGAIN
        if due:
            self._counted_at = now  # whoever asks meanwhile need not count as well
        return {
            "lane": lane,
            "person_limit": self._of_person(lane),
            "organisation_limit": self.limits.organisation,
            "everyone_limit": self.limits.everyone if due else 0,
        }

    def counted(self, everyone: int | None) -> None:
        """So many are under way in all; None where it was not counted."""
        if everyone is not None:
            self._everyone = everyone

    def begun(self) -> None:
        """One more was taken in here."""
        self._everyone += 1

    def check(self, standing: Standing, lane: Lane) -> None:
        """Raises Full where there is no room for one more."""
        if standing.turn >= self._of_person(lane):
            raise _full("person", phrases.FULL_PERSON, standing.turn)
        if standing.organisation >= self.limits.organisation:
            raise _full("organisation", phrases.FULL_ORGANISATION, standing.organisation)
        if self._everyone >= self.limits.everyone:
            raise _full("everyone", phrases.FULL_EVERYONE, self._everyone)

    def _of_person(self, lane: Lane) -> int:
        return self.limits.person if lane == "interactive" else self.limits.person_bulk

    def tell(self, standing: Standing) -> Words | None:
        """The place in words, where so many are before it that it is worth knowing."""
        if standing.turn < self.limits.tell_from:
            return None
        return phrases.PLACE_IN_LINE.fill(waiting=standing.turn, number=standing.turn + 1)


def _full(limit: str, words: Words, count: int) -> Full:
    FULL.labels(limit).inc()
    return Full(words.fill(count=count))
