"""Mail by IMAP, from a real dovecot: how soon a mail is a task, how fast a full mailbox is read.

Web, worker and dovecot are processes of their own. Mails are put there as another mail program
does (APPEND).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import asyncpg  # type: ignore[import-untyped]
import psutil
from imap_tools import MailBoxUnencrypted

from bench.children import Life, child, until_stopped
from bench.figures import Figures, Goal, spread, tell
from bench.ground import Ground, ground, house_on, product
from bench.intake import connect, free_port, until_served
from bot.email import boxes
from bot.email.boxes import Box, Server, Trust
from bot.email.ways import listen
from core import people
from core.ids import new_id
from core.inbound import Sender
from core.unit import unit
from tests.fakes.mail.dovecot import PASSWORD, Dovecot, program, serving

_ADDRESS = "quote@miyabi.example"
_SENDER = "asker-{}@miyabi.example"
_BODY = "株式会社ABC商事 モニター5台 キーボード10個 納期12/25\r\n"
_PATIENCE = 600.0
_FULL = 10_000  # mails


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """A mail at a time with all that deals with it; then a full mailbox."""
    if program() is None:
        tell("no dovecot: IMAP is not measured")
        return
    with serving() as dovecot:
        async with ground() as place:
            await _settle(place, dovecot)
            async with _at_work(place):
                yield await _one_at_a_time(place, dovecot, quick=quick)
        yield await _full(dovecot, quick=quick)


# One at a time


async def _one_at_a_time(place: Ground, dovecot: Dovecot, *, quick: bool) -> Figures:
    """From before APPEND until the task is committed, at moments that no poll is in step with."""
    n = 5 if quick else 100
    database = await connect(place)
    stored, tasks = [], []
    with _session(dovecot) as theirs:
        for number in range(n + 2):
            await asyncio.sleep(0.3 + number * 0.618 % 0.2)
            began = time.perf_counter()
            await asyncio.to_thread(theirs.append, _mail(number))
            stored.append(await _until(database, "mails", number + 1, began))
            tasks.append(await _until(database, "tasks", number + 1, began))
        bare = [await asyncio.to_thread(_told, dovecot, theirs, number) for number in range(n)]
    await database.close()
    ours = spread("APPEND until the task is committed", tasks[2:])
    more = {"until the mail is stored": spread("", stored[2:]).as_json()}
    theirs_one = spread("imap-tools alone: APPEND until IDLE tells of it", bare)
    return Figures("email by imap", ours, theirs_one, (Goal("p50, ms", ours.p50, 300),), more)


def _told(dovecot: Dovecot, theirs: MailBoxUnencrypted, number: int) -> float:
    with _session(dovecot, "Bare") as idle:
        idle.idle.start()  # type: ignore[no-untyped-call]
        time.sleep(0.1)
        began = time.perf_counter()
        theirs.append(_mail(number), "Bare")
        idle.idle.poll(10)
        took = (time.perf_counter() - began) * 1000
        idle.idle.stop()  # type: ignore[no-untyped-call]
        return took


async def _until(database: asyncpg.Connection, table: str, count: int, began: float) -> float:
    """Until there are so many rows, in ms."""
    async with asyncio.timeout(60):
        while await _count(database, table) < count:  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.002)
    return (time.perf_counter() - began) * 1000


async def _count(database: asyncpg.Connection, table: str) -> int:
    found: int = await database.fetchval(f"select count(*) from {table}")
    return found


@asynccontextmanager
async def _at_work(place: Ground) -> AsyncIterator[None]:
    port = free_port()
    async with product(place, "web", port=port), product(place, "worker", port=free_port()):
        await until_served(port)
        await asyncio.sleep(5)  # until both have settled
        yield


# A full mailbox


async def _full(dovecot: Dovecot, *, quick: bool) -> Figures:
    """How fast all of it is in the database, and what the process that reads it grows by."""
    n = 500 if quick else _FULL
    folder = "Full"
    with _session(dovecot, folder) as theirs:
        for number in range(n):
            theirs.append(_mail(number), folder)
    began = time.perf_counter()
    with _session(dovecot, folder) as reading:
        read = sum(1 for _ in reading.fetch(mark_seen=False, bulk=50))
    bare = n / (time.perf_counter() - began)
    assert read == n
    async with ground() as place:
        await _settle(place, dovecot, folder)
        database = await connect(place)
        async with child(_reading, place) as reads:
            began = time.perf_counter()
            await _until(database, "mails", 1, began)
            first = time.perf_counter()
            tenth = await _sampled(database, n // 10)
            await _sampled(database, n)
            took = time.perf_counter() - first
            grown = await reads.stop()
        events = await database.fetchval(
            "select count(*) from audit_events where tag = 'intake:mail:received'"
        )
        assert events == n
        await database.close()
    ours = spread("IMAP until the bytes, the row and the event are committed", [n / took])
    more = {"mails": n, "of a tenth, s": round(tenth - first, 2), "memory, MB": grown}
    theirs_one = spread("imap-tools alone: fetched and parsed, stored nowhere", [bare])
    return Figures("email first sync", ours, theirs_one, (), more, unit="mails/s")


async def _sampled(database: asyncpg.Connection, count: int) -> float:
    async with asyncio.timeout(_PATIENCE):
        while await _count(database, "mails") < count:  # noqa: ASYNC110  # likewise
            await asyncio.sleep(0.02)
    return time.perf_counter()


async def _reading(life: Life, place: Ground) -> dict[str, float]:
    """A child: what `miyabi web` has for mail. Gives how large it was, and at the most."""
    async with house_on(place) as (house, built):
        opening = replace(built.opening, house=house)
        life.ready()
        size = psutil.Process().memory_info
        sizes = [size().rss]
        reading = asyncio.create_task(until_stopped(life, listen(opening)))
        while not reading.done():
            await asyncio.wait({reading}, timeout=0.1)
            sizes.append(size().rss)
        reading.result()
    tenth = sizes[: max(2, len(sizes) // 10)]
    said = {"before": sizes[0], "most in the first tenth": max(tenth), "most": max(sizes)}
    return {name: round(each / 1e6, 1) for name, each in said.items()}


# The ground


async def _settle(place: Ground, dovecot: Dovecot, folder: str = "INBOX") -> None:
    """A mailbox at dovecot, and people who may ask there."""
    async with house_on(place) as (house, _), unit(house) as work:
        for number in range(20):
            handle = f"mail-{number}"
            roles = frozenset({"requester"})
            person = await people.add(work, place.organisation_id, handle, handle, roles)
            await people.link(work, person, Sender("email", "default", _SENDER.format(number)))
        await boxes.add(
            work,
            house,
            Box(
                new_id(),
                place.organisation_id,
                "default",
                _ADDRESS,
                "quote",
                trust=Trust(("mx.miyabi.example",)),
                imap=Server("127.0.0.1", dovecot.imap, "bench", "none"),
                folder=folder,
                secrets={"imap_password": PASSWORD},
            ),
        )


def _mail(number: int) -> bytes:
    sender = _SENDER.format(number % 20)
    return (
        "Authentication-Results: mx.miyabi.example; dmarc=pass header.from=miyabi.example\r\n"
        f"From: {sender}\r\nTo: {_ADDRESS}\r\nSubject: mail {number}\r\n"
        f"Message-ID: <{number}@bench.example>\r\nDate: Thu, 26 Nov 2026 10:00:00 +0900\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: 8bit\r\n\r\n{_BODY}"
    ).encode()


@contextmanager
def _session(dovecot: Dovecot, folder: str = "INBOX") -> Iterator[MailBoxUnencrypted]:
    session = dovecot.mailbox("bench")
    try:
        if not session.folder.exists(folder):
            session.folder.create(folder)
        session.folder.set(folder)
        yield session
    finally:
        session.logout()
