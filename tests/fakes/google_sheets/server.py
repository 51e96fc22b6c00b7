"""A Google that serves one spreadsheet over real sockets, signs accounts in, and fails on demand.

Every request and answer is checked against Google's own description where that is at hand; what
does not fit is refused as Google would, and collected in `violations`.
"""

import asyncio
import json
import re
import secrets
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web

from tests.fakes.google_sheets.account import Account
from tests.fakes.google_sheets.description import Description

KEY = "1SampleSpreadsheetKeyForMiyabiTests0000000000"


@dataclass(frozen=True)
class Formatted:
    """A cell whose number is shown in another way, e.g. 0.1 as 10%."""

    value: float
    shown: str


@dataclass(frozen=True)
class Status:
    """Answer with an error; `body` replaces Google's usual JSON."""

    code: int
    retry_after: str | None = None
    body: str | None = None
    reason: str | None = None


class Hang:
    """Take the request and never answer."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Cut the connection."""


Trouble = Status | Hang | Reset

# Status and message as Google's error model words them.
_ERRORS = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "The caller does not have permission"),
    404: ("NOT_FOUND", "Requested entity was not found."),
    429: ("RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Read requests'"),
    500: ("INTERNAL", "Internal error encountered."),
    503: ("UNAVAILABLE", "The service is currently unavailable."),
}


class FakeGoogle:
    """`async with FakeGoogle(account) as google:`; `google.base_url` is where it listens."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.sheets: dict[str, Sequence[Sequence[Any]]] = {}
        self.trouble: Trouble | None = None
        self.trouble_after_append: Trouble | None = None  # once, when it has been done
        self.trouble_at_append: Trouble | None = None  # once, instead of doing it
        self.token_trouble: Trouble | None = None
        self.requests: list[str] = []
        self.tokens = 0
        self.violations: list[str] = []
        self.description = Description.load()
        self.base_url = ""
        self._valid: set[str] = set()
        self._runner: web.AppRunner | None = None
        self._over = asyncio.Event()
        self._port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; after a `stop`, on the same port."""
        self._over.clear()
        app = web.Application()
        app.router.add_post("/token", self._token)
        app.router.add_route("*", "/{path:.*}", self._api)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Refuse connections, as a Google that can't be reached."""
        self._over.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def forget_tokens(self) -> None:
        """Every access token handed out so far is void."""
        self._valid.clear()

    async def _token(self, request: web.Request) -> web.StreamResponse:
        self.tokens += 1
        if self.token_trouble is not None:
            return await self._fail(request, self.token_trouble)
        refusal = self.account.refusal(await request.post())
        if refusal is not None:
            body = {"error": "invalid_grant", "error_description": refusal}
            return web.json_response(body, status=400)
        token = secrets.token_urlsafe()
        self._valid.add(token)
        answer = {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
        return web.json_response(answer)

    async def _api(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path
        self.requests.append(path)
        if self.trouble is not None:
            return await self._fail(request, self.trouble)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self._valid:
            return _error(401)
        schema = None
        if self.description is not None:
            query = [(name, value) for name, value in request.query.items()]
            problems, schema = self.description.request_problems(request.method, path, query)
            if problems:
                self.violations += problems
                return _error(400, "; ".join(problems))
        if request.method == "POST":
            return await self._append(request, schema)
        status, answer = self._answer(request)
        if self.description is not None and schema is not None and status == 200:
            self.violations += self.description.answer_problems(schema, answer)
        return web.json_response(answer, status=status)

    def _answer(self, request: web.Request) -> tuple[int, Any]:
        name, _, rest = request.path.removeprefix("/v4/spreadsheets/").partition("/")
        if name != KEY:
            return 404, _error_body(404)
        if not rest:
            return 200, self._metadata(request.query.get("fields"))
        shown = request.query.get("valueRenderOption", "FORMATTED_VALUE") == "FORMATTED_VALUE"
        asked = [rest.removeprefix("values/")]
        if rest == "values:batchGet":
            asked = request.query.getall("ranges", [])
        found = []
        for wanted in asked:
            title, cells = _range(wanted)
            if title not in self.sheets:
                return 400, _error_body(400, f"Unable to parse range: {wanted}")
            found.append(_value_range(title, _within(self.sheets[title], cells), shown))
        if rest == "values:batchGet":
            return 200, {"spreadsheetId": KEY, "valueRanges": found}
        return 200, found[0]

    async def _append(self, request: web.Request, schema: str | None) -> web.StreamResponse:
        """Append below the table, which here is always the whole worksheet."""
        trouble, self.trouble_at_append = self.trouble_at_append, None
        if trouble is not None:
            return await self._fail(request, trouble)
        name, _, rest = request.path.removeprefix("/v4/spreadsheets/").partition("/")
        title, _ = _range(rest.removeprefix("values/").removesuffix(":append"))
        if name != KEY or title not in self.sheets:
            return _error(404 if name != KEY else 400, f"Unable to parse range: {title}")
        if request.query.get("valueInputOption") not in ("RAW", "USER_ENTERED"):
            return _error(400, "'valueInputOption' is required but not specified")
        body = await request.json()
        if self.description is not None:
            self.violations += self.description.answer_problems("ValueRange", body)
        before = [list(row) for row in self.sheets[title]]
        self.sheets[title] = [*before, *body["values"]]
        trouble, self.trouble_after_append = self.trouble_after_append, None
        if trouble is not None:
            return await self._fail(request, trouble)
        rows, width = len(body["values"]), max(len(row) for row in body["values"])
        last = chr(ord("A") + width - 1)
        updated = f"'{title}'!A{len(before) + 1}:{last}{len(before) + rows}"
        answer = {
            "spreadsheetId": KEY,
            "tableRange": f"'{title}'!A1:{last}{len(before)}",
            "updates": {
                "spreadsheetId": KEY,
                "updatedRange": updated,
                "updatedRows": rows,
                "updatedColumns": width,
                "updatedCells": rows * width,
            },
        }
        if self.description is not None and schema is not None:
            self.violations += self.description.answer_problems(schema, answer)
        return web.json_response(answer)

    def _metadata(self, fields: str | None) -> Any:
        titles = [{"properties": {"title": title}} for title in self.sheets]
        if fields == "sheets.properties.title":
            return {"sheets": titles}
        return {"spreadsheetId": KEY, "properties": {"title": "価格表"}, "sheets": titles}

    async def _fail(self, request: web.Request, trouble: Trouble) -> web.StreamResponse:
        if isinstance(trouble, Status):
            return _error(trouble.code, reason=trouble.reason, trouble=trouble)
        if isinstance(trouble, Hang):
            await self._over.wait()
        if request.transport is None:  # whoever asked has hung up meanwhile
            return web.Response()
        # Without lingering, closing sends a reset instead of an orderly end.
        sock: socket.socket = request.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
        return web.Response()


def _error(
    code: int, message: str = "", reason: str | None = None, trouble: Status | None = None
) -> web.Response:
    headers = {}
    if trouble is not None and trouble.retry_after is not None:
        headers["Retry-After"] = trouble.retry_after
    if trouble is not None and trouble.body is not None:
        return web.Response(status=code, text=trouble.body, headers=headers)
    text = json.dumps(_error_body(code, message, reason))
    return web.Response(
        status=code, text=text, content_type="application/json", charset="utf-8", headers=headers
    )


def _error_body(code: int, message: str = "", reason: str | None = None) -> Any:
    status, usual = _ERRORS.get(code, ("UNKNOWN", "unknown"))
    error: dict[str, Any] = {"code": code, "message": message or usual, "status": status}
    if reason is not None:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        error["details"] = [{"@type": kind, "reason": reason, "domain": "googleapis.com"}]
    return {"error": error}


def _range(wanted: str) -> tuple[str, str]:
    """`'title'!A1:F1` as the title and the cells; without cells, the whole worksheet."""
    title, mark, cells = wanted.rpartition("!")
    if not mark:
        title, cells = wanted, ""
    return title.strip("'").replace("''", "'"), cells


def _within(rows: Sequence[Sequence[Any]], cells: str) -> Sequence[Sequence[Any]]:
    """The cells of a range such as `A1:F1` or `F:F`; columns of one letter."""
    if not cells:
        return rows
    found = re.fullmatch(r"([A-Z])(\d*):([A-Z])(\d*)", cells)
    assert found is not None, cells
    left, right = ord(found[1]) - ord("A"), ord(found[3]) - ord("A") + 1
    top, bottom = int(found[2] or 1) - 1, int(found[4] or len(rows))
    return [row[left:right] for row in rows[top:bottom]]


def _value_range(title: str, rows: Sequence[Sequence[Any]], shown: bool) -> Any:
    values = [[_cell(cell, shown) for cell in row] for row in rows]
    # Google leaves out trailing empty cells and rows, and `values` where nothing is left.
    for row in values:
        while row and row[-1] == "":
            row.pop()
    while values and not values[-1]:
        values.pop()
    answer: dict[str, Any] = {"range": f"'{title}'!A1:Z1000", "majorDimension": "ROWS"}
    return {**answer, "values": values} if values else answer


def _cell(cell: Any, shown: bool) -> Any:
    if isinstance(cell, Formatted):
        return cell.shown if shown else cell.value
    return str(cell) if shown else cell
