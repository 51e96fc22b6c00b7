"""Events of other months than this one: the database's clock, set for a test."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit import log
from audit.event import Actor, Event
from tests.audit.happening import Happening
from tests.audit.log_of_one import ORGANISATION

_CLOCK = """
    create or replace function audit_dated(p_event text, p_at timestamptz) returns text
        language sql stable as $$
        select overlay(p_event placing to_char(
                cast(coalesce(nullif(current_setting('test.clock', true), ''), cast(p_at as text))
                    as timestamptz) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US+00:00')
            from position('"at":"@"' in p_event) + 6 for 1)
    $$
"""


def ago(months: int, day: int = 15) -> datetime:
    """Noon of a day so many months before this one."""
    now = datetime.now(UTC)
    place = now.year * 12 + now.month - 1 - months
    return datetime(place // 12, place % 12 + 1, day, 12, tzinfo=UTC)


async def set_clock(owner: AsyncEngine) -> None:
    """Let `happened` say when; whoever does not is dated as ever."""
    async with owner.begin() as connection:
        await connection.execute(text(_CLOCK.replace(":", "\\:")))


async def happened(
    engine: AsyncEngine,
    at: datetime,
    *streams: UUID,
    organisation: UUID = ORGANISATION,
    n: int = 0,
) -> list[Event]:
    """An event of each stream, dated and named as of that moment; without leaves yet."""
    events = [
        Event(organisation, stream, Happening.HAPPENED, {"n": n}, Actor(), id=id_of(at))
        for stream in streams
    ]
    async with engine.begin() as connection:
        await connection.execute(
            text("select set_config('test.clock', :at, true)"), {"at": at.isoformat()}
        )
        await log.append(connection, events)
    return events


def id_of(at: datetime) -> UUID:
    """A UUIDv7 of that moment."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | uuid7().int & (1 << 80) - 1)


async def make_months(owner: AsyncEngine, count: int, *, until: int = 0) -> None:
    """Partitions of the last so many months up to that one."""
    async with owner.begin() as connection:
        await connection.execute(
            text("""
                select audit_make_month(cast(date_trunc('month', now() at time zone 'UTC')
                    - make_interval(months => n) as date)) from generate_series(
                        cast(:low as integer), cast(:high as integer)) as n
            """),
            {"low": until, "high": until + count - 1},
        )
