"""Saying that one has it: whoever acknowledges a notice ends its ladder, and nobody else is told.

What has not left by then is dropped with the same commit. What stands somewhere is edited: it shows
who has it, and nothing can be pressed there any more. A notice that was counted with others is
acknowledged with them, by its head.
"""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from core import preferences
from core.approvals.acts import as_id
from core.db import execute, fetch_all, fetch_one
from core.errors import NotAllowed, Unknown
from core.inbound import Answer, Click
from core.notices import wake
from core.people import name_of
from core.preferences import Mute, with_mute
from core.request import Request
from core.tags import Tag
from core.unit import Unit
from core.wall_clock import DAY, first
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
NOT_TOLD = Words(
    ja="この通知はあなた宛てではありません。",
    en="This was not told to you.",
    zh="该通知并非发给您。",
)
NO_SUCH = Words(ja="その通知はありません。", en="There is no such notice.", zh="没有该通知。")
MUTED = Words(
    ja="「{topic}」は今日の間（{zone}）、通知しません。重要な通知は届くことがあります。",
    en="You hear no more of “{topic}” today ({zone}). What you need to know may still come.",
    zh="今天（{zone}）不再通知“{topic}”。必须知道的通知仍可能送达。",
)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Who has it, since when; `first`: it was this acknowledgement that counted."""

    notice_id: UUID
    by: UUID | None
    at: datetime
    first: bool


# What is on its way with its intent written may still come; what is only claimed is taken back.
_DROP = """
    update dispatches set state = 'dropped', reason = :reason, lease_owner = null,
        lease_until = null
    where organisation_id = :organisation_id and notice_id = :notice_id and shown = 0
        and (cast(:person_id as uuid) is null or person_id = :person_id)
        and (state in ('queued', 'held') or state = 'sending' and sending_revision is null)
    returning id, channel
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
    await wake(work)  # what stands somewhere is edited
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


# Presses


async def press_ack(work: Unit, request: Request, click: Click) -> Answer:
    """`notice.ack`, on whatever platform. Raises NotAllowed for whoever was not told."""
    person = request.person
    notice_id = as_id(click.value)
    await _may(work, request, notice_id)
    done = await acknowledge(
        work, person.organisation_id, notice_id, person.id, "pressed", request.actor
    )
    return request.say(await told(work, request, done))


async def told(work: Unit, request: Request, done: Acknowledged) -> Words:
    """What whoever acknowledges is told."""
    person = request.person
    if done.first or done.by in (person.id, None):
        return HAVE_IT
    assert done.by is not None  # noqa: S101  # mypy
    at = done.at.astimezone(ZoneInfo(person.time_zone)).strftime("%H:%M")
    return HAS_IT.fill(who=await name_of(work.connection, person.organisation_id, done.by), at=at)


async def press_mute(work: Unit, request: Request, click: Click) -> Answer:
    """`notice.mute`: nothing more of its topic until the end of the day where they are."""
    person = request.person
    notice_id = as_id(click.value)
    await _may(work, request, notice_id)
    row = await fetch_one(
        work.connection,
        "select topic from notices where organisation_id = :organisation_id and id = :id",
        {"organisation_id": person.organisation_id, "id": notice_id},
    )
    assert row is not None  # noqa: S101  # `_may` has found it
    until = first(ZoneInfo(person.time_zone), person.today() + DAY, time())
    await preferences.change(
        work,
        person.organisation_id,
        person.id,
        lambda chosen: with_mute(chosen, Mute(row.topic, until=until)),
        actor=request.actor,
    )
    return request.say(MUTED.fill(topic=row.topic, zone=person.time_zone))


async def _may(work: Unit, request: Request, notice_id: UUID) -> None:
    """Whoever was told, also among the readers of a place; and admins. Raises NotAllowed, and
    Unknown for a notice that is none of this organisation."""
    person = request.person
    row = await fetch_one(
        work.connection,
        "select exists (select from dispatches d where d.organisation_id = :organisation_id"
        " and d.notice_id = coalesce(n.head_id, n.id) and (d.person_id = :person_id"
        " or d.person_id is null)) as told from notices n"
        " where n.organisation_id = :organisation_id and n.id = :id",
        {"organisation_id": person.organisation_id, "id": notice_id, "person_id": person.id},
    )
    if row is None:
        raise Unknown(NO_SUCH)
    if not row.told and not person.may("admin"):
        raise NotAllowed(NOT_TOLD)


PRESSES = {ACK: press_ack, MUTE: press_mute}
"""The buttons, by their actions."""
