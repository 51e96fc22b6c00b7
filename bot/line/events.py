"""LINE's events, one chat at a time and in order: which belong together, and what they mean."""

from collections.abc import Sequence
from datetime import timedelta

from bot.line.door import Door
from core.arrivals import Arrival


async def noticed(door: Door, arrival: Arrival) -> None:
    """Show at once that something is being done about an event; nothing depends on it."""


async def patience(door: Door, arrivals: Sequence[Arrival]) -> timedelta:
    """How long after the last of a chat's open arrivals, oldest first, to wait for more of them.

    Zero: deal with them now.
    """
    return timedelta(0)


async def handle(door: Door, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
    """Deal with the first of a chat's open arrivals, and those that are read as one with it.

    Gives those it dealt with: they are done. Handled again, an arrival has the same effect once and
    is answered once. Raises TryLater where it is to be tried again.
    """
    return arrivals[:1]
