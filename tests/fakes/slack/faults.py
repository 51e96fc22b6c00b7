"""Faults on demand, and the pace at which Slack lets an app write."""

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `times` calls of a method.

    `after`: the call is done first, and only its answer is lost. `reset`: no answer at all, the
    connection is cut. `hang`: seconds before anything happens, or with `after` before the answer.
    Without status, error or reset the call is answered as usual after the hang.
    `channel`: only calls about it count.
    """

    method: str
    status: int | None = None
    error: str | None = None
    retry_after: int | None = None
    hang: float = 0.0
    reset: bool = False
    after: bool = False
    times: int = 1
    channel: str | None = None

    def meets(self, method: str, channel: object) -> bool:
        """Whether it is this call that goes wrong."""
        named = self.method in (method, "*") and self.channel in (channel, None)
        return named and self.times > 0

    @property
    def spoils(self) -> bool:
        """Whether the usual answer is replaced."""
        return self.reset or self.status is not None or self.error is not None


@dataclass(slots=True)
class Faults:
    """The faults still to come, in order of asking. The method `*` stands for any."""

    waiting: list[Fault] = field(default_factory=list)

    def take(self, method: str, channel: object = None) -> Fault | None:
        for fault in self.waiting:
            if fault.meets(method, channel):
                fault.times -= 1
                return fault
        return None


@dataclass(slots=True)
class Bucket:
    """So many at once, then so many a second."""

    burst: float
    per_second: float
    level: float = 0.0
    at: float = 0.0

    def take(self) -> float:
        """Take one. Gives 0, or the seconds after which one may be taken."""
        now = time.monotonic()
        self.level = max(0.0, self.level - (now - self.at) * self.per_second)
        self.at = now
        if self.level + 1 > self.burst:
            return (self.level + 1 - self.burst) / self.per_second
        self.level += 1
        return 0.0


@dataclass(slots=True)
class Pace:
    """Slack's limits for writing: about one message a second in a channel (with a short burst),
    and 50 updates a minute in a workspace (tier 3). Off unless a test turns it on."""

    on: bool = False
    buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)

    def wait(self, method: str, team_id: str, channel: str) -> float:
        """The seconds to wait before this call, 0 if it may go on."""
        if not self.on or method not in ("chat.postMessage", "chat.update"):
            return 0.0
        if method == "chat.update":
            bucket = self.buckets.setdefault((method, team_id), Bucket(50, 50 / 60))
        else:
            bucket = self.buckets.setdefault((method, channel), Bucket(3, 1))
        return bucket.take()
