"""Mails are read in child processes that are kept, and killed where a mail is too much for them.

What a mail is made of was written by anybody. A child knows nothing of the house: it has no
environment but paths, no connection, and a bound on its memory; it gets bytes and gives a `Mail`.
"""

import asyncio
import contextlib
import os
import pickle
import signal
import sys
from datetime import timedelta
from pathlib import Path

from bot.email.reading.mail import Mail
from bot.email.reading.serving import LENGTH

TIME = timedelta(seconds=10)
MEMORY = 512
"""MiB of data that a child may have: a mail of 25 MB with its files, decoded, three times."""

_MAILS_EACH = 5000
"""After so many a child is replaced: what it leaked goes with it."""
_PROGRAM = Path(__file__).parent / "reading" / "serving.py"
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
        self.children: set[_Child] = set()

    async def read(self, raw: bytes) -> Mail:
        """What the mail says. Raises Poison; whatever it did is gone with its child."""
        child = await self._free.get()
        try:
            if child is None:
                child = await _Child.start(self._memory)
                self.children.add(child)
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
        for child in [*self.children]:
            self._drop(child)
            await child.process.wait()

    def _drop(self, child: "_Child | None") -> None:
        if child is not None:
            child.kill()
            self.children.discard(child)

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
                sys.executable, "-P", str(_PROGRAM), str(memory), str(TIME.total_seconds()),
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
        entry.write(LENGTH.pack(0, len(raw)) + raw)
        await entry.drain()
        state, length = LENGTH.unpack(await answer.readexactly(LENGTH.size))
        found = pickle.loads(await answer.readexactly(length))  # noqa: S301 (our own child's)
        if state:
            raise Poison(found)
        if not isinstance(found, Mail):
            raise Poison("its reader gave something else")
        return found

    def kill(self) -> None:
        self.gone = True
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
