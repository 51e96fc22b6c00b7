"""A route as its file says it: who decides what, before anybody was looked up."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, Strict, with_config

from core.approvals.plan import Resubmit, RungAct, WhenEmpty
from core.people import Role

Text = Annotated[str, Strict(), Field(min_length=1, max_length=100)]
Flag = Annotated[bool, Strict()]
Days = Annotated[int, Strict(), Field(ge=1, le=365)]
Level = Annotated[int, Strict(), Field(ge=1, le=20)]
Count = Annotated[int, Strict(), Field(ge=1, le=100)]

_STRICT = ConfigDict(extra="forbid")

REQUESTERS = "requester"
"""As a department: the requester's own."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Whom to ask. Everything that is said has to hold at once.

    `person` is a handle. `department` may be `requester`: theirs. `superior` is how many levels
    above the requester: 1 is their own superior.
    """

    person: Text | None = None
    role: Role | None = None
    post: Text | None = None
    department: Text | None = None
    superior: Level | None = None


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Informed(Who):
    """Who is told of the end (回覧); `confirm`: and has to say that they have seen it."""

    confirm: Flag = False


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class RungOf:
    """What is done when a step has waited for so many business days; `to` is a handle."""

    days: Days
    do: RungAct
    to: Text | None = None


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class StepOf:
    """A step (段階). `need` is how many have to approve; `when` a condition (CEL), "" for always.

    Everything else is as in core/approvals/plan.py.
    """

    name: Text
    who: Annotated[tuple[Who, ...], Field(min_length=1, max_length=50)]
    need: Literal["any", "all"] | Count = "any"
    when: Annotated[str, Strict()] = ""
    empty: WhenEmpty = "refuse"
    delegable: Flag = True
    days: Days | None = None


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The steps in their order. `once`: a person counts once, at the last step they stand in."""

    steps: Annotated[tuple[StepOf, ...], Field(min_length=1, max_length=20)]
    once: Flag = True
    resubmit: Resubmit = "restart"
    ladder: Annotated[tuple[RungOf, ...], Field(max_length=10)] = ()
    inform: Annotated[tuple[Informed, ...], Field(max_length=50)] = ()


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFile:
    """All routes of a file, by name."""

    routes: dict[Annotated[str, Field(pattern=r"^[\w-]{1,60}$")], Route] = field(
        default_factory=dict
    )
