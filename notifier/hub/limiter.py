"""One clock for each provider, bot and method, and for each conversation, over all workers.

The clocks are Redis's; while that is away, PostgreSQL's (`paces`). Whoever calls takes the next
turn, so that the rate is exact however many call, or hears when to come again.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from core.db import fetch_one_alone
from core.errors import NotNow
from core.words import Words

log = structlog.get_logger()

PATIENCE = 2.0
"""Seconds for which a turn is waited for; whoever would wait longer takes none."""
_REDIS_WITHIN = 0.5
_REDIS_REST = 2.0
"""Seconds for which Redis is not asked again after it did not answer."""
_LOOKS_AGAIN = 0.05
_ASKED_AT_ONCE = 16

WAITS = Words(
    ja="{name} の送信速度の上限に達したため、順番を待ちます。",
    en="It waits for its turn at the pace of {name}.",
    zh="已达 {name} 的发送速率上限，正在排队。",
)


@dataclass(frozen=True, slots=True)
class Clock:
    """`rate`: turns a second, 0 for a clock that only says until when all are to wait."""

    name: str
    rate: float = 0.0
    burst: int = 1

    @property
    def step(self) -> float:
        """Microseconds from turn to turn."""
        return 1e6 / self.rate if self.rate > 0 else 0.0

    @property
    def ahead(self) -> float:
        """How much of it may be used up at once, in microseconds."""
        return self.step * (self.burst - 1)


# Of each clock: the end of what was taken of it (`next`), and until when all wait (`until`). The
# turn is the first that all of them have; then it is taken of all. Microseconds of Redis's time.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local at = now
local taken = {}
for i, key in ipairs(KEYS) do
    local ahead = tonumber(ARGV[2 * i + 1])
    local was = redis.call('HMGET', key, 'next', 'until')
    taken[i] = tonumber(was[1] or 0)
    at = math.max(at, taken[i] - ahead, tonumber(was[2] or 0))
end
local wait = at - now
if wait > tonumber(ARGV[1]) then return {0, string.format('%.0f', wait)} end
for i, key in ipairs(KEYS) do
    local step = tonumber(ARGV[2 * i])
    if step > 0 then
        local ends = math.max(taken[i], at) + step
        redis.call('HSET', key, 'next', string.format('%.0f', ends))
        local lasts = math.ceil((ends - now) / 1000) + 1000
        if redis.call('PTTL', key) < lasts then redis.call('PEXPIRE', key, lasts) end
    end
end
return {1, string.format('%.0f', wait)}
"""
_HOLD = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local untl = math.max(now + tonumber(ARGV[1]), tonumber(redis.call('HGET', KEYS[1], 'until') or 0))
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', untl))
local lasts = math.ceil((untl - now) / 1000) + 1000
if redis.call('PTTL', KEYS[1]) < lasts then redis.call('PEXPIRE', KEYS[1], lasts) end
return 1
"""
_HELD = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local most = now
for _, key in ipairs(KEYS) do
    most = math.max(most, tonumber(redis.call('HGET', key, 'until') or 0))
end
return string.format('%.0f', most - now)
"""

# across organisations: the clocks are the house's, as providers count a bot's calls
_TAKE_ROW = """
    with one as (select cast(:step as interval) as step, cast(:ahead as interval) as ahead,
        clock_timestamp() as now)
    insert into paces as p (name, next_at) select :name, one.now + one.step from one
    on conflict (name) do update
        set next_at = greatest(p.next_at, clock_timestamp(), p.until) + (select step from one)
        where greatest(p.next_at - (select ahead from one), p.until)
            <= clock_timestamp() + cast(:patience as interval)
    returning extract(epoch from greatest(next_at - (select step + ahead from one), until)
        - clock_timestamp()) as wait
"""
# across organisations: likewise
_WAIT_OF_ROW = """
    select extract(epoch from greatest(next_at - cast(:ahead as interval), until)
        - clock_timestamp()) as wait from paces where name = :name
"""
# across organisations: likewise
_HOLD_ROW = """
    insert into paces as p (name, next_at, until)
        values (:name, clock_timestamp(), clock_timestamp() + cast(:wait as interval))
    on conflict (name) do update set until = greatest(p.until, excluded.until)
    returning 1 as done
"""


@dataclass(slots=True)
class Limiter:
    """The clocks of an installation."""

    redis: Redis
    engine: AsyncEngine
    patience: float = PATIENCE
    prefix: str = "miyabi:pace:"
    _silent_until: float = field(default=0.0, init=False)
    _asking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_ASKED_AT_ONCE))

    async def take(self, clocks: Sequence[Clock]) -> None:
        """Wait for the next turn that all the clocks have. Raises NotNow where that is long; then
        none was taken."""
        taken, wait = await self._take(clocks)
        if not taken:
            raise _not_now(clocks, wait)
        if wait <= 0:
            return
        await asyncio.sleep(wait)
        if wait > _LOOKS_AGAIN and (held := await self._held(clocks)) > 0:
            raise _not_now(clocks, held)

    async def hold(self, name: str, after: timedelta) -> None:
        """The provider asks to be left alone: nobody takes a turn of this clock until then."""
        if await self._ask(_HOLD, [name], [after.total_seconds() * 1e6]) is None:
            try:
                await fetch_one_alone(self.engine, _HOLD_ROW, {"name": name, "wait": after})
            except (SQLAlchemyError, OSError):
                log.warning("limiter.not_held", clock=name)

    async def _take(self, clocks: Sequence[Clock]) -> tuple[bool, float]:
        numbers = [self.patience * 1e6]
        for clock in clocks:
            numbers += [clock.step, clock.ahead]
        answer = await self._ask(_TAKE, [clock.name for clock in clocks], numbers)
        if answer is not None:
            return bool(answer[0]), int(answer[1]) / 1e6
        waits = [await self._take_row(clock) for clock in clocks]
        return all(taken for taken, _ in waits), max((wait for _, wait in waits), default=0.0)

    async def _take_row(self, clock: Clock) -> tuple[bool, float]:
        values = {
            "name": clock.name,
            "step": timedelta(microseconds=clock.step),
            "ahead": timedelta(microseconds=clock.ahead),
        }
        patience = timedelta(seconds=self.patience)
        try:
            row = None
            if clock.step > 0:
                row = await fetch_one_alone(
                    self.engine, _TAKE_ROW, {**values, "patience": patience}
                )
            if row is not None:
                return True, max(0.0, float(row.wait))
            del values["step"]
            row = await fetch_one_alone(self.engine, _WAIT_OF_ROW, values)
        except (SQLAlchemyError, OSError):
            return False, 1.0  # without a database nothing can be noted of what was sent
        wait = max(0.0, float(row.wait or 0)) if row is not None else 0.0
        return (wait <= self.patience if clock.step == 0 else False), wait

    async def _held(self, clocks: Sequence[Clock]) -> float:
        answer = await self._ask(_HELD, [clock.name for clock in clocks], [])
        return int(answer) / 1e6 if answer is not None else 0.0

    async def _ask(self, script: str, names: Sequence[str], numbers: Sequence[float]) -> Any:
        """What Redis answers; None where it is away."""
        if time.monotonic() < self._silent_until:
            return None
        keys = [self.prefix + name for name in names]
        try:
            async with self._asking, asyncio.timeout(_REDIS_WITHIN):
                # redis-py gives its two clients one type between them.
                return await self.redis.eval(  # type: ignore[misc]
                    script, len(keys), *keys, *(f"{number:.0f}" for number in numbers)
                )
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("limiter.redis_away", error=repr(error))
            self._silent_until = time.monotonic() + _REDIS_REST
            return None


def _not_now(clocks: Sequence[Clock], wait: float) -> NotNow:
    name = clocks[0].name.rpartition(":")[0] if clocks else "?"
    return NotNow(WAITS.fill(name=name), timedelta(seconds=max(wait, 0.01)))
