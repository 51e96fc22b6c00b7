"""What somebody chose of how they are told: kept as one value, changed as a whole.

`pattern`s are globs of topics (`task.*`); the first that fits counts, in the order in which they
stand. Times of day are by the person's own zone, or the organisation's where they chose none
(`people.time_zone` is the one that counts; `zone_chosen` says which it is).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, time
from fnmatch import fnmatchcase
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from core.codec import dump, load
from core.db import execute, fetch_one, from_json, to_json
from core.notices import Importance, wake
from core.tags import Tag
from core.unit import Unit
from core.words import Language

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
    """A task, or topics, of which nothing is to be heard until then (None: for good); with a
    `channel`, not by that one."""

    pattern: str = ""
    task_id: UUID | None = None
    until: datetime | None = None
    channel: str = ""

    def counts(self, now: datetime) -> bool:
        """Whether it still does."""
        return self.until is None or now < self.until


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
MIDNIGHT = time()


async def read(connection: AsyncConnection, organisation_id: UUID, person_id: UUID) -> Preferences:
    """What they chose; the default where they chose nothing."""
    row = await fetch_one(
        connection,
        "select body from preferences where organisation_id = :organisation_id"
        " and person_id = :person_id",
        {"organisation_id": organisation_id, "person_id": person_id},
    )
    return load(Preferences, from_json(row.body)) if row else DEFAULT


# What of it counts for a topic


def fits(pattern: str, topic: str) -> bool:
    """Whether a glob of topics means this one."""
    return fnmatchcase(topic, pattern)


def channels_for(preferences: Preferences, topic: str, importance: Importance) -> Channels | None:
    """By which channels they want to hear of it; None where they said nothing about it."""
    for each in preferences.channels:
        if fits(each.pattern, topic) and (not each.importances or importance in each.importances):
            return each
    return None


def digest_for(preferences: Preferences, topic: str) -> Digest | None:
    """With what it goes together; None where they said nothing about it."""
    return next((each for each in preferences.digests if fits(each.pattern, topic)), None)


def muting(
    preferences: Preferences, topic: str, task_id: UUID | None, now: datetime
) -> Sequence[Mute]:
    """What they do not want to hear of it: all of these count."""
    return [
        each
        for each in preferences.mutes
        if each.counts(now)
        and (
            each.task_id == task_id
            if each.task_id is not None
            else bool(each.pattern) and fits(each.pattern, topic)
        )
    ]


def muted(preferences: Preferences, topic: str, task_id: UUID | None, now: datetime) -> Mute | None:
    """Why they hear nothing of it, by whatever channel; None where they do."""
    return next(
        (each for each in muting(preferences, topic, task_id, now) if not each.channel), None
    )


# Changing it


def with_mute(preferences: Preferences, mute: Mute) -> Preferences:
    """With this one, in place of another of the same."""
    return replace(preferences, mutes=(*without_mute(preferences, mute).mutes, mute))


def without_mute(preferences: Preferences, mute: Mute) -> Preferences:
    """Without that of the same task or topics and channel."""
    of = (mute.pattern, mute.task_id, mute.channel)
    left = (m for m in preferences.mutes if (m.pattern, m.task_id, m.channel) != of)
    return replace(preferences, mutes=tuple(left))


async def change(
    work: Unit,
    organisation_id: UUID,
    person_id: UUID,
    how: Callable[[Preferences], Preferences],
    *,
    actor: Actor = SYSTEM,
) -> Preferences:
    """Put what `how` makes of their choice in its place; two at once come one after the other.

    What waits in a digest that was chosen otherwise, or for the end of quiet hours that are not the
    same any more, is looked at at once.
    """
    await execute(
        work.connection,
        "select from people where organisation_id = :organisation_id and id = :id"
        " for no key update",
        {"organisation_id": organisation_id, "id": person_id},
    )
    old = await read(work.connection, organisation_id, person_id)
    new = how(old)
    names = [field.name for field in fields(Preferences)]
    changed: list[JSON] = [name for name in names if getattr(old, name) != getattr(new, name)]
    if not changed:
        return new
    await _store(work, organisation_id, person_id, new)
    data: dict[str, JSON] = {"changed": changed}
    work.record(Event(organisation_id, person_id, Tag.PREFERENCES_CHANGED, data, actor))
    if old.quiet != new.quiet:
        await look_at_digests(work, organisation_id, person_id, "quiet:")
    for digest in set(old.digests) - set(new.digests):
        await look_at_digests(
            work, organisation_id, person_id, f"{digest.rhythm}:", topic=digest.pattern
        )
    return new


async def look_at_digests(
    work: Unit, organisation_id: UUID, person_id: UUID, kind: str = "", topic: str | None = None
) -> None:
    """Have what waits for somebody looked at now: it goes out, or waits for another moment.

    A digest gives up its name for the one of the same day that they choose now.
    """
    await execute(
        work.connection,
        "update digests set due_at = now(), window_key = window_key ||"
        " case when starts_with(window_key, 'quiet:') then '' else '~' || id end"
        " where organisation_id = :organisation_id and person_id = :person_id"
        " and state = 'open' and due_at > now()"
        " and starts_with(window_key, :kind)"
        " and topic = coalesce(cast(:topic as text), topic)",
        {
            "organisation_id": organisation_id,
            "person_id": person_id,
            "kind": kind,
            "topic": topic,
        },
    )
    # What waits for them in a task's conversation (notifier/quiet.py).
    await execute(
        work.connection,
        "update deliveries d set next_at = now(), held_until = now() from threads h"
        " where d.organisation_id = :organisation_id and d.state = 'pending'"
        " and d.held_until > now() and h.id = d.thread_id and h.person_id = :person_id",
        {"organisation_id": organisation_id, "person_id": person_id},
    )
    await wake(work)


async def set_zone(
    work: Unit, organisation_id: UUID, person_id: UUID, zone: str | None, *, actor: Actor = SYSTEM
) -> None:
    """Where somebody lives; None: where the organisation is. What waits goes by the new clock."""
    await execute(
        work.connection,
        "update people p set zone_chosen = cast(:zone as text) is not null,"
        " time_zone = coalesce(:zone, o.profile ->> 'time_zone', p.time_zone) from organisations o"
        " where o.id = p.organisation_id and p.organisation_id = :organisation_id and p.id = :id",
        {"zone": zone, "organisation_id": organisation_id, "id": person_id},
    )
    work.record(
        Event(organisation_id, person_id, Tag.PREFERENCES_CHANGED, {"changed": ["zone"]}, actor)
    )
    await look_at_digests(work, organisation_id, person_id, "quiet:")


async def set_language(
    work: Unit, organisation_id: UUID, person_id: UUID, language: Language, *, actor: Actor = SYSTEM
) -> None:
    """In which language somebody is spoken to."""
    await execute(
        work.connection,
        "update people set language = :language where organisation_id = :organisation_id"
        " and id = :id",
        {"language": language, "organisation_id": organisation_id, "id": person_id},
    )
    work.record(
        Event(organisation_id, person_id, Tag.PREFERENCES_CHANGED, {"changed": ["language"]}, actor)
    )


async def _store(
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
