"""A route as it was frozen when the approval was asked for: who decides, in which order."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from core.words import Words

WhenEmpty = Literal["next", "superior", "refuse"]
"""What becomes of a step that finds no one: it is left out, the superior of those who can't
decide is asked, or the request is refused."""

Resubmit = Literal["restart", "continue"]
"""What was sent back to the requester starts over, or goes on at the step that sent it back."""

RungAct = Literal["remind", "escalate", "delegate"]


@dataclass(frozen=True, slots=True)
class Rung:
    """What is done when a step has waited for so many business days: remind, hand it up to the
    holder's superior, or hand it to somebody who is named (`to`, a person of the organisation)."""

    days: int
    act: RungAct
    to: UUID | None = None


@dataclass(frozen=True, slots=True)
class PlannedSeat:
    """Somebody who has to decide. `holder` does it: the person, or who acts for them (代理)."""

    person: UUID
    holder: UUID


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """A step of the route (段階). `need` of its seats have to approve; `everybody`: all of them,
    however many are added. `days`: business days until its deadline.

    Without seats it is left out, and `note` says why.
    """

    name: str
    need: int
    everybody: bool
    seats: tuple[PlannedSeat, ...]
    delegable: bool = True
    days: int | None = None
    empty: WhenEmpty = "refuse"
    note: Words | None = None


@dataclass(frozen=True, slots=True)
class Circulated:
    """Somebody who is told of the end (回覧); `confirm`: and has to say that they have seen it."""

    person: UUID
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A frozen route. At least one stage has seats.

    `once`: nobody decides in two of its steps. `version` 0 is a route that came with Miyabi or with
    an agent; from 1 on, the organisation's. `inform`: who is told once it is approved.
    """

    route: str
    version: int
    stages: tuple[PlannedStage, ...]
    once: bool = True
    resubmit: Resubmit = "restart"
    ladder: tuple[Rung, ...] = ()
    inform: tuple[Circulated, ...] = ()
