"""What every worker does beside its lanes: notices become dispatches, dispatches are sent.

Woken by PostgreSQL after each commit that made some (core/wakes.py); what was missed is found by
looking every few seconds.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial

import structlog

from core.channel import Channel
from core.notices import WAKES
from core.platform import Opening
from core.wakes import listening
from notifier.hub.climbing import climb_due
from notifier.hub.digesting import close_due
from notifier.hub.fanning import fan_more, fan_out_due

log = structlog.get_logger()

LOOKS_EVERY = 2.0
"""Seconds."""


async def work_on_notices(opening: Opening, channels: Mapping[str, Channel]) -> None:
    """Run until cancelled."""
    woken = asyncio.Event()
    while True:
        try:
            async with listening(opening.house, WAKES, lambda *_: woken.set()) as driver:
                while not driver.is_closed():
                    woken.clear()
                    await look(opening)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOKS_EVERY):
                            await woken.wait()
        except Exception:  # the database is away, or anything else: it goes on when it is back
            log.exception("hub.broke_off")
            await asyncio.sleep(LOOKS_EVERY)


async def look(opening: Opening) -> None:
    """Do what is due: rungs that nobody answered, digests, and whoever has not been told yet."""
    house, chosen = opening.house, opening.settings.notify
    await climb_due(house, partial(fan_more, house=house))
    await close_due(house, chosen.digest_items)
    await fan_out_due(house, chosen.group_minutes)
