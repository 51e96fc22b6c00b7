"""A Slack in one process: the Web API over a real socket, checked against Slack's own rules."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import aiohttp
from aiohttp import web

from tests.fakes.served import Served
from tests.fakes.slack import chat, files, reads, views
from tests.fakes.slack.driver import Driver
from tests.fakes.slack.faults import Fault, Faults, Pace
from tests.fakes.slack.limits import Json, described_methods
from tests.fakes.slack.methods_check import check_arguments
from tests.fakes.slack.socket_mode import SocketMode
from tests.fakes.slack.state import Channel, Message, View, Workspace
from tests.fakes.slack.world import Ask, Call, Method, SlackError, Violation, World

METHODS: dict[str, Method] = {**chat.METHODS, **reads.METHODS, **views.METHODS, **files.METHODS}

T = TypeVar("T")


class FakeSlack(Served):
    """Slack for tests; an async context manager. `world` holds all state and settings.

    One workspace is there from the start: `T1` with the token `xoxb-t1`.
    """

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.faults = Faults()
        self.pace = Pace()
        self.downloads: list[str] = []  # every request for a file's bytes
        self.sockets = SocketMode(self.world)
        self.home = self.workspace("T1")

    # -- life ------------------------------------------------------------------------------------

    def application(self) -> web.Application:
        """The Web API, files, response URLs and sockets."""
        app = web.Application(client_max_size=100 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/upload/{team}/{file}", self._upload)
        app.router.add_get("/{team}/private/{file}", self._download)
        app.router.add_post("/respond/{key}", self._respond)
        app.router.add_get("/link/", self.sockets.serve)
        return app

    async def come_back(self) -> None:
        """Take connections, and tell where."""
        await super().come_back()
        self.world.base_url = self.base_url

    # -- what tests ask for and about --------------------------------------------------------------

    @property
    def api_url(self) -> str:
        """The `base_url` for slack_sdk."""
        return f"{self.world.base_url}/api/"

    @property
    def calls(self) -> list[Call]:
        """Every request to the Web API, in order of arrival."""
        return self.world.calls

    @property
    def violations(self) -> list[Violation]:
        """What the app sent against Slack's rules. Tests assert that this is empty."""
        return self.world.violations

    @property
    def spec_checked(self) -> bool:
        """Whether arguments are checked against Slack's method pages (if not: they are absent)."""
        return bool(described_methods())

    def calls_to(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def workspace(self, team_id: str, bot_token: str = "") -> Workspace:
        """The workspace with this id; made when new, with its own bot and token."""
        known = self.world.workspaces.get(team_id)
        if known is not None:
            return known
        token = bot_token or f"xoxb-{team_id.lower()}"
        bot = f"UBOT{team_id}"
        made = Workspace(team_id, token, bot, f"B{team_id}", self.world.app_id)
        made.user(bot, "miyabi").is_bot = True
        self.world.workspaces[team_id] = made
        return made

    def channel(self, channel_id: str, **settings: Any) -> Channel:
        """A channel of the first workspace, made when new; see `Workspace.channel`."""
        return self.home.channel(channel_id, **settings)

    def thread(self, channel: str, ts: str) -> list[Message]:
        """A message of the first workspace and its replies, oldest first."""
        return self.home.thread(channel, ts)

    def modal(self, user: str) -> View | None:
        """What modal a person of the first workspace has in front."""
        return self.home.modal(user)

    def fail_next(self, method: str, **how: Any) -> Fault:
        """Let the next call (`times=n`: calls) of a method fail; see `Fault` for how."""
        fault = Fault(method, **how)
        self.faults.waiting.append(fault)
        return fault

    def oauth_code(self, workspace: Workspace) -> str:
        """A code that oauth.v2.access takes once, for this workspace's token."""
        code = f"code-{len(self.world.oauth_codes) + 1}.{workspace.team_id}"
        self.world.oauth_codes[code] = workspace
        return code

    def driver(self, url: str | None = None, **settings: Any) -> Driver:
        """Someone who uses the app that listens at `url`, or without it in Socket Mode."""
        return Driver(self, url, **settings)

    async def wait_for(self, condition: Callable[[], T], timeout: float = 5.0) -> T:
        """Wait until the condition gives something true, and give that. Fails after `timeout`."""
        end = time.monotonic() + timeout
        while not (found := condition()):
            if time.monotonic() > end:
                seen = [(c.method, c.answer.get("error", "ok")) for c in self.calls[-10:]]
                raise AssertionError(f"not so within {timeout} s; the last calls were {seen}")
            await asyncio.sleep(0.01)
        return found

    # -- the Web API -----------------------------------------------------------------------------

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args, as_json = await _arguments(request)
        header = request.headers.get("Authorization", "").removeprefix("Bearer ")
        call = Call(time.monotonic(), method, args, str(args.get("token") or header))
        self.calls.append(call)
        fault = self.faults.take(method, args.get("channel"))
        if fault is not None and not fault.after:
            await asyncio.sleep(fault.hang)
        if fault is not None and fault.spoils and not (fault.after or fault.reset):
            return self._spoilt(request, call, fault)
        call.status, call.answer = self._perform(call, as_json)
        if fault is not None and fault.after:
            await asyncio.sleep(fault.hang)
        if fault is not None and fault.spoils:
            return self._spoilt(request, call, fault)
        return self._answer(call)

    def _spoilt(self, request: web.Request, call: Call, fault: Fault) -> web.StreamResponse:
        if fault.reset:
            assert request.transport is not None
            request.transport.abort()
        wait = {} if fault.retry_after is None else {"retry_after": fault.retry_after}
        error = fault.error or ("ratelimited" if fault.status == 429 else "internal_error")
        call.status, call.answer = fault.status or 200, {"ok": False, "error": error, **wait}
        return self._answer(call)

    def _answer(self, call: Call) -> web.Response:
        call.done_at = time.monotonic()
        wait = call.answer.get("retry_after")
        answer = {name: value for name, value in call.answer.items() if name != "retry_after"}
        headers = {} if wait is None else {"Retry-After": str(wait)}
        if workspace := self.world.by_token(call.token):
            headers["x-oauth-scopes"] = ",".join(sorted(workspace.scopes))
        return web.json_response(answer, status=call.status, headers=headers)

    def _perform(self, call: Call, as_json: bool) -> tuple[int, Json]:
        """Check and do one call. Gives the HTTP status and the answer."""
        try:
            return 200, {"ok": True, **self._done(call, as_json)}
        except _TooFast as slow:
            return 429, {"ok": False, "error": "ratelimited", "retry_after": slow.seconds}
        except SlackError as error:
            return 200, error.answer

    def _done(self, call: Call, as_json: bool) -> Json:
        checked = check_arguments(call.method, call.args, as_json=as_json)
        for remark in [*checked.remarks, *checked.errors]:
            self.violations.append(Violation(call.method, remark))
        if call.method == "oauth.v2.access":
            return reads.oauth_access(self.world, checked.values)
        if call.method == "apps.connections.open":
            if call.token != self.world.app_token:
                raise SlackError("invalid_auth" if call.token else "not_authed")
            return {"url": self.sockets.url()}
        if call.method not in METHODS:
            self.violations.append(Violation(call.method, "unknown method"))
            raise SlackError("unknown_method")
        workspace = self._authorised(call)
        if checked.errors:
            raise SlackError("invalid_arguments", checked.errors)
        channel = str(checked.values.get("channel"))
        if seconds := self.pace.wait(call.method, workspace.team_id, channel):
            raise _TooFast(max(1, round(seconds)))
        return METHODS[call.method](Ask(self.world, workspace, call.method, checked.values))

    def _authorised(self, call: Call) -> Workspace:
        if not call.token:
            self.violations.append(Violation(call.method, "no token"))
            raise SlackError("not_authed")
        workspace = self.world.by_token(call.token)
        if workspace is None:
            raise SlackError("invalid_auth")
        scope = described_methods().get(call.method, {}).get("scope") or {}
        needed = scope.get("bot") or []
        if needed and not workspace.scopes & set(needed):
            provided = ",".join(sorted(workspace.scopes))
            raise SlackError("missing_scope", needed=",".join(needed), provided=provided)
        return workspace

    # -- beside the API ----------------------------------------------------------------------------

    async def _upload(self, request: web.Request) -> web.Response:
        """The bytes of a file: as the body itself, or as the only field of a form."""
        workspace = self.world.workspaces.get(request.match_info["team"])
        file = workspace.files.get(request.match_info["file"]) if workspace else None
        if file is None or file.data is not None:
            return web.Response(status=404, text="no such upload")
        fault = self.faults.take("upload")
        if fault is not None:
            await asyncio.sleep(fault.hang)
            if fault.status:
                return web.Response(status=fault.status)
        if request.content_type.startswith("multipart/"):
            form = await request.post()
            field = next(iter(form.values()))
            data = field.file.read() if isinstance(field, web.FileField) else str(field).encode()
        else:
            data = await request.read()
        if len(data) != file.length:
            wrong = f"{len(data)} bytes uploaded, {file.length} announced"
            self.violations.append(Violation("upload", wrong))
        file.data = data
        return web.Response(text=f"OK - {len(data)}")

    async def _download(self, request: web.Request) -> web.Response:
        """A person's file. Who has no right to it is sent to sign in, as Slack does."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        workspace = self.world.by_token(token)
        self.downloads.append(request.match_info["file"])
        if workspace is None or "files:read" not in workspace.scopes:
            return web.Response(status=302, headers={"Location": "https://slack.com/signin"})
        file = workspace.files.get(request.match_info["file"])
        fault = self.faults.take("download")
        if fault is not None and fault.status:
            return web.Response(status=fault.status)
        if file is None or file.data is None or workspace.team_id != request.match_info["team"]:
            return web.Response(status=404)
        return web.Response(body=file.data, content_type=file.mimetype)

    async def _respond(self, request: web.Request) -> web.Response:
        """A response_url: five uses within half an hour."""
        place = self.world.response_urls.get(request.match_info["key"])
        if place is None:
            return web.json_response({"ok": False, "error": "invalid_url"}, status=404)
        place.uses += 1
        if place.uses > 5 or time.monotonic() - place.at > 30 * 60:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        ask = Ask(self.world, place.workspace, "response_url", await request.json())
        channel = place.workspace.channels[place.channel]
        try:
            chat.respond(ask, place.user, channel, place.message_ts)
        except SlackError as error:
            return web.json_response(error.answer, status=400)
        return web.Response(text="ok")


class _TooFast(Exception):
    """The app writes faster than Slack allows."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


async def _arguments(request: web.Request) -> tuple[Json, bool]:
    """The arguments of a call: those of a JSON body, or of query and form. Says which."""
    if request.content_type == "application/json" and request.can_read_body:
        body = json.loads(await request.text())
        return {**request.query, **body}, True
    form = dict((await request.post()).items())
    basic = request.headers.get("Authorization", "")
    if basic.startswith("Basic "):  # oauth.v2.access may name the client in this way
        login = aiohttp.BasicAuth.decode(basic)
        form |= {"client_id": login.login, "client_secret": login.password}
    return {**request.query, **form}, False
