"""What LINE delivered, on its way to its handlers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.line import events
from bot.line.door import Door
from core.arrivals import Arrival


@dataclass(frozen=True, slots=True)
class LineHands:
    """The handlers of LINE's events, as `core.arriving` uses them."""

    door: Door

    async def noticed(self, arrival: Arrival) -> None:
        await events.noticed(self.door, arrival)

    async def patience(self, arrivals: Sequence[Arrival]) -> timedelta:
        return await events.patience(self.door, arrivals)

    async def handle(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        return await events.handle(self.door, arrivals)

    async def gave_up(self, arrivals: Sequence[Arrival], error_id: str) -> None:
        await events.gave_up(self.door, arrivals, error_id)
