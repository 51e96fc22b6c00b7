"""LINE's webhook over HTTP: the raw bytes in, and LINE is told whether they were taken.

LINE waits 2 s for its 200, and delivers again what had none (where the console says so).
"""

import time
from collections.abc import Awaitable, Callable, Sequence

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.line.arriving import LineHands
from bot.line.door import Door
from bot.line.inbox import REJECTED, Inbox, NotKept, Refused
from bot.line.outbound import LineOutbound
from bot.line.spool import Signed, Spool
from core.arriving import Arriving
from core.platform import Opening
from core.ports import TooLarge
from core.streams import read_at_most

log = structlog.get_logger()

PATH = "/line/webhook"
FOLDER = "line-webhooks"
"""Under the settings' `home`: the spool."""

BODY_BYTES = 1_000_000
"""No webhook of LINE's comes near it."""

_STATUS = {"unreadable": 400}  # else 401


def routes(opening: Opening) -> Sequence[Route]:
    """The webhook."""
    inbox = _open_inbox(opening)
    return (Route(PATH, webhook(inbox), methods=["POST"]),) if inbox is not None else ()


async def listen(opening: Opening) -> None:
    """Deal with what earlier processes left, and with what nobody has dealt with in time."""
    inbox = _open_inbox(opening)
    if inbox is not None:
        inbox.drain_later()
        await inbox.arriving.sweep()


def _open_inbox(opening: Opening) -> Inbox | None:
    outbound = opening.house.outbounds.get("line")
    if not isinstance(outbound, LineOutbound):
        return None
    engine, chores = opening.house.engine, outbound.chores
    hands = LineHands(Door(opening.house, outbound, opening))
    spool = Spool(opening.settings.home / FOLDER)
    return Inbox(engine, outbound.channels, spool, Arriving(engine, "line", hands, chores), chores)


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
    try:
        return await read_at_most(request.stream(), BODY_BYTES)
    except TooLarge:
        return None


def _reject(status: int, reason: str) -> Response:
    REJECTED.labels(reason).inc()
    log.warning("line.rejected", status=status, reason=reason)
    return PlainTextResponse(reason, status)
