"""What every call to a provider passes: not faster than it likes, and not while it is away.

The house has one gate (notifier/hub/gate.py behind it); without one, everything passes at once.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Paces:
    """Messages a second that a provider takes of one bot, and in one conversation; 0: it sets no
    such limit. `burst`: so many in one conversation may come at once after a pause."""

    bot: float = 0.0
    conversation: float = 0.0
    burst: int = 1


@runtime_checkable
class Paced(Protocol):
    """A way out whose provider says how fast it may be spoken to."""

    paces: Paces


@dataclass(frozen=True, slots=True)
class Passage:
    """One call on its way. `bot`: whose limits count, and with whom the provider may be out of
    order for one organisation: a workspace, a mailbox, a webhook's place. `conversation`: empty
    where the bot has but one. `paces`: None for a call that does not count."""

    organisation_id: UUID
    channel: str
    bot: str
    method: str
    conversation: str = ""
    paces: Paces | None = None

    @property
    def provider(self) -> str:
        """The name of its circuit."""
        return f"{self.channel}:{self.bot}"


class Gate(Protocol):
    """Lets calls through."""

    def through(self, passage: Passage) -> AbstractAsyncContextManager[None]:
        """Wait for its turn; inside the call is made, and how it ends is seen.

        Raises NotNow where the wait is long or the provider is left alone: nothing was done.
        """
        ...

    async def close(self) -> None:
        """Let what is being written of calls come to its end."""
        ...


class OpenGate:
    """Everything passes at once."""

    @asynccontextmanager
    async def through(self, passage: Passage) -> AsyncIterator[None]:
        """At once."""
        yield

    async def close(self) -> None:
        """There is nothing to close."""
