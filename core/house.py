"""The house: what a running process has at hand, put together once in `miyabi/`."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from audit.archives import LIVE_MONTHS
from audit.cipher import derived
from audit.store import Store
from audit.subjects import PersonalKeys
from core.agent import Agent
from core.catalogue import Catalogue
from core.company import Company
from core.gate import Gate, OpenGate
from core.heartbeat import Heartbeat
from core.inbound import Sender
from core.line import Line
from core.ports import Doorbell, WayOut
from core.retention import KEEP_YEARS
from core.stranger import forgotten, stranger
from core.together import Together
from core.wiring import check

if TYPE_CHECKING:
    from core.people import Person

LEASE = timedelta(seconds=6)
"""How long a worker has a task without a sign of life; renewed three times as often."""

Resource = Callable[["House", UUID], Awaitable[object]]
"""What gives a step something of its organisation: a connector, the company, the files."""

KeyOf = Callable[[bytes], bytes]
"""The 32 bytes of one use of the installation's secret key, the same in every process of it."""


def _of_nobody_else() -> KeyOf:
    return partial(derived, os.urandom(32))


@dataclass(frozen=True, slots=True)
class House:
    """Everything a handler needs, passed to it. Nothing here is global."""

    engine: AsyncEngine
    doorbell: Doorbell
    agents: Mapping[str, Agent]
    resources: Mapping[type, Resource]
    heartbeat: Heartbeat
    personal: PersonalKeys
    store: Store
    outbounds: Mapping[str, WayOut] = field(default_factory=dict)
    approval_days: int = 14
    approval_reminder: timedelta = timedelta(days=1)
    approval_small: int = 30_000
    """In yen: up to here several approvals are offered to be given together."""
    keep_years: int = KEEP_YEARS
    live_months: int = LIVE_MONTHS
    lease: timedelta = LEASE
    line: Line = field(default_factory=Line)
    gate: Gate = field(default_factory=OpenGate)
    """What calls to providers pass (core/gate.py)."""
    public_url: str | None = None
    """The address that people's browsers reach the web by."""
    key_of: KeyOf = field(default_factory=_of_nobody_else, repr=False)
    """Without a secret key, of this process alone."""
    met: "dict[Sender, Person]" = field(default_factory=dict)
    """Who has been asked for (core/acquaintances.py)."""
    beginning: Together[Any, Any] = field(default_factory=Together, init=False)
    """New tasks on their way into the database (core/begin.py)."""

    def __post_init__(self) -> None:
        for agent in self.agents.values():
            check(agent, self.resources.keys())

    def agent(self, name: str, version: int = 1, redacted: str | None = None) -> Agent:
        """The agent of a task. One that is not among ours, or of an older version here, only names
        itself (core/stranger.py); of a task that was `redacted` whole there is nothing to say."""
        ours = self.agents.get(name)
        if ours is None:
            found = stranger(name)
        else:
            found = ours if version <= ours.version else stranger(name, ours.title)
        return forgotten(found) if redacted == "whole" else found

    async def catalogue(self, organisation_id: UUID) -> Catalogue:
        """The organisation's price list and customers."""
        found = await self.resources[Catalogue](self, organisation_id)
        assert isinstance(found, Catalogue)  # noqa: S101  # wiring, not input
        return found

    async def company(self, organisation_id: UUID) -> Company:
        """The organisation's own particulars."""
        found = await self.resources[Company](self, organisation_id)
        assert isinstance(found, Company)  # noqa: S101  # wiring, not input
        return found
