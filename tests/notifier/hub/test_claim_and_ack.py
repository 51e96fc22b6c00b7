"""A worker that takes a dispatch in hand, and somebody who acknowledges its notice just then."""

import asyncio
from typing import Any

from core.acknowledging import acknowledge
from core.db import fetch_all
from core.notices import Notice, Recipient, publish
from core.unit import unit
from notifier.hub import preparing
from notifier.hub.claiming import claim
from notifier.hub.fanning import fan_out_due
from tests.core.house import Office


async def _blocked(office: Office) -> None:
    """Until somebody waits for a lock."""
    async with office.house.engine.connect() as connection, asyncio.timeout(5):
        waits = "select 1 from pg_locks where not granted"
        while not await fetch_all(connection, waits, {}):  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.005)


async def test_they_never_wait_for_each_other(office: Office) -> None:
    organisation = office.organisation.id
    to = (Recipient("person", str(office.boss.id)),)
    async with unit(office.house) as work:
        notice_id = await publish(work, organisation, Notice("alert.disk", to))
    await fan_out_due(office.house)

    async def press() -> Any:
        async with unit(office.house) as work:
            return await acknowledge(work, organisation, notice_id, office.boss.id, "pressed")

    async with unit(office.house) as work:
        claimed = await claim(work, "wall", "w1", [], 10, 10)
        assert len(claimed) == 1
        pressing = asyncio.create_task(press())
        await _blocked(office)
        ready = await preparing.prepare(work, office.house, claimed, changes=True, repeats=True)
    assert (await pressing).first
    assert list(ready) == []
    row = await office.row("select state, reason, sending_revision from dispatches", {})
    assert (row.state, row.reason, row.sending_revision) == ("dropped", "acknowledged", None)
