"""Interactions by HTTP, the alternative to the gateway: Ed25519 over the raw bytes, then the very
same handlers. Messages still come by the gateway."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.discord import limits
from bot.discord.act import Json
from bot.discord.api import DiscordRefused
from bot.discord.door import Door
from bot.discord.gateway import door_of
from bot.discord.interactions import on_interaction
from bot.discord.reaching import UNKNOWN_INTERACTION
from bot.discord.turn import Turn
from core.platform import Opening
from core.ports import TooLarge
from core.streams import read_at_most

log = structlog.get_logger()

PATH = "/discord/interactions"
PING = 1

REJECTED = Counter(
    "miyabi_discord_rejected", "Requests that were refused before anything was read", ["reason"]
)
_WITHIN = 1.7
"""Seconds within which the answer is the body of the HTTP answer; every delivery is answered
within two (web/limits.py)."""


def routes(opening: Opening) -> Sequence[Route]:
    """The address that is named in Discord's portal, where the settings have the public key."""
    door, key = door_of(opening), opening.settings.discord.public_key
    if door is None or key is None:
        return ()
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
    return [Route(PATH, _endpoint(door, public), methods=["POST"])]


def _endpoint(door: Door, public: Ed25519PublicKey) -> Callable[[Request], Awaitable[Response]]:
    async def interactions(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return _reject(413, "too_large")
        wrong = why_not(public, body, request.headers, time.time())
        if wrong is not None:
            return _reject(401, wrong)
        payload = _read(body)
        if payload is None:
            return _reject(400, "unreadable")
        if payload.get("type") == PING:
            return JSONResponse({"type": 1})
        return await _answered(door, payload)

    return interactions


async def _answered(door: Door, payload: Json) -> Response:
    """Deal with it; its first answer is ours. What comes later goes by the token."""
    first: asyncio.Future[Json] = asyncio.get_running_loop().create_future()

    async def respond(answer: Json) -> None:
        if first.done():
            raise DiscordRefused(404, UNKNOWN_INTERACTION, "too late")
        first.set_result(answer)

    turn = Turn(door.outbound.api, payload, respond)

    async def deal() -> None:
        await on_interaction(door, turn)
        if not first.done():
            first.set_result({})

    door.later(deal())
    try:
        answer = await asyncio.wait_for(asyncio.shield(first), _WITHIN)
    except TimeoutError:
        first.cancel()  # whoever answers now is told that it is too late
        log.warning("discord.interaction_late", interaction=turn.id)
        return PlainTextResponse("late", 503)
    # Nothing is to be said to what was answered before.
    return JSONResponse(answer) if answer else Response(status_code=202)


async def _body(request: Request) -> bytes | None:
    """The body, or None where it is over the limit; then the rest of it is not even read."""
    try:
        return await read_at_most(request.stream(), limits.BODY_BYTES)
    except TooLarge:
        return None


def why_not(
    public: Ed25519PublicKey, body: bytes, headers: Mapping[str, str], now: float
) -> str | None:
    """Why a request is not Discord's; None if it is (docs.discord.com, security and
    authorization)."""
    timestamp = headers.get("x-signature-timestamp", "")
    signature = headers.get("x-signature-ed25519", "")
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
        return "unsigned"
    try:
        public.verify(bytes.fromhex(signature), timestamp.encode() + body)
    except (ValueError, InvalidSignature):
        return "signature"
    return "old" if abs(now - int(timestamp)) > limits.SIGNATURE_AGE else None


def _read(body: bytes) -> Json | None:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def _reject(status: int, reason: str) -> Response:
    REJECTED.labels(reason).inc()
    log.warning("discord.rejected", status=status, reason=reason)
    return PlainTextResponse(reason, status)
