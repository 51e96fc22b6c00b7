"""The notes by which the queues are compared say when a piece of work ran, and how often."""

import os
from pathlib import Path

import pytest

from bench.queues.work import STUCK, ended, notes, work


async def test_work_is_noted_with_its_beginning_and_its_end(tmp_path: Path) -> None:
    await work(tmp_path, "noop-1")
    await work(tmp_path, "pieces-1", step=3)

    first, second = notes(tmp_path)

    assert (first.key, second.key) == ("noop-1/0", "pieces-1/3")
    assert first.ended_ns is not None
    assert first.began_ns <= first.ended_ns <= second.began_ns
    assert first.pid == os.getpid()


async def test_what_is_stuck_lets_its_second_worker_through(tmp_path: Path) -> None:
    (tmp_path / STUCK).touch()  # as the first worker left it

    await work(tmp_path, STUCK)

    assert len(await ended(tmp_path, 1, patience=1)) == 1


async def test_waiting_for_what_never_ends_ends(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        await ended(tmp_path, 1, patience=0.2)
