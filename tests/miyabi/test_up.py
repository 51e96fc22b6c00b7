"""`miyabi up`: all of it runs, comes back after a crash, and leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.miyabi.terminal import Terminal, open_terminal


@dataclass(frozen=True, slots=True)
class Running:
    """A `miyabi up` and where it answers."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/readyz", timeout=2
            ) as answer:
                return bool(json.load(answer)["status"] == "ready")
        except OSError:
            return False

    def children(self) -> list[psutil.Process]:
        """Web and worker, not the embedded servers' keepers, which are in sessions of their own."""
        found = psutil.Process(self.process.pid).children()
        return [child for child in found if "miyabi.keeper" not in child.cmdline()]

    def said(self) -> str:
        return self.log.read_text("utf-8")


@contextmanager
def up(terminal: Terminal) -> Iterator[Running]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = terminal.home / "up.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*terminal.command, "up"],
            cwd=terminal.home,
            env=terminal.environment(MIYABI_PORT=str(port)),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    running = Running(process, port, log)
    try:
        until(running.ready, running)
        yield running
    finally:
        process.kill()
        process.wait()


def until(holds: Callable[[], bool], running: Running, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, running.said()
        time.sleep(0.05)


def test_ctrl_c_stops_everything_and_frees_the_port() -> None:
    with open_terminal(running=False) as terminal, up(terminal) as running:
        until(lambda: len(running.children()) == 2, running)
        children = running.children()
        os.kill(running.process.pid, signal.SIGINT)
        code = running.process.wait(timeout=20)

        assert code == 0
        assert not any(child.is_running() for child in children)
        assert not (terminal.home / "postgres.address").exists()
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", running.port))
        assert f"http://127.0.0.1:{running.port}" in running.said()
        assert "Traceback" not in running.said()


def test_a_child_that_dies_is_started_again_and_all_end_with_their_parent() -> None:
    with open_terminal(running=False) as terminal, up(terminal) as running:
        for child in running.children():
            child.kill()
        until(lambda: not running.ready(), running)
        until(running.ready, running)
        until(lambda: len(running.children()) == 2, running)
        children = running.children()

        running.process.kill()

        until(lambda: not any(child.is_running() for child in children), running, 20)


def test_the_workers_are_shown_at_work_and_when_they_have_ended() -> None:
    with open_terminal(running=False) as terminal:
        with up(terminal) as running:
            # Ready means that one of them hears its queue.
            shown = terminal.run("workers")
            data = terminal.run("workers", "--json").data
            os.kill(running.process.pid, signal.SIGTERM)
            assert running.process.wait(timeout=30) == 0, running.said()
        ended = terminal.run("workers")

    assert shown.code == 0, shown.err
    assert "稼働中" in shown.out
    assert data["well"] is True
    [worker] = data["workers"]
    assert (worker["state"], worker["lanes"]) == ("working", ["interactive", "bulk"])
    assert worker["polled_seconds_ago"] < 5
    assert ended.code == 1
    assert "miyabi up" in ended.out


def test_a_port_in_use_is_said_at_once() -> None:
    with open_terminal(running=False) as terminal, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = terminal.run("up", MIYABI_PORT=port)

        assert done.code == 1
        assert port in done.err
        assert "MIYABI_PORT" in done.err
