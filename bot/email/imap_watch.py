"""One folder of one mailbox, watched by a thread of its own: what comes is stored, then marked.

The database is the event loop's; the thread waits for it. What it was not told that it is stored,
it does not mark.
"""

import asyncio
import contextlib
import os
import random
import threading
from collections import Counter
from collections.abc import Container, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, TypeVar

import structlog

from bot.email.boxes import Box
from bot.email.imap_session import Body, Broken, Denied, Refused, Session
from bot.email.inbox import Come, Read
from core.errors import MiyabiError

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pace:
    """How a folder is looked after; all in seconds.

    `idles`: how long an IDLE lasts before the folder is looked into in any case and another one
    begins (RFC 2177 wants one within 29 minutes; what is in between often cuts it off sooner, and
    some servers forget to tell). `idles_near`: the same for a server on this machine or in this
    network. It costs nobody anything there, and dovecot keeps what came back for half a second.
    `looks`: how seldom a folder is looked into though nothing was told. `answers`: how long a
    server may be silent. `first_wait` to `most`: until it is tried again, and `refused` where it
    did not let us in. `stores_within`: how long the database may take.
    """

    idles: float = 60.0
    idles_near: float = 0.2
    looks: float = 60.0
    answers: float = 30.0
    first_wait: float = 1.0
    most: float = 60.0
    refused: float = 60.0
    refused_most: float = 900.0
    stores_within: float = 60.0


PACE = Pace()

_LEAVES_WITHIN = 1.0  # seconds, before the line is cut
_SIZES_AT_ONCE = 500  # mails
_AT_ONCE = 200  # mails
_BREAKS = 3  # sessions that end with the same mail
_BYTES_AT_ONCE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Position:
    """How far a folder was read before; `since` is the day from which mail is Miyabi's business,
    read or not. `uidvalidity` 0: it never was."""

    uidvalidity: int
    last_uid: int
    since: date


class Keeps(Protocol):
    """What a folder's mails are put into."""

    async def position(self) -> Position: ...
    async def known(self, uidvalidity: int, uids: Sequence[int]) -> set[int]: ...
    async def store(self, mails: Sequence[Come], read: Read) -> set[int]: ...
    async def failed(self, why: str) -> None: ...
    async def token(self) -> str | None: ...
    async def refused(self) -> None: ...


class Watch:
    """The thread of a mailbox. `most_bytes`: of a mail; of a larger one the header is fetched."""

    def __init__(self, box: Box, keeps: Keeps, most_bytes: int, pace: Pace = PACE) -> None:
        self._box = box
        self._keeps = keeps
        self._most = most_bytes
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._stopping = threading.Event()
        self._session: Session | None = None
        self._last = 0
        self._first = False
        self._waits = pace.first_wait
        self._fetching: Sequence[int] = ()
        self._broke: Counter[int] = Counter()
        self._heard, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._run, name=f"imap {box.id}", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Have it end, whatever it waits for."""
        self._stopping.set()
        os.write(self._wake, b".")
        await asyncio.to_thread(self._thread.join, _LEAVES_WITHIN)
        session = self._session
        if session is not None:
            session.abort()
        await asyncio.to_thread(self._thread.join, _LEAVES_WITHIN)
        os.close(self._wake)
        if not self._thread.is_alive():
            os.close(self._heard)

    @property
    def alive(self) -> bool:
        """Whether its thread runs; it ends only by a fault of ours."""
        return self._thread.is_alive()

    # In the thread

    def _run(self) -> None:
        pace = self._pace
        while not self._stopping.is_set():
            try:
                with self._opened() as session:
                    self._keep_watching(session)
            except Stopped:
                return
            except Exception as error:  # whatever it is, the mailbox must not be left alone
                if self._stopping.is_set():
                    return
                self._blame()
                refused = isinstance(error, Refused)
                wait = max(self._waits, pace.refused) if refused else self._waits
                self._tell(error, wait)
                self._stopping.wait(wait * (1 + random.random() / 2))  # noqa: S311  # to spread them
                self._waits = min(wait * 2, pace.refused_most if refused else pace.most)

    def _blame(self) -> None:
        """The session ended while these were fetched: it may be one of them that the server can't
        read, and hangs up over. They come one by one from now on, and one that ends it again and
        again is left."""
        self._broke.update(self._fetching)
        self._fetching = ()

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Session]:
        box, server = self._box, self._box.imap
        if server is None:
            raise Broken("the mailbox has no IMAP server")
        token = self._do(self._keeps.token()) if server.oauth2 else None
        password = box.secrets.get("imap_password", "")
        try:
            session = Session(
                server,
                password=password,
                token=token,
                folder=box.folder,
                answers=self._pace.answers,
            )
        except Refused:
            self._do(self._keeps.refused())
            raise
        self._session = session
        try:
            if self._stopping.is_set():
                raise Stopped
            yield session
        finally:
            self._session = None
            session.close()

    def _keep_watching(self, session: Session) -> None:
        log.info("email.imap_opened", mailbox=str(self._box.id))
        self._catch_up(session)
        pace = self._pace
        self._waits = pace.first_wait
        seconds = pace.idles_near if session.near else pace.idles
        waited = 0.0
        while not self._stopping.is_set():
            came = session.wait(seconds, self._heard)
            waited += seconds
            if self._stopping.is_set():
                raise Stopped
            if came or waited >= pace.looks:
                waited = 0.0
                self._take(session, session.new(self._last))

    def _catch_up(self, session: Session) -> None:
        """What came while nobody watched; and what was stored, but not marked any more."""
        before = self._do(self._keeps.position())
        if before.uidvalidity != session.uidvalidity or not before.last_uid:
            self._look_first(session, before.since)
            return
        self._last = before.last_uid
        self._take(session, self._left(session, before))
        self._take(session, session.new(self._last))

    def _look_first(self, session: Session, since: date) -> None:
        """All its numbers are new, or it is. What is read and older is left alone, wherever it
        lies: only at the end is it written how far the folder was read, and a look that was cut
        off is begun anew (what it stored is known by its bytes)."""
        self._first, self._last = True, 0
        upto = session.last()
        found = session.unread_or_since(since)
        self._take(session, found)
        self._first = False
        self._read(session, [], max(upto, found[-1] if found else 0))

    def _left(self, session: Session, before: Position) -> list[int]:
        unread = session.left(before.last_uid, before.since)
        there = session.there(before.last_uid) if self._box.moves_to else unread
        known = self._do(self._keeps.known(session.uidvalidity, there)) if there else set()
        self._mark(session, [uid for uid in there if uid in known])
        return [uid for uid in unread if uid not in known]

    def _take(self, session: Session, uids: Sequence[int]) -> None:
        """Store these mails, the oldest first, and mark what is stored."""
        for some in _chunks(uids, _SIZES_AT_ONCE):
            sizes = session.sizes(some)
            for batch in _batches(sizes, self._most, self._broke):
                if self._stopping.is_set():
                    raise Stopped
                self._store(session, self._fetch(session, batch, sizes))
            self._read(session, [], some[-1])  # what is gone, and what could not be fetched

    def _fetch(self, session: Session, batch: Sequence[int], sizes: dict[int, int]) -> list[Body]:
        """Their bytes; of what is too large its header. A server may be wrong about the size, and
        unable to give one of them: the others come without it."""
        first = batch[0]
        if self._broke[first] >= _BREAKS:
            self._leave(first, "the session ended with each attempt")
            return []
        self._fetching = batch
        try:
            if len(batch) == 1 and sizes[first] > self._most:
                bodies = session.headers(first, sizes[first])
            else:
                bodies = [b for body in session.bodies(batch) for b in self._small(session, body)]
        except Denied as error:
            if len(batch) > 1:
                return [body for uid in batch for body in self._fetch(session, [uid], sizes)]
            self._leave(first, str(error))
            bodies = []
        self._fetching = ()
        del self._broke[first]
        return bodies

    def _leave(self, uid: int, why: str) -> None:
        """It stays unread where it is. With the next session it is tried once more."""
        del self._broke[uid]
        log.error("email.imap_unreadable", mailbox=str(self._box.id), uid=uid, why=why)

    def _small(self, session: Session, body: Body) -> list[Body]:
        large = len(body.raw) > self._most
        return session.headers(body.uid, len(body.raw)) if large else [body]

    def _store(self, session: Session, bodies: Sequence[Body]) -> None:
        if bodies:
            mails = [
                Come(each.raw, each.uid, session.uidvalidity, whole_size=each.whole_size)
                for each in bodies
            ]
            self._mark(session, sorted(self._read(session, mails, bodies[-1].uid)))

    def _read(self, session: Session, mails: Sequence[Come], uid: int) -> set[int]:
        """Store these, and that the folder was read up to there; gives what is stored."""
        last = 0 if self._first else max(self._last, uid)
        if not mails and last <= self._last:
            return set()
        read = Read(self._box.folder, session.uidvalidity, last)
        stored = self._do(self._keeps.store(mails, read))
        self._last = last
        return stored

    def _mark(self, session: Session, uids: Sequence[int]) -> None:
        for some in _chunks(uids, _SIZES_AT_ONCE):
            if self._box.moves_to:
                session.move(some, self._box.moves_to)
            else:
                session.mark_seen(some)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        """Have the event loop do it, and wait for that."""
        if self._stopping.is_set():
            work.close()
            raise Stopped
        try:
            done = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError as error:  # it is closed
            work.close()
            raise Stopped from error
        try:
            return done.result(self._pace.stores_within)
        finally:
            done.cancel()

    def _tell(self, error: Exception, wait: float) -> None:
        why = error.words.en if isinstance(error, MiyabiError) else str(error) or repr(error)
        expected = isinstance(error, Broken | MiyabiError | TimeoutError)
        log.warning(
            "email.imap_broken",
            mailbox=str(self._box.id),
            why=why[:500],
            again_in=round(wait, 1),
            exc_info=None if expected else error,
        )
        with contextlib.suppress(Exception):  # the database may be what is away
            self._do(self._keeps.failed(why[:500]))


class Stopped(Exception):
    """It was told to end."""


def _chunks(uids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(uids), size):
        yield uids[start : start + size]


def _batches(sizes: dict[int, int], most: int, alone: Container[int]) -> Iterator[list[int]]:
    """So many of them as are fetched at once; alone come what is too large, and these."""
    batch: list[int] = []
    room = _BYTES_AT_ONCE
    for uid, size in sizes.items():
        single = size > most or uid in alone
        if batch and (single or size > room or len(batch) == _AT_ONCE):
            yield batch
            batch, room = [], _BYTES_AT_ONCE
        batch.append(uid)
        room -= size
        if single:
            yield batch
            batch, room = [], _BYTES_AT_ONCE
    if batch:
        yield batch
