"""Mails read in a kept child process, beside `email.message_from_bytes`, which decodes nothing."""

import asyncio
import base64
import email
import random
import resource
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from time import perf_counter, process_time

from bench.figures import Figures, Goal, spread
from bot.email.child import Readers
from bot.email.reading.parse import read_mail

_CORPUS = Path(__file__).parents[2] / "shared" / "mail"


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """The corpus' small mails, then mails as they are with a file of some hundred kilobytes."""
    rounds = 3 if quick else 60
    yield await _read("email read, small mails", _small(), rounds)
    yield await _read("email read, with a file", _with_files(), rounds)


async def _read(name: str, mails: Sequence[bytes], rounds: int) -> Figures:
    ours, here, bare = [], [], []
    before, readers = _childrens(), Readers(1)
    for raw in mails:
        await readers.read(raw)
    mine = process_time()
    for _ in range(rounds):
        began = perf_counter()
        await asyncio.gather(*(readers.read(raw) for raw in mails))
        ours.append(_each(began, mails))
    mine = process_time() - mine
    await readers.close()
    childs = _childrens() - before
    for _ in range(rounds):
        began = perf_counter()
        for raw in mails:
            read_mail(raw)
        here.append(_each(began, mails))
        began = perf_counter()
        for raw in mails:
            email.message_from_bytes(raw)
        bare.append(_each(began, mails))
    size = sum(map(len, mails)) / len(mails)
    read, parsed = spread("read in a child, from bytes to what it says", ours), spread(
        "email.message_from_bytes", bare
    )  # fmt: skip
    cpu = (mine + childs) / (rounds * len(mails))
    return Figures(
        name,
        read,
        parsed,
        (Goal("p50 by the bare p50", read.p50 / parsed.p50, 3),),
        {
            "mails": len(mails),
            "bytes each": round(size),
            "mails/s": round(1e6 / read.p50),
            "MB/s": round(size / read.p50, 1),
            "mails/s per core (CPU of both processes)": round(1 / cpu) if cpu else None,
            "µs CPU each: child, parent": _micro(childs, mine, rounds * len(mails)),
            "bare mails/s": round(1e6 / parsed.p50),
            "bare MB/s": round(size / parsed.p50, 1),
            "read in this process, µs": round(spread("", here).p50, 1),
        },
        unit="µs a mail",
    )


def _each(began: float, mails: Sequence[bytes]) -> float:
    return (perf_counter() - began) / len(mails) * 1e6


def _micro(child: float, parent: float, count: int) -> list[int]:
    return [round(child / count * 1e6), round(parent / count * 1e6)]


def _childrens() -> float:
    """Seconds of CPU that children had which are over, their start included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _small() -> list[bytes]:
    found = [path.read_bytes() for path in sorted(_CORPUS.glob("*.eml"))]
    return found or [_mail(number, 0) for number in range(50)]


def _with_files() -> list[bytes]:
    return [_mail(number, 300 * 1024) for number in range(10)]


def _mail(number: int, size: int) -> bytes:
    """A request in ISO-2022-JP, with a file of that size."""
    subject = base64.b64encode("見積のお願い".encode("iso2022_jp")).decode()
    body = "お世話になっております。\n4Kモニターを10台、見積をお願いします。\n\n> 前回の件\n" * 4
    text = body.encode("iso2022_jp").decode("ascii")
    file = base64.encodebytes(b"%PDF-1.7\n" + random.Random(number).randbytes(size)).decode()
    return (
        f"From: Taro <taro{number}@example.jp>\nTo: quote@miyabi.example\n"
        f"Subject: =?ISO-2022-JP?B?{subject}?=\nMessage-ID: <{number}@example.jp>\n"
        "Date: Mon, 1 Apr 2024 09:00:00 +0900\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
        f"Content-Type: text/plain; charset=ISO-2022-JP\n\n{text}\n--b\n"
        "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n"
        f"Content-Disposition: attachment; filename=a.pdf\n\n{file}\n--b--\n"
    ).encode()
