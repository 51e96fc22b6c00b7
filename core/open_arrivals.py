"""What platforms delivered and nobody has dealt with yet: one chat at a time, in order.

Whoever deals with a chat has its oldest open arrival under a lease, so that of all processes one
does, in the order in which things were said. Every time is the database's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from core.arrivals import Arrival, Chat, place_of
from core.db import Named, fetch_alone, fetch_one_alone, from_json

LEASE = timedelta(seconds=10)
"""How long whoever deals with a chat has it without a sign of life."""

MOST_OPEN = 20
"""Open arrivals of a chat that are looked at together."""

_MOST_CHATS = 100

_NOT_WAITED_FOR = "(select set_config('synchronous_commit', 'off', true)) = 'off'"
"""The commit of a statement with this need not have reached the disk before we go on. Lost with the
server, the arrival is dealt with again, to the same effect."""

_COLUMNS = """id, organisation_id, platform, workspace, key, chat, account, kind, body, said_at,
    redelivered, attempts, reply_until"""

_WHERE = """organisation_id = :organisation_id and platform = :platform
    and workspace = :workspace and chat = :chat and state = 'received'"""

_OPEN = f"""
    select {_COLUMNS}, lease_until > now() as held,
        error is not null and next_at > now() as put_off,
        extract(epoch from next_at - now()) as due_in,
        extract(epoch from now() - received_at) as ago
    from arrivals where {_WHERE} order by said_at, id limit {MOST_OPEN}
"""  # noqa: S608  # names organisation_id

_CLAIM = f"""
    with open as materialized (
        select * from arrivals where {_WHERE} order by said_at, id limit {MOST_OPEN} for update
    ), claimed as (
        update arrivals as a set attempts = a.attempts + 1,
            lease_until = now() + make_interval(secs => :lease)
        where a.organisation_id = :organisation_id
            and a.id = (select id from open order by said_at, id limit 1)
            and not exists (select from open where lease_until > now())
            and not (a.error is not null and a.next_at > now())
            and {_NOT_WAITED_FOR}
        returning a.lease_until as leased_until
    )
    select {_COLUMNS}, leased_until, extract(epoch from now() - received_at) as age
    from open, claimed order by said_at, id
"""  # noqa: S608  # only constants


@dataclass(frozen=True, slots=True)
class Open:
    """A chat's open arrivals, oldest first. `held`: somebody deals with them just now.

    `waits`: so long the oldest is put off. `quiet`: how long ago the last one was received.
    """

    arrivals: Sequence[Arrival]
    held: bool
    waits: timedelta
    quiet: timedelta


@dataclass(frozen=True, slots=True)
class Claimed:
    """A chat's open arrivals, for whoever deals with them now: until `until` without a sign of
    life. What is held is the first of them, which was received so long ago (`age`)."""

    arrivals: Sequence[Arrival]
    until: datetime
    age: timedelta


async def open_of(engine: AsyncEngine, chat: Chat) -> Open | None:
    """What is open in a chat; None where nothing is."""
    rows = await fetch_alone(engine, _OPEN, place_of(chat))
    if not rows:
        return None
    return Open(
        [_arrival(row) for row in rows],
        any(row.held for row in rows),
        timedelta(seconds=max(0.0, float(rows[0].due_in)) if rows[0].put_off else 0),
        timedelta(seconds=min(float(row.ago) for row in rows)),
    )


async def claim(engine: AsyncEngine, chat: Chat) -> Claimed | None:
    """Take a chat to deal with it; None where nothing is open in it or somebody else has it.

    All its open rows are locked for that, so that whoever else claims sees what was claimed.
    """
    values = {**place_of(chat), "lease": LEASE.total_seconds()}
    rows = await fetch_alone(engine, _CLAIM, values)
    if not rows:
        return None
    age = timedelta(seconds=float(rows[0].age))
    return Claimed([_arrival(row) for row in rows], rows[0].leased_until, age)


# By the oldest of each chat: one that is put off must not keep other chats from being seen.
_WAITING = f"""
    select organisation_id, workspace, chat from (
        select distinct on (workspace, chat) organisation_id, workspace, chat, next_at, lease_until
        from arrivals where platform = :platform and state = 'received'
        order by workspace, chat, said_at, id) as oldest
    where next_at <= now() and (lease_until is null or lease_until <= now())
    order by next_at limit {_MOST_CHATS}
"""  # noqa: S608  # only constants


async def waiting(engine: AsyncEngine, platform: str) -> list[Chat]:
    """The chats in which something is open that nobody has dealt with in time."""
    # across organisations: whoever sweeps serves them all
    rows = await fetch_alone(engine, _WAITING, {"platform": platform})
    return [Chat(row.organisation_id, platform, row.workspace, row.chat) for row in rows]


def _arrival(row: Named) -> Arrival:
    return Arrival(
        id=row.id,
        organisation_id=row.organisation_id,
        platform=row.platform,
        workspace=row.workspace,
        key=row.key,
        chat=row.chat,
        account=row.account,
        kind=row.kind,
        body=from_json(row.body),
        said_at=row.said_at,
        redelivered=row.redelivered,
        attempts=row.attempts,
        reply_until=row.reply_until,
    )


# What becomes of it

_RENEW = """
    update arrivals set lease_until = now() + make_interval(secs => :lease)
    where organisation_id = :organisation_id and id = :id and lease_until = :until
    returning lease_until
"""

_DONE = f"""
    update arrivals set state = 'done', body = jsonb_build_object(), error = null,
        lease_until = null
    where organisation_id = :organisation_id and id = any(:ids) and state = 'received'
        and {_NOT_WAITED_FOR}
"""  # noqa: S608  # only a constant

_LET_GO = """
    update arrivals set lease_until = null, attempts = attempts - 1
    where organisation_id = :organisation_id and id = :id and state = 'received'
        and lease_until = :until
"""

# Without a word when, the longer the older it is: from 2 s to half a minute.
_PUT_OFF = """
    update arrivals set lease_until = null, error = :why, attempts = attempts - :forgiven,
        next_at = now() + make_interval(secs => coalesce(cast(:after as double precision),
            greatest(2, least(30, extract(epoch from now() - received_at) / 4))))
    where organisation_id = :organisation_id and id = :id and state = 'received'
        and lease_until = :until
    returning extract(epoch from next_at - now()) as due_in
"""

_FAIL = """
    update arrivals set state = 'failed', body = '{}', error = :why, lease_until = null
    where organisation_id = :organisation_id and id = :id and state = 'received'
"""


async def renew(engine: AsyncEngine, claimed: Claimed) -> datetime | None:
    """A sign of life; until when it is held now. None where it is another's by now."""
    head = claimed.arrivals[0]
    values = {
        "organisation_id": head.organisation_id,
        "id": head.id,
        "until": claimed.until,
        "lease": LEASE.total_seconds(),
    }
    row = await fetch_one_alone(engine, _RENEW, values)
    return row.lease_until if row else None


async def finish(engine: AsyncEngine, dealt_with: Sequence[Arrival]) -> None:
    """These are dealt with, whoever has them by now: nothing of them but their keys is kept."""
    head = dealt_with[0]
    ids = [arrival.id for arrival in dealt_with]
    values = {"organisation_id": head.organisation_id, "ids": ids}
    await fetch_alone(engine, _DONE, values)


async def let_go(engine: AsyncEngine, claimed: Claimed) -> None:
    """Give a chat back untouched: the next one begins at once."""
    head = claimed.arrivals[0]
    values = {
        "organisation_id": head.organisation_id,
        "id": head.id,
        "until": claimed.until,
    }
    await fetch_alone(engine, _LET_GO, values)


async def put_off(
    engine: AsyncEngine,
    claimed: Claimed,
    why: str,
    after: timedelta | None = None,
    *,
    counts: bool,
) -> timedelta | None:
    """Try the first one again later, and nothing of its chat before it; gives when.

    `counts`: this was one of its tries. None where it is another's by now.
    """
    head = claimed.arrivals[0]
    row = await fetch_one_alone(
        engine,
        _PUT_OFF,
        {
            "organisation_id": head.organisation_id,
            "id": head.id,
            "until": claimed.until,
            "why": why,
            "forgiven": 0 if counts else 1,
            "after": after.total_seconds() if after is not None else None,
        },
    )
    return timedelta(seconds=max(0.0, float(row.due_in))) if row else None


async def fail(engine: AsyncEngine, head: Arrival, why: str) -> None:
    """Give one up: what comes after it goes on."""
    values = {"organisation_id": head.organisation_id, "id": head.id, "why": why}
    await fetch_alone(engine, _FAIL, values)
