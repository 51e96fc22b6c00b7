"""Tries a notice without sending it: what would be decided for somebody at a moment, and why."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from core.db import fetch_one
from core.errors import Refused
from core.house import House
from core.notices import IMPORTANCES, Importance
from core.people import Person
from core.words import Language, Words
from notifier.hub.deciding import decide
from notifier.hub.decision import Decision, Matter, Reader, Way
from notifier.hub.readers import read_readers, setting_of
from notifier.hub.rota_text import read_moment
from notifier.hub.topics import matter_of

NO_IMPORTANCE = Words(
    ja="重要度「{text}」はありません。使えるもの: {known}",
    en="There is no importance “{text}”. There are: {known}",
    zh="没有重要级别“{text}”。可用: {known}",
)
_TIME = re.compile(r"\d{1,2}:\d{2}")


@dataclass(frozen=True, slots=True)
class Explained:
    """What would be decided, and of what."""

    matter: Matter
    reader: Reader
    at: datetime
    rules_version: int
    decision: Decision


async def explain(
    house: House,
    person: Person,
    topic: str,
    *,
    importance: Importance | None = None,
    at: datetime | None = None,
    task_id: UUID | None = None,
) -> Explained:
    """Ask what the fan-out would ask, for one reader. Two statements, three with a task."""
    organisation_id = person.organisation_id
    async with house.engine.connect() as connection:
        setting = await setting_of(connection, organisation_id)
        readers = await read_readers(connection, organisation_id, [person.id], house.outbounds)
        home = None
        if task_id is not None:
            row = await fetch_one(
                connection,
                "select platform, workspace from threads where organisation_id = :organisation_id"
                " and task_id = :task_id and person_id is null and channel <> ''"
                " order by created_at limit 1",
                {"organisation_id": organisation_id, "task_id": task_id},
            )
            home = (row.platform, row.workspace) if row else None
    moment = at or datetime.now(UTC)
    matter = matter_of(topic, importance, task_id=task_id, home=home)
    reader = readers[person.id]
    decision = decide(matter, reader, setting.rules, setting.closing_days, moment)
    return Explained(matter, reader, moment, setting.rules.version, decision)


def as_data(explained: Explained, language: Language) -> dict[str, Any]:
    """All of it for programs."""
    matter, reader, decision = explained.matter, explained.reader, explained.decision
    zone = ZoneInfo(reader.zone)
    until, window = decision.until, decision.window
    return {
        "topic": matter.topic,
        "importance": matter.importance,
        "personal": matter.personal,
        "needed": matter.needed,
        "to": reader.name,
        "at": explained.at.astimezone(zone).isoformat(),
        "zone": {"name": reader.zone, "chosen": reader.zone_chosen},
        "rules_version": explained.rules_version,
        "outcome": decision.outcome,
        "until": until.astimezone(zone).isoformat() if until else None,
        "digest": {"topic": window.topic, "window": window.key} if window else None,
        "channels": [
            {**_way(way), "at_once": place < decision.together}
            for place, way in enumerate(decision.ways)
        ],
        "reasons": [
            {"code": reason.code, "words": reason.words.to(language)} for reason in decision.reasons
        ],
    }


def _way(way: Way) -> dict[str, str]:
    return {"channel": way.channel, "workspace": way.workspace, "address": way.address}


def read_importance(text: str) -> Importance:
    """Raises Refused for what is none."""
    for importance in IMPORTANCES:
        if importance == text:
            return importance
    raise Refused(NO_IMPORTANCE.fill(text=text, known=", ".join(IMPORTANCES)))


def read_at(text: str, zone: str) -> datetime:
    """A day and a time by the clock of a zone; a time alone is today's. Raises Refused."""
    if _TIME.fullmatch(text.strip()):
        text = f"{datetime.now(ZoneInfo(zone)):%Y-%m-%d} {text.strip()}"
    return read_moment(text, zone)
