"""Saying that one has it: whoever acknowledges a notice ends its ladder, and nobody else is told.

What has not left by then is dropped with the same commit. What stands somewhere is edited: it shows
who has it, and nothing can be pressed there any more. A notice that was counted with others is
acknowledged with them, by its head.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from core.db import execute, fetch_all, fetch_one
from core.errors import Unknown
from core.notices import show_anew, wake
from core.people import Person, name_of
from core.tags import Tag
from core.unit import Unit
from core.words import Words

ACK, MUTE = "notice.ack", "notice.mute"
"""What a notice's buttons are called; the value is the notice's id."""

How = Literal["pressed", "read", "decided", "command", "program"]

HAVE_IT = Words(
    ja="あなたが対応することを記録しました。ほかの人には通知しません。",
    en="Noted: you have it. Nobody else is told.",
    zh="已记录由您处理。不再通知其他人。",
)
HAS_IT = Words(
    ja="{who} さんがすでに対応しています（{at}）。",
    en="{who} has it already ({at}).",
    zh="{who} 已在处理（{at}）。",
)
NO_SUCH = Words(ja="その通知はありません。", en="There is no such notice.", zh="没有该通知。")


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Who has it, since when; `first`: it was this acknowledgement that counted."""

    notice_id: UUID
    by: UUID | None
    at: datetime
    first: bool


# What is on its way with its intent written may still come; what is only claimed is taken back.
_DROP = """
    with mine as (
        select id from dispatches
        where organisation_id = :organisation_id and notice_id = :notice_id and shown = 0
            and (cast(:person_id as uuid) is null or person_id = :person_id)
            and (state in ('queued', 'held') or state = 'sending' and sending_revision is null)
        order by id for update
    )
    update dispatches d set state = 'dropped', reason = :reason, lease_owner = null,
        lease_until = null
    from mine where d.organisation_id = :organisation_id and d.id = mine.id
    returning d.id, d.channel
"""


async def acknowledge(
    work: Unit,
    organisation_id: UUID,
    notice_id: UUID,
    person_id: UUID | None,
    how: How,
    actor: Actor = SYSTEM,
) -> Acknowledged:
    """Somebody has it. The first word counts. Raises Unknown where there is no such notice."""
    head = await _locked(work, organisation_id, notice_id)
    if head.acknowledged_at is not None:
        return Acknowledged(head.id, head.acknowledged_by, head.acknowledged_at, first=False)
    scope = {"organisation_id": organisation_id, "notice_id": head.id, "person_id": person_id}
    row = await fetch_one(
        work.connection,
        "update notices set acknowledged_at = clock_timestamp(), acknowledged_by = :person_id,"
        " revision = revision + 1 where organisation_id = :organisation_id and id = :notice_id"
        " returning acknowledged_at",
        scope,
    )
    assert row is not None  # noqa: S101  # it is locked
    await execute(
        work.connection,
        "update escalations set state = 'acknowledged', next_at = null, updated_at = now()"
        " where organisation_id = :organisation_id and notice_id = :notice_id"
        " and state in ('climbing', 'exhausted')",
        scope,
    )
    work.record(Event(organisation_id, head.id, Tag.NOTICE_ACKNOWLEDGED, {"how": how}, actor))
    await drop(work, organisation_id, head.id, "decided" if how == "decided" else "acknowledged")
    await show_anew(work, organisation_id, [head.id])
    await wake(work)
    return Acknowledged(head.id, person_id, row.acknowledged_at, first=True)


async def drop(
    work: Unit,
    organisation_id: UUID,
    notice_id: UUID,
    reason: str,
    person_id: UUID | None = None,
) -> None:
    """What of a notice has not left yet does not (to that person), for this reason."""
    rows = await fetch_all(
        work.connection,
        _DROP,  # names organisation_id
        {
            "organisation_id": organisation_id,
            "notice_id": notice_id,
            "person_id": person_id,
            "reason": reason,
        },
    )
    for row in rows:
        data: dict[str, JSON] = {
            "dispatch": str(row.id),
            "channel": row.channel,
            "reason": reason,
        }
        work.record(Event(organisation_id, notice_id, Tag.DISPATCH_DROPPED, data))


async def _locked(work: Unit, organisation_id: UUID, notice_id: UUID) -> Any:
    """The notice that it is counted with, locked."""
    row = await fetch_one(
        work.connection,
        "select n.id, n.topic, n.acknowledged_at, n.acknowledged_by from notices n"
        " where n.organisation_id = :organisation_id and n.id = (select coalesce(head_id, id)"
        " from notices where organisation_id = :organisation_id and id = :id) for no key update",
        {"organisation_id": organisation_id, "id": notice_id},
    )
    if row is None:
        raise Unknown(NO_SUCH)
    return row


async def seen(
    work: Unit,
    organisation_id: UUID,
    dispatch_id: UUID,
    state: Literal["delivered", "read"],
    actor: Actor = SYSTEM,
) -> bool:
    """A platform says that it arrived, or was read. Read by one it was told to, a notice with a
    ladder is acknowledged, and of any the reader is told nothing more elsewhere. False where that
    was known, or there is no such dispatch."""
    row = await fetch_one(
        work.connection,
        "update dispatches set state = :state, seen_at = now()"
        " where organisation_id = :organisation_id and id = :id and state = any(:before)"
        " returning notice_id, person_id, channel, exists (select from escalations e"
        " where e.organisation_id = :organisation_id and e.notice_id = dispatches.notice_id"
        " and e.state in ('climbing', 'exhausted')) as climbs",
        {
            "organisation_id": organisation_id,
            "id": dispatch_id,
            "state": state,
            "before": ["sent", "unknown", "delivered"] if state == "read" else ["sent", "unknown"],
        },
    )
    if row is None:
        return False
    data: dict[str, JSON] = {"dispatch": str(dispatch_id), "channel": row.channel, "state": state}
    work.record(Event(organisation_id, row.notice_id, Tag.DISPATCH_SEEN, data, actor))
    if state == "read" and row.person_id is not None:
        if row.climbs:
            await acknowledge(work, organisation_id, row.notice_id, row.person_id, "read", actor)
        else:
            await drop(
                work, organisation_id, row.notice_id, "read_elsewhere", person_id=row.person_id
            )
    return True


async def has_it(connection: AsyncConnection, person: Person, done: Acknowledged) -> Words:
    """What whoever acknowledges is told: that they have it, or who has it already."""
    if done.first or done.by in (person.id, None):
        return HAVE_IT
    assert done.by is not None  # noqa: S101  # as above
    at = done.at.astimezone(ZoneInfo(person.time_zone)).strftime("%H:%M")
    return HAS_IT.fill(who=await name_of(connection, person.organisation_id, done.by), at=at)


# Looking

_OPEN = """
    select n.id, n.topic, n.created_at from notices n
    where n.organisation_id = :organisation_id and n.acknowledged_at is null and n.head_id is null
        and n.cancelled_at is null and not n.resolved
        and exists (select from escalations e where e.organisation_id = :organisation_id
            and e.notice_id = n.id and e.state in ('climbing', 'exhausted'))
    order by n.created_at desc limit 100
"""


async def open_notices(connection: AsyncConnection, organisation_id: UUID) -> list[dict[str, Any]]:
    """The notices that climb until somebody acknowledges them, newest first."""
    rows = await fetch_all(
        connection, _OPEN, {"organisation_id": organisation_id}
    )  # names organisation_id
    return [{"notice": row.id, "topic": row.topic, "since": row.created_at} for row in rows]


async def find_open(connection: AsyncConnection, organisation_id: UUID, named: str) -> UUID:
    """The notice of that id, or the one among the open whose id ends so. Raises Unknown."""
    try:
        return UUID(named)
    except ValueError:
        found = await open_notices(connection, organisation_id)
    ends = named.strip().lower()
    fit = [each["notice"] for each in found if ends and str(each["notice"]).endswith(ends)]
    if len(fit) != 1:
        raise Unknown(NO_SUCH)
    notice_id: UUID = fit[0]
    return notice_id
