"""What every fake has that is spoken to by HTTP: a port of this machine, taken and given back."""

from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web


class Served:
    """An async context manager that serves `application` while it is open. `session` is for what
    the fake itself posts."""

    session: aiohttp.ClientSession | None = None
    _runner: web.AppRunner | None = None
    _site: web.TCPSite | None = None
    port = 0

    def application(self) -> web.Application:
        """The routes."""
        raise NotImplementedError

    async def closing(self) -> None:
        """Let go of whoever is waiting, before the port is given back."""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self.application(), shutdown_timeout=0.1)
        await self._runner.setup()
        await self.come_back()
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.session is not None:
            await self.session.close()
        await self.closing()
        if self._runner is not None:
            await self._runner.cleanup()

    async def go_away(self) -> None:
        """Take no connections any more, and cut those that are open: it is not to be reached."""
        assert self._site is not None
        assert self._runner is not None
        await self._site.stop()
        self._site = None
        server = self._runner.server
        assert server is not None
        for connection in list(server.connections):
            if connection.transport is not None:
                connection.transport.abort()

    async def come_back(self) -> None:
        """Take connections, at the same address as before."""
        assert self._runner is not None
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await self._site.start()
        self.port = int(self._runner.addresses[0][1])
