"""Notices that nobody has been told of yet: those of one company are taken by one worker at a time,
in the order in which they were written, what is critical first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.codec import load
from core.db import execute, fetch_all, fetch_one, from_json
from core.notices import Importance, Ladder, Recipient
from notifier.hub.decision import Matter
from notifier.hub.topics import matter_of

Over = Literal["cancelled", "expired", "decided"]

ATTEMPTS = 12
"""A notice with which something is wrong is tried so often, ever more rarely."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice with all of it that decides who hears it. `over`: it is not true any more."""

    id: UUID
    topic: str
    importance: Importance
    recipients: Sequence[Recipient]
    task_id: UUID | None
    home: tuple[str, str] | None
    by: UUID | None
    group: str | None
    resolved: bool
    ladder: Ladder | None
    created_at: datetime
    over: Over | None
    count: int = 1
    """How often it is by now, where others were counted with it before anybody was told."""

    @property
    def matter(self) -> Matter:
        return matter_of(self.topic, self.importance, task_id=self.task_id, home=self.home)


# The locks of companies, so that one is served by one worker: grouping sees what it has grouped.
_LOCK = """
    select pg_try_advisory_xact_lock(hashtextextended('notices:' || :organisation_id, 0)) as mine,
        clock_timestamp() as now
"""

# Of a notice `n`: where its task lives.
HOME = """
    (select jsonb_build_array(h.platform, h.workspace) from threads h
        where h.organisation_id = :organisation_id and h.task_id = n.task_id
        and h.person_id is null and h.channel <> '' order by h.created_at limit 1)
"""
_COLUMNS = f"""
    n.id, n.topic, n.importance, n.recipients, n.task_id, {HOME} as home, n.person_id, n.group_key,
        n.resolved, n.ladder, n.created_at, n.count as times,
        case when n.cancelled_at is not null then 'cancelled'
            when n.expires_at <= now() then 'expired'
            when n.approval_id is not null and not exists (select from approvals a
                where a.organisation_id = :organisation_id and a.id = n.approval_id
                and a.state = 'pending') then 'decided' end as over
"""
_TAKE = f"""
    select {_COLUMNS} from notices n
    where n.organisation_id = :organisation_id and n.fanned_at is null and n.next_at <= now()
    order by n.importance <> 'critical', n.id limit :most
    for no key update of n
"""  # noqa: S608  # constants
_ONE = f"""
    select {_COLUMNS} from notices n
    where n.organisation_id = :organisation_id and n.id = :id
"""  # noqa: S608  # likewise


async def companies(connection: AsyncConnection) -> Sequence[UUID]:
    """Those of which notices wait, the longest first."""
    rows = await fetch_all(
        connection,
        # across organisations: the hub serves them all
        "select o.id from organisations o cross join lateral (select n.next_at from notices n"
        " where n.organisation_id = o.id and n.fanned_at is null and n.next_at <= now()"
        " order by n.next_at limit 1) n order by n.next_at",
        {},
    )
    return [row.id for row in rows]


async def lock(connection: AsyncConnection, organisation_id: UUID) -> datetime | None:
    """Be the only one who serves this company until the end of the transaction; this moment, or
    None where somebody else is."""
    values = {"organisation_id": str(organisation_id)}
    row = await fetch_one(connection, _LOCK, values)
    return row.now if row is not None and row.mine else None


async def take(connection: AsyncConnection, organisation_id: UUID, most: int) -> Sequence[Any]:
    """The next so many, locked, as rows for `read`."""
    return await fetch_all(
        connection, _TAKE, {"organisation_id": organisation_id, "most": most}
    )  # names organisation_id


async def read_one(connection: AsyncConnection, organisation_id: UUID, notice_id: UUID) -> Waiting:
    """One, whether anybody was told of it or not."""
    row = await fetch_one(
        connection, _ONE, {"organisation_id": organisation_id, "id": notice_id}
    )  # names organisation_id
    if row is None:
        raise LookupError(f"no notice {notice_id}")
    return read(row)


def read(row: Any) -> Waiting:
    """A notice as it was written."""
    home = from_json(row.home)
    ladder = from_json(row.ladder)
    return Waiting(
        id=row.id,
        topic=row.topic,
        importance=row.importance,
        recipients=[Recipient(each["kind"], each["of"]) for each in from_json(row.recipients)],
        task_id=row.task_id,
        home=(home[0], home[1]) if home else None,
        by=row.person_id,
        group=row.group_key,
        resolved=row.resolved,
        ladder=load(Ladder, ladder) if ladder else None,
        created_at=row.created_at,
        over=row.over,
        count=row.times,
    )


async def done(connection: AsyncConnection, organisation_id: UUID, ids: Sequence[UUID]) -> None:
    """These have their dispatches."""
    await execute(
        connection,
        "update notices set fanned_at = now() where organisation_id = :organisation_id"
        " and id = any(:ids)",
        {"organisation_id": organisation_id, "ids": list(ids)},
    )


async def failed(
    connection: AsyncConnection, organisation_id: UUID, notice_id: UUID, error: str
) -> bool:
    """Something is wrong with this one: it is tried again later. True where it is given up."""
    row = await fetch_one(
        connection,
        "update notices set attempts = attempts + 1, error = :error, next_at = now()"
        " + least(interval '1 hour', make_interval(secs => power(2, attempts))),"
        " fanned_at = case when attempts + 1 >= :most then now() end"
        " where organisation_id = :organisation_id and id = :id and fanned_at is null"
        " returning fanned_at is not null as given_up",
        {
            "organisation_id": organisation_id,
            "id": notice_id,
            "error": error[:500],
            "most": ATTEMPTS,
        },
    )
    return row is not None and bool(row.given_up)
