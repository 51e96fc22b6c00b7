"""`/d/TOKEN`: the one document of a link, or a page that says why it opens nothing."""

import html
import re
import time
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from audit.registry import brief
from core import links
from core.errors import TryLater
from core.house import House
from core.inbound import storable
from core.links import Link
from core.platform import Opening
from core.problems import accepted_language
from core.unit import unit
from core.words import Words, as_language
from web.visitors import Recent

log = structlog.get_logger()

SAME_VISIT = 60.0
"""Seconds within which the same link, asked for from the same place by the same program, was opened
once: readers fetch a large document in pieces."""
MOST_VISITS = 30
"""So many places and programs open one link in that time. More are no readers, and each would be
an event."""

_UNKNOWN = Words(
    ja="このリンクは見つかりません。アドレスが途中で切れていないか確かめてください。",
    en="There is no such link. Please check that the address is complete.",
    zh="找不到该链接。请确认地址是否完整。",
)
_ENDED = Words(
    ja="このリンクの有効期限は切れています。ご自分の依頼の文書なら、"
    "チャットで「状況 #番号」と送ると新しいリンクを受け取れます。",
    en="This link has ended. If you asked for the document yourself, send “status #NUMBER” in the "
    "chat to be given a new one.",
    zh="该链接已过期。如果是您本人申请的文件，在聊天中发送“状态 #编号”即可获取新链接。",
)
_REVOKED = Words(
    ja="このリンクは取り消されています。必要な場合は送った人にお尋ねください。",
    en="This link was revoked. If you need the document, ask whoever sent you here.",
    zh="该链接已被撤销。如有需要，请联系发送者。",
)
_GONE = Words(
    ja="この文書はもう開けません。", en="This document can't be opened any more.",
    zh="该文件已无法打开。",
)  # fmt: skip
_AWAY = Words(
    ja="いまは開けません。少し待ってからもう一度開いてください。",
    en="It can't be opened at the moment. Please try again shortly.",
    zh="暂时无法打开。请稍后重试。",
)

_SHOWN = frozenset({"application/pdf", "image/png", "image/jpeg"})
"""Shown in the browser; whatever else is downloaded."""

_PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
_LOCKED = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
# Readers of PDF are plug-ins or pages of the browser itself: with a sandbox Safari shows an empty
# window, and with `default-src 'none'` Chrome shows a part of the page. They run nothing of a
# document in our origin.
_POLICIES = {"application/pdf": "frame-ancestors 'none'"}

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>Miyabi</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>body{{font:1rem/1.7 sans-serif;max-width:34rem;margin:20vh auto 0;padding:0 1.2rem}}</style>
</head><body><p>{text}</p></body></html>
"""


def routes(opening: Opening) -> list[BaseRoute]:
    """GET and HEAD of a link."""
    recent = Recent(SAME_VISIT)

    async def opened(request: Request) -> Response:
        try:
            return await _answer(opening, recent, request)
        except (TryLater, OSError, SQLAlchemyError, ValueError) as error:
            log.warning("links.away", error=repr(error))
            return _page(request, 503, _AWAY)

    return [Route(f"{links.PATH}{{token}}", opened, methods=["GET"])]


async def _answer(opening: Opening, recent: Recent, request: Request) -> Response:
    house = opening.house
    token = links.read_token(house, request.path_params["token"])
    if token is None:
        return _page(request, 404, _UNKNOWN)
    async with house.engine.connect() as connection:
        link = await links.find(connection, token)
    if link is None:
        return _page(request, 404, _UNKNOWN)
    if not link.opens:
        return _closed(request, link)
    try:
        content = await opening.read_file(link.organisation_id, link.sha256)
    except LookupError:
        return _page(request, 410, _GONE, link)
    kept_out = await _noted(house, recent, request, link) if request.method != "HEAD" else None
    return kept_out or document(request, link, content)


async def _noted(house: House, recent: Recent, request: Request, link: Link) -> Response | None:
    """Say in the log that a link is opened, before anything is handed out; what is answered
    instead where nothing is."""
    ip = request.client.host if request.client else None
    agent = brief(storable(request.headers.get("user-agent", ""))) or None
    visits = recent.of(link.id)
    if (ip, agent) in visits:
        return None
    if len(visits) >= MOST_VISITS:
        return _page(request, 429, _AWAY, link)
    async with unit(house) as work:
        opened = await links.open_link(work, link, ip, agent)
    if not opened:  # it was taken back a moment ago
        return _page(request, 410, _REVOKED, link)
    visits[ip, agent] = time.monotonic()
    return None


def _closed(request: Request, link: Link) -> Response:
    words = _REVOKED if link.revoked else _GONE if link.gone else _ENDED
    return _page(request, 410, words, link)


class File(Protocol):
    """What a file is called, and what it is."""

    @property
    def sha256(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def media_type(self) -> str: ...


def document(request: Request, link: File, content: bytes) -> Response:
    """A file, or the part of it that is asked for, so that it harms nobody who opens it."""
    headers = {
        **_PRIVATE,
        "Content-Security-Policy": _POLICIES.get(link.media_type, _LOCKED),
        "Content-Disposition": disposition(link.name, shown=link.media_type in _SHOWN),
        "Content-Type": link.media_type,
        "Accept-Ranges": "bytes",
        "ETag": f'"{link.sha256}"',
    }
    whole = len(content)
    wanted = request.headers.get("range") if request.method == "GET" else None
    if wanted is None or request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
        return Response(content, 200, headers)
    found = part(wanted, whole)
    if found is None:
        return Response(content, 200, headers)
    if not found:
        return Response(b"", 416, {**headers, "Content-Range": f"bytes */{whole}"})
    about = f"bytes {found.start}-{found.stop - 1}/{whole}"
    piece = content[found.start : found.stop]
    return Response(piece, 206, {**headers, "Content-Range": about})


def part(header: str, whole: int) -> range | None:
    """The bytes that a Range header asks for (RFC 9110, 14.2); an empty range where there are none
    such. None for what we need not understand, such as several ranges: then all are sent."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:  # the last so many
        return range(max(0, whole - int(match[2])), whole)
    first = int(match[1])
    last = min(int(match[2]), whole - 1) if match[2] else whole - 1
    if match[2] and int(match[2]) < first:
        return None
    return range(first, last + 1)


def disposition(name: str, *, shown: bool) -> str:
    """A Content-Disposition (RFC 6266) with the name as RFC 5987 spells it, and in ASCII for who
    does not know that."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    kind = "inline" if shown else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _page(request: Request, status: int, words: Words, link: Link | None = None) -> Response:
    spoken = as_language(link.language if link else None)
    language = accepted_language(request.headers.get("accept-language"), spoken)
    text = html.escape(words.to(language))
    headers: Mapping[str, str] = {**_PRIVATE, "Content-Security-Policy": _LOCKED}
    return HTMLResponse(_PAGE.format(language=language, text=text), status, headers)
