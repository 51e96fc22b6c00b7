"""What somebody chose of how they are told: kept as one value, changed as a whole.

`pattern`s are globs of topics (`task.*`); the first that fits counts, in the order in which they
stand. Times of day are by the person's own zone, or the organisation's where they chose none.
"""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.codec import dump, load
from core.db import execute, fetch_one, from_json, to_json
from core.notices import Importance
from core.unit import Unit

DigestRhythm = Literal["at_once", "hourly", "daily", "weekly"]


@dataclass(frozen=True, slots=True)
class Channels:
    """By which channels, in order of fall-back, they hear of these topics at these importances.

    `all_at_once`: by all of them, and not by the first that reaches them.
    """

    pattern: str
    channels: tuple[str, ...]
    importances: tuple[Importance, ...] = ()
    """Empty: any."""
    all_at_once: bool = False


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From when until when nothing is told; a window that ends before it begins goes across
    midnight. `days_off`: days on which the company does not work are quiet as a whole."""

    begins: time
    ends: time
    days_off: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """These topics together: each hour, each day at a time, or each week on a weekday (0: Monday)
    at a time."""

    pattern: str
    rhythm: DigestRhythm
    at: time = time(9)
    weekday: int = 0


@dataclass(frozen=True, slots=True)
class Mute:
    """A task, or topics, of which nothing is to be heard until then (None: for good)."""

    pattern: str = ""
    task_id: UUID | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Preferences:
    """All of it. `critical_passes`: what is critical is told in quiet hours too; `critical_most`:
    so many an hour at most, the others wait."""

    channels: tuple[Channels, ...] = ()
    quiet: QuietHours | None = None
    digests: tuple[Digest, ...] = ()
    mutes: tuple[Mute, ...] = ()
    critical_passes: bool = True
    critical_most: int | None = None


DEFAULT = Preferences()


async def read(connection: AsyncConnection, organisation_id: UUID, person_id: UUID) -> Preferences:
    """What they chose; the default where they chose nothing."""
    row = await fetch_one(
        connection,
        "select body from preferences where organisation_id = :organisation_id"
        " and person_id = :person_id",
        {"organisation_id": organisation_id, "person_id": person_id},
    )
    return load(Preferences, from_json(row.body)) if row else DEFAULT


async def store(
    work: Unit, organisation_id: UUID, person_id: UUID, preferences: Preferences
) -> None:
    """Keep what they chose."""
    await execute(
        work.connection,
        "insert into preferences (organisation_id, person_id, body) values (:organisation_id,"
        " :person_id, cast(:body as jsonb)) on conflict (organisation_id, person_id) do update"
        " set body = excluded.body, updated_at = now()",
        {
            "organisation_id": organisation_id,
            "person_id": person_id,
            "body": to_json(dump(preferences)),
        },
    )
