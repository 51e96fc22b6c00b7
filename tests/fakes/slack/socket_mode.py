"""The other end of Socket Mode: a web socket that gives envelopes and takes acknowledgements."""

import asyncio
import json
import secrets
import uuid
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from tests.fakes.slack.limits import Json
from tests.fakes.slack.world import Violation, World


@dataclass(slots=True)
class SocketMode:
    """The open connections of the app. Slack sends each envelope to one of them, in turn."""

    world: World
    tickets: set[str] = field(default_factory=set)
    connections: list[web.WebSocketResponse] = field(default_factory=list)
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    turn: int = 0

    def url(self) -> str:
        """A fresh address for one connection: the answer of apps.connections.open."""
        ticket = secrets.token_hex(8)
        self.tickets.add(ticket)
        base = self.world.base_url.replace("http://", "ws://")
        return f"{base}/link/?ticket={ticket}&app_id={self.world.app_id}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection, from hello to its end."""
        ticket = request.query.get("ticket", "")
        if ticket not in self.tickets:
            return web.Response(status=401)
        self.tickets.remove(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections.append(socket)
        info = {"app_id": self.world.app_id}
        debug = {"host": "applink-fake", "approximate_connection_time": 18060}
        hello = {"type": "hello", "num_connections": len(self.connections)}
        await socket.send_json(hello | {"connection_info": info, "debug_info": debug})
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._acknowledge(json.loads(frame.data))
        finally:
            self.connections.remove(socket)
        return socket

    def _acknowledge(self, answer: Json) -> None:
        waiting = self.waiting.pop(answer.get("envelope_id", ""), None)
        if waiting is None:
            self.world.violations.append(
                Violation("socket mode", f"acknowledged what was not sent: {answer}")
            )
        elif not waiting.done():
            waiting.set_result(answer)

    async def send(self, envelope: Json, timeout: float) -> Json:
        """Send an envelope and wait for its acknowledgement. Raises TimeoutError."""
        if not self.connections:
            raise RuntimeError("no app is connected in Socket Mode")
        self.turn += 1
        socket = self.connections[self.turn % len(self.connections)]
        envelope_id = str(uuid.uuid4())
        waiting = asyncio.get_running_loop().create_future()
        self.waiting[envelope_id] = waiting
        await socket.send_json({**envelope, "envelope_id": envelope_id})
        return await asyncio.wait_for(waiting, timeout)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to come back anew, then close it, as Slack does now and then."""
        for socket in list(self.connections):
            await socket.send_json({"type": "disconnect", "reason": reason})
            await socket.close()
