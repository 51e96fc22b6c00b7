"""What every worker does beside its lanes: notices become dispatches, dispatches are sent.

Woken by PostgreSQL after each commit that made some (core/wakes.py); what was missed is found by
looking every few seconds.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from functools import partial

import structlog

from core.channel import Channel
from core.ids import new_id
from core.notices import WAKES
from core.platform import Opening
from core.wakes import listening
from notifier.hub.climbing import climb_due
from notifier.hub.digesting import close_due
from notifier.hub.due import what_is_due
from notifier.hub.elsewhere import turn_those_that_came_back
from notifier.hub.fanning import fan_more, fan_out_due
from notifier.hub.lanes import Lane
from notifier.hub.reports import run_reports
from notifier.hub.sending import Ways

log = structlog.get_logger()

LOOKS_EVERY = 2.0
"""Seconds, for what nobody was woken for."""
CLOCK_EVERY = 5.0
"""Seconds, for what is due by the clock: rungs and digests count in minutes."""


async def work_on_notices(opening: Opening, channels: Mapping[str, Channel]) -> None:
    """Run until cancelled."""
    ways = Ways(opening.house, opening.settings, channels)
    owner = new_id().hex
    lanes = [Lane(ways, name, owner) for name in sorted(ways.names())]
    running = [asyncio.create_task(_kept_up(lane)) for lane in lanes]
    fan = asyncio.Event()
    running.append(asyncio.create_task(_fan_out(opening, fan)))
    running.append(asyncio.create_task(_look(opening)))
    try:
        await _wake(opening, lanes, fan)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _wake(opening: Opening, lanes: Sequence[Lane], fan: asyncio.Event) -> None:
    """Wake whoever has something to do: one question for all of them, so that a hub at rest costs
    next to nothing. Fanning out goes on by itself, as a storm of it may take a while."""
    woken = asyncio.Event()
    by_channel = {lane.channel: lane for lane in lanes}
    while True:
        try:
            async with listening(opening.house, WAKES, lambda *_: woken.set()) as driver:
                while not driver.is_closed():
                    woken.clear()
                    due = await what_is_due(opening.house, by_channel)
                    if due.notices:
                        fan.set()
                    for channel in due.channels:
                        by_channel[channel].woken.set()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOKS_EVERY):
                            await woken.wait()
        except Exception:  # the database is away, or anything else: it goes on when it is back
            log.exception("hub.broke_off")
            await asyncio.sleep(LOOKS_EVERY)


async def _fan_out(opening: Opening, fan: asyncio.Event) -> None:
    """Each batch wakes the hub at its commit."""
    while True:
        await fan.wait()
        fan.clear()
        try:
            await fan_out_due(opening.house, opening.settings.notify.group_minutes)
        except Exception:  # likewise
            log.exception("hub.not_fanned_out")
            await asyncio.sleep(LOOKS_EVERY)


async def _kept_up(lane: Lane) -> None:
    """A lane that breaks in a way that nobody foresaw begins anew."""
    while True:
        try:
            await lane.run()
        except Exception:
            log.exception("lane.ended", channel=lane.channel)
            await asyncio.sleep(LOOKS_EVERY)


async def _look(opening: Opening) -> None:
    """Beside the others: everybody's digests at nine in the morning hold up nothing that is told at
    once."""
    while True:
        try:
            await look(opening)
        except Exception:  # the database is away, or anything else: it goes on when it is back
            log.exception("hub.not_looked")
        await asyncio.sleep(CLOCK_EVERY)


async def look(opening: Opening) -> None:
    """What is due by the clock: unanswered rungs, digests, reports; and what came back."""
    house, chosen = opening.house, opening.settings.notify
    await climb_due(house, partial(fan_more, house=house))
    while await close_due(house, chosen.digest_items):
        pass
    await turn_those_that_came_back(house)
    await run_reports(house, chosen.minutes_saved)
