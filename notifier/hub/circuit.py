"""A provider that fails again and again is left alone for a while, for the one company it fails.

Each worker counts what fails; that it is shut is in the database, so that all of them know. Then
one call is let through as a probe: where that goes well it is open to all again.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from audit.event import Event
from core.db import fetch_all, fetch_one
from core.errors import NotNow
from core.house import House
from core.ids import new_id
from core.notices import Notice, Recipient, publish, wake
from core.tags import Tag
from core.unit import Unit, unit
from core.words import Words

log = structlog.get_logger()

FAILURES = 5
"""So many in a row, of more than one conversation: one that fails is no provider that does."""
COOLS = timedelta(seconds=10)
LONGEST = timedelta(minutes=1)
PROBE_WITHIN = timedelta(seconds=30)
"""A probe of which nothing was heard for so long was nobody's."""
LOOKS_EVERY = 1.0
"""Seconds for which is believed what the database said of what is shut."""
_SOON = timedelta(seconds=1)

SHUT = Words(
    ja="{provider} は続けて失敗しているため、しばらく送信を止めています。",
    en="{provider} failed again and again, and is left alone for a while.",
    zh="{provider} 连续失败，暂停发送一段时间。",
)

Key = tuple[UUID, str]


@dataclass(slots=True)
class _Counted:
    """What failed in a row, as this worker saw it."""

    times: int = 0
    of: set[str] = field(default_factory=set)

    @property
    def enough(self) -> bool:
        return self.times >= FAILURES and (len(self.of) > 1 or "" in self.of)


# across organisations: what is shut is looked up for all at once; it names nobody
_SHUT = """
    select organisation_id, provider, state = 'half_open' as tried,
        extract(epoch from probe_at - now()) as wait from circuits where state <> 'closed'
"""
_OPEN = """
    insert into circuits as c (organisation_id, provider, state, failures, opened_at, probe_at,
        reason) values (:organisation_id, :provider, 'open', 1, now(), now() + :cools, :reason)
    on conflict (organisation_id, provider) do update set state = 'open', failures = 1,
        opened_at = now(), probe_at = excluded.probe_at, reason = excluded.reason,
        probe_owner = null where c.state = 'closed'
    returning c.provider
"""
_PROBE = """
    update circuits set state = 'half_open', probe_owner = :owner, probe_at = now() + :within
    where organisation_id = :organisation_id and provider = :provider and state <> 'closed'
        and probe_at <= now()
    returning provider
"""
_SHUT_AGAIN = """
    update circuits set state = 'open', failures = failures + 1, probe_owner = null,
        reason = :reason, probe_at = now() + least(cast(:longest as interval),
            cast(:cools as interval) * power(2, least(failures, 10)))
    where organisation_id = :organisation_id and provider = :provider and probe_owner = :owner
    returning provider
"""
_CLOSE = """
    update circuits set state = 'closed', failures = 0, probe_owner = null, probe_at = null,
        reason = null
    where organisation_id = :organisation_id and provider = :provider and probe_owner = :owner
    returning provider
"""
_GIVE_BACK = """
    update circuits set state = 'open', probe_owner = null, probe_at = now()
    where organisation_id = :organisation_id and provider = :provider and probe_owner = :owner
    returning provider
"""


@dataclass(slots=True)
class Circuits:
    """The circuits as one worker sees them."""

    house: House
    cools: timedelta = COOLS
    owner: str = field(default_factory=lambda: new_id().hex)
    _counted: dict[Key, _Counted] = field(default_factory=dict, init=False)
    _shut: dict[Key, float] = field(default_factory=dict, init=False)
    """Until when, by our own clock."""
    _tried: set[Key] = field(default_factory=set, init=False)
    """Those whose probe is on its way: that is over soon."""
    _looked: float = field(default=float("-inf"), init=False)
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def enter(self, key: Key) -> bool:
        """Whether this call is the probe. Raises NotNow where the provider is left alone."""
        await self._look()
        until = self._shut.get(key)
        if until is None:
            return False
        wait = until - time.monotonic()
        if wait <= 0:
            if await self._change(_PROBE, key, within=PROBE_WITHIN, state="half_open"):
                self._shut[key] = time.monotonic() + PROBE_WITHIN.total_seconds()
                self._tried.add(key)
                return True
            self._looked = float("-inf")  # somebody else is about it, or it is over
        after = _SOON if key in self._tried else max(timedelta(seconds=wait), _SOON)
        raise NotNow(SHUT.fill(provider=_shown(key)), min(after, COOLS))

    async def went_well(self, key: Key, *, probe: bool) -> None:
        """It answered: what failed before is forgotten, and after a probe it is open to all."""
        self._counted.pop(key, None)
        if probe and await self._change(_CLOSE, key, state="closed"):
            self._shut.pop(key, None)

    async def failed(self, key: Key, conversation: str, why: str, *, probe: bool) -> None:
        """It did not answer, or said that it can't."""
        if probe:
            await self._change(
                _SHUT_AGAIN, key, state="open", reason=why, cools=self.cools, longest=LONGEST
            )
            self._looked = float("-inf")
            return
        counted = self._counted.setdefault(key, _Counted())
        counted.times += 1
        if len(counted.of) < FAILURES:
            counted.of.add(conversation)
        if counted.enough and key not in self._shut:
            self._counted.pop(key, None)
            self._tried.discard(key)
            self._shut[key] = time.monotonic() + self.cools.total_seconds()
            await self._change(_OPEN, key, state="open", reason=why, cools=self.cools)

    async def tells_nothing(self, key: Key, *, probe: bool) -> None:
        """How it ended says nothing of the provider: the next one may be the probe."""
        if probe:
            await self._change(_GIVE_BACK, key, state="open")
            self._looked = float("-inf")

    async def _look(self) -> None:
        if time.monotonic() - self._looked < LOOKS_EVERY or self._looking.locked():
            return
        async with self._looking:
            self._looked = time.monotonic()
            async with self.house.engine.connect() as connection:
                rows: Sequence[Any] = await fetch_all(connection, _SHUT, {})
            now = time.monotonic()
            self._shut = {
                (row.organisation_id, row.provider): now + float(row.wait or 0) for row in rows
            }
            self._tried = {(row.organisation_id, row.provider) for row in rows if row.tried}

    async def _change(self, sql: str, key: Key, *, state: str, **values: object) -> bool:
        """Write it with its event, and have the admins told; False where somebody else did."""
        organisation_id, provider = key
        scope: dict[str, object] = {"organisation_id": organisation_id, "provider": provider}
        if sql is not _OPEN:
            scope["owner"] = self.owner
        if "reason" in values:
            values["reason"] = str(values["reason"])[:300]
        async with unit(self.house) as work:
            if await fetch_one(work.connection, sql, scope | values) is None:
                return False
            work.record(
                Event(
                    organisation_id,
                    organisation_id,
                    Tag.CIRCUIT_CHANGED,
                    {"provider": provider, "state": state},
                )
            )
            if sql in (_OPEN, _CLOSE):
                await self._tell(work, key, str(values.get("reason", "")), over=sql is _CLOSE)
            await wake(work)
        log.warning("circuit.changed", provider=provider, state=state)
        return True

    async def _tell(self, work: Unit, key: Key, why: str, *, over: bool) -> None:
        organisation_id, provider = key
        notice = Notice(
            "system.circuit",
            (Recipient("role", "admin"),),
            {"provider": provider, "reason": why},
            importance="high",
            group=provider,
            resolved=over,
        )
        await publish(work, organisation_id, notice)


def _shown(key: Key) -> str:
    return key[1].partition(":")[0]
