"""LINE's side of a benchmark: signed webhooks from a process of its own, at a rate.

Every request is built and signed before the clock starts. It is due at a moment, whatever became
of those before it; its time runs from then, so that a server that falls behind can't hide it.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Sequence

from bench.callers import answered
from bench.children import Life
from tests.fakes.line.description import Json
from tests.fakes.line.signing import signed_headers

PATH = "/line/webhook"


def request(destination: str, secret: str, *events: Json) -> bytes:
    """A whole HTTP request with these events."""
    body = json.dumps({"destination": destination, "events": events}, ensure_ascii=False).encode()
    headers = signed_headers(secret, body) | {"content-length": str(len(body))}
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n".encode() + body


async def at_rate(
    life: Life, port: int, requests: Sequence[bytes], per_second: float
) -> Sequence[float]:
    """A child: so many requests a second. From when each was due to its 200, in ms.

    Raises AssertionError where one is answered otherwise.
    """
    # In turns: a connection that nobody uses for a while, the server closes.
    idle = deque([await asyncio.open_connection("127.0.0.1", port) for _ in range(20)])
    life.ready()
    began = time.perf_counter()

    async def one(due: float, sent: bytes) -> float:
        reader, writer = (
            idle.popleft() if idle else await asyncio.open_connection("127.0.0.1", port)
        )
        writer.write(sent)
        await answered(reader)
        took = time.perf_counter() - due
        idle.append((reader, writer))
        return took * 1000

    under_way = []
    for number, sent in enumerate(requests):
        due = began + number / per_second
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        under_way.append(asyncio.create_task(one(due, sent)))
    times = await asyncio.gather(*under_way)
    for _, writer in idle:
        writer.close()
    return times
