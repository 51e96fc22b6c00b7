"""A few connections kept to each server: opening one costs more than most letters."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.email import wording
from bot.email.boxes import Box
from bot.email.smtp import Gone, Way, Wire, open_wire
from core.errors import MiyabiError, OutcomeUnknown, TryLater

MOST_WIRES = 4
"""At one server at a time; more are taken ill by some."""
MOST_LETTERS = 100
"""On one connection; then it is opened anew."""
OLDEST = 300.0
"""Seconds after which a connection is given no more letters."""
IDLE = 30.0
"""Seconds after which one that is not used is closed: servers do, and not always audibly."""


@dataclass(slots=True)
class _Berth:
    """The connections to one server under one login."""

    free: asyncio.Semaphore
    kept: list[Wire] = field(default_factory=list)
    closing: asyncio.TimerHandle | None = None


class Pool:
    """Connections, by server and login. Letters wait for one of them, not for each other."""

    def __init__(
        self,
        token: Callable[[Box], Awaitable[str]],
        forget: Callable[[Box], None],
        *,
        most_letters: int = MOST_LETTERS,
        oldest: float = OLDEST,
    ) -> None:
        self._token = token
        self._forget = forget
        self._most_letters = most_letters
        self._oldest = oldest
        self._berths: dict[tuple[str, int, str, str], _Berth] = {}
        self._context: ssl.SSLContext | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def send(
        self,
        way: Way,
        sender: str,
        recipient: str,
        content: bytes,
        about_to: Callable[[], Awaitable[None]],
    ) -> str:
        """Hand a letter over (bot.email.smtp.Wire.send). A kept connection that turns out to be
        gone, and one on which the server says 421, is replaced once by a new one."""
        berth = self._berths.setdefault(way.key, _Berth(asyncio.Semaphore(MOST_WIRES)))
        async with berth.free:
            wire, fresh = await self._wire(berth, way)
            try:
                return await self._on(berth, wire, sender, recipient, content, about_to)
            except Gone as gone:
                if fresh:
                    words = wording.SERVER_AWAY.fill(host=way.host, why=gone.why)
                    raise TryLater(words) from gone
            wire = await self._open(way)
            try:
                return await self._on(berth, wire, sender, recipient, content, about_to)
            except Gone as gone:
                words = wording.SERVER_AWAY.fill(host=way.host, why=gone.why)
                raise TryLater(words) from gone

    async def _on(
        self,
        berth: _Berth,
        wire: Wire,
        sender: str,
        recipient: str,
        content: bytes,
        about_to: Callable[[], Awaitable[None]],
    ) -> str:
        try:
            words = await wire.send(sender, recipient, content, about_to)
        except (Gone, OutcomeUnknown):
            wire.drop()
            raise
        except MiyabiError:
            self._keep(berth, wire)
            raise
        except BaseException:
            wire.drop()  # in the middle of something
            raise
        self._keep(berth, wire)
        return words

    async def _wire(self, berth: _Berth, way: Way) -> tuple[Wire, bool]:
        """A kept connection that is there still, else a new one (True)."""
        while berth.kept:
            wire = berth.kept.pop()
            try:
                await wire.reset()
            except Gone:
                wire.drop()
                continue
            except BaseException:
                wire.drop()
                raise
            return wire, False
        return await self._open(way), True

    async def _open(self, way: Way) -> Wire:
        if self._context is None:
            self._context = await asyncio.to_thread(ssl.create_default_context)
        try:
            return await open_wire(way, self._context, self._token)
        except TryLater:
            if way.oauth2:
                self._forget(way.box)
            raise

    def _keep(self, berth: _Berth, wire: Wire) -> None:
        """For the next letter, unless it has had enough of them, or is old."""
        loop = asyncio.get_running_loop()
        old = loop.time() - wire.opened > self._oldest or wire.letters >= self._most_letters
        if not wire.alive:
            return
        if old:
            self._part(wire)
            return
        berth.kept.append(wire)
        if berth.closing is not None:
            berth.closing.cancel()
        berth.closing = loop.call_later(IDLE, self._part_all, berth)

    def _part_all(self, berth: _Berth) -> None:
        kept, berth.kept = berth.kept, []
        for wire in kept:
            self._part(wire)

    def _part(self, wire: Wire) -> None:
        task = asyncio.create_task(wire.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close all of them."""
        for berth in self._berths.values():
            if berth.closing is not None:
                berth.closing.cancel()
            self._part_all(berth)
        if self._closing:
            await asyncio.wait(self._closing, timeout=2)
