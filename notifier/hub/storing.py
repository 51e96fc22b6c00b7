"""Decisions become dispatches: rows of many notices in one statement, one event a notice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.event import JSON, Event
from core.db import fetch_all, to_json
from core.ids import new_id
from core.notices import Importance
from core.tags import Tag
from core.unit import Unit
from core.words import Words
from notifier.hub.decision import Decision, Reader, Reason, Way
from notifier.hub.digesting import open_windows
from notifier.hub.dispatch import RANK
from notifier.hub.recipients import Spot


@dataclass(frozen=True, slots=True)
class Decided:
    """A notice for one reader, or for a place (which is told now)."""

    notice_id: UUID
    importance: Importance
    reader: Reader | None
    decision: Decision
    off: bool = False
    """Of a place: it is known that nothing arrives there."""


def for_place(notice_id: UUID, importance: Importance, spot: Spot) -> Decided:
    """A place has neither quiet hours nor digests."""
    way = Way(spot.channel, "", str(spot.id), not spot.off)
    return Decided(notice_id, importance, None, Decision("now", (way,), ()), spot.off)


_INSERT = """
    insert into dispatches (id, organisation_id, notice_id, person_id, channel, workspace, address,
        place_in_line, instead, why, importance, state, reason, permanent, digest_id, held_until)
    select id, :organisation_id, notice_id, person_id, channel, workspace, address, place_in_line,
        cast(:instead as jsonb), why, importance, state, reason, permanent, digest_id, held_until
    from jsonb_to_recordset(cast(:rows as jsonb)) as d(id uuid, notice_id uuid, person_id uuid,
        channel text, workspace text, address text, place_in_line integer, why jsonb,
        importance smallint, state text, reason text, permanent boolean, digest_id uuid,
        held_until timestamptz)
    on conflict (notice_id, person_id, channel, workspace, address) do nothing
    returning id, notice_id, person_id, channel, state
"""


async def store(
    work: Unit,
    organisation_id: UUID,
    notices: Sequence[UUID],
    decided: Sequence[Decided],
    instead: Words | None = None,
) -> Sequence[UUID]:
    """Write these notices' dispatches; gives the people who are told, now or later. `instead`: why
    they are told, or by this way, as they read it."""
    windows = await open_windows(
        work.connection,
        organisation_id,
        [
            (each.reader.id, each.decision.window)
            for each in decided
            if each.reader is not None and each.decision.window is not None
        ],
    )
    rows = [row for each in decided for row in _rows(each, windows)]
    made = await fetch_all(
        work.connection,
        _INSERT,  # names organisation_id
        {
            "organisation_id": organisation_id,
            "instead": to_json(_words(instead)) if instead else None,
            "rows": to_json(rows),
        },
    )
    _record(work, organisation_id, notices, made)
    told = (row.person_id for row in made if row.person_id and row.state != "dropped")
    return list(dict.fromkeys(told))


def _rows(decided: Decided, windows: Mapping[Any, Any]) -> Sequence[dict[str, Any]]:
    decision, reader = decided.decision, decided.reader
    row: dict[str, Any] = {
        "notice_id": str(decided.notice_id),
        "person_id": str(reader.id) if reader else None,
        "why": [_reason(reason) for reason in decision.reasons],
        "importance": RANK[decided.importance],
        "state": "queued",
    }
    if decided.off:
        row |= {"state": "failed", "reason": "channel_off", "permanent": True}
    elif decision.outcome == "dropped":
        row |= {"state": "dropped", "reason": "muted"}
    elif decision.window is not None and reader is not None:
        window = windows[reader.id, decision.window.topic, decision.window.key]
        until: datetime = window.due_at
        reason = "digest" if decision.outcome == "digest" else "quiet"
        row |= {"state": "held", "reason": reason, "digest_id": str(window.id)}
        row["held_until"] = until.isoformat()
    return [
        row
        | {
            "id": str(new_id()),
            "channel": way.channel,
            "workspace": way.workspace,
            "address": way.address,
            "place_in_line": place,
        }
        for place, way in enumerate(decision.ways[: decision.together])
    ]


def _record(
    work: Unit, organisation_id: UUID, notices: Sequence[UUID], made: Sequence[Any]
) -> None:
    said: dict[UUID, list[JSON]] = {notice_id: [] for notice_id in notices}
    for row in made:
        said[row.notice_id].append(f"{row.id} {row.channel} {row.state}")
    for notice_id, dispatches in said.items():
        data: dict[str, JSON] = {"dispatches": dispatches}
        work.record(Event(organisation_id, notice_id, Tag.NOTICE_DECIDED, data))


def _reason(reason: Reason) -> dict[str, Any]:
    return {"code": reason.code, "words": _words(reason.words)}


def _words(words: Words) -> dict[str, str]:
    return {"ja": words.ja, "en": words.en, "zh": words.zh}
