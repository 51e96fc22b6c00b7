"""The way of LINE's webhooks into the database; through a file where that does not answer.

What comes while something waits in such files waits behind it, so that everything stays in order.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.line.channels import Channels
from bot.line.reading import is_from_line, read_events, read_webhook
from bot.line.spool import Signed, Spool
from bot.line.tokens import Channel
from core.arrivals import Arrival, Delivered, chat_of, store
from core.arriving import Arriving
from core.chores import Chores
from core.db import is_outage
from core.errors import MiyabiError, TryLater
from core.in_time import within
from core.together import Together

log = structlog.get_logger()

REJECTED = Counter(
    "miyabi_line_rejected", "Webhooks that were refused before anything was stored", ["reason"]
)
SPOOLED = Counter("miyabi_line_spooled", "Webhooks that were kept as files for a while")

PATIENCE = 1.0
"""Seconds in which the database has to take the events of a webhook."""

_ANSWERED_FIRST = 0.002
"""Seconds: what is done about an event begins when LINE has its answer."""

_LOOKED_FOR = 600.0
"""Seconds for which the channel of what is kept is looked for: when it came, nobody could tell."""

_DRAINED_AT_ONCE = 100  # webhooks
_DRAINS_AGAIN = 0.5  # seconds, where the database still does not answer


class Refused(Exception):
    """A webhook is not LINE's, or for none of our channels; the text says in a word why."""


class NotKept(Exception):
    """It could be kept nowhere: LINE is to deliver it again."""


@dataclass
class Inbox:
    """The way in of one process."""

    engine: AsyncEngine
    channels: Channels
    spool: Spool
    arriving: Arriving
    chores: Chores
    _together: Together[Sequence[Delivered], Sequence[Arrival]] = field(default_factory=Together)
    _draining: bool = False

    async def take(self, signed: Signed) -> None:
        """Keep a webhook's events for good, and begin to deal with them.

        Within `PATIENCE` and what the disk takes, whatever stalls. Raises Refused or NotKept.
        """
        said = read_webhook(signed.body)
        if said is None:
            raise Refused("unreadable")
        verified: list[Channel] = []
        try:
            await within(PATIENCE, self._store(signed, said, verified))
        except Exception as error:
            if not _is_away(error):
                raise
            log.warning("line.not_stored", error=repr(error))
            await self._keep(signed, said, verified=bool(verified))

    async def _store(
        self, signed: Signed, said: Mapping[str, Any], verified: list[Channel]
    ) -> None:
        """Into the database; `verified` is told the channel as soon as it is known."""
        channel = await self._channel(signed, said)
        verified.append(channel)
        events = read_events(channel, said)
        if not events:
            return  # the console's "Verify" sends none
        if self.spool.waiting:
            raise TryLater("what came before is not in the database yet")
        arrivals = await self._together.do(self._store_all, events)
        asyncio.get_running_loop().call_later(_ANSWERED_FIRST, self.arriving.came, arrivals)

    async def _channel(self, signed: Signed, said: Mapping[str, Any]) -> Channel:
        """Whose it is. Raises Refused where it is nobody's, or MiyabiError."""
        channel = await self.channels.by_destination(said["destination"])
        if channel is None:
            raise Refused("destination")
        if not is_from_line(channel.secret, signed.body, signed.signature):
            raise Refused("signature")
        return channel

    async def _store_all(
        self, webhooks: Sequence[Sequence[Delivered]]
    ) -> Sequence[Sequence[Arrival]]:
        """One statement for all that came at the same moment; gives each what is new of its own."""
        found = await store(self.engine, [event for events in webhooks for event in events])
        new = {arrival.id: arrival for arrival in found}
        return [[new[event.id] for event in events if event.id in new] for events in webhooks]

    # Where the database does not answer

    async def _keep(self, signed: Signed, said: Mapping[str, Any], *, verified: bool) -> None:
        """As a file. One without events need not be kept, but nobody is told that it was LINE's."""
        if not said["events"]:
            if not verified:
                raise NotKept
            return
        try:
            await self.spool.keep(signed, verified=verified)
        except OSError as error:
            log.error("line.not_kept", error=repr(error))
            raise NotKept from error
        SPOOLED.inc()
        self.drain_later()

    def drain_later(self) -> None:
        """Bring what is kept into the database, now or as soon as it answers."""
        if not self._draining:
            self._draining = True
            self.chores.begin(self._drain())

    async def _drain(self) -> None:
        stuck: set[str] = set()  # whose channel can't be told now; they hold up no other's
        try:
            while self.spool.waiting:
                kept = await self.spool.oldest(_DRAINED_AT_ONCE, stuck)
                try:
                    stuck |= await self._take_out(kept)
                except Exception as error:
                    if not _is_away(error):
                        raise
                    kept = ()
                if not kept:
                    stuck.clear()
                    await asyncio.sleep(_DRAINS_AGAIN if self.spool.waiting else 0)
        finally:
            self._draining = False

    async def _take_out(self, kept: Sequence[Signed]) -> set[str]:
        """Store them in the order in which they came; gives the names of those that have to stay.

        All at once, or one by one where one of them can't be stored.
        """
        stuck: set[str] = set()
        events: dict[str, Sequence[Delivered]] = {}
        for signed in kept:
            try:
                events[signed.name] = await within(PATIENCE, self._events(signed))
            except (MiyabiError, TimeoutError) as error:
                log.warning("line.spool_stuck", why=repr(error))
                stuck.add(signed.name)
        taken = [signed for signed in kept if signed.name in events]
        if len(taken) > 1 and await self._stored(
            each for found in events.values() for each in found
        ):
            await self.spool.remove(taken)
        else:
            for signed in taken:
                if await self._stored(events[signed.name]):
                    await self.spool.remove([signed])
                else:
                    await self.spool.set_aside(signed)
        for chat in dict.fromkeys(chat_of(each) for found in events.values() for each in found):
            self.arriving.look(chat)
        return stuck

    async def _stored(self, events: Iterable[Delivered]) -> bool:
        """Whether they are in the database. Raises what says that it is away."""
        try:
            await store(self.engine, list(events))
        except Exception as error:
            if _is_away(error):
                raise
            log.error("line.spool_refused", error=repr(error))
            return False
        return True

    async def _events(self, signed: Signed) -> Sequence[Delivered]:
        """None of what is not LINE's. Raises MiyabiError where that can't be told."""
        said = read_webhook(signed.body)
        if said is None:
            return ()
        try:
            channel = await self._channel(signed, said)
        except Refused as refused:
            if str(refused) == "destination" and signed.waited < _LOOKED_FOR:
                raise TryLater("its channel may still become known") from refused
            REJECTED.labels(str(refused)).inc()
            log.warning("line.rejected", reason=str(refused), kept=True)
            return ()
        return read_events(channel, said, signed.waited)


def _is_away(error: Exception) -> bool:
    """Whether this is about who should take it, and not about what is to be taken."""
    return isinstance(error, MiyabiError) or is_outage(error)
