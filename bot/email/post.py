"""Mail by HTTP: `POST /email/inbound/<address>`, the raw mail as the body, signed.

For providers that hand mail on by a webhook, and for programs. `X-Miyabi-Timestamp` is the time in
seconds since 1970; `X-Miyabi-Signature` is `sha256=` and the HMAC-SHA256, in hex, of timestamp, a
full stop and the body, under the mailbox's `post_secret`. Five minutes off it is refused; the same
mail once more is known already.
"""

import hmac
import time
from collections.abc import Sequence
from hashlib import sha256

import structlog
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.email import POST_PATH, boxes
from bot.email.boxes import Box
from bot.email.inbox import store
from core.db import is_outage
from core.errors import MiyabiError
from core.house import House
from core.platform import Opening

log = structlog.get_logger()

REJECTED = Counter("miyabi_email_rejected", "Mails by HTTP that were not taken", ["reason"])

_WINDOW = 300  # seconds


def routes(opening: Opening) -> Sequence[Route]:
    """The way in."""

    async def inbound(request: Request) -> Response:
        return await _take(opening.house, request, opening.settings.email.most_bytes)

    return (Route(POST_PATH + "{address}", inbound, methods=["POST"]),)


async def _take(house: House, request: Request, most: int) -> Response:
    """200 where it is stored, whatever becomes of it; the id is that of `miyabi mail log`."""
    body = await request.body()
    if not body:
        return _reject(400, "empty")
    if len(body) > most:
        return _reject(413, "too_large")
    try:
        box = await boxes.by_address(house, request.path_params["address"])
        if not _is_signed(request, body, box):
            return _reject(401, "signature")
        assert box is not None  # noqa: S101  # nothing is signed for none
        id = await store(house, box, body, came_by="http")
    except Exception as error:
        if not is_outage(error) and not isinstance(error, MiyabiError):
            raise
        log.warning("email.post_not_taken", why=repr(error))
        return _reject(503, "away")
    return PlainTextResponse(f"{id}\n" if id else "known\n")


def _is_signed(request: Request, body: bytes, box: Box | None) -> bool:
    """Whether it was signed, lately, for this mailbox. One that there is not, and one that takes no
    mail this way, look the same from outside."""
    secret = (box.secrets.get("post_secret", "") if box else "").encode()
    at = request.headers.get("x-miyabi-timestamp", "")
    signature = request.headers.get("x-miyabi-signature", "")
    if not (at.isascii() and at.isdecimal() and len(at) <= 12 and signature.isascii()):
        return False
    right = "sha256=" + hmac.new(secret, at.encode() + b"." + body, sha256).hexdigest()
    fresh = abs(time.time() - int(at)) <= _WINDOW
    return hmac.compare_digest(right, signature.lower()) and fresh and bool(secret)


def _reject(status: int, reason: str) -> Response:
    REJECTED.labels(reason).inc()
    log.warning("email.post_rejected", status=status, reason=reason)
    return PlainTextResponse(f"{reason}\n", status)
