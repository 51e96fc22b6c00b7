"""What the people of a run saw, and what was done to the machines: the checker's third witness."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Asked:
    """One request as its sender saw it. Times are `time.time()`."""

    number: int
    door: str
    fate: str
    first_at: float
    deliveries: int = 0
    answers: list[str] = field(default_factory=list)
    acknowledged_at: float | None = None
    denied_at: list[float] = field(default_factory=list)
    """When the sender was told that nothing was taken in."""


@dataclass(slots=True)
class Hit:
    """A blow as it was dealt. `down` to `back` is how long somebody was away."""

    what: str
    kind: str
    down: float
    back: float | None = None
    pid: int | None = None
    dealt: bool = True


@dataclass(slots=True)
class Journal:
    """One run. `tell` shows a line to whoever watches."""

    tell: Callable[[str], None]
    started: float = field(default_factory=time.time)
    asked: dict[int, Asked] = field(default_factory=dict)
    hits: list[Hit] = field(default_factory=list)
    clicks: int = 0
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Something to read when a run is looked into."""
        line = f"{time.time() - self.started:7.2f} {text}"
        self.notes.append(line)
        self.tell(line)

    def hit(self, what: str, kind: str, pid: int | None = None) -> Hit:
        hit = Hit(what, kind, time.time(), pid=pid)
        self.hits.append(hit)
        self.note(what)
        return hit
