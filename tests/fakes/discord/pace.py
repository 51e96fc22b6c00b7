"""Discord's limits of pace: buckets of operations, and what the headers say of them."""

import time
from dataclasses import dataclass, field

from tests.fakes.discord.limits import Json


@dataclass(slots=True)
class Paces:
    """`allowed`: so many calls of an operation a window of seconds, for each channel."""

    allowed: dict[str, tuple[int, float]]
    _since: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)

    def take(self, operation: str, place: str) -> tuple[bool, dict[str, str], float]:
        """Whether the call is within its pace, the headers, and how long to wait if not."""
        if operation not in self.allowed:
            return True, {}, 0.0
        most, window = self.allowed[operation]
        now = time.monotonic()
        began, used = self._since.get((operation, place), (now, 0))
        if now - began >= window:
            began, used = now, 0
        fits, left = used < most, max(0.0, began + window - now)
        self._since[operation, place] = (began, used + fits)
        headers = {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(max(0, most - used - fits)),
            "X-RateLimit-Reset": f"{time.time() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": operation,
        }
        return fits, headers, left


def too_many(after: float, *, everywhere: bool = False) -> tuple[Json, dict[str, str]]:
    """The body and the headers of a 429."""
    headers = {"Retry-After": f"{after:.3f}", "X-RateLimit-Scope": "user"}
    if everywhere:
        headers = {"Retry-After": f"{after:.3f}", "X-RateLimit-Global": "true"}
        headers["X-RateLimit-Scope"] = "global"
    words = "You are being rate limited."
    return {"message": words, "retry_after": after, "global": everywhere}, headers
