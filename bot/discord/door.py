"""What every handler of Discord's deliveries has at hand, and how it answers people."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.discord import custom_ids
from bot.discord.act import Act, Json, language_of, roles_of, spot_of, user_of
from bot.discord.api import DiscordRefused
from bot.discord.marks import nonce_of
from bot.discord.outbound import SEND_IN_THREADS, SEND_MESSAGES, DiscordOutbound
from bot.discord.reaching import CLOSED, UNKNOWN_CHANNEL
from bot.discord.render import NOBODY, V2, render
from bot.discord.roles import Roles
from bot.discord.turn import Turn
from core.errors import MiyabiError, TryLater
from core.first_times import FirstTimes, who_in_time
from core.house import House
from core.intake import PATIENCE
from core.messages import Message
from core.people import Person
from core.words import Language

log = structlog.get_logger()

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Door:
    """The ways in of one process."""

    house: House
    outbound: DiscordOutbound
    roles: Roles
    first_times: FirstTimes = field(default_factory=FirstTimes)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Go on with this after Discord was answered."""
        self.outbound.chores.begin(work)

    async def act(self, body: Json) -> Act:
        """Who did an interaction, and where."""
        user = user_of(body)
        guild = str(body.get("guild_id") or "") or await self.guild_of(user)
        language = language_of(body.get("locale"))
        return Act(guild, user, spot_of(body, user), roles_of(body), language)

    async def guild_of(self, user: str) -> str:
        """The guild of whoever writes directly; empty where that can't be told."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.outbound.guilds.of_person(user)
        except (TimeoutError, OSError, SQLAlchemyError) as error:
            log.error("discord.database_away", error=repr(error))
            return ""

    def language(self, act: Act) -> Language:
        """Somebody's language, as far as this process has met them; else Discord's for them."""
        person = self.house.met.get(act.sender)
        return person.language if person is not None else act.language

    async def person(self, act: Act) -> Person | None:
        """Who it is; None for a stranger. Raises DatabaseAway where that can't be told in time."""
        return await who_in_time(self.house, act.sender)

    async def whisper(
        self, turn: Turn, act: Act, message: Message, *, open_to_all: bool = False
    ) -> None:
        """Answer an interaction, for this person only. Where its token is no good any more, by a
        message of the bot's: in the channel what all may read, else to the person, and only where
        that can't be done in the channel too."""
        await self._stored(act, message)
        if await turn.tell(message, self.outbound.ours):
            return
        log.info("discord.told_by_message", user=act.user, interaction=turn.id)
        direct = replace(act, spot=replace(act.spot, channel=act.user, thread=act.user))
        for place in (act, direct) if open_to_all else (direct, act):
            if await self.say(place, message, turn.id):
                return

    async def say(self, act: Act, message: Message, key: str) -> bool:
        """Say something where it was said, for all to see. Whether that could be done."""
        await self._stored(act, message)
        for tries in range(1, _TRIES + 1):
            try:
                await self._post(act, message, key)
            except TryLater as later:
                if tries == _TRIES:
                    log.error("discord.not_told", channel=act.spot.channel, why=str(later))
                    return False
                await asyncio.sleep(later.after.total_seconds() if later.after else 0.5)
            except (MiyabiError, TimeoutError) as error:
                log.error("discord.not_told", channel=act.spot.channel, why=repr(error))
                return False
            else:
                return True
        return False

    async def _post(self, act: Act, message: Message, key: str) -> None:
        shown = render(message, ours=self.outbound.ours)
        first: Json = {"components": shown.components, "flags": V2, "allowed_mentions": NOBODY}
        rest = [{"content": each, "allowed_mentions": NOBODY} for each in shown.more]
        thread = act.spot.thread
        if act.direct:
            channels = [await self.outbound.directs.channel(act.user)]
        else:
            channels = [thread, act.spot.channel] if thread else [act.spot.channel]
        for place, channel in enumerate(channels):
            try:
                for part, said in enumerate([first, *rest]):
                    payload = {**said, "nonce": nonce_of(key, part), "enforce_nonce": True}
                    await self.outbound.api.call(
                        "POST",
                        "/channels/{channel_id}/messages",
                        payload,
                        needs=SEND_IN_THREADS if thread and not act.direct else SEND_MESSAGES,
                        channel_id=channel,
                    )
            except DiscordRefused as refused:
                # The message has no thread yet: what is said of it is said beside it.
                if refused.code == UNKNOWN_CHANNEL and place + 1 < len(channels):
                    continue
                if refused.code in CLOSED and not act.direct:
                    log.warning("discord.closed", channel=channel, why=str(refused))
                    spot = replace(act.spot, channel=act.user, thread=act.user)
                    await self._post(replace(act, spot=spot), message, key)
                    return
                raise
            return

    async def _stored(self, act: Act, message: Message) -> None:
        """Buttons whose ids are too long are kept before they are shown."""
        pairs = custom_ids.too_long(message)
        if not pairs:
            return
        person = await self.person(act)
        if person is not None:
            await custom_ids.store(self.house, person.organisation_id, pairs)
