"""How somebody's notifications are set, in words; times of day with the zone beside them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from core import notify_words as words
from core.codec import dump, load
from core.db import fetch_all, fetch_one, from_json, moment_of
from core.messages import Button, Field, Message
from core.preferences import DEFAULT, Channels, Digest, Mute, Preferences, QuietHours
from core.words import LANGUAGES, Language, Words, as_language, listed, same

SET = "notify.set"
"""The action of a button that sets something; its value is the command that it stands for."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody chose, with what one has to know to say it."""

    preferences: Preferences
    language: Language
    zone: str
    zone_chosen: bool
    now: datetime
    references: Mapping[UUID, int]
    """Of the tasks that are muted."""

    @property
    def zone_words(self) -> Words:
        """Never a bare hour: by whose clock."""
        return (same("{zone}") if self.zone_chosen else words.ZONE_COMPANY).fill(zone=self.zone)


async def standing(connection: AsyncConnection, organisation_id: UUID, person_id: UUID) -> Standing:
    """How it stands for somebody now."""
    row = await fetch_one(
        connection,
        "select p.language, p.time_zone, p.zone_chosen, f.body from people p"
        " left join preferences f on f.organisation_id = :organisation_id and f.person_id = p.id"
        " where p.organisation_id = :organisation_id and p.id = :id",
        {"organisation_id": organisation_id, "id": person_id},
    )
    if row is None:
        raise LookupError(f"no person {person_id}")
    chosen: Preferences = load(Preferences, from_json(row.body)) if row.body else DEFAULT
    tasks = [mute.task_id for mute in chosen.mutes if mute.task_id is not None]
    rows = await fetch_all(
        connection,
        "select id, reference from tasks where organisation_id = :organisation_id"
        " and id = any(:tasks)",
        {"organisation_id": organisation_id, "tasks": tasks},
    ) if tasks else []  # fmt: skip
    return Standing(
        chosen, as_language(row.language), row.time_zone, row.zone_chosen,
        await moment_of(connection), {each.id: each.reference for each in rows},
    )  # fmt: skip


def shown(found: Standing, language: Language | None = None) -> Message:
    """All of it, with buttons for what is wanted most; in their language, or the reader's."""
    language = language or found.language
    fields = tuple(
        Field(label.to(language), "\n".join(each.to(language) for each in said))
        for label, said in _parts(found)
    )
    title, note = words.TITLE.to(language), words.USAGE.to(language)
    text = "\n".join([title, *(f"{each.label}: {each.value}" for each in fields), note])
    return Message(
        text,
        title=title,
        fields=fields,
        buttons=buttons(found, language),
        note=note,
        language=language,
    )


def buttons(found: Standing, language: Language) -> tuple[Button, ...]:
    """What can be set by one press: quiet nights and a digest each morning, or neither."""
    chosen = found.preferences
    quiet = (words.SET_LOUD, "quiet off") if chosen.quiet else (words.SET_NIGHT, "quiet 22-8")
    together = any(each.rhythm != "at_once" for each in chosen.digests)
    digest = (
        (words.SET_AT_ONCE, "digest off") if together else (words.SET_DAILY, "digest daily 9:00")
    )
    return tuple(Button(SET, said.to(language), value) for said, value in (quiet, digest))


def as_json(found: Standing) -> Mapping[str, Any]:
    """All of it for programs."""
    return {
        **dump(found.preferences),
        "language": found.language,
        "zone": found.zone,
        "zone_chosen": found.zone_chosen,
    }


def _parts(found: Standing) -> Sequence[tuple[Words, Sequence[Words]]]:
    chosen = found.preferences
    mutes = [mute for mute in chosen.mutes if mute.counts(found.now)]
    parts = [
        (words.QUIET, [quiet_words(found, chosen.quiet)]),
        (words.DIGEST, [digest_words(found, each) for each in chosen.digests] or [words.BY_RULES]),
        (words.CHANNELS, [channels_words(each) for each in chosen.channels] or [words.BY_RULES]),
        (words.CRITICAL, [critical_words(chosen)]),
        (words.LANGUAGE, [same(words.LANGUAGES[found.language])]),
        (words.ZONE, [found.zone_words]),
    ]
    if mutes:
        parts.insert(3, (words.MUTES, [mute_words(found, each) for each in mutes]))
    return parts


def quiet_words(found: Standing, quiet: QuietHours | None) -> Words:
    """`22:00 to 08:00, all day on the company's days off (Asia/Tokyo, the company's zone)`."""
    if quiet is None:
        return words.NO_QUIET
    parts = []
    if quiet.begins != quiet.ends:
        parts.append(words.HOURS.fill(since=f"{quiet.begins:%H:%M}", until=f"{quiet.ends:%H:%M}"))
    if quiet.days_off:
        parts.append(words.DAYS_OFF)
    return words.BRACKETS.fill(what=_in_a_row(parts), zone=found.zone_words)


def rhythm_words(digest: Digest) -> Words:
    """`every Monday at 09:00`."""
    return words.RHYTHMS[digest.rhythm].fill(
        at=f"{digest.at:%H:%M}", weekday=words.WEEKDAYS[digest.weekday]
    )


def digest_words(found: Standing, digest: Digest) -> Words:
    """With what these topics go together, and by whose clock."""
    how = rhythm_words(digest)
    if digest.rhythm in ("daily", "weekly"):
        how = words.BRACKETS.fill(what=how, zone=found.zone_words)
    return words.PAIR.fill(what=topic_words(digest.pattern), how=how)


def channels_words(chosen: Channels) -> Words:
    """`alert.*, critical: slack, email`."""
    what = [topic_words(chosen.pattern)] if chosen.pattern != "*" or not chosen.importances else []
    what += [words.IMPORTANCES[each] for each in chosen.importances]
    how = same(" → ".join(chosen.channels))
    if chosen.all_at_once:
        how = words.ALL_AT_ONCE.fill(channels=_in_a_row([same(each) for each in chosen.channels]))
    return words.PAIR.fill(what=_in_a_row(what), how=how)


def mute_words(found: Standing, mute: Mute) -> Words:
    """`#1042 until 2026-11-28 00:00 (Asia/Taipei)`."""
    reference = found.references.get(mute.task_id) if mute.task_id is not None else None
    said = same(f"#{reference}") if reference is not None else topic_words(mute.pattern)
    if mute.channel:
        said = words.BY_CHANNEL.fill(what=said, channel=mute.channel)
    if mute.until is None:
        return said
    at = mute.until.astimezone(ZoneInfo(found.zone))
    until = words.BRACKETS.fill(what=same(f"{at:%Y-%m-%d %H:%M}"), zone=found.zone_words)
    return words.MUTED_UNTIL.fill(what=said, until=until)


def critical_words(chosen: Preferences) -> Words:
    """Whether they come in quiet hours, and how many."""
    parts = [words.PASSES if chosen.critical_passes else words.HELD]
    if chosen.critical_most is not None:
        parts.append(words.AT_MOST.fill(n=chosen.critical_most))
    return _in_a_row(parts)


def topic_words(pattern: str) -> Words:
    """A glob of topics."""
    return words.EVERYTHING if pattern == "*" else same(pattern)


def _in_a_row(parts: Iterable[Words]) -> Words:
    found = list(parts)
    return Words(
        *(listed([each.to(language) for each in found], language) for language in LANGUAGES)
    )
