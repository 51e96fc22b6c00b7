"""What a process remembers of the deliveries it was asked about, and who made one in time."""

import asyncio
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core import phrases
from core.errors import TryLater
from core.house import House
from core.inbound import Sender
from core.intake import PATIENCE
from core.people import Person, who

log = structlog.get_logger()

_REMEMBERED = 10_000


class DatabaseAway(TryLater):
    """It is not known who this is: nothing was taken in."""

    def __init__(self) -> None:
        super().__init__(phrases.NOT_TAKEN)


@dataclass(frozen=True, slots=True)
class FirstTimes:
    """The latest keys of deliveries, for what leaves no trace in the database: strangers, and a
    database that is away."""

    _told: dict[str, None] = field(default_factory=dict)

    def take(self, key: str) -> bool:
        """Whether this process is asked about a delivery for the first time."""
        if key in self._told:
            return False
        while len(self._told) >= _REMEMBERED:
            del self._told[next(iter(self._told))]
        self._told[key] = None
        return True


async def who_in_time(house: House, sender: Sender) -> Person | None:
    """Who it is; None for a stranger. Raises DatabaseAway where that can't be told in time."""
    try:
        async with asyncio.timeout(PATIENCE), house.engine.connect() as connection:
            return await who(connection, sender)
    except (TimeoutError, OSError, SQLAlchemyError) as error:
        log.error(f"{sender.platform}.database_away", error=repr(error))
        raise DatabaseAway from error
