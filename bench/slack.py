"""Slack's other side of a benchmark: it takes every call, and notes when a person saw what.

No check of what it is told, and hardly any time of its own: the tests have another one for that.
"""

import itertools
import json
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from time import monotonic_ns
from typing import Any

import aiohttp
from aiohttp import web

from bench.children import Life, until_stopped
from bench.ground import SLACK_TEAM

Json = dict[str, Any]


@dataclass(slots=True)
class Notes:
    """What was seen. Times in ns of the machine's monotonic clock, one for all its processes."""

    copies: dict[str, list[str]] = field(default_factory=dict)
    """The messages with buttons, by what these carry (the step that they decide)."""
    gone: dict[str, int] = field(default_factory=dict)
    """When a message lost its buttons."""
    told: dict[str, list[int]] = field(default_factory=dict)
    """When a person was answered by a message that only they see."""
    posted: list[tuple[str, int]] = field(default_factory=list)
    """What was posted, in few words, and when."""


async def slack(life: Life, listening: socket.socket) -> None:
    """A child: the Web API under `/api/`, and `GET /notes`."""
    notes, counter = Notes(), itertools.count(1)

    async def call(request: web.Request) -> web.Response:
        asked = await _arguments(request)
        answer = _METHODS.get(request.match_info["method"], _fine)(notes, asked, next(counter))
        return web.json_response({"ok": True, **answer})

    async def told(request: web.Request) -> web.Response:
        return web.json_response(asdict(notes))

    app = web.Application()
    app.router.add_route("*", "/api/{method}", call)
    app.router.add_get("/notes", told)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    life.ready()
    await until_stopped(life, life.stop.wait())
    await runner.cleanup()


async def read_notes(port: int) -> Notes:
    """What that child has seen so far."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/notes") as answer,
    ):
        return Notes(**await answer.json())


async def _arguments(request: web.Request) -> Json:
    if request.content_type == "application/json":
        return {**request.query, **await request.json()}
    return {**request.query, **await request.post()}


def _fine(notes: Notes, asked: Json, number: int) -> Json:
    return {"team_id": SLACK_TEAM, "user_id": "U0BOT", "bot_id": "B0BOT"}


def _open(notes: Notes, asked: Json, number: int) -> Json:
    return {"channel": {"id": f"D{asked['users']}"}}


def _post(notes: Notes, asked: Json, number: int) -> Json:
    ts, channel = f"{1_700_000_000 + number}.000100", str(asked["channel"])
    notes.posted.append((str(asked.get("text", ""))[:40], monotonic_ns()))
    for value in _values(asked):
        notes.copies.setdefault(value, []).append(f"{channel} {ts}")
    return {"channel": channel, "ts": ts}


def _update(notes: Notes, asked: Json, number: int) -> Json:
    message = f"{asked['channel']} {asked['ts']}"
    if not _values(asked):
        notes.gone.setdefault(message, monotonic_ns())
    return {"channel": asked["channel"], "ts": asked["ts"]}


def _whisper(notes: Notes, asked: Json, number: int) -> Json:
    notes.told.setdefault(str(asked["user"]), []).append(monotonic_ns())
    return {"message_ts": f"{1_700_000_000 + number}.000200"}


_METHODS = {
    "conversations.open": _open,
    "chat.postMessage": _post,
    "chat.update": _update,
    "chat.postEphemeral": _whisper,
}


def _values(asked: Mapping[str, Any]) -> set[str]:
    """What the buttons of a message carry."""
    blocks = asked.get("blocks") or []
    if isinstance(blocks, str):
        blocks = json.loads(blocks)
    return {
        str(element["value"])
        for block in blocks
        if block["type"] == "actions"
        for element in block["elements"]
        if element.get("value")
    }
