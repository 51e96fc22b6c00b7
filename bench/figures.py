"""What a benchmark says: our figure, the bare library's of the same run, their ratio, the goals."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Spread:
    """Many measurements of one thing. `what` says what was run."""

    what: str
    n: int
    p50: float
    p99: float
    largest: float

    def as_json(self) -> dict[str, object]:
        """As it stands in the line of JSON."""
        return {
            "what": self.what,
            "n": self.n,
            "p50": round(self.p50, 2),
            "p99": round(self.p99, 2),
            "max": round(self.largest, 2),
        }


def spread(what: str, measured: Sequence[float]) -> Spread:
    """The percentiles of measurements. Raises ValueError where there is none."""
    if not measured:
        message = f"nothing was measured of {what!r}"
        raise ValueError(message)
    ordered = sorted(measured)
    return Spread(what, len(ordered), _nearest(ordered, 50), _nearest(ordered, 99), ordered[-1])


def _nearest(ordered: Sequence[float], percent: int) -> float:
    """The smallest measurement that at least `percent` of all do not exceed (nearest rank)."""
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure and the limit it should stay under."""

    what: str
    figure: float
    below: float

    @property
    def met(self) -> bool:
        """Whether it does."""
        return self.figure < self.below

    def as_json(self) -> dict[str, object]:
        """As it stands in the line of JSON."""
        return {
            "what": self.what,
            "figure": round(self.figure, 2),
            "below": self.below,
            "met": self.met,
        }


@dataclass(frozen=True, slots=True)
class Figures:
    """One benchmark's outcome. `more` holds whatever else was seen, by name."""

    benchmark: str
    ours: Spread
    bare: Spread
    goals: Sequence[Goal] = ()
    more: Mapping[str, object] = field(default_factory=dict)
    unit: str = "ms"

    @property
    def ratio(self) -> float | None:
        """How many times the bare library's p50 ours is."""
        return _times(self.ours.p50, self.bare.p50)

    def as_json(self) -> dict[str, object]:
        """The line of JSON."""
        return {
            "benchmark": self.benchmark,
            "unit": self.unit,
            "ours": self.ours.as_json(),
            "bare": self.bare.as_json(),
            "ratio": {"p50": self.ratio, "p99": _times(self.ours.p99, self.bare.p99)},
            "goals": [goal.as_json() for goal in self.goals],
            "more": dict(self.more),
        }


def _times(ours: float, bare: float) -> float | None:
    """None where the bare one took nothing that could be measured."""
    return round(ours / bare, 2) if bare else None


def publish(figures: Figures) -> None:
    """One line of JSON for programs on stdout, a few lines for people on stderr."""
    print(json.dumps(figures.as_json(), ensure_ascii=False), flush=True)
    tell(f"\n{figures.benchmark}, {figures.unit}")
    for each in (figures.ours, figures.bare):
        tell(f"  p50 {each.p50:8.2f}  p99 {each.p99:8.2f}  n {each.n:5}  {each.what}")
    tell(f"  ratio of the p50s {figures.ratio}")
    for goal in figures.goals:
        mark = "met   " if goal.met else "MISSED"
        tell(f"  {mark} {goal.what}: {goal.figure:.2f} (goal: below {goal.below:g})")
    for name, value in figures.more.items():
        tell(f"  {name}: {json.dumps(value, ensure_ascii=False)}")


def tell(line: str) -> None:
    """A line for whoever watches."""
    print(line, file=sys.stderr, flush=True)
