"""Telling the next rung of each ladder that is due, as long as nobody acknowledges.

Each in a unit of its own, with the notice and its escalation locked: an acknowledgement comes
before it, and then nothing is told, or after it, and then drops what this has queued.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from audit.event import JSON, Event
from core.acknowledging import acknowledge, drop
from core.codec import load
from core.db import execute, fetch_one, from_json
from core.house import House
from core.notices import Ladder, Notice, Recipient, publish, wake
from core.tags import Tag
from core.unit import Unit, unit
from core.words import Words
from notifier.hub.ladders import step

log = structlog.get_logger()

MOST_AT_ONCE = 100
"""So many rungs one call tells; the next goes on."""
UNACKNOWLEDGED = "system.unacknowledged"
"""The topic by which the admins hear that the last rung has not acknowledged either."""

NOBODY_YET = Words(
    ja="{minutes} 分以内に応答がなかったため、あなたにお知らせしています。",
    en="You are told because nobody acknowledged this within {minutes} minutes.",
    zh="因 {minutes} 分钟内无人响应，现通知您。",
)

Tell = Callable[[Unit, UUID, UUID, Sequence[Recipient], Words, datetime], Awaitable[Sequence[UUID]]]
"""Have further people told of a notice, saying why; gives who they are."""


# `skip locked` for both: where somebody is acknowledging it, it is looked at the next time.
_CLAIM = """
    -- across organisations: the hub serves them all
    select e.organisation_id, e.notice_id, e.rung, n.ladder, n.expires_at, n.topic, now() as now,
        n.cancelled_at is not null or n.resolved as over,
        n.approval_id is not null and not exists (select from approvals a
            where a.organisation_id = n.organisation_id and a.id = n.approval_id
            and a.state = 'pending') as decided
    from escalations e join notices n on n.id = e.notice_id
    where e.state = 'climbing' and e.next_at <= now()
    order by e.next_at limit 1
    for update of e skip locked for no key update of n skip locked
"""


async def climb_due(house: House, tell: Tell) -> int:
    """Tell the next rung wherever it is due; returns how many ladders were looked at."""
    for looked in range(MOST_AT_ONCE):
        if not await _climb_next(house, tell):
            return looked
    return MOST_AT_ONCE


async def _climb_next(house: House, tell: Tell) -> bool:
    row = None
    try:
        async with unit(house) as work:
            row = await fetch_one(work.connection, _CLAIM, {})  # across organisations
            if row is None:
                return False
            await _climb(work, row, tell)
    except Exception:  # whatever it is, the ladders of others must not wait for it
        if row is None:
            raise
        log.exception("ladder.failed", notice=str(row.notice_id), rung=row.rung)
        async with house.engine.begin() as connection:
            await execute(
                connection,
                "update escalations set next_at = now() + interval '1 minute'"
                " where organisation_id = :organisation_id and notice_id = :notice_id"
                " and state = 'climbing'",
                {"organisation_id": row.organisation_id, "notice_id": row.notice_id},
            )
    return True


async def _climb(work: Unit, row: Any, tell: Tell) -> None:
    organisation_id, notice_id = row.organisation_id, row.notice_id
    if row.decided:
        await acknowledge(work, organisation_id, notice_id, None, "decided")
        return
    if row.over:
        await _stands(work, row, "cancelled", row.rung)
        return
    ladder: Ladder = load(Ladder, from_json(row.ladder))
    due = step(ladder, row.expires_at, row.rung, row.now)
    await _stands(work, row, due.state, due.rung, due.next_at)
    if due.state == "expired":
        work.record(Event(organisation_id, notice_id, Tag.NOTICE_EXPIRED, {}))
        await drop(work, organisation_id, notice_id, "expired")
    elif due.state == "exhausted":
        await _tell_admins(work, row)
    else:
        why = NOBODY_YET.fill(minutes=ladder.minutes)
        people = await tell(work, organisation_id, notice_id, due.tell, why, row.now)
        data: dict[str, JSON] = {"rung": due.rung, "people": [str(each) for each in people]}
        work.record(Event(organisation_id, notice_id, Tag.NOTICE_ESCALATED, data))
        await wake(work)


async def _stands(
    work: Unit, row: Any, state: str, rung: int, next_at: datetime | None = None
) -> None:
    await execute(
        work.connection,
        "update escalations set state = :state, rung = :rung, next_at = :next_at,"
        " updated_at = now() where organisation_id = :organisation_id and notice_id = :notice_id",
        {
            "organisation_id": row.organisation_id,
            "notice_id": row.notice_id,
            "state": state,
            "rung": rung,
            "next_at": next_at,
        },
    )


async def _tell_admins(work: Unit, row: Any) -> None:
    """The last rung has not acknowledged either. Not of what tells just that."""
    if row.topic == UNACKNOWLEDGED:
        return
    facts = {"topic": row.topic, "notice": str(row.notice_id), "rungs": row.rung}
    admins = (Recipient("role", "admin"),)
    await publish(
        work, row.organisation_id, Notice(UNACKNOWLEDGED, admins, facts, importance="high")
    )
