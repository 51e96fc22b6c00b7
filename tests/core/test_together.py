"""Doing together what many ask for at once: nobody waits alone, and nobody pays for another."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from sqlalchemy.exc import DBAPIError

from core.together import Together


@dataclass
class Kitchen:
    """Doubles numbers, a turn at a time; 13 is more than it can do."""

    served: list[list[int]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    dropped: int = 0
    lost: bool = False

    async def work(self, items: Sequence[int]) -> Sequence[int]:
        self.served.append(list(items))
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.dropped += 1
            raise
        if 13 in items:
            raise DBAPIError(None, None, ValueError("13"), connection_invalidated=self.lost)
        return [item * 2 for item in items]


async def asked(
    kitchen: Kitchen, together: Together[int, int], items: Sequence[int]
) -> list[asyncio.Task[int]]:
    asking = [asyncio.create_task(together.do(kitchen.work, item)) for item in items]
    await asyncio.sleep(0.01)
    return asking


async def test_the_first_are_served_at_once_and_the_rest_together() -> None:
    kitchen, together = Kitchen(), Together[int, int]()
    asking = await asked(kitchen, together, range(10))

    assert kitchen.served == [[0], [1]]
    kitchen.open.set()

    assert await asyncio.gather(*asking) == [item * 2 for item in range(10)]
    assert kitchen.served == [[0], [1], [2, 3, 4, 5, 6, 7, 8, 9]]


async def test_no_turn_is_larger_than_it_may_be() -> None:
    kitchen, together = Kitchen(), Together[int, int]()
    asking = await asked(kitchen, together, range(100, 200))
    kitchen.open.set()

    assert await asyncio.gather(*asking) == [item * 2 for item in range(100, 200)]
    assert max(len(turn) for turn in kitchen.served) == 20


async def test_what_can_not_be_done_is_nobody_elses_fault() -> None:
    kitchen, together = Kitchen(), Together[int, int]()
    asking = await asked(kitchen, together, [1, 2, 13, 4, 5])
    kitchen.open.set()

    answers = await asyncio.gather(*asking, return_exceptions=True)

    assert [answers[i] for i in (0, 1, 3, 4)] == [2, 4, 8, 10]
    assert isinstance(answers[2], DBAPIError)


async def test_a_lost_connection_is_told_to_everybody_in_the_turn() -> None:
    kitchen, together = Kitchen(lost=True), Together[int, int]()
    asking = await asked(kitchen, together, [1, 2, 13, 4])
    kitchen.open.set()

    answers = await asyncio.gather(*asking, return_exceptions=True)

    assert answers[:2] == [2, 4]
    assert all(isinstance(answer, DBAPIError) for answer in answers[2:])


async def test_who_gives_up_is_not_served_behind_their_back_and_the_others_are() -> None:
    kitchen, together = Kitchen(), Together[int, int]()
    alone = await asked(kitchen, together, [30, 31])
    queued = await asked(kitchen, together, [32, 33])
    queued[0].cancel()  # before its turn
    alone[0].cancel()  # amid it
    await asyncio.sleep(0.01)

    assert kitchen.dropped == 1
    assert kitchen.served == [[30], [31], [33]]
    kitchen.open.set()
    assert await asyncio.gather(alone[1], queued[1]) == [62, 66]


async def test_a_turn_whose_one_gave_up_is_done_again_for_the_others() -> None:
    kitchen, together = Kitchen(), Together[int, int]()
    alone = await asked(kitchen, together, [1, 2])
    queued = await asked(kitchen, together, [3, 4, 5])
    alone[0].cancel()  # the turn of the three begins
    await asyncio.sleep(0.01)
    queued[1].cancel()
    await asyncio.sleep(0.01)
    kitchen.open.set()

    assert await asyncio.gather(alone[1], queued[0], queued[2]) == [4, 6, 10]
    assert kitchen.served == [[1], [2], [3, 4, 5], [3, 5]]


async def test_any_other_error_reaches_whoever_asked() -> None:
    async def broken(items: Sequence[int]) -> Sequence[int]:
        raise KeyError(items[0])

    with pytest.raises(KeyError):
        await Together[int, int]().do(broken, 1)
