"""Dead letters: what could be told to somebody by no way, and what nobody knows the end of.

They are looked at by a person, who has them sent once more under the same key (where need be to a
corrected address), or drops them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import SYSTEM, Actor, Event
from core import accounts
from core.db import fetch_all, from_json
from core.errors import Refused, Unknown
from core.inbound import Sender
from core.notices import wake
from core.tags import Tag
from core.unit import Unit
from core.words import Words

NO_SUCH = Words(
    ja="届かなかった通知「{id}」はありません。",
    en="There is no dead letter “{id}”.",
    zh="没有未送达的通知“{id}”。",
)
SEVERAL = Words(
    ja="「{id}」で始まるものが複数あります。もっと長く指定してください。",
    en="Several begin with “{id}”. Type more of it.",
    zh="有多个以“{id}”开头，请输入更长的编号。",
)
TOLD_THERE = Words(
    ja="この通知は「{to}」にはすでに送られています。",
    en="This was told at “{to}” already.",
    zh="该通知已发送至“{to}”。",
)


@dataclass(frozen=True, slots=True)
class Dead:
    """One of them. `state` is failed or unknown; of the latter it may have arrived."""

    id: UUID
    notice_id: UUID
    topic: str
    importance: str
    person: str | None
    channel: str
    workspace: str
    address: str
    state: str
    reason: str | None
    error: str | None
    attempts: int
    since: datetime
    title: str


_DEAD = """
    select d.id, d.notice_id, n.topic, n.importance, p.name as person, d.channel, d.workspace,
        d.address, d.state, d.reason, d.error, d.attempts, n.facts,
        coalesce(d.dead_at, d.created_at) as since
    from dispatches d join notices n on n.id = d.notice_id
        left join people p on p.id = d.person_id
    where d.organisation_id = :organisation_id
        and (d.dead_at is not null or d.state = 'unknown')
        and (cast(:topic as text) is null or n.topic like :topic)
        and (cast(:channel as text) is null or d.channel = :channel)
        and (cast(:begins as text) is null or cast(d.id as text) like :begins || '%')
    order by coalesce(d.dead_at, d.created_at), d.id limit :most
"""


async def dead(
    connection: AsyncConnection,
    organisation_id: UUID,
    *,
    topic: str | None = None,
    channel: str | None = None,
    begins: str | None = None,
    most: int = 10_000,
) -> Sequence[Dead]:
    """The oldest first. `topic` may end in '*'."""
    rows = await fetch_all(
        connection,
        _DEAD,  # names organisation_id
        {
            "organisation_id": organisation_id,
            "topic": topic.replace("_", r"\_").replace("*", "%") if topic else None,
            "channel": channel,
            "begins": begins,
            "most": most,
        },
    )
    return [_read(row) for row in rows]


def _read(row: Any) -> Dead:
    facts = from_json(row.facts)
    title = facts.get("title", "") if isinstance(facts, dict) else ""
    values = {name: getattr(row, name) for name in Dead.__dataclass_fields__ if name != "title"}
    return Dead(**values, title=title if isinstance(title, str) else "")


async def by_beginning(connection: AsyncConnection, organisation_id: UUID, begins: str) -> Dead:
    """The one whose id begins so. Raises Refused where there is none, or more than one."""
    found: Sequence[Dead] = ()
    if begins and set(begins.lower()) <= set("0123456789abcdef-"):
        found = await dead(connection, organisation_id, begins=begins.lower(), most=2)
    if not found:
        raise Unknown(NO_SUCH.fill(id=begins))
    if len(found) > 1:
        raise Refused(SEVERAL.fill(id=begins))
    return found[0]


# What was lost is looked for first (notifier/hub/claiming.py), or said again under its key.
_REPLAY = """
    update dispatches set attempts = 0, reason = null, permanent = null, error = null,
        dead_at = null, next_at = now(), lease_owner = null, shown = 0, edit_at = null,
        state = case when state = 'unknown' then 'sending' else 'queued' end,
        sending_revision = case when state = 'unknown' then 1 end,
        lease_until = case when state = 'unknown' then now() - interval '1 second' end,
        address = coalesce(cast(:to as text), address),
        place_in_line = case when cast(:to as text) is null then place_in_line
            else greatest(place_in_line, 1) end
    where organisation_id = :organisation_id and id = any(:ids)
        and (dead_at is not null or state = 'unknown')
    returning id, notice_id, channel, workspace, address, person_id, state = 'sending' as again
"""


async def replay(
    work: Unit,
    organisation_id: UUID,
    ids: Collection[UUID],
    *,
    to: str | None = None,
    actor: Actor = SYSTEM,
) -> int:
    """Have them sent once more, under the same key; what has become untrue is dropped then, with
    its reason. `to`: their corrected address. Gives how many are sent."""
    values = {"organisation_id": organisation_id, "ids": list(ids), "to": to}
    try:
        rows = await fetch_all(work.connection, _REPLAY, values)  # names organisation_id
    except IntegrityError as error:
        raise Refused(TOLD_THERE.fill(to=to or "?")) from error
    for row in rows:
        if row.person_id is not None:
            # whoever has it sent again holds that they are reached there by now
            account = Sender(row.channel, row.workspace, row.address)
            await accounts.reachable(work, account, actor=actor)
        _record(work, organisation_id, row, Tag.DISPATCH_REPLAYED, actor, again=row.again)
    if rows:
        await wake(work)
    return len(rows)


async def drop(
    work: Unit, organisation_id: UUID, ids: Collection[UUID], *, actor: Actor = SYSTEM
) -> int:
    """Nobody has to look at them any more. Gives how many they were."""
    rows = await fetch_all(
        work.connection,
        "update dispatches set state = 'dropped', reason = 'by_hand', permanent = null,"
        " dead_at = null where organisation_id = :organisation_id and id = any(:ids)"
        " and (dead_at is not null or state = 'unknown') returning id, notice_id, channel",
        {"organisation_id": organisation_id, "ids": list(ids)},
    )
    for row in rows:
        _record(work, organisation_id, row, Tag.DISPATCH_DROPPED, actor, reason="by_hand")
    return len(rows)


def _record(
    work: Unit, organisation_id: UUID, row: Any, tag: Tag, actor: Actor, **data: bool | str
) -> None:
    fields = {"dispatch": str(row.id), "channel": row.channel, **data}
    work.record(Event(organisation_id, row.notice_id, tag, fields, actor))
