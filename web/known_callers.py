"""Who has called lately and whom they named, remembered for a moment.

A program calls again and again and names the same people. What is remembered of a key is confirmed
by the statement that writes (core/notices_in.py): one that was taken back is worth nothing at once.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from core import addressees, notice_senders
from core.notice_senders import Sender, hashed
from core.notices import Recipient

CALLER_FOR = 60.0
"""Seconds; after them a key is looked up anew, by which it is known when it was used last."""
NAMES_FOR = 5.0
"""Seconds after which somebody who was added is known, or who left is not."""
_MOST = 5000


@dataclass(slots=True)
class KnownCallers:
    """Keys by their hashes. Those of nobody are not remembered."""

    engine: AsyncEngine
    _known: dict[bytes, tuple[Sender, float]] = field(default_factory=dict)

    async def find(self, key: str, *, anew: bool = False) -> tuple[Sender, bytes] | None:
        """Whose key it is, and its hash; `anew`: as the database has it now."""
        sha256 = hashed(key)
        known = self._known.get(sha256)
        if known is not None and not anew and known[1] > time.monotonic():
            return known[0], sha256
        found = await notice_senders.caller(self.engine, sha256)
        if found is None:
            self.forget(sha256)
            return None
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[sha256] = (found, time.monotonic() + CALLER_FOR)
        return found, sha256

    def forget(self, sha256: bytes) -> None:
        """Look it up anew the next time."""
        self._known.pop(sha256, None)


@dataclass(slots=True)
class KnownNames:
    """Whom words mean, by organisation. What means nobody is not remembered."""

    engine: AsyncEngine
    _known: dict[tuple[UUID, Sequence[str]], tuple[tuple[Recipient, ...], float]] = field(
        default_factory=dict
    )

    async def resolve(self, organisation_id: UUID, words: Sequence[str]) -> tuple[Recipient, ...]:
        """As core.addressees does it. Raises Refused."""
        asked = (organisation_id, tuple(words))
        known = self._known.get(asked)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        found = await addressees.resolve(self.engine, organisation_id, words)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[asked] = (found, time.monotonic() + NAMES_FOR)
        return found
