"""Promises of the copy of a catalogue, where no service is needed to show them."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.catalogue import Catalogue, Item
from core.catalogue_cache import CatalogueCache, Policy
from core.errors import Permanent
from core.words import Words, same

POLICY = Policy(
    ttl=timedelta(seconds=60),
    zone=ZoneInfo("Asia/Tokyo"),
    outage=same("as of {at}"),
    patience=timedelta(seconds=0.05),
)
START = datetime(2026, 11, 25, 1, 32, tzinfo=UTC)


class Slow:
    """A source that answers once it is let, and a clock."""

    def __init__(self) -> None:
        self.now = START
        self.let = asyncio.Event()
        self.let.set()
        self.broken = False

    async def fetch(self) -> Catalogue:
        await self.let.wait()
        if self.broken:
            raise Permanent("mend me")
        return Catalogue((Item("A", "a", (), "", 1, 10),), (), self.now)

    def clock(self) -> datetime:
        return self.now


async def test_a_slow_source_is_not_waited_for_where_there_is_a_copy() -> None:
    source = Slow()
    cache = CatalogueCache(source.fetch, POLICY, source.clock)
    await cache.read()
    source.let.clear()
    source.now += timedelta(hours=1)

    late = await cache.read()
    source.let.set()
    fresh = await cache.read()

    assert (late.read_at, late.note) == (
        START,
        Words(ja="as of 11/25 10:32", en="as of 2026-11-25 10:32", zh="as of 11/25 10:32"),
    )
    assert (fresh.read_at, fresh.note) == (source.now, None)


async def test_a_slow_source_is_waited_for_where_the_last_reading_was_broken() -> None:
    source = Slow()
    cache = CatalogueCache(source.fetch, POLICY, source.clock)
    await cache.read()
    source.broken = True
    source.now += timedelta(hours=1)
    with pytest.raises(Permanent, match="mend me"):
        await cache.read()

    source.broken = False
    source.let.clear()
    reading = asyncio.create_task(cache.read())
    await asyncio.sleep(0.2)
    source.let.set()

    assert (await reading).note is None


async def test_a_clock_that_was_set_back_does_not_keep_an_old_copy_alive() -> None:
    source = Slow()
    cache = CatalogueCache(source.fetch, POLICY, source.clock)
    await cache.read()
    source.now -= timedelta(hours=1)

    assert (await cache.read()).read_at == source.now


async def test_closing_stops_what_is_being_asked() -> None:
    source = Slow()
    cache = CatalogueCache(source.fetch, POLICY, source.clock)
    await cache.read()
    source.let.clear()
    source.now += timedelta(seconds=61)
    await cache.read()

    await cache.close()

    assert "catalogue refresh" not in {task.get_name() for task in asyncio.all_tasks()}
