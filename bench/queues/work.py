"""The work that every queue is given, and the notes that it leaves of when it ran.

A note is one appended line, which costs all of them the same few microseconds.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns
from typing import Any, Protocol

from bench.ground import Ground

PAUSE = 0.05  # seconds, in a key that begins with `pause`
STUCK = "stuck"
"""A key that begins so: the first worker never comes back from it, the second does at once."""

Enqueue = Callable[[str], Awaitable[None]]
"""Hands in one piece of work; whatever the queue calls durable is done when it returns."""


class Queue(Protocol):
    """One of those that are compared."""

    @property
    def name(self) -> str: ...
    @property
    def setting(self) -> str:
        """How it was set up, in words."""

    @property
    def steps(self) -> int:
        """How many steps of its own record each piece of work has."""

    async def prepare(self, place: Ground) -> None:
        """Make its tables, if it has any."""

    async def handed_in(self, place: Ground) -> None:
        """Called between the handing in of many pieces and the start of the workers."""

    def producer(self, place: Ground) -> Any:
        """An async context manager that gives an `Enqueue`."""

    @property
    def worker(self) -> Any:
        """The body of a worker process: life, ground, folder for notes, its number."""


@dataclass(frozen=True, slots=True)
class Note:
    """When one piece of work began and ended, and in which process. Nanoseconds, monotonic."""

    key: str
    began_ns: int
    ended_ns: int | None
    pid: int


async def work(folder: Path, key: str, *, step: int = 0) -> int:
    """One step: note, wait if the key says so, note. Returns when it ended."""
    name = f"{key}/{step}"
    _write(folder, f"began {name} {monotonic_ns()}")
    if key.startswith("pause"):
        await asyncio.sleep(PAUSE)
    if key.startswith(STUCK) and _first(folder / key):
        await asyncio.sleep(3600)
    ended = monotonic_ns()
    _write(folder, f"ended {name} {ended}")
    return ended


def _first(marker: Path) -> bool:
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _write(folder: Path, line: str) -> None:
    path = folder / f"{os.getpid()}.notes"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(file, f"{line}\n".encode())
    finally:
        os.close(file)


def notes(folder: Path) -> list[Note]:
    """All that was noted so far, in the order in which it began."""
    began: dict[tuple[str, int], int] = {}
    ended: dict[tuple[str, int], int] = {}
    for path in folder.glob("*.notes"):
        for line in path.read_text().splitlines():
            what, key, at = line.split()
            (began if what == "began" else ended)[key, int(path.stem)] = int(at)
    found = [Note(key, at, ended.get((key, pid)), pid) for (key, pid), at in began.items()]
    return sorted(found, key=lambda note: note.began_ns)


async def ended(folder: Path, n: int, patience: float) -> list[Note]:
    """Wait until n notes have an end. Raises TimeoutError."""
    async with asyncio.timeout(patience):
        while True:
            found = [note for note in notes(folder) if note.ended_ns is not None]
            if len(found) >= n:
                return found
            await asyncio.sleep(0.05)
