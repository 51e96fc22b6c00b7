"""Faults on demand."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `times` calls of an operation (`*`: of any).

    `after`: the call is accepted and done first, and only its answer is lost. `reset`: no answer
    at all, the connection is cut. `hang`: seconds before anything happens, or with `after` before
    the answer. Without status or reset the call is answered as usual after the hang.
    `channel`: only calls about this channel's id count. `via=False`: a 429 of Cloudflare,
    which shuts our address out. `everywhere`: the 429 is one of the global limit.
    """

    operation: str
    status: int | None = None
    code: int = 0
    message: str = ""
    retry_after: float = 0.05
    hang: float = 0.0
    reset: bool = False
    after: bool = False
    times: int = 1
    channel: str | None = None
    everywhere: bool = False
    via: bool = True

    def meets(self, operation: str, channel: str | None) -> bool:
        """Whether it is this call that goes wrong."""
        named = self.operation in (operation, "*") and self.channel in (channel, None)
        return named and self.times > 0

    @property
    def spoils(self) -> bool:
        """Whether the usual answer is replaced."""
        return self.reset or self.status is not None


@dataclass(slots=True)
class Faults:
    """The faults still to come, in order of asking."""

    waiting: list[Fault] = field(default_factory=list)

    def take(self, operation: str, channel: str | None = None) -> Fault | None:
        for fault in self.waiting:
            if fault.meets(operation, channel):
                fault.times -= 1
                return fault
        return None
