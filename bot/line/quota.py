"""How many messages may still be pushed this month: LINE's figures, and what was pushed since.

LINE counts people reached, not message objects: one call to one person is one, however many objects
it holds (developers.line.biz, Messaging API pricing); replies count nothing. A push takes its share
here before it is sent, so that two workers can't both take the last one, and gives it back where it
surely was not sent. LINE itself has the last word, with a 429.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.line.channels import DATABASE_AWAY, Channels
from bot.line.ledger import (
    FORGET,
    LOCK,
    READ,
    SETTLE,
    TAKEN,
    USE,
    WARN,
    Left,
    left_of,
    month_of,
    scope_of,
)
from bot.line.refusals import AWAY, LineRefused
from bot.line.tokens import Channel
from core.approvals.telling import admins, tell_people
from core.db import execute, fetch_one
from core.errors import TryLater, Unreachable
from core.house import House
from core.tasks import Task
from core.unit import unit
from core.words import Words

log = structlog.get_logger()

READ_EVERY = 50  # pushes
_STALE = timedelta(seconds=60)
"""Older figures are read again before anything is refused: a plan may have been made larger."""
_READ_EVERY = timedelta(hours=1)
_KEPT = timedelta(days=40)
_BELIEVED_AFTER = 60.0
"""Seconds after which a 429 of the month is believed although the figures have room: LINE sets
messages aside while it sends others, but not for so long."""

SPENT = Words(
    ja="今月LINEで送れるメッセージ（{most}通）を使い切ったため、LINEではお知らせできませんでした。",
    en="This month's LINE messages ({most}) are used up, so you could not be told there.",
    zh="本月可发送的 LINE 消息（{most} 条）已用完，无法在 LINE 上通知您。",
)
RESERVED = Words(
    ja="今月LINEで送れるメッセージ（{most}通）の残りは承認待ちのお知らせのために取ってあるため、"
    "LINEではお知らせできませんでした。",
    en="What is left of this month's LINE messages ({most}) is kept for approvals that wait, so "
    "you could not be told there.",
    zh="本月剩余的 LINE 消息（共 {most} 条）留给待审批通知，无法在 LINE 上通知您。",
)
ANY = Words(ja="上限", en="the limit", zh="上限")
WARNING = Words(
    ja="LINE公式アカウント「{name}」は今月の送信数 {most}通のうち {used}通を使いました。"
    "残りがなくなると、お知らせは各自の別の連絡先に届きます。",
    en="The LINE official account “{name}” has used {used} of the {most} messages of this month. "
    "When none are left, people are told by their other accounts.",
    zh="LINE 官方账号“{name}”本月 {most} 条消息已使用 {used} 条。"
    "用完后，通知将发送到各人的其他账号。",
)


class Quotas:
    """The ledgers of all channels."""

    def __init__(
        self,
        house: House,
        channels: Channels,
        reserve_percent: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._house = house
        self._channels = channels
        self._reserve = reserve_percent
        self._clock = clock
        self._doubted: dict[str, float] = {}
        self._reading: set[str] = set()

    async def take(self, channel: Channel, call: UUID, counted: int, *, urgent: bool) -> Left:
        """Take a push's share; asked again for the same call, it is taken once.

        Raises Unreachable where there is none left, or only what is kept for what is urgent, and
        TryLater where nobody could tell yet.
        """
        month = (await self.left(channel)).month
        taken, left = await self._take(channel, call, counted, urgent, month)
        if not taken and self._clock() - left.read_at > _STALE:
            month = (await self.read(channel)).month
            taken, left = await self._take(channel, call, counted, urgent, month)
        if not taken:
            raise self._unreachable(left, counted)
        if left.since >= READ_EVERY or self._clock() - left.read_at > _READ_EVERY:
            self._read_beside(channel)
        return left

    def _unreachable(self, left: Left, counted: int) -> Unreachable:
        room = left.room()
        words = SPENT if room is None or room < counted else RESERVED
        return Unreachable(words.fill(most=ANY if left.most is None else left.most))

    async def _take(
        self, channel: Channel, call: UUID, counted: int, urgent: bool, month: date
    ) -> tuple[bool, Left]:
        """Whether it was taken, and what is left after that."""
        scope = {**scope_of(channel), "month": month, "call": call, "counted": counted}
        try:
            async with self._house.engine.begin() as connection:
                # Locked first: the sums are then read as whoever was before us has left them.
                await fetch_one(connection, LOCK, scope)
                left = await left_of(connection, channel, month)
                if left is None:
                    raise TryLater(DATABASE_AWAY)  # forgotten between two statements
                if await fetch_one(connection, TAKEN, scope) is not None:
                    return True, left
                room = left.room(0 if urgent else left.reserve(self._reserve))
                if room is not None and room < counted:
                    return False, left
                await execute(connection, USE, scope)
                return True, await left_of(connection, channel, month) or left
        except (SQLAlchemyError, OSError) as error:
            raise TryLater(DATABASE_AWAY) from error

    async def settle(self, channel: Channel, call: UUID, *, done: bool) -> None:
        """What became of a push: it was sent, or surely was not. What nobody knows stays taken."""
        state = "done" if done else "refused"
        try:
            async with self._house.engine.begin() as connection:
                await execute(connection, SETTLE, {**scope_of(channel), "call": call, "to": state})
        except (SQLAlchemyError, OSError) as error:
            # Counted though it was not sent, until LINE's figures are read again.
            log.warning("line.quota_not_settled", call=str(call), error=repr(error))
        if done:
            self._doubted.pop(channel.workspace, None)

    async def refused(self, channel: Channel, counted: int) -> Unreachable | TryLater:
        """What a 429 of the month means: LINE says it too while it sets messages aside for others
        that are just being sent (its FAQ), so its figures are asked."""
        try:
            left = await self.read(channel)
        except TryLater:
            return Unreachable(SPENT.fill(most=ANY))
        room = left.room()
        since = self._doubted.setdefault(channel.workspace, time.monotonic())
        if room is None or room < counted or time.monotonic() - since > _BELIEVED_AFTER:
            return Unreachable(SPENT.fill(most=ANY if left.most is None else left.most))
        return TryLater(AWAY.fill(why="HTTP 429"), timedelta(seconds=10))

    async def warn(self, channel: Channel, left: Left, task: Task) -> None:
        """Tell the organisation's admins once a month, in the task whose push it was."""
        async with unit(self._house) as work:
            scope = {**scope_of(channel), "month": left.month}
            if await execute(work.connection, WARN, scope):
                words = WARNING.fill(name=channel.name, used=left.used, most=left.most)
                people = await admins(work.connection, channel.organisation_id)
                key = f"quota:{channel.workspace}:{left.month:%Y-%m}"
                await tell_people(work, task, people, key, words)

    # LINE's figures

    async def left(self, channel: Channel) -> Left:
        """The month as it is known; LINE is asked where nothing is. Raises TryLater."""
        try:
            async with self._house.engine.connect() as connection:
                found = await left_of(connection, channel, month_of(self._clock()))
        except (SQLAlchemyError, OSError) as error:
            raise TryLater(DATABASE_AWAY) from error
        return found or await self.read(channel)

    async def read(self, channel: Channel) -> Left:
        """Ask LINE and keep what it says. Raises TryLater."""
        began, month = time.monotonic(), month_of(self._clock())
        try:
            most, used = await self.told(channel.workspace)
        except LineRefused as refused:
            # Some kinds of account have no such figures; LINE says so when it is too much.
            log.warning("line.quota_not_told", channel=channel.workspace, why=refused.words.en)
            most, used = None, 0
        values = {
            **scope_of(channel),
            "month": month,
            "most": most,
            "used": used,
            "took": time.monotonic() - began,
            "old": self._clock() - _KEPT,
        }
        try:
            async with self._house.engine.begin() as connection:
                await execute(connection, READ, values)
                await execute(connection, FORGET, values)
                found = await left_of(connection, channel, month)
        except (SQLAlchemyError, OSError) as error:
            raise TryLater(DATABASE_AWAY) from error
        assert found is not None  # noqa: S101  # just written
        return found

    async def told(self, workspace: str) -> tuple[int | None, int]:
        """LINE's own figures: how many in all, and how many of them were sent."""
        api = self._channels.api

        async def quota(token: str) -> Any:
            return await api.ask(token, lambda line, given: line.get_message_quota(**given))

        async def consumption(token: str) -> Any:
            return await api.ask(
                token, lambda line, given: line.get_message_quota_consumption(**given)
            )

        most = await self._channels.speak(workspace, quota)
        used = await self._channels.speak(workspace, consumption)
        limited = str(getattr(most.type, "value", most.type)) == "limited"
        return int(most.value) if limited and most.value is not None else None, int(
            used.total_usage
        )

    def _read_beside(self, channel: Channel) -> None:
        """Read them while pushes go on, once at a time."""
        if channel.workspace not in self._reading:
            self._reading.add(channel.workspace)
            self._channels.chores.begin(self._read_again(channel))

    async def _read_again(self, channel: Channel) -> None:
        try:
            await self.read(channel)
        except TryLater as later:
            log.warning("line.quota_not_read", channel=channel.workspace, why=later.words.en)
        finally:
            self._reading.discard(channel.workspace)
