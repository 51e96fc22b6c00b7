"""Slack's side of a benchmark: signed commands and clicks from a process of its own.

A bare HTTP/1.1 client on kept connections, so that what is measured is the server's time and
hardly the client's; everything is built and signed before the clock starts.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping, Sequence
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
    return _signed(
        {
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
    )


def _press(channel: str, who: str, value: str) -> bytes:
    """The button `approve` of a card."""
    ts = f"{time.time():.6f}"
    payload = {
        "type": "block_actions",
        "user": {"id": who, "team_id": SLACK_TEAM},
        "team": {"id": SLACK_TEAM, "domain": "bench"},
        "api_app_id": "A0BENCH001",
        "container": {"type": "message", "message_ts": ts, "channel_id": channel},
        "channel": {"id": channel, "name": "sales"},
        "message": {"type": "message", "ts": ts, "text": "x"},
        "trigger_id": uuid4().hex,
        "response_url": "https://hooks.slack.com/actions/T0BENCH001/1/x",
        "actions": [
            {
                "type": "button",
                "action_id": "approve",
                "block_id": "b",
                "value": value,
                "action_ts": ts,
            }
        ],
    }
    return _signed({"payload": json.dumps(payload)})


def _signed(fields: Mapping[str, str]) -> bytes:
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


async def click(
    life: Life, port: int, channel: str, clicks: Sequence[tuple[str, str]]
) -> Sequence[tuple[int, float]]:
    """A child: all at the same moment, each a person and what the button they press carries. When
    each began (ns), and how long it took until Slack had its 200 (ms; infinite for another)."""
    ways = [await asyncio.open_connection("127.0.0.1", port) for _ in clicks]
    requests = [_press(channel, who, value) for who, value in clicks]
    life.ready()

    async def one(
        way: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes
    ) -> tuple[int, float]:
        began = time.monotonic_ns()
        way[1].write(request)
        ok = await _answer(way[0])
        took = (time.monotonic_ns() - began) / 1e6 if ok else float("inf")
        way[1].close()
        return began, took

    return await asyncio.gather(*map(one, ways, requests))


async def _caller(port: int, waiting: Iterator[bytes]) -> Sequence[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times = []
    for request in waiting:
        began = time.perf_counter()
        writer.write(request)
        await answered(reader)
        times.append((time.perf_counter() - began) * 1000)
    writer.close()
    return times


async def answered(reader: asyncio.StreamReader) -> None:
    assert await _answer(reader), "an answer that is no 200"


async def _answer(reader: asyncio.StreamReader) -> bool:
    """Whether the answer is a 200, once it is read."""
    head = await reader.readuntil(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    lengths = [f.partition(":")[2] for f in fields if f.lower().startswith("content-length:")]
    if lengths:
        await reader.readexactly(int(lengths[0]))
    return " 200 " in status
