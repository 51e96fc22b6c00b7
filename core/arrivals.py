"""What a platform delivered: stored before it is told so, and dealt with afterwards, in order.

For platforms that only want to hear that a delivery has come, within a second or two, and for which
it may take longer to be dealt with (core/open_arrivals.py). Every time is the database's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.db import execute, fetch_alone, fetch_one_alone, to_json
from core.ids import new_id

OTHERS_AFTER = timedelta(seconds=3)
"""What the process that stored it has not dealt with this long after, any process looks at."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event as its platform delivered it; `kind` and `body` are in the platform's own words.

    `chat` is where it was said, `account` by whom; empty where nobody is named. `said_at` is the
    platform's time. `attempts`: how often it was tried to be dealt with before. `reply_until`: so
    long the free answer to it is counted on; None without one.
    """

    id: UUID
    organisation_id: UUID
    platform: str
    workspace: str
    key: str
    chat: str
    account: str
    kind: str
    body: Mapping[str, Any]
    said_at: datetime
    redelivered: bool = False
    attempts: int = 0
    reply_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation on a platform. A workspace belongs to one organisation."""

    organisation_id: UUID
    platform: str
    workspace: str
    chat: str


def chat_of(arrival: "Arrival | Delivered") -> Chat:
    """Where it was said."""
    return Chat(arrival.organisation_id, arrival.platform, arrival.workspace, arrival.chat)


def place_of(chat: Chat) -> dict[str, Any]:
    """A chat as parameters of a statement."""
    return {
        "organisation_id": chat.organisation_id,
        "platform": chat.platform,
        "workspace": chat.workspace,
        "chat": chat.chat,
    }


# What comes in


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event about to be stored. `body` holds only what a database can keep.

    `reply_for`: how long its reply token is counted on, from now. `ignored`: it is kept that it
    came and of what kind it was, and nothing else.
    """

    organisation_id: UUID
    platform: str
    workspace: str
    key: str
    chat: str
    account: str
    kind: str
    body: Mapping[str, Any]
    said_at: datetime
    redelivered: bool = False
    reply_token: str | None = field(default=None, repr=False)
    reply_for: timedelta = timedelta(0)
    ignored: bool = False
    id: UUID = field(default_factory=new_id)


_STORE = """
    insert into arrivals (id, organisation_id, platform, workspace, key, chat, account, kind, body,
        said_at, redelivered, state, next_at, reply_token, reply_until)
    select id, organisation_id, platform, workspace, key, chat, account, kind, body, said_at,
        redelivered, state, now() + make_interval(secs => :others_after), reply_token,
        case when reply_token is not null then now() + make_interval(secs => reply_for) end
    from jsonb_to_recordset(cast(:events as jsonb)) as event(id uuid, organisation_id uuid,
        platform text, workspace text, key text, chat text, account text, kind text, body jsonb,
        said_at timestamptz, redelivered boolean, state text, reply_token text,
        reply_for double precision)
    order by platform, workspace, key -- or two that store the same could wait for each other
    on conflict (platform, workspace, key) do nothing
    returning id, reply_until
"""


async def store(engine: AsyncEngine, events: Sequence[Delivered]) -> list[Arrival]:
    """Store events in one statement and commit; gives what is new of them and to be dealt with."""
    values = {
        "events": to_json([_row(event) for event in events]),
        "others_after": OTHERS_AFTER.total_seconds(),
    }
    new = {row.id: row.reply_until for row in await fetch_alone(engine, _STORE, values)}
    return [
        Arrival(
            event.id, event.organisation_id, event.platform, event.workspace, event.key,
            event.chat, event.account, event.kind, event.body, event.said_at, event.redelivered,
            reply_until=new[event.id],
        )
        for event in events
        if event.id in new and not event.ignored
    ]  # fmt: skip


def _row(event: Delivered) -> dict[str, object]:
    return {
        "id": str(event.id),
        "organisation_id": str(event.organisation_id),
        "platform": event.platform,
        "workspace": event.workspace,
        "key": event.key,
        "chat": event.chat,
        "account": event.account,
        "kind": event.kind,
        "body": {} if event.ignored else event.body,
        "said_at": event.said_at.isoformat(),
        "redelivered": event.redelivered,
        "state": "ignored" if event.ignored else "received",
        "reply_token": event.reply_token,
        "reply_for": event.reply_for.total_seconds(),
    }


# The free answer

_TAKE = """
    update arrivals set reply_used_for = :call
    where organisation_id = :organisation_id and id = :id and reply_token is not null
        and reply_used_for is null and reply_until > now()
    returning reply_token
"""

_TAKE_FREE = """
    update arrivals set reply_used_for = :call
    where organisation_id = :organisation_id and reply_used_for is null and id = (
        select id from arrivals
        where organisation_id = :organisation_id and platform = :platform
            and workspace = :workspace and chat = :chat and state <> 'received'
            and reply_token is not null and reply_used_for is null and reply_until > now()
        order by reply_until limit 1 for update skip locked)
    returning reply_token
"""


@dataclass(frozen=True, slots=True)
class Token:
    """What a call was given to answer with. `young`: it is still counted on."""

    token: str = field(repr=False)
    young: bool


async def take_token(
    engine: AsyncEngine, organisation_id: UUID, arrival_id: UUID, call: UUID
) -> str | None:
    """The token to answer an arrival with, taken for one call and for good; None where there is
    none (any more), or it is too old to be counted on. Committed before it is used."""
    values = {"organisation_id": organisation_id, "id": arrival_id, "call": call}
    row = await fetch_one_alone(engine, _TAKE, values)
    return row.reply_token if row else None


async def take_free_token(engine: AsyncEngine, chat: Chat, call: UUID) -> str | None:
    """Likewise one that nobody needs any more to answer an arrival of this chat: of those that are
    dealt with, the one that ends first."""
    row = await fetch_one_alone(engine, _TAKE_FREE, {**place_of(chat), "call": call})
    return row.reply_token if row else None


async def token_of(engine: AsyncEngine, call: UUID) -> Token | None:
    """The token that a call was given before."""
    row = await fetch_one_alone(
        engine,
        # across organisations: a call is one of ours, by a random id
        "select reply_token, reply_until > now() as young from arrivals"
        " where reply_used_for = :call",
        {"call": call},
    )
    return Token(row.reply_token, row.young) if row else None


async def put_back(engine: AsyncEngine, call: UUID, *, spent: bool) -> None:
    """What a call was given did not serve it, and surely nothing was said with it: it is free for
    another, or where the platform does not take it (any more) `spent` for everybody."""
    await fetch_alone(
        engine,
        # across organisations: a call is one of ours, by a random id
        "update arrivals set reply_used_for = null,"
        " reply_token = case when cast(:spent as boolean) then null else reply_token end"
        " where reply_used_for = :call",
        {"call": call, "spent": spent},
    )


# What is forgotten

# across organisations: arrivals of all of them
_FORGET = """
    delete from arrivals where id in (
        select id from arrivals
        where received_at < now() - make_interval(secs => :kept) and state <> 'received'
        order by received_at limit :batch)
"""
# across organisations: likewise
_PROMPTS = "delete from prompts where expires_at < now()"
# across organisations: likewise
_LINK_TRIES = "delete from link_tries where at < now() - interval '1 day'"


async def forget(connection: AsyncConnection, kept: timedelta, batch: int) -> int:
    """Forget what was dealt with so long ago that its platform won't deliver it again, at most a
    batch; and what nobody answered in time. Gives how many arrivals."""
    values = {"kept": kept.total_seconds(), "batch": batch}
    await execute(connection, _PROMPTS, {})
    await execute(connection, _LINK_TRIES, {})
    return await execute(connection, _FORGET, values)
