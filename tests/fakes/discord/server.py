"""A Discord in one process: its API and its gateway over real sockets, checked by its own rules."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.fakes.discord import interactions, limits, messages, places
from tests.fakes.discord.description import description
from tests.fakes.discord.driver import Driver
from tests.fakes.discord.faults import Fault, Faults
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.limits import Json
from tests.fakes.discord.pace import Paces, too_many
from tests.fakes.discord.routes import ROUTES
from tests.fakes.discord.state import Channel, Guild, Message, User
from tests.fakes.discord.world import (
    Answer,
    Ask,
    Call,
    DiscordError,
    Operation,
    Violation,
    World,
)
from tests.fakes.served import Served

OPERATIONS: dict[str, Operation] = {
    **messages.OPERATIONS,
    **interactions.OPERATIONS,
    **places.OPERATIONS,
}
WITHOUT_TOKEN = {"create_interaction_response", *interactions.OPERATIONS, "get_gateway"}

AS_DESCRIBED = {*messages.OPERATIONS, *interactions.OPERATIONS, *places.AS_DESCRIBED}
"""Operations whose answers are whole; of a guild and of the app only what matters is told."""

# What discord.py sends along though the description does not have it: Discord passes it over.
_PASSED_OVER = re.compile(r"(embeds\[\d+\].flags|\[\d+\].nsfw|\btts): unknown$")

T = TypeVar("T")


class FakeDiscord(Served):
    """Discord for tests; an async context manager. `world` holds all state and settings.

    One guild is there from the start, as in the sample session: `home`, with the channel
    `general`. An app may be told of it by settings: `api_url`, `gateway_url`, `world.bot_token`.
    """

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.world.users[self.world.bot.id] = self.world.bot
        self.faults = Faults()
        self.gateway = Gateway(self.world)
        self.paces = Paces(self.world.paces)
        self.key = Ed25519PrivateKey.generate()
        self.home = self.guild("Example", "900000000000000010")
        self.general = self.channel("general", number="900000000000000020")

    # -- life ------------------------------------------------------------------------------------

    def application(self) -> web.Application:
        """The API, the gateway and attachments."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        # Fixed paths first: `messages/@original` is no message of that id.
        for operation, (method, path) in sorted(ROUTES.items(), key=lambda at: _names(at[1][1])):
            app.router.add_route(method, f"/api/v10{path}", self._at(operation))
        app.router.add_get("/gateway{slash:/?}", self.gateway.serve)
        app.router.add_get("/attachments/{channel}/{number}/{name}", self._attachment)
        app.router.add_route("*", "/{rest:.*}", self._nowhere)
        return app

    async def come_back(self) -> None:
        """Take connections, and tell where."""
        await super().come_back()
        self.world.base_url = self.base_url

    async def closing(self) -> None:
        """The gateway's connections stay open by themselves."""
        self.gateway.shut = True
        await self.gateway.drop()

    # -- what tests ask for and about --------------------------------------------------------------

    @property
    def api_url(self) -> str:
        return f"{self.world.base_url}/api/v10"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/gateway"

    @property
    def public_key(self) -> str:
        """What requests signed by this Discord are verified with."""
        return self.key.public_key().public_bytes_raw().hex()

    @property
    def calls(self) -> list[Call]:
        return self.world.calls

    @property
    def violations(self) -> list[Violation]:
        """What the app sent against Discord's rules. Tests assert that this is empty."""
        return self.world.violations

    @property
    def spec_checked(self) -> bool:
        """Whether requests are checked against Discord's description (if not: it is absent)."""
        return description() is not None

    def calls_to(self, operation: str) -> list[Call]:
        return [call for call in self.calls if call.operation == operation]

    def guild(self, name: str, number: str | None = None) -> Guild:
        """A guild with the bot in it."""
        made = Guild(number or self.world.next_id(), name)
        self.world.guilds[made.id] = made
        return made

    def channel(
        self, name: str, guild: Guild | None = None, *, number: str | None = None
    ) -> Channel:
        """The channel of this name in a guild (`home`); made when new."""
        within = guild or self.home
        for known in within.channels.values():
            if known.name == name and not known.is_thread:
                return known
        made = Channel(number or self.world.next_id(), name, 0, within.id)
        self.world.channels[made.id] = within.channels[made.id] = made
        return made

    def person(self, name: str, *roles: str, guild: Guild | None = None) -> User:
        """Somebody in a guild (`home`), with roles by their names."""
        within, user = guild or self.home, self.world.user(name)
        ids = {role: number for number, role in within.roles.items()}
        for role in roles:
            if role not in ids:
                ids[role] = self.world.next_id()
                within.roles[ids[role]] = role
        within.members[user.id] = [ids[role] for role in roles]
        return user

    def said(self, place: Channel | User, words: str = "") -> list[Message]:
        """The bot's messages in a channel, or with a person, that say this; oldest first."""
        channel = self.world.direct(place) if isinstance(place, User) else place
        everyone = [m for m in channel.messages.values() if m.author.bot and not m.deleted]
        return [m for m in everyone if words in m.text]

    def pass_time(self, seconds: float) -> None:
        """Put the fake's clock ahead: interactions and their tokens grow older."""
        self.world.shift += seconds

    def fail_next(self, operation: str, **how: Any) -> Fault:
        """Let the next call (`times=n`: calls) of an operation fail; see `Fault` for how."""
        fault = Fault(operation, **how)
        self.faults.waiting.append(fault)
        return fault

    def driver(self, url: str | None = None, **settings: Any) -> Driver:
        """People who use the app: by the gateway, or by signed requests to `url`."""
        return Driver(self, url, **settings)

    async def wait_for(self, condition: Callable[[], T], timeout: float = 5.0) -> T:
        """Wait until the condition gives something true, and give that. Fails after `timeout`."""
        end = time.monotonic() + timeout
        while not (found := condition()):
            if time.monotonic() > end:
                seen = [(c.operation, c.status, c.answer) for c in self.calls[-8:]]
                raise AssertionError(f"not so within {timeout} s; the last calls were {seen}")
            await asyncio.sleep(0.01)
        return found

    async def connected(self, count: int = 1, timeout: float = 5.0) -> None:
        """Wait until so many sessions are open at the gateway."""
        await self.wait_for(lambda: len(self.gateway.open) >= count, timeout)

    # -- the API -----------------------------------------------------------------------------------

    def _at(self, operation: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            call = Call(
                time.monotonic(),
                operation,
                dict(request.match_info),
                dict(request.query),
                dict(request.headers),
            )
            self.calls.append(call)
            await _read(request, call)
            return await self._serve(request, call)

        return serve

    async def _nowhere(self, request: web.Request) -> web.Response:
        wrong = f"{request.method} {request.path} is not of the fake's API"
        self.violations.append(Violation("unknown", wrong))
        return _json({"message": "404: Not Found", "code": 0}, 404, {})

    async def _attachment(self, request: web.Request) -> web.Response:
        at = f"{request.match_info['channel']}/{request.match_info['number']}"
        if at not in self.world.attachments:
            return web.Response(status=404)
        data, kind = self.world.attachments[at]
        return web.Response(body=data, content_type=kind)

    async def _serve(self, request: web.Request, call: Call) -> web.StreamResponse:
        """Do a call, with the faults that were asked for."""
        fault = self.faults.take(call.operation, call.values.get("channel_id"))
        if fault is not None and not fault.after:
            await asyncio.sleep(fault.hang)
        if fault is not None and fault.spoils and not fault.after:
            return self._spoilt(request, call, fault)
        place = call.values.get("channel_id") or call.values.get("webhook_token", "")
        fits, headers, left = self.paces.take(call.operation, place)
        if not fits:
            body, more = too_many(left)
            return self._answered(call, Answer(body, 429), headers | more | {"Via": "1.1 fake"})
        try:
            answer = self._perform(call)
        except DiscordError as error:
            answer = Answer(error.answer, error.status)
        if fault is not None and fault.after:
            await asyncio.sleep(fault.hang)
            if fault.spoils:
                return self._spoilt(request, call, fault)
        return self._answered(call, answer, headers)

    def _spoilt(self, request: web.Request, call: Call, fault: Fault) -> web.StreamResponse:
        if fault.reset and request.transport is not None:
            request.transport.abort()
        status = fault.status or 500
        body: Json = {"message": fault.message or f"{status}: as asked for", "code": fault.code}
        headers: dict[str, str] = {}
        if status == 429:
            body, headers = too_many(fault.retry_after, everywhere=fault.everywhere)
            if fault.via:
                headers["Via"] = "1.1 fake"
        return self._answered(call, Answer(body, status), headers)

    def _answered(self, call: Call, answer: Answer, headers: dict[str, str]) -> web.Response:
        call.status, call.answer, call.done_at = answer.status, answer.body, time.monotonic()
        if answer.status in (401, 403, 429):
            self.world.invalid += 1
        if answer.status == 204:
            return web.Response(status=204, headers=headers)
        return _json(answer.body, answer.status, headers)

    def _perform(self, call: Call) -> Answer:
        ask = Ask(self.world, call)
        token = call.headers.get("Authorization", "").removeprefix("Bot ")
        if call.operation not in WITHOUT_TOKEN and token != self.world.bot_token:
            raise DiscordError(limits.UNAUTHORIZED)
        known = description()
        if known is not None and call.body is not None:
            problems = known.request(call.operation, ids_as_text(call.body))
            ask.refuse([problem for problem in problems if not _PASSED_OVER.search(problem)])
        answer = OPERATIONS[call.operation](ask)
        checked = self.world.check_answers and call.operation in AS_DESCRIBED
        if known is not None and checked and answer.body is not None:
            wrong = known.answer(call.operation, answer.status, answer.body)
            assert not wrong, f"the fake's own answer to {call.operation}: {wrong}"
        return answer


def ids_as_text(body: Any) -> Any:
    """The body with the ids as the description has them: discord.py sends some as numbers."""
    if isinstance(body, list):
        return [ids_as_text(each) for each in body]
    if not isinstance(body, dict):
        return body
    return {
        name: str(value)
        if isinstance(value, int)
        and (name.endswith("_id") or (name == "id" and "type" not in body))
        else ids_as_text(value)
        for name, value in body.items()
    }


def _names(path: str) -> int:
    """How many parts of a path may be anything."""
    return path.count("{")


async def _read(request: web.Request, call: Call) -> None:
    """The JSON of a request, and its files; those with files are multipart."""
    if request.content_type == "application/json":
        call.body = json.loads(await request.read() or b"null")
    elif request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            assert isinstance(part, aiohttp.BodyPartReader)
            data = bytes(await part.read(decode=True))
            if part.name == "payload_json":
                call.body = json.loads(data)
            else:
                number = int((part.name or "files[0]").removeprefix("files[").rstrip("]"))
                kind = part.headers.get("Content-Type", "")
                call.files[number] = (part.filename or "file", kind, data)


def _json(body: object, status: int, headers: dict[str, str]) -> web.Response:
    """Exactly this content type: discord.py takes any other for text."""
    return web.Response(
        body=json.dumps(body).encode(),
        status=status,
        headers={**headers, "Content-Type": "application/json"},
    )
