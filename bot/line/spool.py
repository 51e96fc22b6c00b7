"""Webhooks that the database could not take, as files until it can.

One file each, whole or not there at all: written under another name, brought to the disk, then
renamed. Their names sort in the order in which they came. What takes them out may do so twice.
"""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from core.ids import new_id

log = structlog.get_logger()

_KEPT = ".webhook"
_BEING_WRITTEN = ".new"
_UNREADABLE = ".bad"

_MOST = 500_000_000
"""Bytes of webhooks that are kept at most; then LINE is asked to deliver again."""
_MOST_UNVERIFIED = 20_000_000
"""The same while it can't be told whether they are LINE's at all: anybody may send us those."""
_ABANDONED_AFTER = 60.0  # seconds


class Full(OSError):
    """No more is kept."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A webhook as it came. `received_at` in seconds by this machine's clock; `name` of its file.

    Whether it is LINE's is looked at again when it is taken out.
    """

    body: bytes = field(repr=False)
    signature: str = field(repr=False)
    received_at: float
    name: str = ""

    @property
    def waited(self) -> float:
        """Seconds since it came."""
        return max(0.0, time.time() - self.received_at)


class Spool:
    """A folder of webhooks. Several processes of a machine may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = 0
        self._writing = 0
        self._bytes = 0
        self._changed = self._last_change()
        self._waiting = bool(self._names())

    @property
    def waiting(self) -> bool:
        """Whether something may be in it: what comes after that has to wait behind it.

        Asked for each webhook; another process's files are noticed by the folder's own time.
        """
        if not self._waiting and self._last_change() != self._changed:
            self._waiting = True
        return self._waiting

    async def keep(self, signed: Signed, *, verified: bool) -> None:
        """Bring it to the disk. Raises OSError where that can't be done."""
        if self._bytes + len(signed.body) > (_MOST if verified else _MOST_UNVERIFIED):
            raise Full("the spool is full")
        self._writing += 1
        self._bytes += len(signed.body)
        self._waiting = True
        try:
            await asyncio.to_thread(self._write, signed)
        finally:
            self._writing -= 1
            self._kept += 1

    async def oldest(self, most: int, besides: Container[str] = ()) -> Sequence[Signed]:
        """The first that came, of those that are still here; `besides` some, by their names."""
        kept, changed = self._kept, self._last_change()
        names = await asyncio.to_thread(self._names)
        if not names and not self._writing and kept == self._kept:
            self._waiting, self._changed = False, changed
        first = [name for name in names if name not in besides][:most]
        return await asyncio.to_thread(self._read, first)

    async def remove(self, taken: Iterable[Signed]) -> None:
        """They are in the database, or not LINE's."""
        await asyncio.to_thread(self._remove, [signed.name for signed in taken])

    async def set_aside(self, signed: Signed) -> None:
        """Nobody can do anything with this one; it must not hold up the others."""
        log.error("line.spool_unreadable", file=signed.name)
        path = self._folder / signed.name
        await asyncio.to_thread(path.rename, path.with_suffix(_UNREADABLE))

    def _write(self, signed: Signed) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{new_id().hex}{_KEPT}"
        new = path.with_suffix(_BEING_WRITTEN)
        head = json.dumps({"signature": signed.signature, "received_at": signed.received_at})
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(file, "wb") as out:
                out.write(head.encode() + b"\n" + signed.body)
                out.flush()
                os.fsync(out.fileno())
            new.rename(path)
        except BaseException:
            with contextlib.suppress(OSError):
                new.unlink()
            raise
        self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _last_change(self) -> int:
        try:
            return self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _names(self) -> list[str]:
        try:
            with os.scandir(self._folder) as entries:
                found = [(entry.name, entry.stat()) for entry in entries]
        except FileNotFoundError:
            return []
        self._bytes = sum(stat.st_size for name, stat in found if name.endswith(_KEPT))
        for name, stat in found:
            if name.endswith(_BEING_WRITTEN) and time.time() - stat.st_mtime > _ABANDONED_AFTER:
                (self._folder / name).unlink(missing_ok=True)  # nobody was told it was kept
        return sorted(name for name, _ in found if name.endswith(_KEPT))

    def _read(self, names: Sequence[str]) -> list[Signed]:
        found = []
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # another process was faster
                found.append(_signed(name, (self._folder / name).read_bytes()))
        return found

    def _remove(self, names: Sequence[str]) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)


def _signed(name: str, content: bytes) -> Signed:
    head, _, body = content.partition(b"\n")
    try:
        told = json.loads(head)
        return Signed(body, str(told["signature"]), float(told["received_at"]), name)
    except (ValueError, KeyError, TypeError):
        return Signed(content, "", 0.0, name)
