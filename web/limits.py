"""What every request must keep to, whichever platform it is for."""

import json

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.problems import MEDIA_TYPE, accepted_language, problem
from core.words import Words

BODY_LIMIT = 1_000_000
"""Bytes a request's body may have; no webhook of a platform comes near it."""

_TOO_LARGE = Words(
    ja="1 MB までにしてください。", en="It may have 1 MB at most.", zh="最多为 1 MB。"
)
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


class BodyLimit:
    """Takes the body in before anything else sees it; one that is too large gets 413.

    So the limit holds for bodies of unknown length too, and no handler ever has half of one.
    """

    def __init__(self, app: ASGIApp, limit: int = BODY_LIMIT) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _WITHOUT_BODY:
            await self._app(scope, receive, send)
            return
        if _declared(scope) > self._limit:
            await _refuse(scope, send)
            return
        body = await self._body(receive)
        if body is None:
            await _refuse(scope, send)
            return
        await self._app(scope, _replayed(body, receive), send)

    async def _body(self, receive: Receive) -> bytes | None:
        """The whole body, or None where it is too large."""
        chunks: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._limit:
                return None
            chunks.append(chunk)
            more = message.get("more_body", False)
        return b"".join(chunks)


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


async def _refuse(scope: Scope, send: Send) -> None:
    """Answer that the body is too large."""
    language = accepted_language(Headers(scope=scope).get("accept-language"), "ja")
    content = json.dumps(problem(413, language, _TOO_LARGE.to(language))).encode()
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(content)).encode()),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": content})
