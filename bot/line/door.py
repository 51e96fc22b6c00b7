"""What every handler of LINE's events has at hand, and how it answers people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from core.arrivals import Arrival
from core.house import House
from core.messages import Message
from core.platform import Opening


class Speaks(Protocol):
    """The way out, as far as the handlers of events use it."""

    async def answer(self, arrival: Arrival, messages: Sequence[Message]) -> None:
        """Answer an event by its own reply token, or by a push where that is spent or too old.

        The same call whatever happens: handled again, an event is answered once. Raises TryLater
        where nothing was said.
        """
        ...

    async def loading(self, workspace: str, chat: str, lasts: timedelta) -> None:
        """Show the loading animation in a one-to-one chat. Raises as `answer` does."""
        ...


@dataclass(frozen=True, slots=True)
class Door:
    """The ways in of one process."""

    house: House
    outbound: Speaks
    opening: Opening
