"""The lanes: each channel is sent by itself, so that one that hangs costs the others nothing.

A lane takes what is due as long as it has hands free; of one conversation everything is sent in
order, by one hand. Of one company no lane holds more than half of its hands.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from core.db import is_outage
from core.unit import unit
from notifier.hub.claiming import LEASE, Claimed, claim
from notifier.hub.ending import put_aside, write
from notifier.hub.preparing import Ready, prepare
from notifier.hub.sending import AT_MOST, End, Ended, Ways, send

log = structlog.get_logger()

HANDS = 96
"""Acts under way of one lane."""
SHARE = HANDS // 2
"""Of them one company's. It is given more once half of these are done, many by one statement."""
AT_ONCE = 50
"""Dispatches that are taken by one statement."""
WRITES_AT_ONCE = 100
LOOKS_EVERY = 1.0  # seconds, where something is wrong
LOOKS_SOON, LOOKS_AT_LEAST = 0.05, 30.0  # seconds
_WAITS_IN_HAND = 5.0
"""Seconds for which what is not yet its turn is kept in hand."""


@dataclass(slots=True)
class Lane:
    """One channel of one worker."""

    ways: Ways
    channel: str
    owner: str
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    _busy: Counter[UUID] = field(default_factory=Counter)
    _later: float = 0.0
    """When something that it put off is due, by the loop's clock."""
    _careful: int = 0
    """So many are taken one at a time, because one among them is not as it should be."""
    _hands: set[asyncio.Task[None]] = field(default_factory=set)
    _ended: list[Ended] = field(default_factory=list)
    _writing: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Run until cancelled. What is under way then is left to its lease."""
        try:
            while True:
                self.woken.clear()
                taken = await self.take()
                if taken and self._free > 0:
                    continue
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._rests):
                        await self.woken.wait()
        finally:
            await self.stop()

    async def rest(self) -> None:
        """Until all that was taken has come to its end, and that is written."""
        while self._hands or self._writing:
            await asyncio.wait([*self._hands, *self._writing])

    async def stop(self) -> None:
        """Leave what is under way."""
        left = [*self._hands, *self._writing]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @property
    def _rests(self) -> float:
        """Seconds until it looks by itself: when what it put off is due. Else it is woken by
        whoever asks for all lanes what there is to do (notifier/hub/working.py)."""
        left = self._later - time.monotonic()
        return min(max(left, LOOKS_SOON), LOOKS_AT_LEAST) if left > 0 else LOOKS_AT_LEAST

    @property
    def _free(self) -> int:
        return HANDS - self._busy.total()

    async def take(self) -> bool:
        """Take what is due; whether there was anything.

        One with which something is wrong is found by taking one at a time, and put aside.
        """
        busy = [org for org, count in self._busy.items() if count > SHARE // 2]
        room = SHARE - max((n for org, n in self._busy.items() if org not in busy), default=0)
        most = min(1 if self._careful else AT_ONCE, self._free, room)
        if most <= 0:
            return False
        began = time.monotonic()
        claimed: list[Claimed] = []
        try:
            async with unit(self.ways.house) as work:
                in_line = self.ways.in_line(self.channel)
                claimed += await claim(work, self.channel, self.owner, busy, most, in_line)
                changes = self.ways.changes(self.channel)
                repeats = self.ways.repeats(self.channel)
                ready = await prepare(
                    work, self.ways.house, claimed, changes=changes, repeats=repeats
                )
        except Exception as error:
            log.exception("lane.broke_off", channel=self.channel, count=len(claimed))
            if is_outage(error) or not claimed:
                await asyncio.sleep(LOOKS_EVERY)
                return False
            self._careful = max(self._careful, len(claimed))
            if len(claimed) == 1:
                await put_aside(self.ways.house, claimed[0], error)
            return True
        self._careful = max(0, self._careful - len(claimed))
        by_conversation: dict[object, list[Ready]] = {}
        for each in ready:
            by_conversation.setdefault(each.claimed.conversation, []).append(each)
        for mine in by_conversation.values():
            self._begin(mine, began + LEASE.total_seconds())
        return bool(claimed)

    def _begin(self, mine: Sequence[Ready], until: float) -> None:
        self._busy[mine[0].claimed.organisation_id] += len(mine)
        hand = asyncio.create_task(self._send(mine, until))
        self._hands.add(hand)
        hand.add_done_callback(self._hands.discard)

    async def _send(self, mine: Sequence[Ready], until: float) -> None:
        """One conversation's, in order. Where one has to wait, so do those behind it."""
        for place, each in enumerate(mine):
            ended = await self._in_turn(each, until)
            self._end(ended)
            if ended.end in {"later", "not_now", "lost"}:
                for behind in mine[place + 1 :]:
                    self._end(_not_yet(behind, ended))
                return

    async def _in_turn(self, ready: Ready, until: float) -> Ended:
        """Keep it in hand for a little where it only is not its turn yet."""
        while True:
            left = until - time.monotonic() - AT_MOST.total_seconds()
            if left <= 0:
                return _not_yet(ready)
            ended = await send(self.ways, ready)
            wait = ended.after.total_seconds() if ended.after else 0
            if ended.end != "not_now" or wait > min(_WAITS_IN_HAND, left):
                return ended
            await asyncio.sleep(wait)

    # Writing what they came to

    def _end(self, ended: Ended) -> None:
        if ended.end in {"later", "not_now"}:
            wait = ended.after.total_seconds() if ended.after else LOOKS_EVERY
            soon = time.monotonic() + wait + LOOKS_SOON
            over = self._later <= time.monotonic()
            self._later = soon if over else min(self._later, soon)
        self._ended.append(ended)
        if not self._writing:
            writing = asyncio.create_task(self._write_all())
            self._writing.add(writing)
            writing.add_done_callback(self._writing.discard)

    async def _write_all(self) -> None:
        """Those that ended, as many as there are by then, in one transaction."""
        while self._ended:
            mine = self._ended[:WRITES_AT_ONCE]
            self._ended = self._ended[WRITES_AT_ONCE:]
            await self._write(mine)
            # Only now: nothing more is taken than can be written of while it is in hand.
            for each in mine:
                organisation_id = each.ready.claimed.organisation_id
                self._busy[organisation_id] -= 1
                if not self._busy[organisation_id]:
                    del self._busy[organisation_id]
            self.woken.set()  # what comes behind them in their conversations can be taken now

    async def _write(self, mine: Sequence[Ended]) -> None:
        try:
            await write(self.ways.house, self.owner, mine, self.ways.settings.notify.attempts)
        except Exception:
            log.exception("lane.not_written", channel=self.channel, count=len(mine))
            await asyncio.sleep(LOOKS_EVERY)
            if len(mine) == 1:
                return  # its lease runs out, and what became of it is looked for
            for each in mine:
                await self._write([each])


def _not_yet(ready: Ready, before: Ended | None = None) -> Ended:
    """It was not tried, as what is `before` it has to wait. Where it may have been sent by somebody
    else, that is still to be found out: it is not sent anew."""
    end: End = "lost" if ready.again else "not_now"
    if before is None:
        return Ended(ready, end)
    return Ended(ready, end, words=before.words, after=before.after)
