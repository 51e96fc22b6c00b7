"""The gateway: a web socket that we open, kept up by discord.py, in as many shards as needed.

It resumes what was broken off: Discord hands on what happened meanwhile. Interactions and messages
are taken as Discord tells them, so that those that come by HTTP are dealt with by the same code.
"""

import asyncio
import time
from typing import Any

import aiohttp
import discord
import structlog
import yarl
from discord.gateway import DiscordWebSocket
from sqlalchemy.exc import SQLAlchemyError

from bot.discord import commands
from bot.discord.act import THREADS, Json
from bot.discord.door import Door
from bot.discord.events import on_message
from bot.discord.interactions import on_interaction
from bot.discord.outbound import DiscordOutbound
from bot.discord.roles import Roles
from bot.discord.turn import Turn, by_call
from core.errors import MiyabiError
from core.platform import Opening

log = structlog.get_logger()

MESSAGE_CONTENT = "Message Content Intent"
_BETWEEN_SESSIONS = 5.0
_AGAIN = 5.0
_AGAIN_REFUSED = 300.0
"""Seconds until the next try where Discord said no: each of them counts against us."""


def door_of(opening: Opening) -> Door | None:
    """The ways in; None where there is no way out."""
    outbound = opening.house.outbounds.get("discord")
    if not isinstance(outbound, DiscordOutbound):
        return None
    return Door(opening.house, outbound, Roles(opening.house, opening.settings.discord))


async def listen(opening: Opening) -> None:
    """Take deliveries until cancelled, however often the connection breaks."""
    door = door_of(opening)
    if door is None:
        return
    settings = opening.settings.discord
    token = settings.bot_token
    assert token is not None  # noqa: S101  # else there is no way out
    if settings.gateway_url is not None:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url)
    reads = True
    while True:
        shards = settings.shards or (1 if settings.gateway_url is not None else None)
        client = Gateway(door, reads=reads, shards=shards)
        wait = _AGAIN
        try:
            await client.start(token.get_secret_value())
        except discord.PrivilegedIntentsRequired:
            # Mentions and direct messages carry their words without it; only what is said in a
            # task's thread without a mention does not.
            log.error("discord.intent_missing", intent=MESSAGE_CONTENT)
            reads, wait = False, 0.0
        except (discord.LoginFailure, discord.Forbidden) as error:
            log.error("discord.refused", why=str(error))
            door.outbound.api.invalid.count(401)
            wait = _AGAIN_REFUSED
        except (discord.DiscordException, aiohttp.ClientError, OSError, MiyabiError) as error:
            log.warning("discord.gateway_lost", why=repr(error))
        finally:
            await client.close()
        await asyncio.sleep(wait)


class Gateway(discord.AutoShardedClient):
    """discord.py's client, with the two kinds of deliveries taken before it makes objects of
    them."""

    def __init__(self, door: Door, *, reads: bool, shards: int | None) -> None:
        intents = discord.Intents(
            guilds=True, guild_messages=True, dm_messages=True, message_content=reads
        )
        super().__init__(
            intents=intents,
            shard_count=shards,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self._door = door
        self._began = -_BETWEEN_SESSIONS
        self._parents: dict[str, str | None] = {}
        # The table by which discord.py finds the reader of an event.
        self._connection.parsers["INTERACTION_CREATE"] = self._on_interaction
        self._connection.parsers["MESSAGE_CREATE"] = self._on_message

    def _on_interaction(self, body: Json) -> None:
        turn = Turn(self._door.outbound.api, body, by_call(self._door.outbound.api, body))
        self._door.later(on_interaction(self._door, turn))

    def _on_message(self, body: Json) -> None:
        me = str(self.user.id) if self.user is not None else ""
        self._door.later(on_message(self._door, body, me, self._parent_of))

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """One session may begin every five seconds (docs.discord.com, rate limiting of shards);
        where the last began longer ago, nobody waits."""
        left = _BETWEEN_SESSIONS - (time.monotonic() - self._began)
        if not initial and left > 0:
            await asyncio.sleep(left)
        self._began = time.monotonic()

    async def setup_hook(self) -> None:
        """Once a login: the commands as they are in this version."""
        self._door.later(register(self._door))

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """A guild that the bot is in, told at each start."""
        await self._arrived(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """A guild that the bot was taken into."""
        await self._arrived(guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot was put out of a guild."""
        try:
            await self._door.outbound.guilds.left(str(guild.id))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.error("discord.guild_not_forgotten", guild=guild.id, error=repr(error))

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """What one of these raised."""
        log.exception("discord.event_failed", event=event_method)

    async def _arrived(self, guild: discord.Guild) -> None:
        try:
            await self._door.outbound.guilds.arrived(str(guild.id), guild.name)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.error("discord.guild_not_noted", guild=guild.id, error=repr(error))

    async def _parent_of(self, guild: str, channel: str) -> str | None:
        """The channel that a thread is of; asked of Discord once where it was never told."""
        known = self.get_channel(int(channel))
        if known is not None:
            parent = known.parent_id if isinstance(known, discord.Thread) else None
            return str(parent) if parent is not None else None
        if channel not in self._parents:
            try:
                said = await self._door.outbound.api.call(
                    "GET", "/channels/{channel_id}", channel_id=channel
                )
            except MiyabiError as error:
                log.warning("discord.channel_unknown", channel=channel, why=str(error))
                return None
            while len(self._parents) >= 10_000:
                del self._parents[next(iter(self._parents))]
            is_thread = said.get("type") in THREADS and said.get("parent_id")
            self._parents[channel] = str(said["parent_id"]) if is_thread else None
        return self._parents[channel]


async def register(door: Door) -> None:
    """Tell Discord the commands; the same again changes nothing there."""
    api = door.outbound.api
    try:
        application = api.settings.application_id
        if application is None:
            application = str((await api.call("GET", "/oauth2/applications/@me"))["id"])
        await api.call(
            "PUT",
            "/applications/{application_id}/commands",
            commands.commands(door.house.agents.values()),
            application_id=application,
        )
    except (MiyabiError, TimeoutError) as error:
        log.error("discord.commands_not_registered", why=repr(error))
