"""The gateway: sessions that outlive their connections, and all the ways in which those break."""

import asyncio
import json
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.discord import limits
from tests.fakes.discord.limits import Json
from tests.fakes.discord.state import Channel, Guild
from tests.fakes.discord.world import World


@dataclass(slots=True)
class Session:
    """What the gateway knows of one shard of an app. `events` are kept for a resume."""

    id: str
    intents: int
    shard: tuple[int, int]
    seq: int = 0
    events: deque[Json] = field(default_factory=lambda: deque(maxlen=limits.PLAYED))
    socket: web.WebSocketResponse | None = None
    resumable: bool = True
    acknowledged: int = 0


@dataclass(slots=True)
class Seen:
    """What an app did at the gateway; for tests to look at."""

    identified: list[Json] = field(default_factory=list)
    resumed: list[Json] = field(default_factory=list)
    heartbeats: list[int | None] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)


class Gateway:
    """Serves `/gateway`. `deaf`: heartbeats are not acknowledged any more."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sessions: dict[str, Session] = {}
        self.seen = Seen()
        self.heartbeat_ms = 41_250
        self.deaf = False
        self.shut = False
        self._sending: set[asyncio.Task[None]] = set()
        world.dispatch = self.dispatch

    # -- one connection ----------------------------------------------------------------------------

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if self.shut:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await _send(socket, {"op": 10, "d": {"heartbeat_interval": self.heartbeat_ms}})
        session: Session | None = None
        async for frame in socket:
            if frame.type != WSMsgType.TEXT:
                continue
            said = json.loads(frame.data)
            if said["op"] == 1:
                await self._heartbeat(socket, session, said["d"])
            elif said["op"] == 2:
                session = await self._identify(socket, said["d"])
            elif said["op"] == 6:
                session = await self._resume(socket, said["d"])
        if session is not None and session.socket is socket:
            session.socket = None
        self.seen.closed.append(socket.close_code or 0)
        return socket

    async def _heartbeat(
        self, socket: web.WebSocketResponse, session: Session | None, seq: int | None
    ) -> None:
        self.seen.heartbeats.append(seq)
        if session is not None and seq is not None:
            session.acknowledged = seq
        if not self.deaf:
            await _send(socket, {"op": 11})

    async def _identify(self, socket: web.WebSocketResponse, given: Json) -> Session | None:
        self.seen.identified.append(given)
        if given["token"] != self.world.bot_token:
            await socket.close(code=4004, message=b"Authentication failed.")
            return None
        asked = given["intents"] & ~self.world.granted_intents
        if any(asked & intent for intent in limits.PRIVILEGED):
            await socket.close(code=4014, message=b"Disallowed intent(s).")
            return None
        shard = tuple(given.get("shard", (0, 1)))
        session = Session(secrets.token_hex(16), given["intents"], (shard[0], shard[1]))
        session.socket = socket
        self.sessions[session.id] = session
        guilds = [g for g in self.world.guilds.values() if g.has_bot and _on(session, g.id)]
        address = self.world.base_url.replace("http", "ws", 1)
        ready: Json = {
            "v": 10,
            "user": self.world.bot.shown(),
            "guilds": [{"id": guild.id, "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": f"{address}/gateway",
            "application": {"id": self.world.application_id, "flags": 0},
            "private_channels": [],
            "shard": list(session.shard),
        }
        await self._tell(session, "READY", ready)
        for guild in guilds:
            await self._tell(session, "GUILD_CREATE", self._guild(guild))
        return session

    async def _resume(self, socket: web.WebSocketResponse, given: Json) -> Session | None:
        self.seen.resumed.append(given)
        session = self.sessions.get(given["session_id"])
        oldest = session.events[0]["s"] if session and session.events else 1
        if session is None or not session.resumable or given["seq"] < oldest - 1:
            await _send(socket, {"op": 9, "d": False})
            return None
        session.socket = socket
        for event in [each for each in session.events if each["s"] > given["seq"]]:
            await _send(socket, event)
        await self._tell(session, "RESUMED", {})
        return session

    # -- what is told ------------------------------------------------------------------------------

    def dispatch(self, kind: str, body: Json, channel: Channel | None = None) -> None:
        """Tell every session that asked for such events; kept where it is not connected."""
        for session in self.sessions.values():
            if not session.resumable or not _on(session, channel.guild if channel else None):
                continue
            if (shown := _for(session, kind, body, self.world.bot.id)) is not None:
                event = self._event(session, kind, shown)
                if session.socket is not None:
                    self._later(session.socket, event)

    async def _tell(self, session: Session, kind: str, body: Json) -> None:
        event = self._event(session, kind, body)
        if session.socket is not None:
            await _send(session.socket, event)

    def _event(self, session: Session, kind: str, body: Json) -> Json:
        session.seq += 1
        event = {"op": 0, "s": session.seq, "t": kind, "d": body}
        session.events.append(event)
        return event

    def _later(self, socket: web.WebSocketResponse, frame: Json) -> None:
        task = asyncio.ensure_future(_send(socket, frame))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def _guild(self, guild: Guild) -> Json:
        """A guild as the session's sample has it, with its channels, threads and people."""
        world = self.world
        roles = {guild.id: "@everyone", **guild.roles}
        channels = [c for c in guild.channels.values() if not c.gone]
        shown = [c.shown(world.bot.id, world.moment()) for c in channels]
        people = [world.users[number] for number in guild.members if number in world.users]
        members = [world.member_shown(guild, each) for each in people]
        return {
            **_EMPTY_GUILD,
            "id": guild.id,
            "name": guild.name,
            "roles": [_role(number, name) for number, name in roles.items()],
            "member_count": len(members) + 1,
            "members": [*members, world.member_shown(guild, world.bot)],
            "channels": [c for c in shown if c["type"] == 0],
            "threads": [c for c in shown if c["type"] != 0],
        }

    # -- breaking ----------------------------------------------------------------------------------

    @property
    def open(self) -> list[Session]:
        return [s for s in self.sessions.values() if s.socket is not None]

    async def drop(self) -> None:
        """Cut every connection without a word. The sessions can be resumed."""
        for session in self.open:
            socket, session.socket = session.socket, None
            if socket is not None:
                transport: Any = socket._req.transport if socket._req is not None else None
                if transport is not None:
                    transport.abort()

    async def reconnect(self) -> None:
        """Ask every connection to come again (op 7)."""
        for session in self.open:
            assert session.socket is not None
            await _send(session.socket, {"op": 7, "d": None})

    async def invalidate(self, *, resumable: bool = False) -> None:
        """End every session (op 9); `resumable` ones may still be resumed."""
        for session in self.open:
            session.resumable = resumable
            socket = session.socket
            assert socket is not None
            await _send(socket, {"op": 9, "d": resumable})

    async def close(self, code: int) -> None:
        """Close every connection with a code of the gateway (4000, 4009, ...)."""
        for session in self.open:
            session.resumable = code not in (4004, 4007, 4009, 4010, 4011, 4013, 4014)
            socket, session.socket = session.socket, None
            if socket is not None:
                await socket.close(code=code)


def _on(session: Session, guild: str | None) -> bool:
    """Whether a guild's events go to this shard; what is of no guild goes to the first."""
    number, of = session.shard
    return number == ((int(guild) >> 22) % of if guild else 0)


def _for(session: Session, kind: str, body: Json, bot: str) -> Json | None:
    """An event as this session may see it; None: not at all."""
    if kind not in ("MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"):
        return body
    in_guild = "guild_id" in body
    if not session.intents & (limits.GUILD_MESSAGES if in_guild else limits.DIRECT_MESSAGES):
        return None
    own = body.get("author", {}).get("id") == bot
    called = any(user["id"] == bot for user in body.get("mentions", ()))
    if kind == "MESSAGE_DELETE" or own or called or not in_guild:
        return body
    if session.intents & limits.MESSAGE_CONTENT:
        return body
    return body | {"content": "", "attachments": [], "embeds": [], "components": []}


def _role(number: str, name: str) -> Json:
    return {
        "id": number,
        "name": name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 0,
        "permissions": "2147483647",
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


_EMPTY_GUILD: Json = {
    "icon": None,
    "splash": None,
    "discovery_splash": None,
    "owner_id": "900000000000000003",
    "afk_channel_id": None,
    "afk_timeout": 300,
    "verification_level": 0,
    "default_message_notifications": 0,
    "explicit_content_filter": 0,
    "emojis": [],
    "features": [],
    "mfa_level": 0,
    "application_id": None,
    "system_channel_id": None,
    "system_channel_flags": 0,
    "rules_channel_id": None,
    "vanity_url_code": None,
    "description": None,
    "banner": None,
    "premium_tier": 0,
    "preferred_locale": "ja",
    "public_updates_channel_id": None,
    "nsfw_level": 0,
    "premium_progress_bar_enabled": False,
    "stickers": [],
    "joined_at": "2026-01-01T00:00:00+00:00",
    "large": False,
    "unavailable": False,
    "voice_states": [],
    "presences": [],
    "stage_instances": [],
    "guild_scheduled_events": [],
    "soundboard_sounds": [],
    "max_members": 1000,
}


async def _send(socket: web.WebSocketResponse, frame: Json) -> None:
    # A connection that has just broken takes nothing; the session keeps the event.
    if not socket.closed:
        try:
            await socket.send_str(json.dumps(frame))
        except ConnectionError:
            return
