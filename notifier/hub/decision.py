"""What was decided of a notice for one reader, with every reason: the value that `explain` prints.

Deciding is pure (notifier/hub/deciding.py): the same reader, rules, calendar and moment give the
same decision, now and when it is looked at again just before sending.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from core.notices import Importance
from core.preferences import Preferences
from core.words import Language, Words

Outcome = Literal["now", "held", "digest", "dropped"]


@dataclass(frozen=True, slots=True)
class Way:
    """An account of the reader's (or a place), by which they can be told."""

    channel: str
    workspace: str
    address: str
    reached: bool = True
    """Not: it is known that nothing arrives there (blocked, unlinked, bounced, off)."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who should hear it, with all that decides how."""

    id: UUID
    name: str
    language: Language
    zone: str
    zone_chosen: bool
    """Not: it is the organisation's."""
    ways: Sequence[Way]
    preferences: Preferences
    roles: frozenset[str] = frozenset()
    criticals: int = 0
    """So many critical ones they were told in the last hour."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What of the notice decides it. `personal`: it concerns one person; `needed`: it can't be
    muted away entirely (security, approvals)."""

    topic: str
    importance: Importance
    personal: bool
    needed: bool
    task_id: UUID | None = None
    home: tuple[str, str] | None = None
    """Platform and workspace where its task lives."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of the decision. `code` is for programs: rule, preference, quiet, mute, digest,
    critical, needed, unreached, no_way, default."""

    code: str
    words: Words


@dataclass(frozen=True, slots=True)
class Window:
    """Which digest it goes into: unique for the person by topic and `key` (migration 0019)."""

    topic: str
    key: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """How one reader is told. `ways` are in order of fall-back; the first `together` of them are
    used at once (of `dropped`: would have been). `until`: of `held` and `digest`, when it goes
    out."""

    outcome: Outcome
    ways: Sequence[Way]
    reasons: Sequence[Reason]
    together: int = 1
    until: datetime | None = None
    window: Window | None = None
