"""Faults on demand."""

from dataclasses import dataclass, field

from tests.fakes.line.limits import QUOTA_USED_UP, RATE_LIMITED


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `times` calls of an operation (`*`: of any).

    `after`: the call is accepted and done first, and only its answer is lost. `reset`: no answer
    at all, the connection is cut. `hang`: seconds before anything happens, or with `after` before
    the answer. Without status or reset the call is answered as usual after the hang.
    `chat`: only calls about this chat's id count. A 429 is one of the rate unless `quota`.
    """

    operation: str
    status: int | None = None
    message: str | None = None
    hang: float = 0.0
    reset: bool = False
    after: bool = False
    quota: bool = False
    times: int = 1
    chat: str | None = None

    def meets(self, operation: str, chat: str | None) -> bool:
        """Whether it is this call that goes wrong."""
        named = self.operation in (operation, "*") and self.chat in (chat, None)
        return named and self.times > 0

    @property
    def spoils(self) -> bool:
        """Whether the usual answer is replaced."""
        return self.reset or self.status is not None

    @property
    def words(self) -> str:
        """The message in the body of the answer."""
        if self.message is None and self.status == 429:
            return QUOTA_USED_UP if self.quota else RATE_LIMITED
        return self.message or "Internal server error"


@dataclass(slots=True)
class Faults:
    """The faults still to come, in order of asking."""

    waiting: list[Fault] = field(default_factory=list)

    def take(self, operation: str, chat: str | None = None) -> Fault | None:
        for fault in self.waiting:
            if fault.meets(operation, chat):
                fault.times -= 1
                return fault
        return None
