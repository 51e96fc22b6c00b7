"""A LINE in one process: its API over a real socket, checked against LINE's own rules."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import uuid4

from aiohttp import web

from tests.fakes.line import hooks, menus, people, sending, tokens
from tests.fakes.line.description import description
from tests.fakes.line.driver import Driver
from tests.fakes.line.faults import Fault, Faults
from tests.fakes.line.limits import BAD_TOKEN
from tests.fakes.line.routes import ROUTES, TOKEN_ROUTES
from tests.fakes.line.state import Channel, Said, Token, id_of
from tests.fakes.line.world import Answer, Ask, Call, LineError, Operation, Violation, World
from tests.fakes.served import Served

OPERATIONS: dict[str, Operation] = {
    **sending.OPERATIONS,
    **people.OPERATIONS,
    **menus.OPERATIONS,
    **hooks.OPERATIONS,
}

T = TypeVar("T")


class FakeLine(Served):
    """LINE for tests; an async context manager. `world` holds all state and settings.

    One channel is there from the start: `home`, with a long-lived token.
    """

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.faults = Faults()
        self.home = self.channel("みやび商会")

    # -- life ------------------------------------------------------------------------------------

    def application(self) -> web.Application:
        """LINE's API and its tokens."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        # Fixed paths first: `richmenu/list` is no menu called "list".
        for operation, (method, path) in sorted(ROUTES.items(), key=lambda at: "{" in at[1][1]):
            app.router.add_route(method, path, self._at(operation))
        for operation, (method, path) in TOKEN_ROUTES.items():
            app.router.add_route(method, path, self._token_at(operation))
        app.router.add_route("*", "/{rest:.*}", self._nowhere)
        return app

    async def come_back(self) -> None:
        """Take connections, and tell where."""
        await super().come_back()
        self.world.base_url = self.base_url

    # -- what tests ask for and about --------------------------------------------------------------

    @property
    def api_url(self) -> str:
        """The `host` of the SDK's configuration, for both of LINE's hosts."""
        return self.world.base_url

    @property
    def calls(self) -> list[Call]:
        """Every request to the API, in order of arrival."""
        return self.world.calls

    @property
    def violations(self) -> list[Violation]:
        """What the app sent against LINE's rules. Tests assert that this is empty."""
        return self.world.violations

    @property
    def spec_checked(self) -> bool:
        """Whether requests are checked against LINE's description (if not: it is absent)."""
        return description("messaging-api") is not None

    def calls_to(self, operation: str) -> list[Call]:
        return [call for call in self.calls if call.operation == operation]

    def channel(self, name: str) -> Channel:
        """The official account of this name; made when new, with its own ids and secret."""
        destination = id_of(name)
        known = self.world.channels.get(destination)
        if known is not None:
            return known
        number = str(2_000_000_001 + len(self.world.channels))
        made = Channel(destination, number, destination[1:], name)
        made.tokens[made.token] = Token(made.token, float("inf"))
        self.world.channels[destination] = made
        return made

    def said(self, chat: str, words: str = "") -> list[Said]:
        """The bot's messages in a chat of `home` that say this in their text, oldest first."""
        return [each for each in self.home.chat(chat).bots if words in each.text]

    def pass_time(self, seconds: float) -> None:
        """Put the fake's clock ahead: reply tokens, retry keys and access tokens grow older."""
        self.world.shift += seconds

    def fail_next(self, operation: str, **how: Any) -> Fault:
        """Let the next call (`times=n`: calls) of an operation fail; see `Fault` for how."""
        if how.get("chat"):
            how["chat"] = self.home.place(how["chat"])
        fault = Fault(operation, **how)
        self.faults.waiting.append(fault)
        return fault

    def driver(self, url: str, **settings: Any) -> Driver:
        """People who use the app whose webhook is at `url`."""
        return Driver(self, url, **settings)

    async def wait_for(self, condition: Callable[[], T], timeout: float = 5.0) -> T:
        """Wait until the condition gives something true, and give that. Fails after `timeout`."""
        end = time.monotonic() + timeout
        while not (found := condition()):
            if time.monotonic() > end:
                seen = [(call.operation, call.status) for call in self.calls[-10:]]
                raise AssertionError(f"not so within {timeout} s; the last calls were {seen}")
            await asyncio.sleep(0.01)
        return found

    async def wait_until(
        self, look: Callable[[], Awaitable[T]], so: Callable[[T], bool], timeout: float = 5.0
    ) -> T:
        """Wait until what is looked at is so, and give that. Fails after `timeout`."""
        end = time.monotonic() + timeout
        while not so(found := await look()):
            assert time.monotonic() < end, f"not so within {timeout} s: {found}"
            await asyncio.sleep(0.02)
        return found

    # -- the API -----------------------------------------------------------------------------------

    def _at(self, operation: str) -> Callable[[web.Request], Any]:
        async def serve(request: web.Request) -> web.StreamResponse:
            call = self._call(request, operation)
            data = await request.read()
            if data and request.content_type == "application/json":
                call.body = json.loads(data)
            return await self._serve(request, call, lambda: self._perform(request, call, data))

        return serve

    def _token_at(self, operation: str) -> Callable[[web.Request], Any]:
        async def serve(request: web.Request) -> web.StreamResponse:
            call = self._call(request, operation)
            call.body = dict(await request.post()) or dict(request.query)
            return await self._serve(request, call, lambda: self._token(call))

        return serve

    def _call(self, request: web.Request, operation: str) -> Call:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        values = {**request.query, **request.match_info}
        call = Call(str(uuid4()), time.monotonic(), operation, values, {}, token)
        call.retry_key = request.headers.get("X-Line-Retry-Key")
        self.calls.append(call)
        return call

    async def _nowhere(self, request: web.Request) -> web.Response:
        wrong = f"{request.method} {request.path} is not of LINE's API"
        self.violations.append(Violation("unknown", wrong))
        return web.json_response({"message": "Not found"}, status=404)

    async def _serve(
        self, request: web.Request, call: Call, perform: Callable[[], Any]
    ) -> web.StreamResponse:
        """Do a call, with the faults that were asked for."""
        fault = self.faults.take(call.operation, call.chat)
        if fault is not None and not fault.after:
            await asyncio.sleep(fault.hang)
        if fault is not None and fault.spoils and not fault.after:
            return self._spoilt(request, call, fault)
        headers: dict[str, str] = {}
        try:
            answer = await perform()
        except LineError as error:
            answer, headers = Answer(error.answer, error.status), dict(error.headers)
        if fault is not None and fault.after:
            await asyncio.sleep(fault.hang)
            if fault.spoils:
                return self._spoilt(request, call, fault)
        return self._answered(call, answer, headers)

    def _spoilt(self, request: web.Request, call: Call, fault: Fault) -> web.StreamResponse:
        if fault.reset and request.transport is not None:
            request.transport.abort()
        answer = Answer({"message": fault.words}, fault.status or 500)
        return self._answered(call, answer, {})

    def _answered(self, call: Call, answer: Answer, headers: dict[str, str]) -> web.Response:
        call.status, call.answer, call.done_at = answer.status, answer.body, time.monotonic()
        headers["x-line-request-id"] = call.id
        if answer.data is not None:
            kind = answer.media_type
            return web.Response(body=answer.data, content_type=kind, headers=headers)
        return web.json_response(answer.body, status=answer.status, headers=headers)

    async def _perform(self, request: web.Request, call: Call, data: bytes) -> Answer:
        channel = self.world.by_token(call.token)
        if channel is None:
            if not call.token:
                self.violations.append(Violation(call.operation, "no token"))
            raise LineError(401, BAD_TOKEN)
        ask = Ask(self.world, channel, call, data, request.content_type)
        known = description("messaging-api")
        if known is not None and call.operation != "setRichMenuImage":
            ask.refuse(known.request(call.operation, call.body))
        if call.operation == "testWebhookEndpoint":
            assert self.session is not None
            answer = await hooks.try_out(ask, self.session)
        else:
            answer = OPERATIONS[call.operation](ask)
        if known is not None and answer.data is None:
            wrong = known.answer(call.operation, answer.status, answer.body)
            assert not wrong, f"the fake's own answer to {call.operation}: {wrong}"
        return answer

    async def _token(self, call: Call) -> Answer:
        known = description("channel-access-token")
        if known is not None and TOKEN_ROUTES[call.operation][0] != "GET":
            for problem in known.request(call.operation, call.body):
                self.violations.append(Violation(call.operation, problem))
        return Answer(tokens.OPERATIONS[call.operation](self.world, call.body))
