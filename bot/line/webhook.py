"""LINE's webhook over HTTP: the raw bytes in, and LINE is told whether they were taken.

LINE waits 2 s for its 200, and delivers again what had none (where the console says so).
"""

import time
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.line.inbox import REJECTED, Inbox, NotKept, Refused
from bot.line.spool import Signed

log = structlog.get_logger()

PATH = "/line/webhook"
BODY_BYTES = 1_000_000
"""No webhook of LINE's comes near it."""

_STATUS = {"unreadable": 400}  # else 401


def webhook(inbox: Inbox) -> Callable[[Request], Awaitable[Response]]:
    """The handler of a webhook: 200 where its events are kept, whatever becomes of them."""

    async def take(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return _reject(413, "too_large")
        signature = request.headers.get("x-line-signature")
        if not signature:
            return _reject(401, "unsigned")
        try:
            await inbox.take(Signed(body, signature, time.time()))
        except Refused as refused:
            return _reject(_STATUS.get(str(refused), 401), str(refused))
        except NotKept:
            return PlainTextResponse("try again", 503)
        return PlainTextResponse("OK")

    return take


async def _body(request: Request) -> bytes | None:
    """The body, or None where it is over the limit; then the rest of it is not even read."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > BODY_BYTES:
        return None
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _reject(status: int, reason: str) -> Response:
    REJECTED.labels(reason).inc()
    log.warning("line.rejected", status=status, reason=reason)
    return PlainTextResponse(reason, status)
