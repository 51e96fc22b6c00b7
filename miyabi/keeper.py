"""Keeps one embedded server running while anyone holds its lock, and stops it after the last.

Started by `miyabi.embedded` as `python -m miyabi.keeper postgres HOME`, in a session of its own so
that Ctrl-C in a terminal does not reach it. The kernel frees the locks of a process that is killed,
so nothing has to be counted and no stale list can be left behind.
"""

import argparse
import contextlib
import fcntl
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from miyabi.servers import SERVERS, Server, ServerFailed

_LOOK_EVERY = 1.0  # seconds between looks whether the server still lives


@dataclass(frozen=True, slots=True)
class Places:
    """The files through which users and keeper of one server find each other."""

    home: Path
    name: str

    @property
    def starting(self) -> Path:
        """Locked by whoever is about to use the server, so that one at a time starts it."""
        return self.home / "locks" / f"{self.name}.starting"

    @property
    def users(self) -> Path:
        """Locked shared by each user for as long as it uses the server."""
        return self.home / "locks" / f"{self.name}.users"

    @property
    def keeper(self) -> Path:
        """Locked by the keeper for its life."""
        return self.home / "locks" / f"{self.name}.keeper"

    @property
    def address(self) -> Path:
        """Holds the server's address; there only while the server answers."""
        return self.home / f"{self.name}.address"

    @property
    def log(self) -> Path:
        """What server and keeper have to say."""
        return self.home / f"{self.name}.log"


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int]:
    """A file descriptor to lock; closing it gives the lock back. Children do not inherit it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def locks(descriptor: int, kind: int) -> bool:
    """Take the lock if that is possible at once."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def keep(places: Places, server: Server) -> None:
    """Run the server until the last user has gone or SIGTERM comes."""
    over = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    try:
        server.prepare()
        server.start()
        _publish(places.address, server.address)
        threading.Thread(target=_await_last, args=(places.users, over), daemon=True).start()
        while not over.wait(_LOOK_EVERY):
            _revive(server)
    finally:
        places.address.unlink(missing_ok=True)
        server.stop()


def _await_last(users: Path, over: threading.Event) -> None:
    # Never closed: until this process ends, newcomers must wait for the server to be down.
    fcntl.flock(os.open(users, os.O_RDWR | os.O_CREAT, 0o600), fcntl.LOCK_EX)
    over.set()


def _revive(server: Server) -> None:
    if server.alive():
        return
    print(f"{server.name} has died; starting it again", flush=True)  # noqa: T201 - into its log
    with contextlib.suppress(ServerFailed):  # said in the log; tried again at the next look
        server.start()


def _publish(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text, "utf-8")
    new.replace(path)


def main() -> int:
    """Keep one server; 1 where it cannot be started, with the reason on stdout (its log)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=sorted(SERVERS))
    parser.add_argument("home", type=Path)
    parser.add_argument("--fleeting", action="store_true", help="do not wait for the disk")
    chosen = parser.parse_args()
    places = Places(chosen.home, chosen.name)
    if not locks(os.open(places.keeper, os.O_RDWR | os.O_CREAT, 0o600), fcntl.LOCK_EX):
        return 0  # there is one; our lock, too, is only given back by the end of the process
    try:
        keep(places, SERVERS[chosen.name](chosen.home, durable=not chosen.fleeting))
    except (ServerFailed, OSError) as error:
        print(f"{chosen.name}: {error}", flush=True)  # noqa: T201 - into its log
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
