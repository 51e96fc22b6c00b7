"""One call to LINE that says something: once, whatever happens to its answer."""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.line import plain
from bot.line.channels import DATABASE_AWAY, Channels
from bot.line.flex import Json
from bot.line.ledger import Left
from bot.line.quota import Quotas
from bot.line.refusals import LineRefused, MonthSpent, NobodyThere, TokenSpent, WrongToken
from bot.line.tokens import Channel, NotOpened
from core.arrivals import put_back
from core.errors import OutcomeUnknown, TryLater, Unreachable
from core.words import Words

log = structlog.get_logger()

_MEMBERS_FRESH = 3600.0  # seconds; only for our own count, LINE's is read again anyway
_STEADY_AFTER = 60.0  # seconds
_OF_THE_CHAT = (TokenSpent, NobodyThere, WrongToken, MonthSpent)
"""Refusals that are not about how a message looks."""

MENDED_WITHIN = timedelta(minutes=1)
"""After this it is tried again whether a channel has an access token that LINE takes."""

TOO_OLD = Words(
    ja="LINEの返事が失われ、返信の期限も過ぎました。",
    en="LINE's answer got lost, and the time to reply is over.",
    zh="LINE 的答复丢失，且已超过回复期限。",
)
NOT_THERE = Words(
    ja="LINEのこのトークには送れません（{why}）。",
    en="This LINE chat can't be written to ({why}).",
    zh="无法向该 LINE 聊天发送消息（{why}）。",
)


class Calls:
    """Replies and pushes of all channels."""

    def __init__(self, engine: AsyncEngine, channels: Channels, quotas: Quotas) -> None:
        self._engine = engine
        self._channels = channels
        self._quotas = quotas
        self._members: dict[tuple[str, str], tuple[float, int]] = {}
        self._unsteady: dict[str, float] = {}

    def steady(self, channel: Channel) -> bool:
        """Whether LINE's answers came through lately. A reply can be repeated for less than a
        minute, a push for a day: while answers get lost, what can't be told later is not begun."""
        lost = self._unsteady.get(channel.workspace, float("-inf"))
        return time.monotonic() - lost > _STEADY_AFTER

    async def reply(
        self, channel: Channel, call: UUID, token: str, objects: Sequence[Json]
    ) -> Sequence[str] | None:
        """Reply for the first time with this token; None where LINE does not take it.

        Raises TryLater or a LineRefused where surely nothing was said: the token is free again.
        """
        try:
            return await self._speak(
                channel, objects, lambda access, made: self._channels.api.reply(access, token, made)
            )
        except TokenSpent:
            log.info("line.token_not_taken", channel=channel.workspace, call=str(call))
            await self._put_back(call, spent=True)
            return None
        except (TryLater, LineRefused):
            await self._put_back(call, spent=False)
            raise

    async def reply_again(
        self, channel: Channel, token: str, objects: Sequence[Json], *, young: bool
    ) -> Sequence[str]:
        """Repeat a reply whose answer was lost, while LINE surely still takes its token: where it
        does not, it had taken it before.

        Raises TryLater where that can be told another time, OutcomeUnknown where never.
        """
        if not young:
            raise OutcomeUnknown(TOO_OLD)
        try:
            return await self._speak(
                channel, objects, lambda access, made: self._channels.api.reply(access, token, made)
            )
        except TokenSpent:
            return ()
        except OutcomeUnknown as unknown:
            raise TryLater(unknown.words) from unknown

    async def _put_back(self, call: UUID, *, spent: bool) -> None:
        try:
            await put_back(self._engine, call, spent=spent)
        except (SQLAlchemyError, OSError) as error:
            if spent:
                # A repetition would take it for having been used by this call.
                raise TryLater(DATABASE_AWAY) from error
            log.warning("line.token_not_put_back", call=str(call), error=repr(error))

    async def push(
        self,
        channel: Channel,
        chat: str,
        call: UUID,
        objects: Sequence[Json],
        *,
        urgent: bool,
        again: bool,
    ) -> tuple[Sequence[str], Left]:
        """Push it within the month's messages; `again` it is the same push, however often.

        Raises Unreachable where there are none left, or nobody is there, and as Says.say does; but
        of a repetition never OutcomeUnknown, as it can be repeated once more.
        """
        counted = await self._reached(channel, chat)
        left = await self._quotas.take(channel, call, counted, urgent=urgent)
        try:
            ids = await self._speak(
                channel,
                objects,
                lambda access, made: self._channels.api.push(access, chat, made, str(call)),
            )
        except MonthSpent as spent:
            await self._quotas.settle(channel, call, done=False)
            raise await self._quotas.refused(channel, counted) from spent
        except NobodyThere as nobody:
            await self._quotas.settle(channel, call, done=False)
            raise Unreachable(NOT_THERE.fill(why=nobody.why)) from nobody
        except (TryLater, LineRefused):
            if not again:  # else an earlier time may have been taken
                await self._quotas.settle(channel, call, done=False)
            raise
        except OutcomeUnknown as unknown:
            if again:
                raise TryLater(unknown.words) from unknown
            raise
        await self._quotas.settle(channel, call, done=True)
        return ids, left

    async def _speak(
        self,
        channel: Channel,
        objects: Sequence[Json],
        call: Callable[[str, Sequence[Json]], Awaitable[Sequence[str]]],
    ) -> Sequence[str]:
        """Make the call; where LINE does not take how it looks, once more in words alone."""

        async def made(token: str) -> Sequence[str]:
            try:
                return await call(token, objects)
            except LineRefused as refused:
                if refused.status != 400 or isinstance(refused, _OF_THE_CHAT):
                    raise
                log.error("line.refused", channel=channel.workspace, why=refused.why)
                return await call(token, plain.texts(objects))

        try:
            ids = await self._channels.speak(channel.workspace, made)
        except (OutcomeUnknown, TimeoutError):
            self._unsteady[channel.workspace] = time.monotonic()
            raise
        except (WrongToken, NotOpened) as closed:
            # Whoever looks after the channel has to mend it; what is to be said waits for that.
            raise TryLater(closed.words, MENDED_WITHIN) from closed
        self._unsteady.pop(channel.workspace, None)
        return ids

    async def _reached(self, channel: Channel, chat: str) -> int:
        """How many people a push there reaches: so many messages LINE counts."""
        if chat.startswith("U"):
            return 1
        at, known = self._members.get((channel.workspace, chat), (float("-inf"), 1))
        if time.monotonic() - at <= _MEMBERS_FRESH:
            return known

        async def count(token: str) -> Any:
            return await self._channels.api.ask(
                token,
                lambda line, given: (
                    line.get_group_member_count(chat, **given)
                    if chat.startswith("C")
                    else line.get_room_member_count(chat, **given)
                ),
            )

        try:
            known = max(1, int((await self._channels.speak(channel.workspace, count)).count))
        except LineRefused as refused:
            # LINE says so itself where it can't be written to.
            log.info("line.members_not_told", chat=chat, why=refused.words.en)
            return known
        while len(self._members) >= 1000:
            del self._members[next(iter(self._members))]
        self._members[channel.workspace, chat] = (time.monotonic(), known)
        return known
