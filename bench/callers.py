"""Slack's side of the intake benchmark: signed slash commands from a process of its own.

A bare HTTP/1.1 client on kept connections, so that what is measured is the server's time and
hardly the client's; everything is built and signed before the clock starts.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlencode
from uuid import uuid4

from bench.children import Life
from bench.ground import SIGNING_SECRET, SLACK_ASKERS, SLACK_TEAM

_CHANNEL = "C0BENCH001"
_PATH = "/slack/events"


def _requests(n: int, text: str) -> list[bytes]:
    """n whole HTTP requests with `/miyabi TEXT`, each a new act of one person after the other."""
    return [_request(text, SLACK_ASKERS[i % len(SLACK_ASKERS)]) for i in range(n)]


def _request(text: str, asker: str) -> bytes:
    fields = {
        "token": "unused",
        "team_id": SLACK_TEAM,
        "team_domain": "bench",
        "channel_id": _CHANNEL,
        "channel_name": "sales",
        "user_id": asker,
        "user_name": "tanaka",
        "command": "/miyabi",
        "text": text,
        "api_app_id": "A0BENCH001",
        "is_enterprise_install": "false",
        "response_url": "https://hooks.slack.com/commands/T0BENCH001/1/x",
        "trigger_id": uuid4().hex,
    }
    body = urlencode(fields).encode()
    at = str(int(time.time()))
    signed = hmac.new(SIGNING_SECRET.encode(), b"v0:" + at.encode() + b":" + body, hashlib.sha256)
    head = (
        f"POST {_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Slackbot 1.0\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nAccept: */*\r\n"
        f"X-Slack-Request-Timestamp: {at}\r\nX-Slack-Signature: v0={signed.hexdigest()}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def call(life: Life, port: int, n: int, callers: int, text: str) -> list[float]:
    """A child: n requests by so many callers, each asking again once answered. Times in ms.

    Raises AssertionError where one is not answered with 200.
    """
    waiting = iter(_requests(n, text))
    life.ready()
    measured = await asyncio.gather(*(_caller(port, waiting) for _ in range(callers)))
    return [each for times in measured for each in times]


async def _caller(port: int, waiting: Iterator[bytes]) -> Sequence[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times = []
    for request in waiting:
        began = time.perf_counter()
        writer.write(request)
        await _answered(reader)
        times.append((time.perf_counter() - began) * 1000)
    writer.close()
    return times


async def _answered(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    assert " 200 " in status, status
    lengths = [f.partition(":")[2] for f in fields if f.lower().startswith("content-length:")]
    if lengths:
        await reader.readexactly(int(lengths[0]))
