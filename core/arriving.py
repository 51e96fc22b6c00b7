"""Deals with what arrived: each chat by one process at a time, in order, until it is done.

Whoever stores an arrival deals with its chat at once. What was left (that process died, the other
side was down) is found by whoever sweeps. What is done twice for that has its effect once: whatever
the hands do goes by the arrival's key.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from core.arrivals import Arrival, Chat, chat_of
from core.chores import Chores
from core.db import is_outage
from core.errors import TryLater
from core.ids import new_id
from core.open_arrivals import (
    LEASE,
    Claimed,
    claim,
    fail,
    finish,
    let_go,
    open_of,
    put_off,
    renew,
    waiting,
)

log = structlog.get_logger()

TRIES = 3
"""How often an arrival is tried to be dealt with before it is given up."""

GIVEN_UP_AFTER = timedelta(days=1)
"""For so long it is tried again where the other side is busy or down."""

HANDLED_WITHIN = 45.0
"""Seconds that a try may take."""

_AT_ONCE = 4
"""Chats of one process that are begun with: it has to take deliveries in meanwhile (with 16 at a
time these had waited three times as long, at 200 events a second)."""

_COUNTED_FOR = 0.1
"""Seconds: what takes longer waits for the platform, and must not keep others from being begun."""

_SWEEPS_EVERY = 2.0  # seconds
_AGAIN = timedelta(seconds=1)
"""Until a chat is looked at again where the database did not answer."""


class Hands(Protocol):
    """A platform's own part: what its arrivals mean."""

    async def noticed(self, arrival: Arrival) -> None:
        """An arrival was stored; nothing depends on this."""
        ...

    async def patience(self, arrivals: Sequence[Arrival]) -> timedelta:
        """How long after the last of a chat's open arrivals to wait for more; zero: deal now."""
        ...

    async def handle(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        """Deal with the first of a chat's open arrivals, and those that are one with it; which.

        Raises TryLater where it is to be tried again.
        """
        ...

    async def gave_up(self, arrivals: Sequence[Arrival], error_id: str) -> None:
        """The first of them is not tried again; the person is told, with the error's id."""
        ...


@dataclass(slots=True)
class _Held:
    """A chat that is dealt with, as long as its lease is renewed."""

    claimed: Claimed

    @property
    def head(self) -> Arrival:
        return self.claimed.arrivals[0]


class Arriving:
    """Deals with the arrivals of one platform, in one process."""

    def __init__(self, engine: AsyncEngine, platform: str, hands: Hands, chores: Chores) -> None:
        self._engine = engine
        self._platform = platform
        self._hands = hands
        self._chores = chores
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._looking: dict[Chat, bool] = {}  # whether to look once more afterwards
        self._timers: dict[Chat, asyncio.TimerHandle] = {}

    def came(self, arrivals: Sequence[Arrival]) -> None:
        """Begin to deal with what was stored a moment ago."""
        for arrival in arrivals:
            self._chores.begin(self._noticed(arrival))
        for chat in dict.fromkeys(map(chat_of, arrivals)):
            self.look(chat)

    def look(self, chat: Chat) -> None:
        """Deal with what is open in a chat, in this process or by whoever has it."""
        if chat in self._looking:
            self._looking[chat] = True
            return
        self._looking[chat] = False
        self._chores.begin(self._see_to(chat))

    async def sweep(self) -> None:
        """Until cancelled, look at what nobody has dealt with in time."""
        while True:
            try:
                for chat in await waiting(self._engine, self._platform):
                    self.look(chat)
            except (SQLAlchemyError, OSError) as error:
                log.warning("arrivals.not_swept", platform=self._platform, error=repr(error))
            await asyncio.sleep(_SWEEPS_EVERY)

    async def _noticed(self, arrival: Arrival) -> None:
        try:
            await self._hands.noticed(arrival)
        except Exception as error:  # nothing depends on it
            log.info("arrival.not_noticed", platform=self._platform, error=repr(error))

    async def _see_to(self, chat: Chat) -> None:
        wait: timedelta | None = None
        try:
            wait = await self._empty(chat)
        except (SQLAlchemyError, OSError) as error:
            log.warning("arrivals.not_seen_to", platform=self._platform, error=repr(error))
            wait = _AGAIN
        finally:
            again = self._looking.pop(chat)
        if again:
            self.look(chat)
        elif wait is not None:
            self._look_after(wait, chat)

    def _look_after(self, wait: timedelta, chat: Chat) -> None:
        """Timers, not tasks: a process that ends does not wait for them; the next one sweeps."""
        if (timer := self._timers.pop(chat, None)) is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._timers[chat] = loop.call_later(wait.total_seconds(), self._due, chat)

    def _due(self, chat: Chat) -> None:
        self._timers.pop(chat, None)
        self.look(chat)

    async def _empty(self, chat: Chat) -> timedelta | None:
        """Deal with all that is open in a chat; gives after how long to look again, if at all."""
        while True:
            found = await open_of(self._engine, chat)
            if found is None or found.held:
                return None
            wait = found.waits or await self._patience(found.arrivals) - found.quiet
            if wait > timedelta(0):
                return wait
            async with self._slot():
                claimed = await claim(self._engine, chat)
                if claimed is None:
                    return None  # whoever has it looks again when it is done
                put_off_for = await self._deal_with(_Held(claimed))
            if put_off_for is not None:
                return put_off_for

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        await self._slots.acquire()
        timer = asyncio.get_running_loop().call_later(_COUNTED_FOR, self._slots.release)
        try:
            yield
        finally:
            if timer.when() > asyncio.get_running_loop().time():
                timer.cancel()
                self._slots.release()

    async def _patience(self, arrivals: Sequence[Arrival]) -> timedelta:
        try:
            return await self._hands.patience(arrivals)
        except Exception as error:  # `handle` stumbles over it as well, and its tries are counted
            log.warning("arrival.no_patience", platform=self._platform, error=repr(error))
            return timedelta(0)

    async def _deal_with(self, held: _Held) -> timedelta | None:
        """One try; gives how long its chat is put off."""
        if held.head.attempts >= TRIES:  # each ended the process that was at it
            await self._give_up(held, RuntimeError("tried, and never came to an end"))
            return None
        keeping = asyncio.create_task(self._keep(held))
        try:
            async with asyncio.timeout(HANDLED_WITHIN):
                done = await self._hands.handle(held.claimed.arrivals)
            await finish(self._engine, done)
        except TryLater as later:
            return await self._try_later(held, later, later.after)
        except asyncio.CancelledError:
            with suppress(SQLAlchemyError, OSError):
                await let_go(self._engine, held.claimed)
            raise
        except Exception as error:  # whatever it is, the chat goes on
            if isinstance(error, SQLAlchemyError) and is_outage(error):
                return await self._try_later(held, error, None)
            return await self._failed(held, error)
        finally:
            keeping.cancel()
        return None

    async def _keep(self, held: _Held) -> None:
        """Renew the lease, three times as often as it would end."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            try:
                until = await renew(self._engine, held.claimed)
            except (SQLAlchemyError, OSError) as error:
                log.warning("arrival.not_renewed", platform=self._platform, error=repr(error))
                continue
            if until is None:
                log.warning("arrival.lost", platform=self._platform, arrival=str(held.head.id))
                return
            held.claimed = replace(held.claimed, until=until)

    async def _try_later(
        self, held: _Held, why: Exception, after: timedelta | None
    ) -> timedelta | None:
        if held.claimed.age > GIVEN_UP_AFTER:
            await self._give_up(held, why)
            return None
        log.info("arrival.put_off", platform=self._platform, why=repr(why))
        return await put_off(self._engine, held.claimed, repr(why), after, counts=False)

    async def _failed(self, held: _Held, error: Exception) -> timedelta | None:
        tries = held.head.attempts + 1
        if tries >= TRIES:
            await self._give_up(held, error)
            return None
        log.warning("arrival.failed", platform=self._platform, tries=tries, exc_info=error)
        after = timedelta(seconds=tries)
        return await put_off(self._engine, held.claimed, repr(error), after, counts=True)

    async def _give_up(self, held: _Held, error: Exception) -> None:
        error_id = new_id().hex[-8:]
        log.error(
            "arrival.given_up",
            platform=self._platform,
            kind=held.head.kind,
            error_id=error_id,
            exc_info=error,
        )
        try:
            async with asyncio.timeout(HANDLED_WITHIN):
                await self._hands.gave_up(held.claimed.arrivals, error_id)
        except Exception as silent:  # it is given up in any case
            log.error("arrival.not_told", error_id=error_id, error=repr(silent))
        await fail(self._engine, held.head, f"{error_id}: {error!r}")
