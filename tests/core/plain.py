"""Plain steps for tests of child processes: they block, compute, eat memory and die."""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import NeedsInput, Permanent, Question, TryLater
from core.words import same
from tests.core.house import Letter, LetterAsk


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step ran."""

    pid: int
    parent: int


def where() -> Place:
    return Place(os.getpid(), os.getppid())


def sleep_long(ask: LetterAsk) -> Letter:
    time.sleep(60)
    return Letter(ask.text)


def copy(ask: LetterAsk) -> Letter:
    return Letter(ask.text)


def misbehave(ask: LetterAsk) -> Letter:
    """Whatever the ask names."""
    _WAYS[ask.text]()
    return Letter(ask.text)


def _compute() -> None:
    while True:
        pass


def _eat() -> None:
    bytearray(2_000_000_000)


def _fall() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)


def _ask() -> None:
    raise NeedsInput(Question("tone", same("Which tone?")))


def _busy() -> None:
    raise TryLater("busy")


def _wrong() -> None:
    raise Permanent("row 3: the price is text")


def _unforeseen() -> None:
    raise KeyError("boom")


_WAYS: dict[str, Callable[[], object]] = {
    "compute": _compute,
    "eat": _eat,
    "fall": _fall,
    "deaf": _deaf,
    "ask": _ask,
    "busy": _busy,
    "wrong": _wrong,
    "unforeseen": _unforeseen,
    "exit": sys.exit,
}
