"""A database that stands still: every process of it is stopped, and later goes on."""

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence

import psutil

from bench.ground import Ground


@contextlib.contextmanager
def stopped(place: Ground) -> Iterator[None]:
    """PostgreSQL, each of its processes, hears nothing and answers nothing."""
    stopped = [each for each in _servers(place) if _signal(each, signal.SIGSTOP)]
    try:
        yield
    finally:
        for each in reversed(stopped):
            _signal(each, signal.SIGCONT)


def _servers(place: Ground) -> Sequence[int]:
    home = str(place.settings.home)
    for process in psutil.process_iter(["name", "cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        if process.info["name"].startswith("postgres") and home in command:
            return [process.pid, *(each.pid for each in process.children(recursive=True))]
    raise AssertionError("there is no PostgreSQL to be stopped")


def _signal(pid: int, number: signal.Signals) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False
