"""What every handler of Slack's deliveries has at hand, and how it answers people."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.api import SlackRefused, ask
from bot.slack.installs import Install
from bot.slack.outbound import SlackOutbound
from bot.slack.reaching import UNREACHABLE, open_direct
from bot.slack.render import Json, blocks, fallback
from core.errors import MiyabiError, TryLater
from core.first_times import FirstTimes, who_in_time
from core.house import House
from core.inbound import Sender, Spot
from core.messages import Message
from core.people import Person
from core.words import Language

log = structlog.get_logger()

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Act:
    """Who did something in which workspace, and where."""

    team: str
    user: str
    spot: Spot

    @property
    def sender(self) -> Sender:
        """The account. It is tied to the workspace that has the app, wherever the person is from:
        that is what slash commands name too, and whose token can answer."""
        return Sender("slack", self.team, self.user)


@dataclass(frozen=True, slots=True)
class Door:
    """The ways in of one process."""

    house: House
    outbound: SlackOutbound
    first_times: FirstTimes = field(default_factory=FirstTimes)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Go on with this after Slack was answered."""
        self.outbound.chores.begin(work)

    async def install(self, team: str) -> Install:
        """The app in a workspace. Raises Permanent or TryLater."""
        return await self.outbound.installs.get(team)

    async def client(self, team: str) -> AsyncWebClient:
        """The client for a workspace. Raises Permanent or TryLater."""
        return self.outbound.api.client((await self.install(team)).token)

    def language(self, act: Act) -> Language:
        """Somebody's language, as far as this process has met them."""
        person = self.house.met.get(act.sender)
        return person.language if person is not None else "ja"

    async def person(self, act: Act) -> Person | None:
        """Who it is; None for a stranger. Raises DatabaseAway where that can't be told in time."""
        return await who_in_time(self.house, act.sender)

    async def say(self, act: Act, message: Message) -> None:
        """Answer where it was said, for all to see."""
        await self._told_somehow(act, message, ephemeral=False)

    async def whisper(self, act: Act, message: Message) -> None:
        """Answer where it was said, for this person only; directly where that can't be done."""
        await self._told_somehow(act, message, ephemeral=True)

    async def _told_somehow(self, act: Act, message: Message, *, ephemeral: bool) -> None:
        for tries in range(1, _TRIES + 1):
            try:
                await self._tell(act, message, ephemeral=ephemeral)
            except TryLater as later:
                if tries == _TRIES:
                    log.error("slack.not_told", channel=act.spot.channel, why=str(later))
                    return
                await asyncio.sleep(later.after.total_seconds() if later.after else 0.5)
            except MiyabiError as error:
                log.error("slack.not_told", channel=act.spot.channel, why=str(error))
                return
            else:
                return

    async def _tell(self, act: Act, message: Message, *, ephemeral: bool) -> None:
        client = await self.client(act.team)
        words: Json = {"text": fallback(message), "blocks": blocks(message), "parse": "none"}
        thread = act.spot.thread
        try:
            if not act.spot.channel:
                raise SlackRefused("channel_not_found")
            if ephemeral:
                await ask(
                    client.chat_postEphemeral(
                        channel=act.spot.channel, user=act.user, thread_ts=thread, **words
                    )
                )
            else:
                await ask(
                    client.chat_postMessage(
                        channel=act.spot.channel,
                        thread_ts=thread,
                        unfurl_links=False,
                        unfurl_media=False,
                        **words,
                    )
                )
        except SlackRefused as refused:
            if refused.code not in UNREACHABLE:
                raise
            channel = await open_direct(client, act.user)
            await ask(client.chat_postMessage(channel=channel, **words))


def reply(message: Message) -> Json:
    """A message as the body of the answer to a slash command: only its sender sees it."""
    body: Json = {"response_type": "ephemeral", "text": fallback(message)}
    plain = message.text and not (message.title or message.fields or message.buttons)
    return body if plain else {**body, "blocks": blocks(message)}
