"""A small app of discord.py, to try the fake with: it echoes, answers commands and buttons."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.fakes.discord.server import FakeDiscord


class App(discord.Client):
    """`heard` is what the gateway told, in order."""

    def __init__(self, *, content: bool = True) -> None:
        intents = discord.Intents.none()
        intents.guilds = intents.guild_messages = intents.dm_messages = True
        intents.message_content = content
        super().__init__(
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            enable_debug_events=False,
            max_messages=None,
        )
        self.heard: list[str] = []
        self.resumes = 0
        self.tree = app_commands.CommandTree(self)

    async def on_message(self, message: discord.Message) -> None:
        if message.author.id != self.application_bot:
            self.heard.append(f"message {message.content}")

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        self.heard.append(f"interaction {interaction.type.value} {interaction.id}")

    async def on_resumed(self) -> None:
        self.resumes += 1

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """discord.py waits five seconds here, for Discord's sake."""

    @property
    def application_bot(self) -> int:
        return self.user.id if self.user else 0


@asynccontextmanager
async def running(fake: FakeDiscord, app: App | None = None) -> AsyncIterator[App]:
    """The app, logged in and connected to the fake."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = fake.api_url, yarl.URL(fake.gateway_url)
    made = app or App()
    connection = asyncio.ensure_future(made.start(fake.world.bot_token))
    try:
        await fake.wait_for(lambda: fake.gateway.open or connection.done())
        if connection.done():
            connection.result()
        yield made
    finally:
        await made.close()
        connection.cancel()
        await asyncio.wait([connection])
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before
