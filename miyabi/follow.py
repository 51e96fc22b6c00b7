"""Follows a task from the terminal: the live feed is the bell, PostgreSQL is the truth."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from arq import ArqRedis
from redis.exceptions import RedisError

from core.codec import load
from core.db import fetch_all, fetch_one, from_json
from core.house import House
from core.messages import Message
from miyabi.doorbell import feed_key
from miyabi.session import Session

_LOOK = 0.25
"""Seconds until we look by ourselves, whether or not the bell rang."""
_PATIENCE = 3.0
"""Seconds a task that has come to rest is given to tell its last news."""
OVERLAP = timedelta(seconds=10)
"""A posting carries the time its transaction began; one that took long may come to light late."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A message as it was sent to the terminal, or as it is after an edit."""

    task_id: UUID
    reference: int
    slot: str
    at: datetime
    message: Message

    @property
    def kind(self) -> str:
        return self.slot.partition(":")[0]


@dataclass(slots=True)
class Inbox:
    """What an account on the terminal is sent, each posting once and in order.

    With `task_id`, only of that task's own thread, whoever asked for it.
    """

    house: House
    organisation_id: UUID
    account: str | None = None
    task_id: UUID | None = None
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    _seen: set[UUID] = field(default_factory=set)

    async def fresh(self) -> list[Posting]:
        """What has come since the last look."""
        async with self.house.engine.connect() as connection:
            rows = await fetch_all(
                connection,
                "select d.id, d.task_id, t.reference, d.slot, d.sent_at, d.body"
                " from deliveries d join threads h on h.id = d.thread_id"
                " join tasks t on t.id = d.task_id"
                " where d.organisation_id = :organisation_id and h.platform = 'console'"
                " and d.state = 'sent' and d.sent_at > :since"
                " and (cast(:account as text) is null or h.account = :account)"
                " and (cast(:task_id as uuid) is null or"
                " (d.task_id = :task_id and h.person_id is null))"
                " order by d.sent_at, d.id",
                {
                    "organisation_id": self.organisation_id,
                    "since": self.since - OVERLAP,
                    "account": self.account,
                    "task_id": self.task_id,
                },
            )
        new = [row for row in rows if row.id not in self._seen]
        self._seen.update(row.id for row in new)
        if rows:
            self.since = max(self.since, rows[-1].sent_at)
        return [
            Posting(
                row.task_id, row.reference, row.slot, row.sent_at,
                load(Message, from_json(row.body)),
            )
            for row in new
        ]  # fmt: skip


@dataclass(slots=True)
class Notices:
    """What the hub tells an account on the terminal, apart from any task: each once, and once more
    whenever it says something else."""

    house: House
    organisation_id: UUID
    account: str
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    _seen: set[tuple[UUID, int]] = field(default_factory=set)

    async def fresh(self) -> list[Message]:
        """What has come since the last look."""
        async with self.house.engine.connect() as connection:
            rows = await fetch_all(
                connection,
                "select d.id, d.shown, d.sent_at, d.body from dispatches d"
                " where d.organisation_id = :organisation_id and d.channel = 'console'"
                " and d.person_id in (select person_id from accounts where platform = 'console'"
                " and organisation_id = :organisation_id and external_id = :account)"
                " and d.state = 'sent' and d.body is not null and d.sent_at > :since"
                " order by d.sent_at, d.id",
                {
                    "organisation_id": self.organisation_id,
                    "account": self.account,
                    "since": self.since - OVERLAP,
                },
            )
        new = [row for row in rows if (row.id, row.shown) not in self._seen]
        self._seen.update((row.id, row.shown) for row in new)
        if rows:
            self.since = max(self.since, rows[-1].sent_at)
        return [load(Message, from_json(row.body)) for row in new]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a task stands. `told` is false while the terminal has not yet been sent all of it."""

    state: str
    waiting_for: str | None
    told: bool

    @property
    def rests(self) -> bool:
        """Nothing more happens until a person does something."""
        return self.state in {"done", "rejected", "cancelled", "failed", "waiting"}


async def standing(house: House, organisation_id: UUID, task_id: UUID) -> Standing:
    """Read how a task stands. Raises LookupError where the organisation has none such."""
    async with house.engine.connect() as connection:
        row = await fetch_one(
            connection,
            "select t.state, t.waiting_for, not exists (select from notifications n"
            " where n.task_id = t.id and n.routed_at is null) and not exists"
            " (select from deliveries d join threads h on h.id = d.thread_id"
            " where d.task_id = t.id and h.platform = 'console'"
            " and d.state in ('pending', 'sending')) as told"
            " from tasks t where t.organisation_id = :organisation_id and t.id = :task_id",
            {"organisation_id": organisation_id, "task_id": task_id},
        )
    if row is None:
        raise LookupError(f"no task {task_id}")
    return Standing(row.state, row.waiting_for, row.told)


class Feed:
    """The organisation's live feed as a bell."""

    def __init__(self, redis: ArqRedis, organisation_id: UUID) -> None:
        self._redis = redis
        self._key = feed_key(organisation_id)
        self._last: bytes | None = None

    async def ring(self) -> None:
        """Wait for the next event, a quarter of a second at most."""
        try:
            if self._last is None:
                newest = await self._redis.xrevrange(self._key, count=1)
                self._last = newest[0][0] if newest else b"0"
            found = await self._redis.xread({self._key: self._last}, block=int(_LOOK * 1000))
            for _, events in found:
                self._last = events[-1][0]
        except (RedisError, OSError):
            await asyncio.sleep(_LOOK)


async def follow(
    session: Session, inbox: Inbox, task_id: UUID, show: Callable[[Posting], None]
) -> Standing:
    """Show what comes until the task is at its end or waits for a person, and has told so."""
    feed = Feed(session.built.redis, inbox.organisation_id)
    rests_since: float | None = None
    while True:
        now = await standing(session.house, inbox.organisation_id, task_id)
        for posting in await inbox.fresh():
            show(posting)
        if now.rests:
            rests_since = rests_since or time.monotonic()
            if now.told or time.monotonic() - rests_since > _PATIENCE:
                return now
        else:
            rests_since = None
        if session.working is not None and session.working.done():
            session.working.result()  # raises what ended it
        await feed.ring()
