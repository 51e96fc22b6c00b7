"""Sending letters: one at a time each, over kept connections, and what came of it written down."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from audit.event import JSON, Event
from bot.email import addresses_kept, boxes, handing_over, verp, wording
from bot.email.boxes import Box
from bot.email.handing_over import Before, Letter, Taken
from bot.email.letters import WAKES
from bot.email.oauth import Tokens
from bot.email.pool import Pool
from bot.email.smtp import RefusedLetter, way_of
from core.errors import MiyabiError, OutcomeUnknown, TryLater, Unreachable
from core.house import House
from core.inbound import Sender
from core.platform import Opening
from core.tags import Tag
from core.unit import unit
from core.wakes import listening

log = structlog.get_logger()

TRIED_FOR = timedelta(hours=24)
"""How long it is tried to send an answer."""
AT_ONCE = 8
"""Answers that one process sends at a time."""
_LOOKS_EVERY = 5.0  # seconds, for what nobody told of
_WRITTEN_AGAIN = (0.2, 1.0, 4.0, 10.0)
"""Seconds until it is written again that a letter was taken, while its lease lasts."""
_ENDS_WITHIN = 3.0  # seconds that letters on their way have when the process is told to stop


class Sending:
    """Hands letters over, for this process."""

    def __init__(self, opening: Opening) -> None:
        self._settings = opening.settings.email
        self._house: House = opening.house
        tokens = Tokens(opening.house)
        self.pool = Pool(tokens.token, tokens.forget)

    async def send(self, box: Box, letter: Letter) -> None:
        """Hand over a letter that is queued, and write what came of it.

        Raises TryLater (it stays queued), Unreachable (it never will be taken), OutcomeUnknown, and
        Taken where somebody else has it.
        """
        way = way_of(box, self._settings)
        if way is None or letter.content is None:
            raise Unreachable(wording.NO_SERVER.fill(address=box.address))
        sender = "" if letter.automatic else verp.return_path(self._house, box, letter.id)

        begun = False

        async def about_to() -> None:
            nonlocal begun
            if not begun:  # on another connection it is the same letter
                await handing_over.begin(self._house, letter)
                begun = True

        try:
            words = await self.pool.send(way, sender, letter.recipient, letter.content, about_to)
        except TryLater as error:
            wait = max(error.after or timedelta(0), _back_off(letter))
            before: Before = "sending" if begun else "queued"
            await handing_over.later(self._house, letter, error.words.en, wait, before)
            raise
        except RefusedLetter as error:
            await self._refused(box, letter, error, "sending" if begun else "queued")
            raise
        except OutcomeUnknown as error:
            await handing_over.unknown(self._house, letter, error.words.en)
            raise
        await self._took(letter)
        log.info("letter.sent", letter=str(letter.id), server=words[:80])

    async def _took(self, letter: Letter) -> None:
        """Write that the server took it, though the database may be away for a moment: what only we
        have heard would otherwise have to be asked of a person."""
        for wait in _WRITTEN_AGAIN:
            try:
                await handing_over.sent(self._house, letter)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("letter.not_written", letter=str(letter.id), error=repr(error))
                await asyncio.sleep(wait)
            else:
                return
        await handing_over.sent(self._house, letter)

    async def _refused(
        self, box: Box, letter: Letter, error: RefusedLetter, before: Before
    ) -> None:
        """The server said at once what a bounce would have said later."""
        async with unit(self._house) as work:
            words, code = error.words.en, error.code
            ended = await handing_over.failed(work, letter, words, code, before)
            if not (ended and error.hard):
                return
            to = Sender("email", box.workspace, letter.recipient)
            until = await addresses_kept.bounced(work, to, letter.organisation_id)
            paused = until.isoformat(timespec="seconds") if until is not None else None
            data: dict[str, JSON] = {"permanent": True, "status": error.status, "paused": paused}
            work.record(Event(letter.organisation_id, letter.id, Tag.LETTER_BOUNCED, data))

    async def close(self) -> None:
        """Close the connections."""
        await self.pool.close()


async def send_waiting(opening: Opening) -> None:
    """Send the answers that are queued, as they come, until it is cancelled."""
    sending = Sending(opening)
    try:
        await _Answers(opening.house, sending).run()
    finally:
        await sending.close()


class _Answers:
    """The loop over what is queued."""

    def __init__(self, house: House, sending: Sending) -> None:
        self._house = house
        self._sending = sending
        self._woken = asyncio.Event()
        self._free = asyncio.Semaphore(AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                self._woken.clear()
                try:
                    await self._look()
                except (SQLAlchemyError, OSError, TimeoutError) as error:
                    log.warning("letters.not_looked_for", error=repr(error))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOKS_EVERY):
                        await self._woken.wait()
        finally:
            listening.cancel()
            await self._end()

    async def _end(self) -> None:
        """Whatever is on its way comes to its end, or nobody knows what became of it."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=_ENDS_WITHIN)
            for task in late:
                task.cancel()

    async def _look(self) -> None:
        await handing_over.abandon(self._house)
        async with unit(self._house) as work:
            await addresses_kept.resume(work)
        while letters := await handing_over.claim(self._house, AT_ONCE):
            for letter in letters:
                await self._free.acquire()
                task = asyncio.create_task(self._send(letter))
                self._running.add(task)
                task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._free.release()

    async def _send(self, letter: Letter) -> None:
        """Whatever becomes of one, the next goes on."""
        try:
            box = await boxes.by_id(self._house, letter.mailbox_id)
            if box is None:
                return
            if datetime.now(UTC) - letter.created_at > TRIED_FOR:
                async with unit(self._house) as work:
                    await handing_over.failed(work, letter, "tried for too long")
                return
            await self._sending.send(box, letter)
        except Taken:
            pass
        except MiyabiError as error:
            log.warning("letter.not_sent", letter=str(letter.id), why=error.words.en)
            if isinstance(error, Unreachable) and not isinstance(error, RefusedLetter):
                await self._put_off(letter, error.words.en)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("letter.not_sent", letter=str(letter.id), why=repr(error))
        except Exception:
            log.exception("letter.crashed", letter=str(letter.id))

    async def _put_off(self, letter: Letter, why: str) -> None:
        with contextlib.suppress(SQLAlchemyError, OSError):
            await handing_over.later(self._house, letter, why, _back_off(letter))

    def _wake(self, *_: Any) -> None:
        self._woken.set()

    async def _listen(self) -> None:
        while True:
            try:
                async with listening(self._house, WAKES, self._wake) as driver:
                    self._wake()
                    while not driver.is_closed():  # noqa: ASYNC110  # nothing tells
                        await asyncio.sleep(1)
            except (SQLAlchemyError, OSError) as error:
                log.warning("letters.not_listening", error=repr(error))
            await asyncio.sleep(_LOOKS_EVERY)


def _back_off(letter: Letter) -> timedelta:
    return timedelta(seconds=min(3600, 15 * 2 ** min(letter.attempts, 8)))
