"""Arrivals are dealt with: each chat in order, by one of all processes, whatever goes wrong."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from core.arrivals import Arrival, chat_of, store
from core.arriving import Arriving
from core.chores import Chores
from core.errors import TryLater
from tests.core.house import Office, seen
from tests.core.test_arrivals import event, keys, room


@dataclass
class Notes:
    """What the hands of all processes did, in order. `within` is done while an arrival is."""

    noticed: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)
    gave_up: list[str] = field(default_factory=list)
    at_work: Counter[str] = field(default_factory=Counter)
    gather: timedelta = timedelta(0)
    together: bool = False
    within: Callable[[Arrival], Awaitable[object]] | None = None


@dataclass
class Process:
    """One process that deals with what arrives."""

    office: Office
    notes: Notes
    chores: Chores = field(default_factory=Chores)

    def __post_init__(self) -> None:
        self.arriving = Arriving(self.office.house.engine, "wall", self, self.chores)

    async def noticed(self, arrival: Arrival) -> None:
        self.notes.noticed.append(arrival.key)

    async def patience(self, arrivals: Sequence[Arrival]) -> timedelta:
        return self.notes.gather

    async def handle(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        notes, first = self.notes, arrivals[0]
        notes.tried[first.key] += 1
        notes.at_work[first.chat] += 1
        assert notes.at_work[first.chat] == 1
        try:
            if notes.within is not None:
                await notes.within(first)
        finally:
            notes.at_work[first.chat] -= 1
        run = arrivals if notes.together else arrivals[:1]
        notes.done.append("+".join(arrival.key for arrival in run))
        return run

    async def gave_up(self, arrivals: Sequence[Arrival], error_id: str) -> None:
        self.notes.gave_up.append(arrivals[0].key)
        raise ConnectionError("nobody can be told")

    async def take(self, *given: object, **more: object) -> None:
        """Store an event and deal with it, as whoever took the delivery does."""
        self.arriving.came(
            await store(self.office.house.engine, [event(self.office, *given, **more)])
        )


async def overdue(office: Office) -> None:
    await office.execute("update arrivals set next_at = now() where state = 'received'")


async def test_what_came_is_dealt_with_at_once_and_once(office: Office) -> None:
    notes = Notes()
    one, other = Process(office, notes), Process(office, notes)

    await asyncio.gather(*(each.take("e") for each in (one, other, one, other)))
    await seen(lambda: notes.done)

    assert (notes.done, notes.noticed) == (["e"], ["e"])
    await one.chores.close()
    await other.chores.close()
    assert await keys(office, "done") == ["e"]


async def test_a_chat_is_dealt_with_in_order_and_others_beside_it(office: Office) -> None:
    notes = Notes()
    processes = [Process(office, notes) for _ in range(3)]
    gate = asyncio.Event()

    async def slowly(arrival: Arrival) -> None:
        if arrival.chat == "R":
            await gate.wait()

    notes.within = slowly
    for n in range(9):
        await processes[n % 3].take(f"{n}", at=n)
    await processes[0].take("S", chat="S")
    await seen(lambda: "S" in notes.done)
    assert notes.done == ["S"]

    gate.set()
    await seen(lambda: len(notes.done) == 10)

    assert notes.done[1:] == [f"{n}" for n in range(9)]
    for process in processes:
        await process.chores.close()


async def test_messages_in_a_row_are_waited_for_and_handed_over_together(office: Office) -> None:
    notes = Notes(gather=timedelta(seconds=0.3), together=True)
    process, other = Process(office, notes), Process(office, notes)

    await process.take("a", at=0)
    await asyncio.sleep(0.15)
    await other.take("b", at=1)
    assert notes.done == []
    await seen(lambda: notes.done)

    assert notes.done == ["a+b"]
    await process.chores.close()
    await other.chores.close()
    assert await keys(office, "done") == ["a", "b"]


async def test_an_event_that_nobody_can_handle_is_tried_three_times_and_the_next_goes_on(
    office: Office,
) -> None:
    notes = Notes()
    process = Process(office, notes)

    async def stumble(arrival: Arrival) -> None:
        if arrival.key == "poison":
            raise KeyError("poison")

    notes.within = stumble
    await process.take("poison", at=0)
    await process.take("next", at=1)
    while not notes.done:  # it is put off for a while each time
        await asyncio.sleep(0.05)
        await overdue(office)
        process.arriving.look(room(office))

    assert notes.done == ["next"]
    assert notes.tried["poison"] == 3
    assert notes.gave_up == ["poison"]
    assert await keys(office, "failed") == ["poison"]
    row = await office.row("select error, body::text as body from arrivals where key='poison'", {})
    assert row.error.endswith("KeyError('poison')")
    assert row.body == "{}"
    await process.chores.close()


async def test_what_is_busy_is_tried_again_as_often_as_it_takes(office: Office) -> None:
    notes = Notes()
    process = Process(office, notes)

    async def busy(arrival: Arrival) -> None:
        if notes.tried["e"] < 6:
            raise TryLater("busy", timedelta(milliseconds=20))

    notes.within = busy
    await process.take("e", at=0)
    await process.take("next", at=1)
    await seen(lambda: len(notes.done) == 2)

    assert notes.done == ["e", "next"]
    assert notes.gave_up == []
    await process.chores.close()


async def test_what_was_busy_for_a_day_is_given_up(office: Office) -> None:
    notes = Notes()
    process = Process(office, notes)

    async def busy(arrival: Arrival) -> None:
        raise TryLater("busy")

    notes.within = busy
    await store(office.house.engine, [event(office, "e")])
    await office.execute("update arrivals set received_at = now() - interval '25 hours'")
    process.arriving.look(room(office))
    await seen(lambda: notes.gave_up)

    await process.chores.close()
    assert await keys(office, "failed") == ["e"]


async def test_what_a_dead_process_left_is_found_by_whoever_sweeps(office: Office) -> None:
    notes = Notes()
    process = Process(office, notes)
    # One died between storing and handling, another while it was at it.
    await store(office.house.engine, [event(office, "stored")])
    await store(office.house.engine, [event(office, "held", chat="S")])
    await office.execute("update arrivals set next_at = now() where state = 'received'")
    await office.execute(
        "update arrivals set attempts = 1, lease_until = now() - interval '1 second'"
        " where key = 'held'"
    )

    sweeping = asyncio.create_task(process.arriving.sweep())
    await seen(lambda: len(notes.done) == 2)

    assert sorted(notes.done) == ["held", "stored"]
    sweeping.cancel()
    await process.chores.close()


async def test_an_event_that_ends_each_process_is_given_up(office: Office) -> None:
    notes = Notes()
    process = Process(office, notes)
    await store(office.house.engine, [event(office, "deadly")])
    await office.execute(
        "update arrivals set attempts = 3, lease_until = now() - interval '1 second'"
    )

    process.arriving.look(room(office))
    await seen(lambda: notes.gave_up)

    assert notes.tried["deadly"] == 0
    await process.chores.close()
    assert await keys(office, "failed") == ["deadly"]


async def test_a_process_that_ends_gives_its_chat_back_untouched(office: Office) -> None:
    notes = Notes()
    ending, next_one = Process(office, notes), Process(office, notes)

    async def hang(arrival: Arrival) -> None:
        await asyncio.Event().wait()

    notes.within = hang
    await ending.take("e")
    await seen(lambda: notes.tried["e"])
    await ending.chores.close(patience=0.01)
    notes.within = None

    next_one.arriving.look(chat_of(event(office, "e")))
    await seen(lambda: notes.done)

    row = await office.row("select attempts from arrivals", {})
    assert row.attempts == 1
    await next_one.chores.close()
