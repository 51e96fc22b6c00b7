"""Something between a mail program and its server: it hides what the server can, changes what it
says, says goodbye for it, cuts the line, or lets nothing through any more."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

Change = tuple[bytes, bytes]


class Between:
    """A port in front of another one. `changes` are made in what the server says, piece by piece,
    and `theirs` in what it is told; `heard` is what was said to it."""

    def __init__(self, port: int, changes: tuple[Change, ...] = ()) -> None:
        self._behind = port
        self.changes = changes
        self.theirs: tuple[Change, ...] = ()
        self.heard = b""
        self.connections = 0
        self.refuses = False
        self._deaf: list[socket.socket] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.refuses:
                    client.close()
                    continue
                self.connections += 1
                server = socket.create_connection(("127.0.0.1", self._behind))
                self._open += [client, server]
                for pump in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._pump, args=pump, daemon=True).start()

    def _pump(self, source: socket.socket, to: socket.socket, from_server: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if source in self._deaf:
                    continue
                if not from_server:
                    self.heard += data
                for what, by in self.changes if from_server else self.theirs:
                    data = data.replace(what, by)
                to.sendall(data)
        for each in (source, to):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def say(self, line: bytes) -> None:
        """Say something to all clients that the server did not say."""
        for client in self._open[::2]:
            with contextlib.suppress(OSError):
                client.sendall(line)

    def cut(self) -> None:
        """Cut every line."""
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def go_deaf(self) -> None:
        """Let nothing through any more on these lines, and keep them open."""
        self._deaf = [*self._open]

    def close(self) -> None:
        """Cut all, and take no more."""
        self.cut()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            each.close()


@contextmanager
def between(port: int, *changes: Change) -> Iterator[Between]:
    """Stand in front of a port of this machine."""
    standing = Between(port, changes)
    try:
        yield standing
    finally:
        standing.close()
