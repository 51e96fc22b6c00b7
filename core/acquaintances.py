"""Whom this process has met: so that who asks need not be looked up before each request.

It is what they were when last asked for. Whoever goes by it has the database confirm it with the
very statement that acts on it, and asks anew where it does not (core/begin.py, core/intake.py).
"""

from core.house import House
from core.inbound import Sender
from core.people import Person, who

_REMEMBERED = 10_000


async def met(house: House, sender: Sender) -> Person | None:
    """Who has this account, as far as is known; None for a stranger."""
    return house.met.get(sender) or await meet(house, sender)


async def meet(house: House, sender: Sender) -> Person | None:
    """Who has this account at this moment."""
    async with house.engine.connect() as connection:
        person = await who(connection, sender)
    house.met.pop(sender, None)
    if person is not None:
        remember(house, sender, person)
    return person


def remember(house: House, sender: Sender, person: Person) -> None:
    """Who has this account, as was just read."""
    if sender not in house.met and len(house.met) >= _REMEMBERED:
        del house.met[next(iter(house.met))]
    house.met[sender] = person
