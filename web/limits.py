"""What every request must keep to, whichever platform it is for."""

import asyncio
import json
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.approvals.by_link import PATH
from core.problems import MEDIA_TYPE, accepted_language, problem
from core.words import Words

log = structlog.get_logger()

BODY_LIMIT = 1_000_000
"""Bytes a request's body may have; no webhook of a platform comes near it."""

_TOO_LARGE = Words(
    ja="{most} MB までにしてください。",
    en="It may have {most} MB at most.",
    zh="最多为 {most} MB。",
)
ANSWER_WITHIN = 2.0
"""Seconds after which whoever delivers something is answered in any case. Slack waits for 3."""

_RETRY_AFTER = b"2"  # seconds
_TOO_SLOW = Words(
    ja="時間内に処理できませんでした。同じ内容をもう一度送ってください。二重には処理されません。",
    en="There was no answer in time. Send the same again: nothing is done twice.",
    zh="未能及时处理。请重新发送相同内容，不会重复处理。",
)
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


class InTime:
    """Answers a delivery within `ANSWER_WITHIN`, whatever becomes of the work for it.

    Each part of that has a limit of its own, but nothing holds their sum. What is not done is
    called off, and how long that takes nobody waits for: the platform delivers again, and the
    delivery's key has it done once. What only looks (GET) is not held: our own pages keep to less
    than that by themselves, and a browser may wait for another company's answer.
    """

    def __init__(self, app: ASGIApp, seconds: float = ANSWER_WITHIN) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_delivery(scope):
            await self._app(scope, receive, send)
            return
        # A timer, not a task: nearly all are done in time, and must not pay for those that are not.
        visit = _Visit(scope, send)
        timer = asyncio.get_running_loop().call_later(self._seconds, visit.too_late)
        try:
            await self._app(scope, receive, visit.send)
        except (asyncio.CancelledError, Exception) as error:
            if visit.refusing is None:
                raise
            log.info("web.ended_late", error=repr(error))
        finally:
            timer.cancel()
        if visit.refusing is not None:
            await visit.refusing


class _Visit:
    """One request under way. `refusing`: what says that it takes too long."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._answered = False
        self._task = asyncio.current_task()
        self.refusing: asyncio.Task[None] | None = None

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """What the application answers; nothing any more where it is too late for that."""
        if self.refusing is None:
            self._answered = True
            await self._send(message)

    def too_late(self) -> None:
        """Refuse, and call the work off."""
        if self._answered or self._task is None:
            return
        log.error("web.too_slow", path=_without_token(self._scope["path"]))
        refusal = _refuse(self._scope, self._send, 503, _TOO_SLOW, (b"retry-after", _RETRY_AFTER))
        self.refusing = asyncio.create_task(refusal)
        self._task.cancel()


class BodyLimit:
    """Takes the body in before anything else sees it; one that is too large gets 413.

    So the limit holds for bodies of unknown length too, and no handler ever has half of one.
    `larger` are the limits of paths that begin so.
    """

    def __init__(
        self, app: ASGIApp, limit: int = BODY_LIMIT, larger: Mapping[str, int] | None = None
    ) -> None:
        self._app = app
        self._limit = limit
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_delivery(scope):
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        body = await self._body(receive, limit) if _declared(scope) <= limit else None
        if body is None:
            await _refuse(scope, send, 413, _too_large(limit))
            return
        await self._app(scope, _replayed(body, receive), send)

    def _limit_of(self, path: str) -> int:
        return next(
            (limit for begins, limit in self._larger.items() if path.startswith(begins)),
            self._limit,
        )

    async def _body(self, receive: Receive, limit: int) -> bytes | None:
        """The whole body, or None where it is too large."""
        chunks: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                return None
            chunks.append(chunk)
            more = message.get("more_body", False)
        return b"".join(chunks)


def _is_delivery(scope: Scope) -> bool:
    """Whether something is handed in, rather than looked at."""
    return scope["type"] == "http" and scope["method"] not in _WITHOUT_BODY


def _without_token(path: str) -> str:
    """A path as logs may have it: whoever knows that of somebody's page can use it."""
    return f"{PATH}…" if path.startswith(PATH) else path


def _too_large(limit: int) -> Words:
    return _TOO_LARGE.fill(most=max(1, limit // 1_000_000))


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives the body once, then whatever else comes (the client's leaving)."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _refuse(
    scope: Scope, send: Send, status: int, why: Words, *more: tuple[bytes, bytes]
) -> None:
    """Answer with a problem."""
    language = accepted_language(Headers(scope=scope).get("accept-language"), "ja")
    content = json.dumps(problem(status, language, why.to(language))).encode()
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(content)).encode()),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
