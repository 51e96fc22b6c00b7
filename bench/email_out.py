"""Letters handed to a server in another process, over a kept connection, beside aiosmtplib alone.

Then with their rows: written before, marked as being sent, marked as sent.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import aiosmtplib

from bench.children import Life, child
from bench.figures import Figures, Goal, spread
from bench.ground import Ground, ground, house_on
from bench.intake import free_port
from bot.email import boxes, handing_over, letters
from bot.email.boxes import Box, Server
from bot.email.compose import Draft, compose
from bot.email.pool import Pool
from bot.email.render import Look, show
from bot.email.sending import Sending
from bot.email.smtp import Way, way_of
from core.ids import new_id
from core.messages import Button, Field, Line, Message
from core.settings import EmailSettings
from core.unit import unit

_SENDER, _TO = "quote@miyabi.example", "asker@acme.example"
_ROUND = 50  # letters of the one, then of the other


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """Without rows beside the library, then with them."""
    port = free_port()
    async with child(_sink, port):
        yield await _beside(port, 4 if quick else 40)
        async with ground() as place:
            yield await _with_rows(place, port, 50 if quick else 1000)


async def _beside(port: int, rounds: int) -> Figures:
    way, content = _way(port), _letter()
    pool = Pool(_no_token, lambda _: None, most_letters=1_000_000, oldest=1e9)
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
    await client.connect()
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(rounds):
        for _ in range(_ROUND):
            began = time.perf_counter()
            await pool.send(way, _SENDER, _TO, content, _nothing)
            ours.append((time.perf_counter() - began) * 1e6)
        for _ in range(_ROUND):
            began = time.perf_counter()
            await client.sendmail(_SENDER, [_TO], content)
            bare.append((time.perf_counter() - began) * 1e6)
    await client.quit()
    await pool.close()
    mine = spread("a letter by the pool: RSET, MAIL, RCPT, DATA", ours)
    theirs = spread("aiosmtplib.sendmail on a kept connection", bare)
    began, made = time.perf_counter(), 200
    for _ in range(made):
        _letter()
    return Figures(
        "email out",
        mine,
        theirs,
        (Goal("p50 by the bare p50: 0.8 of its letters a second", mine.p50 / theirs.p50, 1.25),),
        {
            "letters/s": round(1e6 / mine.p50),
            "bare letters/s": round(1e6 / theirs.p50),
            "bytes": len(content),
            "a card made into a letter, µs": round((time.perf_counter() - began) / made * 1e6),
        },
        unit="µs a letter",
    )  # fmt: skip


async def _with_rows(place: Ground, port: int, n: int) -> Figures:
    """Answers that are queued already, one after the other and eight at a time."""
    content = _letter()
    async with house_on(place) as (house, built):
        box = _way(port, place.organisation_id).box
        async with unit(house) as work:
            await boxes.add(work, house, box)
            for number in range(2 * n):
                row = letters.Row(new_id(), _TO, f"<{number}@miyabi.example>", content)
                await letters.store(work, box, row)
        sending = Sending(built.opening)
        ours: list[float] = []
        for letter in await handing_over.claim(house, n):
            began = time.perf_counter()
            await sending.send(box, letter)
            ours.append((time.perf_counter() - began) * 1e6)
        began = time.perf_counter()
        rest = await handing_over.claim(house, n)
        await asyncio.gather(*(_each(sending, box, rest[at::8]) for at in range(8)))
        together = n / (time.perf_counter() - began)
        await sending.close()
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
    await client.connect()
    bare: list[float] = []
    for _ in range(n):
        began = time.perf_counter()
        await client.sendmail(_SENDER, [_TO], content)
        bare.append((time.perf_counter() - began) * 1e6)
    await client.quit()
    mine = spread("a queued answer: marked, handed over, marked as sent with its event", ours)
    return Figures(
        "email out, with its rows",
        mine,
        spread("aiosmtplib.sendmail on a kept connection, which stores nothing", bare),
        (),
        {"letters/s": round(1e6 / mine.p50), "letters/s, eight at a time": round(together)},
        unit="µs a letter",
    )


async def _each(sending: Sending, box: Box, some: Sequence[handing_over.Letter]) -> None:
    for letter in some:
        await sending.send(box, letter)


def _way(port: int, organisation_id: object = None) -> Way:
    box = Box(
        new_id(),
        organisation_id or new_id(),  # type: ignore[arg-type]
        "default",
        _SENDER,
        smtp=Server("127.0.0.1", port, "", "none"),
    )
    way = way_of(box, EmailSettings())
    assert way is not None
    return way


async def _nothing() -> None:
    return None


async def _no_token(box: Box) -> str:
    return ""


def _letter() -> bytes:
    """An approval's card, as it goes out."""
    message = Message(
        text="承認のお願い: #1042 見積\n合計 1,345,300円",
        title="承認のお願い: #1042 見積",
        fields=(Field("依頼者", "青木"), Field("取引先", "株式会社ABC商事")),
        lines=tuple(Line(f"モニター {n} 型", "5台 x 24,800円", "124,000円") for n in range(10)),
        totals=(Field("小計", "1,223,000円"), Field("合計", "1,345,300円")),
        buttons=(Button("approve", "承認", "step", "primary"),),
    )
    text, html = show([(message, False)], Look({"step": "https://miyabi.example/a/token"}))
    return compose(
        Draft(
            "<1@miyabi.example>", _SENDER, "見積 Miyabi", _TO, "承認のお願い: #1042 見積",
            datetime(2026, 11, 26, tzinfo=UTC), text, html,
        )
    )  # fmt: skip


# The server


async def _sink(life: Life, port: int) -> None:
    """Takes everything, and does as little as a server can."""
    server = await asyncio.get_running_loop().create_server(_Sink, "127.0.0.1", port)
    life.ready()
    await life.stop.wait()
    server.close()


class _Sink(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:  # uvloop's own kind
        self._transport = transport
        self._left = b""
        self._data = False
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._left += data
        while True:
            end = b"\r\n.\r\n" if self._data else b"\r\n"
            command, found, rest = self._left.partition(end)
            if not found:
                return
            self._left = rest
            self._answer(command)

    def _answer(self, command: bytes) -> None:
        if self._data:
            self._data = False
            self._transport.write(b"250 taken\r\n")
        elif command.upper().startswith(b"EHLO"):
            self._transport.write(b"250-sink\r\n250 SIZE 36700160\r\n")
        elif command.upper() == b"DATA":
            self._data = True
            self._transport.write(b"354 go on\r\n")
        elif command.upper() == b"QUIT":
            self._transport.write(b"221 bye\r\n")
            self._transport.close()
        else:
            self._transport.write(b"250 OK\r\n")
