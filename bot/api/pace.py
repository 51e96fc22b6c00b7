"""How often a token may come: a program that runs wild is to slow down nobody else.

Counted in the process that answers: it needs no Redis, and costs a request microseconds. Where
several web processes share the load, a token has as often with each.
"""

import math
import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from bot.api.problems import Problem
from core.words import Words

TOO_OFTEN = Words(
    ja="このトークンのリクエストは1分間に{most}回までです。{seconds}秒後にもう一度送ってください。",
    en="A token may send {most} requests a minute. Please send it again in {seconds} s.",
    zh="每个令牌每分钟最多{most}次请求。请在{seconds}秒后重新发送。",
)


class Pace:
    """Counts the requests of each token over the last minute."""

    def __init__(self, per_minute: int) -> None:
        self._most = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def count(self, token: str, cost: int = 1) -> None:
        """Count one more of this token, or so many. Raises Problem 429 where it came too often."""
        if await self._limiter.hit(self._most, token, cost=cost):
            return
        window = await self._limiter.get_window_stats(self._most, token)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        words = TOO_OFTEN.fill(most=self._most.amount, seconds=seconds)
        raise Problem(429, words, code="too_often", headers={"Retry-After": str(seconds)})
