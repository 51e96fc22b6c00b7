"""What is asked for and what goes wrong, drawn from a seed: the same seed gives the same plan."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

ALWAYS = (
    "web: before commit of task received",
    "web: after commit of task received",
    "web: after commit of approval decided",
    "worker: before commit of task started",
    "worker: after commit of task started",
    "worker: before commit of step finished read",
    "worker: after commit of step finished price",
    "worker: before chat.postMessage",
    "worker: after chat.postMessage",
    "worker: amid the bytes of an upload",
    "worker: before google append",
    "worker: after google append",
)
"""Points of every kind: before and after commits, between commit and answer, intent and effect,
effect and outcome, in the middle of an upload."""

DOORS = ("command", "mention", "both events", "direct", "console", "api")
FATES = (
    *("approved",) * 8,
    *("approved by copies",) * 2,
    "approved by a storm",
    "rejected",
    "asked back",
    "cancelled",
)
REQUESTERS = ("tanaka", "inoue", "kimura", "hayashi", "shimizu")
CHANNELS = ("C1", "C2", "C3", "C4", "C5", "C6")

_CUSTOMERS = ("株式会社ABC商事", "山川製作所", "みなと企画", "髙﨑組", "さくら会")
_ITEMS = ("モニター{n}台", "キーボード{n}個", "マウス{n}個", "チェア{n}脚", "お茶{n}ケース")


@dataclass(frozen=True, slots=True)
class Request:
    """Something a person asks for. `copies`: seconds after which the delivery comes once more."""

    number: int
    after: float
    door: str
    person: str
    channel: str
    text: str
    fate: str
    copies: tuple[float, ...]

    @property
    def marker(self) -> str:
        """What tells its task from all others."""
        return marker(self.number)


OVERTAKEN = "freeze until overtaken at"
"""A blow whose `seconds` are the least: it lasts until another stands still at the same point."""


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing that goes wrong. `at` names a point, a server or a method of Slack."""

    kind: str
    at: str = ""
    pause: float = 1.0
    seconds: float = 0.0

    def __str__(self) -> str:
        length = f" for {self.seconds:g} s" if self.seconds else ""
        return f"{self.kind} {self.at}{length}".strip()


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole run."""

    seed: int
    requests: Sequence[Request]
    blows: Sequence[Blow]


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it. None stands for each.

    `points` and `web_points`: how many of the named points beside those that are always attacked;
    `outside`: how many of the faults of Slack and of Google. `pause` and `zombie` in seconds.
    """

    tasks: int
    points: int | None = None
    web_points: int | None = None
    pause: float = 1.0
    zombie: float = 15.0
    outside: int | None = None
    doors: Sequence[str] = DOORS
    fates: Sequence[str] = FATES


def marker(number: int) -> str:
    return f"K{number:04d}"


def draw(seed: int, size: Size, points: Sequence[str], blows: Sequence[Blow] | None = None) -> Plan:
    """A plan. `points` are the named points that exist; `blows`, where given, are not drawn."""
    rng = random.Random(seed)
    blows = _blows(rng, size, sorted(points)) if blows is None else blows
    length = sum(blow.pause for blow in blows) * 1.3  # some take longer
    # Some come together and some alone, as people do, all along the blows.
    moments = sorted(rng.uniform(0, max(length, size.tasks * 0.2)) for _ in range(size.tasks))
    requests = [request(rng, number, at, size) for number, at in enumerate(moments, start=1)]
    return Plan(seed, requests, blows)


def request(rng: random.Random, number: int, after: float, size: Size) -> Request:
    fate = rng.choice(size.fates)
    door = rng.choice(size.doors)
    person = rng.choice(REQUESTERS)
    items = [item.format(n=rng.randint(1, 40)) for item in rng.sample(_ITEMS, rng.randint(1, 3))]
    if fate == "asked back":
        items = ["ノートPC 2台"]  # 14 or 16 inches?
    text = f"見積 {rng.choice(_CUSTOMERS)} {' '.join(items)} 備考: {marker(number)}"
    copies = tuple(round(rng.uniform(0, 4), 2) for _ in range(rng.randint(1, 3)))
    return Request(number, round(after, 2), door, person, rng.choice(CHANNELS), text, fate, copies)


def _blows(rng: random.Random, size: Size, points: Sequence[str]) -> list[Blow]:
    of_web = _points(rng, [p for p in points if p.startswith("web: ")], size.web_points)
    of_workers = _points(rng, [p for p in points if p.startswith("worker: ")], size.points)
    blows = [Blow("kill", point, size.pause) for point in [*of_web, *of_workers]]
    blows += [Blow("freeze at", p, size.pause, size.zombie) for p in _frozen(rng, points)]
    blows += [Blow("freeze", "a worker", size.pause, size.zombie), *_of_servers(size)]
    blows += [Blow("restart", "all workers", size.pause), Blow("kill", "a worker", size.pause)]
    blows += _some(rng, _of_slack(size), size.outside)
    blows += _some(rng, _of_google(size), size.outside)
    rng.shuffle(blows)
    # Long enough that a person has to be asked what became of an entry; while others still come.
    blows.insert(rng.randint(0, len(blows) // 2), Blow("lose", "the ledger", size.pause, 25.0))
    return blows


def _points(rng: random.Random, points: list[str], many: int | None) -> list[str]:
    """Those that are always attacked, and some of the others."""
    always = [point for point in points if point in ALWAYS]
    return always + _some(rng, [point for point in points if point not in ALWAYS], many)


def _frozen(rng: random.Random, points: Sequence[str]) -> list[str]:
    """Where a worker stands still until others have gone on: in a walk, and in a transaction."""
    kinds = (("after commit of step", "after commit of task"), ("before commit of step",))
    found = [[p for p in points if any(words in p for words in kind)] for kind in kinds]
    return [point for fit in found for point in _some(rng, fit, 1)]


def _some(rng: random.Random, of: list[T], many: int | None) -> list[T]:
    return of if many is None else rng.sample(of, min(many, len(of)))


def _of_servers(size: Size) -> list[Blow]:
    return [
        Blow("wipe", "valkey", size.pause),
        Blow("kill", "valkey", size.pause * 2),
        Blow("kill", "postgres", size.pause * 3),
        Blow("stop", "postgres", size.pause * 3),
        Blow("stall", "postgres", size.pause + 2, 2.0),
        Blow("stall", "valkey", size.pause + 2, 2.0),
        Blow("stall", "slack", size.pause + 2, 2.0),
        Blow("stall", "google", size.pause + 2, 2.0),
    ]


SLACK_FAULTS = ("429", "500", "500 after", "reset", "hang after")
"""What Slack does. `after` and `reset`: the thing is done, and only the answer is spoilt."""


def _of_slack(size: Size) -> list[Blow]:
    methods = ("chat.postMessage", "chat.update", "files.completeUploadExternal")
    return [
        *(Blow(fault, method, size.pause / 2) for method in methods for fault in SLACK_FAULTS),
        Blow("500", "upload", size.pause / 2),
        Blow("429", "files.getUploadURLExternal", size.pause / 2),
        Blow("hang", "chat.postMessage", size.pause / 2),
    ]


GOOGLE_FAULTS = ("429", "500", "500 after", "reset after", "hang after")


def _of_google(size: Size) -> list[Blow]:
    return [Blow(fault, "the ledger", size.pause) for fault in GOOGLE_FAULTS]
