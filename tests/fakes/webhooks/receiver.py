"""A fake receiver of webhooks: it checks signatures with the standard's library, and keeps ids.

What it is to answer is said beforehand; whatever arrives twice under one id is counted once.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook

from tests.fakes.served import Served


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call is answered. `hang_up`: the connection is closed instead, after it was read."""

    status: int = 204
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False


@dataclass(slots=True)
class Receiver(Served):
    """`secret`: what it verifies with (None: nothing is signed). `answers` are for the next calls,
    then `usual`. `waits`: it answers only when this is set."""

    secret: str | None = None
    answers: list[Answer] = field(default_factory=list)
    usual: Answer = Answer()
    waits: asyncio.Event | None = None
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    bodies: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"{self.base_url}/hook"

    def application(self) -> web.Application:
        """One route for all there is."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._called)
        return app

    async def closing(self) -> None:
        """Whoever waits is answered."""
        if self.waits is not None:
            self.waits.set()

    async def _called(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        if request.method != "POST" or headers.get("content-type") != "application/json":
            return web.Response(status=415)
        self.calls.append((headers, body))
        self._take(headers, body)
        if self.waits is not None:
            await self.waits.wait()
        answer = self.answers.pop(0) if self.answers else self.usual
        if answer.hang_up and request.transport is not None:
            request.transport.close()
        return web.Response(status=answer.status, text=answer.body, headers=answer.headers)

    def _take(self, headers: dict[str, str], body: bytes) -> None:
        """Raises where it is not signed as it should be: then the answer is 500."""
        if self.secret is not None:
            Webhook(self.secret).verify(body, headers)
        content = json.loads(body)
        key = headers.get("webhook-id", str(len(self.calls)))
        assert self.bodies.setdefault(key, content) == content, "one id, another content"
