"""Mails are dealt with in every worker: several at once, each by one, until none waits.

PostgreSQL wakes whoever listens when some came; what was missed is found by looking every few
seconds.
"""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from audit.event import Event
from bot.email import claims, sending
from bot.email.claims import TRIES, Came, Known
from bot.email.dealing import deal
from bot.email.door import Door, open_door
from bot.email.inbox import WAKES
from bot.email.verdicts import Outcome
from core.db import is_outage
from core.errors import LostLease, TryLater
from core.platform import Opening
from core.tags import Tag
from core.unit import unit
from core.wakes import listening

log = structlog.get_logger()

AT_ONCE = 4
"""Mails that one process deals with at the same time."""

DEALT_WITHIN = 45.0
"""Seconds that a try may take; less than a claim lasts."""

GIVEN_UP_AFTER = timedelta(days=1)
"""For so long a mail is tried again where the database or the store is away."""

_LOOKS_EVERY = 3.0  # seconds
_AGAIN = timedelta(seconds=2)
"""Until a mail is tried again where something is away."""
_GIVES_BACK = 50
"""Times, one a second and as long as the claim lasts, that it is tried to give a mail back."""
_ENDED = "every process that tried it came to its end"


async def work(opening: Opening) -> None:
    """Until it is cancelled, deal with what came, and send what is to be answered."""
    async with open_door(opening) as door, asyncio.TaskGroup() as group:
        group.create_task(sending.send_waiting(opening))
        group.create_task(Working(door).run())


async def deal_now(door: Door, organisation_id: UUID, mail_id: UUID) -> Outcome | None:
    """Deal with one mail here and now, again where it fails; what became of it. None where it is
    there no more. Waits where a worker has it in hand."""
    while True:
        came = await claims.claim(door.house.engine, mail_id)
        wait = await deal_with(door, came) if came is not None else _SOON
        state, outcome = await claims.state_of(door.house.engine, organisation_id, mail_id)
        if state != "received":
            return outcome
        await asyncio.sleep((wait or _SOON).total_seconds())


_SOON = timedelta(milliseconds=100)


class Working:
    """Deals with mails as they come, in one process."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._woken = [asyncio.Event() for _ in range(AT_ONCE)]

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for woken in self._woken:
                group.create_task(self._slot(woken))
            group.create_task(self._listen())

    def _wake(self, *_: Any) -> None:
        for woken in self._woken:
            woken.set()

    async def _slot(self, woken: asyncio.Event) -> None:
        """Deal with one mail after the other. Whatever becomes of one, the next goes on."""
        while True:
            woken.clear()
            try:
                while (came := await claims.claim(self._door.house.engine)) is not None:
                    wait = await deal_with(self._door, came)
                    if wait is not None:
                        loop = asyncio.get_running_loop()
                        loop.call_later(wait.total_seconds(), self._wake)
            except (SQLAlchemyError, OSError) as error:
                log.warning("mails.not_claimed", error=repr(error))
            await woken.wait()

    async def _listen(self) -> None:
        """Wake the slots when mails came, and every few seconds for what nobody told of."""
        while True:
            try:
                async with listening(self._door.house, WAKES, self._wake) as driver:
                    while not driver.is_closed():
                        self._wake()
                        await asyncio.sleep(_LOOKS_EVERY)
            except (SQLAlchemyError, OSError) as error:
                log.warning("mails.not_listening", error=repr(error))
                await asyncio.sleep(_LOOKS_EVERY)


async def deal_with(door: Door, came: Came) -> timedelta | None:
    """One try at a mail; gives after how long there is to be another, if at all."""
    try:
        return await _try(door, came)
    except LostLease:  # also where a try in vain was about to be written
        log.warning("mail.lost", mail=str(came.id))
        return None


async def _try(door: Door, came: Came) -> timedelta | None:
    """The same; raises LostLease where somebody else has it."""
    if came.attempts > TRIES:
        await _put_away(door, came, _ENDED)
        return None
    try:
        async with asyncio.timeout(DEALT_WITHIN):
            await deal(door, came)
    except LostLease:
        raise
    except TryLater as later:
        return await _later(door, came, later, later.after or _AGAIN)
    except asyncio.CancelledError:
        with contextlib.suppress(SQLAlchemyError, OSError):
            await claims.put_off(door.house.engine, came, timedelta(0), "stopped", counts=False)
        raise
    except Exception as error:  # whatever it is, the next mail goes on
        if is_outage(error) and not isinstance(error, TimeoutError):
            return await _later(door, came, error, _AGAIN)
        return await _failed(door, came, error)
    return None


async def _later(door: Door, came: Came, why: Exception, after: timedelta) -> timedelta | None:
    """Something it needs is away: that is no fault of the mail's, and no try."""
    if datetime.now(UTC) - came.received_at > GIVEN_UP_AFTER:
        await _put_away(door, came, repr(why))
        return None
    log.info("mail.put_off", mail=str(came.id), why=repr(why))
    for _ in range(_GIVES_BACK):
        try:
            await claims.put_off(door.house.engine, came, after, repr(why), counts=False)
        except (SQLAlchemyError, OSError):  # or a database that goes away thrice counts thrice
            await asyncio.sleep(1)
        else:
            break
    return after


async def _failed(door: Door, came: Came, error: Exception) -> timedelta | None:
    log.warning("mail.failed", mail=str(came.id), tries=came.attempts, exc_info=error)
    if came.attempts >= TRIES:
        await _put_away(door, came, repr(error))
        return None
    after = timedelta(seconds=came.attempts)
    await claims.put_off(door.house.engine, came, after, repr(error), counts=True)
    return after


async def _put_away(door: Door, came: Came, error: str) -> None:
    """Nobody tries it again by themselves; its bytes stay for whoever looks (`miyabi mail
    quarantine`)."""
    log.error("mail.quarantined", mail=str(came.id), error=error)
    outcome = Outcome("quarantined", "unreadable")
    known = Known(came.kind or "unread", None, None, came.verified_by)
    async with unit(door.house) as work:
        await claims.settle(work, came, known, outcome, error)
        data = {
            "verdict": outcome.verdict, "reason": outcome.reason, "kind": known.kind,
            "verified_by": came.verified_by, "task": None, "person": None,
        }  # fmt: skip
        work.record(Event(came.organisation_id, came.id, Tag.MAIL_SETTLED, data))
