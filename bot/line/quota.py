"""How many messages may still be pushed this month: LINE's figures, and what was pushed since.

LINE counts people reached, not message objects: one call to one person is one, however many objects
it holds (developers.line.biz, Messaging API pricing); replies count nothing. A push takes its share
here before it is sent, so that two workers can't both take the last one, and gives it back where it
surely was not sent. LINE itself has the last word, with a 429.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.line.channels import DATABASE_AWAY, Channels
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

MONTHS_OF = ZoneInfo("Asia/Tokyo")
"""LINE's days and months end at midnight UTC+9 (message statistics of the reference)."""
WARNED_AT = 80  # percent
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


@dataclass(frozen=True, slots=True)
class Left:
    """What is known of a channel's month. `most` is None without a limit; `used` is LINE's figure
    with what was pushed since it was read. `told` is that figure alone, `ours` our own count of the
    month."""

    month: date
    most: int | None
    used: int
    read_at: datetime
    warned: bool
    since: int = 0
    told: int = 0
    ours: int = 0

    def room(self, reserve: int = 0) -> int | None:
        """How many may still be pushed, all but a reserve; None without a limit."""
        return None if self.most is None else self.most - reserve - self.used

    def reserve(self, percent: int) -> int:
        """How many are kept for what is urgent: a part of a message is a whole one."""
        return 0 if self.most is None else -(-self.most * percent // 100)

    @property
    def nearly(self) -> bool:
        """Whether so much is used that somebody should hear of it."""
        return self.most is not None and self.used * 100 >= self.most * WARNED_AT


def month_of(moment: datetime) -> date:
    """The month that a push at this moment counts for."""
    return moment.astimezone(MONTHS_OF).date().replace(day=1)


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
        scope = {**_scope(channel), "month": month, "call": call, "counted": counted}
        try:
            async with self._house.engine.begin() as connection:
                # Locked first: the sums are then read as whoever was before us has left them.
                await fetch_one(connection, _LOCK, scope)
                left = await _left(connection, channel, month)
                if left is None:
                    raise TryLater(DATABASE_AWAY)  # forgotten between two statements
                if await fetch_one(connection, _TAKEN, scope) is not None:
                    return True, left
                room = left.room(0 if urgent else left.reserve(self._reserve))
                if room is not None and room < counted:
                    return False, left
                await execute(connection, _USE, scope)
                return True, await _left(connection, channel, month) or left
        except (SQLAlchemyError, OSError) as error:
            raise TryLater(DATABASE_AWAY) from error

    async def settle(self, channel: Channel, call: UUID, *, done: bool) -> None:
        """What became of a push: it was sent, or surely was not. What nobody knows stays taken."""
        state = "done" if done else "refused"
        try:
            async with self._house.engine.begin() as connection:
                await execute(connection, _SETTLE, {**_scope(channel), "call": call, "to": state})
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
            scope = {**_scope(channel), "month": left.month}
            if await execute(work.connection, _WARN, scope):
                words = WARNING.fill(name=channel.name, used=left.used, most=left.most)
                people = await admins(work.connection, channel.organisation_id)
                key = f"quota:{channel.workspace}:{left.month:%Y-%m}"
                await tell_people(work, task, people, key, words)

    # LINE's figures

    async def left(self, channel: Channel) -> Left:
        """The month as it is known; LINE is asked where nothing is. Raises TryLater."""
        try:
            async with self._house.engine.connect() as connection:
                found = await _left(connection, channel, month_of(self._clock()))
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
            **_scope(channel),
            "month": month,
            "most": most,
            "used": used,
            "took": time.monotonic() - began,
            "old": self._clock() - _KEPT,
        }
        try:
            async with self._house.engine.begin() as connection:
                await execute(connection, _READ, values)
                await execute(connection, _FORGET, values)
                found = await _left(connection, channel, month)
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


def _scope(channel: Channel) -> dict[str, Any]:
    return {"organisation_id": channel.organisation_id, "workspace": channel.workspace}


async def _left(connection: AsyncConnection, channel: Channel, month: date) -> Left | None:
    begins = datetime(month.year, month.month, 1, tzinfo=MONTHS_OF)
    row = await fetch_one(
        connection, _LEFT, {**_scope(channel), "month": month, "begins": begins.astimezone(UTC)}
    )
    if row is None:
        return None
    # LINE's figures may lag behind what we pushed ourselves.
    used = max(row.used + row.since, row.ours)
    warned = row.warned_at is not None
    return Left(month, row.most, used, row.read_at, warned, row.since, row.used, row.ours)


_LOCK = """
    select 1 from quotas where organisation_id = :organisation_id and platform = 'line'
        and workspace = :workspace and month = :month for update
"""
_LEFT = """
    with pushed as (
        select counted, at from quota_uses where organisation_id = :organisation_id
            and platform = 'line' and workspace = :workspace and state <> 'refused'
    )
    select most, used, read_at, warned_at,
        (select coalesce(sum(counted), 0)::int from pushed where at > read_at) as since,
        (select coalesce(sum(counted), 0)::int from pushed where at >= :begins) as ours
    from quotas where organisation_id = :organisation_id and platform = 'line'
        and workspace = :workspace and month = :month
"""
_TAKEN = """
    select 1 from quota_uses where organisation_id = :organisation_id and platform = 'line'
        and workspace = :workspace and call = :call and state <> 'refused'
"""
_USE = """
    insert into quota_uses (organisation_id, platform, workspace, call, counted, at)
    values (:organisation_id, 'line', :workspace, :call, :counted, clock_timestamp())
    on conflict (call) do update set state = 'taken', counted = excluded.counted, at = excluded.at
"""
_SETTLE = """
    update quota_uses set state = :to where organisation_id = :organisation_id
        and platform = 'line' and workspace = :workspace and call = :call
"""
_WARN = """
    update quotas set warned_at = now() where organisation_id = :organisation_id
        and platform = 'line' and workspace = :workspace and month = :month and warned_at is null
"""
_READ = """
    insert into quotas as q (organisation_id, platform, workspace, month, most, used, read_at)
    values (:organisation_id, 'line', :workspace, :month, :most, :used,
        now() - make_interval(secs => :took))
    on conflict (platform, workspace, month) do update set most = excluded.most,
        used = excluded.used, read_at = excluded.read_at where q.read_at < excluded.read_at
"""
_FORGET = """
    delete from quota_uses where organisation_id = :organisation_id and platform = 'line'
        and workspace = :workspace and at < :old
"""
