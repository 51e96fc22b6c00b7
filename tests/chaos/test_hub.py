"""A selection of the attack on the hub; `make chaos` makes the whole of it."""

from tests.chaos.hub import SMALL, attack
from tests.core.house import open_office


async def test_nothing_is_lost_doubled_or_held_up(database_url: str, redis_url: str) -> None:
    async with (
        open_office(database_url) as office,
        attack(office, redis_url, SMALL, seed=1) as found,
    ):
        await found.all()
        assert found.wrong == [], found.seen
