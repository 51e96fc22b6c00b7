"""Mails are read in child processes that are kept, and killed where a mail is too much for them.

What a mail is made of was written by anybody. A child knows nothing of the house: it has no
environment but paths, no connection, and a bound on its memory. It gets bytes and gives what a
`Mail` is made of, as data: a child that was taken over can lie about its mails, and can have
nothing run here.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from datetime import timedelta
from pathlib import Path

from bot.email.reading.mail import Mail
from bot.email.reading.serving import LENGTH
from bot.email.reading.wire import unpack

TIME = timedelta(seconds=10)
MEMORY = 512
"""MiB of data that a child may have: a mail of 25 MB with its files, decoded, three times."""

_AHEAD = 4
"""Mails that a child is handed while it is at one."""
_MAILS_EACH = 5000
"""After so many a child is replaced: what it leaked goes with it."""
_PROGRAM = Path(__file__).parent / "reading" / "serving.py"
_ROOT = Path(__file__).parents[2]


class Poison(Exception):
    """A mail that can't be read: it took too long, too much memory, or broke what reads it."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class _Interrupted(Exception):
    """The child ended because of a mail before this one."""


class Readers:
    """A number of children, started when they are needed. `read` may be called by several.

    A child is handed mails ahead, so that it never waits for us; where it has to be killed, those
    are handed to another.
    """

    def __init__(self, count: int = 1, *, time: timedelta = TIME, memory: int = MEMORY) -> None:
        self._count, self._time, self._memory = count, time, memory
        self._room = asyncio.Semaphore(count * _AHEAD)
        self._starting = asyncio.Lock()
        self.children: set[_Child] = set()

    async def read(self, raw: bytes) -> Mail:
        """What the mail says. Raises Poison; whatever it did is gone with its child."""
        async with self._room:
            while True:
                child = await self._child()
                with contextlib.suppress(_Interrupted):
                    return await child.read(raw)

    async def close(self) -> None:
        """End all children."""
        for child in [*self.children]:
            child.kill("its reader was ended")
            await child.process.wait()
        self.children.clear()

    async def _child(self) -> "_Child":
        """The child with the fewest mails before it; a new one where all are at work."""
        async with self._starting:
            self.children = {each for each in self.children if each.process.returncode is None}
            able = [each for each in self.children if not each.gone]
            least = min(able, key=lambda each: len(each.waiting), default=None)
            if least is None or (least.waiting and len(able) < self._count):
                least = await _Child.start(self._memory, self._time.total_seconds())
                self.children.add(least)
            return least


class _Child:
    def __init__(self, process: asyncio.subprocess.Process, seconds: float) -> None:
        self.process = process
        self.waiting: deque[asyncio.Future[Mail]] = deque()
        self.gone = False
        self._seconds = seconds
        self._count = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._listening = asyncio.ensure_future(self._listen())

    @classmethod
    async def start(cls, memory: int, seconds: float) -> "_Child":
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", str(_PROGRAM), str(memory), str(seconds),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=kept | {"PYTHONPATH": str(_ROOT)},
            limit=2**20,
        )  # fmt: skip
        return cls(process, seconds)

    async def read(self, raw: bytes) -> Mail:
        if self.gone or self.process.stdin is None:
            raise _Interrupted
        answer: asyncio.Future[Mail] = asyncio.get_running_loop().create_future()
        self.waiting.append(answer)
        self._count += 1
        self.gone = self._count >= _MAILS_EACH  # it is given no more, and ends with its last
        self.process.stdin.write(LENGTH.pack(0, len(raw)) + raw)
        if len(self.waiting) == 1:
            self._watch()
        with contextlib.suppress(ConnectionError):  # `_listen` says what became of it
            await self.process.stdin.drain()
        return await answer

    def kill(self, why: str) -> None:
        """End it; `why` is said of the mail that it is at, the others go to another."""
        self.gone = True
        self._watch()
        for number, answer in enumerate(self.waiting):
            if not answer.done():
                answer.set_exception(_Interrupted() if number else Poison(why))
        self.waiting.clear()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def _listen(self) -> None:
        out = self.process.stdout
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while out is not None and (self.waiting or not self.gone):
                failed, length = LENGTH.unpack(await out.readexactly(LENGTH.size))
                self._answer(failed, await out.readexactly(length))
        self.gone = True
        if self.waiting:
            code = await self.process.wait()
            self.kill(f"its reader died: {_how(code)}")
        elif self.process.stdin is not None:
            self.process.stdin.close()
            await self.process.wait()

    def _answer(self, failed: int, content: bytes) -> None:
        answer = self.waiting.popleft()
        self._watch()
        if answer.done():
            return  # whoever asked has stopped waiting
        if failed:
            answer.set_exception(Poison(content.decode("utf-8", "replace")))
            return
        try:
            answer.set_result(unpack(content))
        except Exception as error:  # the next answer must be read
            answer.set_exception(Poison(f"its reader gave something else: {type(error).__name__}"))

    def _watch(self) -> None:
        """Give the mail that it is at now its time, and no more."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = None
        if self.waiting and not (self.gone and self.process.returncode is not None):
            loop = asyncio.get_running_loop()
            words = f"not read within {self._seconds:g} s"
            self._alarm = loop.call_later(self._seconds, self.kill, words)


def _how(code: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"exit {code}"
