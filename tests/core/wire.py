"""A way to the database that can be held up, or be cut and mended: a network, as far as we see."""

import asyncio
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_SOCKET = ".s.PGSQL.5432"


class Wire:
    """Passes bytes on between a socket in `folder` and the database. An async context manager.

    `flows`: while it is not set, nothing goes through.
    """

    def __init__(self, database_url: str, folder: Path) -> None:
        host = parse_qs(urlsplit(database_url).query)["host"][0]
        self.url = database_url.replace(host, str(folder))
        self.flows = asyncio.Event()
        self.flows.set()
        self._here = folder / _SOCKET
        self._there = f"{host}/{_SOCKET}"
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> "Wire":
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()

    async def mend(self) -> None:
        self._server = await asyncio.start_unix_server(self._joined, self._here)

    def cut(self) -> None:
        """Break all connections off, and refuse new ones."""
        if self._server is not None:
            self._server.close()
        self._here.unlink(missing_ok=True)
        for writer in self._open:
            writer.transport.abort()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(self._there)
        both = {writer, there_writer}
        self._open |= both
        await asyncio.gather(
            self._carry(reader, there_writer),
            self._carry(there_reader, writer),
            return_exceptions=True,
        )
        self._open -= both

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self.flows.wait()
            writer.write(data)
        writer.close()
