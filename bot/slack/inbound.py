"""Slack's deliveries: the raw bytes are verified here, then Bolt takes them to their handlers."""

import asyncio
import hashlib
import hmac
import json
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl

import structlog
from prometheus_client import Counter
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.response import BoltResponse
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from audit.registry import brief
from bot.slack import asking, limits
from bot.slack.actions import on_click, on_shortcut
from bot.slack.commands import on_command
from bot.slack.door import Act, Door
from bot.slack.events import on_message
from bot.slack.home import on_home_opened
from bot.slack.installs import Installs
from bot.slack.modal import change_rows, submit, suggest
from bot.slack.oauth import CAME_FROM, flow
from bot.slack.outbound import SlackOutbound
from bot.slack.render import Json
from core.errors import MiyabiError
from core.inbound import Spot, storable
from core.platform import Opening
from core.ports import TooLarge
from core.streams import read_at_most

log = structlog.get_logger()

REJECTED = Counter(
    "miyabi_slack_rejected", "Requests that were refused before anything was read", ["reason"]
)

Handler = Callable[[Door, Json, AsyncAck, Act], Awaitable[BoltResponse | None]]

_TIMESTAMP = re.compile("[0-9]{1,12}")
_TOKEN_PATIENCE = 0.4
"""Seconds to look a token up. Taking a request in needs none; only answers beside it do."""


def routes(opening: Opening) -> Sequence[Route]:
    """The webhook, and the two pages of an OAuth installation where the settings name a client."""
    outbound = opening.house.outbounds.get("slack")
    secret = opening.settings.slack.signing_secret
    if not isinstance(outbound, SlackOutbound) or secret is None:
        return ()
    installing = flow(opening, outbound.installs, outbound.api)
    app = make_app(Door(opening.house, outbound), installing)
    events = _webhook(app, secret.get_secret_value().encode())
    found = [Route("/slack/events", events, methods=["POST"])]
    if installing is not None:
        found.append(Route("/slack/install", _page(installing.handle_installation)))
        found.append(Route("/slack/oauth_redirect", _page(installing.handle_callback)))
    return found


async def listen(opening: Opening) -> None:
    """Take deliveries over a web socket that we open, until cancelled; for who has no address."""
    outbound = opening.house.outbounds.get("slack")
    token = opening.settings.slack.app_token
    if not isinstance(outbound, SlackOutbound) or token is None:
        return
    app = make_app(Door(opening.house, outbound), flow(opening, outbound.installs, outbound.api))
    handler = AsyncSocketModeHandler(app, token.get_secret_value())
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]
        await asyncio.Event().wait()
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


# The raw bytes


def _webhook(app: AsyncApp, secret: bytes) -> Callable[[Request], Awaitable[Response]]:
    async def events(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return _reject(413, "too_large")
        wrong = why_not(secret, body, request.headers, time.time())
        if wrong is not None:
            return _reject(401, wrong)
        payload = read_payload(body, request.headers.get("content-type", ""))
        if payload is None:
            return _reject(400, "unreadable")
        # As in Socket Mode: already verified and parsed. (Bolt's own parser takes any form in
        # which the word "payload" occurs, also in a command's text, for an interaction.)
        bolt = AsyncBoltRequest(
            mode="socket_mode", body=payload, headers=dict(request.headers.items())
        )
        return to_starlette_response(await app.async_dispatch(bolt))

    return events


async def _body(request: Request) -> bytes | None:
    """The body, or None where it is over the limit; then the rest of it is not even read."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > limits.BODY_BYTES:
        return None
    try:
        return await read_at_most(request.stream(), limits.BODY_BYTES)
    except TooLarge:
        return None


def why_not(secret: bytes, body: bytes, headers: Any, now: float) -> str | None:
    """Why a request is not Slack's; None if it is (docs.slack.dev, verifying requests)."""
    timestamp = headers.get("x-slack-request-timestamp", "")
    signature = headers.get("x-slack-signature", "")
    if not _TIMESTAMP.fullmatch(timestamp) or not signature:
        return "unsigned"
    if abs(now - int(timestamp)) > limits.SIGNATURE_AGE:
        return "old"
    digest = hmac.new(secret, f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    same = hmac.compare_digest(f"v0={digest}".encode(), signature.encode())
    return None if same else "signature"


def read_payload(body: bytes, content_type: str) -> Json | None:
    """What a verified body says; None where it can't be read. Slack sends JSON or a form."""
    try:
        text = body.decode()
        if content_type.startswith("application/json"):
            payload = json.loads(text)
        else:
            form = dict(parse_qsl(text, keep_blank_values=True))
            payload = json.loads(form["payload"]) if "payload" in form else form
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def _reject(status: int, reason: str) -> Response:
    REJECTED.labels(reason).inc()
    log.warning("slack.rejected", status=status, reason=reason)
    return PlainTextResponse(reason, status)


def _page(
    handle: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]],
) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        agent = brief(storable(request.headers.get("user-agent", "")))
        CAME_FROM.set((request.client.host if request.client else None, agent or None))
        return to_starlette_response(await handle(to_async_bolt_request(request, b"")))

    return page


# Bolt


def make_app(door: Door, installing: AsyncOAuthFlow | None) -> AsyncApp:
    """The Bolt app: every kind of delivery and its handler."""
    app = AsyncApp(
        client=door.outbound.api.visitor(),
        authorize=_Authorize(door.outbound.installs),
        oauth_flow=installing,
        process_before_response=True,  # without it Bolt looks for the answer every 10 ms
        request_verification_enabled=False,  # done on the raw bytes, before anything is parsed
    )
    app.command(re.compile(""))(_bound(door, on_command))
    app.event("app_mention")(_bound(door, on_message))
    app.event("message")(_bound(door, on_message))
    app.event("app_home_opened")(_bound(door, on_home_opened))
    app.event("app_uninstalled")(_bound(door, _on_removed))
    app.event("tokens_revoked")(_bound(door, _on_removed))
    app.event(re.compile(""))(_bound(door, _nothing))
    app.action(re.compile("^form:"))(_bound(door, change_rows))
    app.action(re.compile(""))(_bound(door, on_click))
    app.options(re.compile(""))(_bound(door, suggest))
    app.view("form")(_bound(door, submit))
    app.view("asking")(_bound(door, asking.submit))
    # Those that were open when an earlier version was replaced.
    app.view("reason")(_bound(door, asking.submit))
    app.shortcut(re.compile("_from_message$"))(_bound(door, on_shortcut))
    return app


def _bound(door: Door, handler: Handler) -> Callable[..., Awaitable[BoltResponse | None]]:
    """A Bolt listener of a handler of ours."""

    async def listener(
        body: dict[str, Any], ack: AsyncAck, context: AsyncBoltContext
    ) -> BoltResponse | None:
        return await handler(door, body, ack, _act(body, context))

    return listener


def _act(body: Json, context: AsyncBoltContext) -> Act:
    channel = body.get("channel_id") or context.channel_id or ""
    return Act(context.team_id or "", context.user_id or "", Spot(channel))


async def _nothing(door: Door, body: Json, ack: AsyncAck, act: Act) -> None:
    """An event that nothing is done for."""


async def _on_removed(door: Door, body: Json, ack: AsyncAck, act: Act) -> None:
    """The app was removed from a workspace, or the bot's token revoked."""
    event = body["event"]
    if event["type"] == "app_uninstalled" or (event.get("tokens") or {}).get("bot"):
        await door.outbound.installs.remove(str(body["team_id"]))


class _Authorize(AsyncAuthorize):
    """Which bot it is that was spoken to. A token that can't be had now keeps nobody outside."""

    def __init__(self, installs: Installs) -> None:
        self._installs = installs

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        actor_enterprise_id: str | None = None,
        actor_team_id: str | None = None,
        actor_user_id: str | None = None,
    ) -> AuthorizeResult:
        found = None
        try:
            async with asyncio.timeout(_TOKEN_PATIENCE):
                found = await self._installs.find(team_id or "")
        except (MiyabiError, TimeoutError) as error:
            log.warning("slack.no_token", team=team_id, why=repr(error))
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            user_id=user_id,
            bot_user_id=found.bot_user if found else None,
            bot_id=found.bot_id if found else None,
            bot_token=found.token if found else None,
        )
