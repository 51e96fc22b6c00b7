"""What a platform delivered: stored before it is told so, and dealt with afterwards, in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event as its platform delivered it; `kind` and `body` are in the platform's own words.

    `chat` is where it was said, `account` by whom; empty where nobody is named. `said_at` is the
    platform's time. `reply_until`: so long the free answer to it is counted on; None without one.
    """

    id: UUID
    organisation_id: UUID
    platform: str
    workspace: str
    key: str
    chat: str
    account: str
    kind: str
    body: Mapping[str, Any]
    said_at: datetime
    redelivered: bool = False
    attempts: int = 0
    reply_until: datetime | None = None
