"""Mails are read in child processes that are kept, and killed where a mail is too much for them.

What a mail is made of was written by anybody. A child knows nothing of the house: it has no
environment but paths, no connection, and a bound on its memory; it gets bytes and gives a `Mail`.
"""

import asyncio
import contextlib
import os
import pickle
import resource
import signal
import struct
import sys
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from bot.email.reading.mail import Mail

TIME = timedelta(seconds=10)
MEMORY = 512
"""MiB of data that a child may have: a mail of 25 MB with its files, decoded, three times."""

_LENGTH = struct.Struct("!BI")
_READ, _FAILED = 0, 1
_LINGERS = 5
"""Seconds after its time that a child ends by itself, should nobody be left to kill it."""
_MAILS_EACH = 2000
"""After so many a child is replaced: what it leaked goes with it."""
_ROOT = Path(__file__).parents[2]


class Poison(Exception):
    """A mail that can't be read: it took too long, too much memory, or broke what reads it."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Readers:
    """A number of children, started when they are needed. `read` may be called by several."""

    def __init__(self, count: int = 1, *, time: timedelta = TIME, memory: int = MEMORY) -> None:
        self._time, self._memory = time, memory
        self._free: asyncio.LifoQueue[_Child | None] = asyncio.LifoQueue()
        for _ in range(count):
            self._free.put_nowait(None)
        self._all: set[_Child] = set()

    async def read(self, raw: bytes) -> Mail:
        """What the mail says. Raises Poison; whatever it did is gone with its child."""
        child = await self._free.get()
        try:
            if child is None:
                child = await _Child.start(self._memory)
                self._all.add(child)
            async with asyncio.timeout(self._time.total_seconds()):
                return await child.read(raw)
        except TimeoutError as error:
            self._drop(child)
            raise Poison(f"not read within {self._time.total_seconds():g} s") from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            how = await self._buried(child)
            raise Poison(f"its reader died: {how}") from error
        except asyncio.CancelledError:
            self._drop(child)
            raise
        finally:
            if child is not None and (child.gone or child.count >= _MAILS_EACH):
                self._drop(child)
            self._free.put_nowait(None if child is None or child.gone else child)

    async def close(self) -> None:
        """End all children."""
        for child in [*self._all]:
            self._drop(child)
            await child.process.wait()

    def _drop(self, child: "_Child | None") -> None:
        if child is not None:
            child.kill()
            self._all.discard(child)

    async def _buried(self, child: "_Child | None") -> str:
        if child is None:
            return "it did not start"
        self._drop(child)
        code = await child.process.wait()
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
        return f"exit {code}"


class _Child:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.count = 0
        self.gone = False

    @classmethod
    async def start(cls, memory: int) -> "_Child":
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", __spec__.name if __spec__ else __name__, str(memory),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=kept | {"PYTHONPATH": str(_ROOT)},
                limit=2**20,
            )
        )  # fmt: skip

    async def read(self, raw: bytes) -> Mail:
        entry, answer = self.process.stdin, self.process.stdout
        if entry is None or answer is None:
            raise ConnectionError("no pipes")
        self.count += 1
        entry.write(_LENGTH.pack(_READ, len(raw)) + raw)
        await entry.drain()
        state, length = _LENGTH.unpack(await answer.readexactly(_LENGTH.size))
        found = pickle.loads(await answer.readexactly(length))  # noqa: S301 (our own child's)
        if state == _FAILED:
            raise Poison(found)
        if not isinstance(found, Mail):
            raise Poison("its reader gave something else")
        return found

    def kill(self) -> None:
        self.gone = True
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()


def _serve(entry: BinaryIO, answer: BinaryIO) -> None:
    """Read mails until nobody sends any more."""
    from bot.email.reading.parse import read_mail

    while len(head := entry.read(_LENGTH.size)) == _LENGTH.size:
        _, length = _LENGTH.unpack(head)
        raw = entry.read(length)
        signal.setitimer(signal.ITIMER_REAL, TIME.total_seconds() + _LINGERS)
        try:
            state, found = _READ, pickle.dumps(read_mail(raw), pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # whatever it is, the next mail must go on
            state, found = _FAILED, pickle.dumps(_named(error))
        signal.setitimer(signal.ITIMER_REAL, 0)
        answer.write(_LENGTH.pack(state, len(found)))
        answer.write(found)
        answer.flush()


def _named(error: Exception) -> str:
    """The kind of an error and where it arose: its words may be the mail's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" in {Path(trace.tb_frame.f_code.co_filename).name}"
    return f"{type(error).__name__}{where}"


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is asked, and ends its children
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = int(sys.argv[1]) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    _serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    _main()
