"""The rows that count a channel's month: LINE's figures, and each push since."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.line.tokens import Channel
from core.db import fetch_one

MONTHS_OF = ZoneInfo("Asia/Tokyo")
"""LINE's days and months end at midnight UTC+9 (message statistics of the reference)."""
WARNED_AT = 80  # percent


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


def scope_of(channel: Channel) -> dict[str, Any]:
    return {"organisation_id": channel.organisation_id, "workspace": channel.workspace}


async def left_of(connection: AsyncConnection, channel: Channel, month: date) -> Left | None:
    begins = datetime(month.year, month.month, 1, tzinfo=MONTHS_OF)
    row = await fetch_one(
        connection, _LEFT, {**scope_of(channel), "month": month, "begins": begins.astimezone(UTC)}
    )
    if row is None:
        return None
    # LINE's figures may lag behind what we pushed ourselves.
    used = max(row.used + row.since, row.ours)
    warned = row.warned_at is not None
    return Left(month, row.most, used, row.read_at, warned, row.since, row.used, row.ours)


LOCK = """
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
TAKEN = """
    select 1 from quota_uses where organisation_id = :organisation_id and platform = 'line'
        and workspace = :workspace and call = :call and state <> 'refused'
"""
USE = """
    insert into quota_uses (organisation_id, platform, workspace, call, counted, at)
    values (:organisation_id, 'line', :workspace, :call, :counted, clock_timestamp())
    on conflict (call) do update set state = 'taken', counted = excluded.counted, at = excluded.at
"""
SETTLE = """
    update quota_uses set state = :to where organisation_id = :organisation_id
        and platform = 'line' and workspace = :workspace and call = :call
"""
WARN = """
    update quotas set warned_at = now() where organisation_id = :organisation_id
        and platform = 'line' and workspace = :workspace and month = :month and warned_at is null
"""
READ = """
    insert into quotas as q (organisation_id, platform, workspace, month, most, used, read_at)
    values (:organisation_id, 'line', :workspace, :month, :most, :used,
        now() - make_interval(secs => :took))
    on conflict (platform, workspace, month) do update set most = excluded.most,
        used = excluded.used, read_at = excluded.read_at where q.read_at < excluded.read_at
"""
FORGET = """
    delete from quota_uses where organisation_id = :organisation_id and platform = 'line'
        and workspace = :workspace and at < :old
"""
