"""Tokens by which a program speaks for a person. Only their hashes are kept.

A token is an account of its person on the platform `api`, called by the token's id: so the log
says which one spoke, and it may do what its person may, no more.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from audit.registry import brief
from core import guarding, people
from core.db import execute, fetch_all, fetch_quickly
from core.errors import Unknown
from core.ids import new_id
from core.inbound import Sender
from core.people import Person, as_person
from core.tags import Tag
from core.unit import Unit
from core.words import Words

PREFIX = "miyabi_"
"""What every token begins with, so that a scan for leaked secrets knows one when it sees it."""

_BYTES = 32  # of randomness: nobody guesses them, so a plain hash is enough
_NO_SUCH_TOKEN = Words(
    ja="トークン「{name}」はありません。「miyabi people tokens」で一覧を表示します。",
    en="There is no token “{name}”. “miyabi people tokens” lists them.",
    zh="没有令牌“{name}”。可用“miyabi people tokens”查看列表。",
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is listed. `name` is the end of its id."""

    name: str
    handle: str
    label: str
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a program speaks for, and as which account."""

    person: Person
    sender: Sender


def name_of(token_id: UUID) -> str:
    """A token's name in lists and commands."""
    return token_id.hex[-8:]


async def make(work: Unit, person: Person, label: str, *, actor: Actor = SYSTEM) -> str:
    """Make a token and return it; it can't be had a second time."""
    token, token_id = PREFIX + secrets.token_urlsafe(_BYTES), new_id()
    await execute(
        work.connection,
        "insert into api_tokens (id, organisation_id, person_id, label, token_sha256)"
        " values (:id, :organisation_id, :person_id, :label, :sha256)",
        {
            "id": token_id,
            "organisation_id": person.organisation_id,
            "person_id": person.id,
            "label": label,
            "sha256": _hash(token),
        },
    )
    await people.link(work, person, _account(person, token_id), listens=False, actor=actor)
    work.record(_event(person, Tag.TOKEN_CREATED, token_id, label, actor))
    await guarding.token_made(work, person.organisation_id, person.id, person.name, label)
    return token


async def revoke(work: Unit, organisation_id: UUID, name: str, *, actor: Actor = SYSTEM) -> Person:
    """Make a token worth nothing from now on. Raises Unknown where there is none of that name.

    Revoking one once more changes nothing. Gives the person whose it was.
    """
    rows = await fetch_all(
        work.connection,
        "select k.id as token_id, k.label, k.revoked_at, p.id, p.organisation_id, p.handle, p.name,"
        " p.roles, p.language, p.time_zone from api_tokens k join people p on p.id = k.person_id"
        " where k.organisation_id = :organisation_id"
        " and right(replace(cast(k.id as text), '-', ''), 8) = :name for update of k",
        {"organisation_id": organisation_id, "name": name},
    )
    if len(rows) != 1:
        raise Unknown(_NO_SUCH_TOKEN.fill(name=name))
    row, person = rows[0], as_person(rows[0])
    if row.revoked_at is not None:
        return person
    await execute(
        work.connection,
        "update api_tokens set revoked_at = now()"
        " where organisation_id = :organisation_id and id = :id",
        {"organisation_id": organisation_id, "id": row.token_id},
    )
    await people.unlink(work, person, _account(person, row.token_id), actor=actor)
    work.record(_event(person, Tag.TOKEN_REVOKED, row.token_id, row.label, actor))
    return person


async def every(connection: AsyncConnection, organisation_id: UUID) -> list[Token]:
    """All tokens of an organisation, the revoked ones too, oldest first."""
    rows = await fetch_all(
        connection,
        "select k.id, p.handle, k.label, k.created_at, k.used_at, k.revoked_at"
        " from api_tokens k join people p on p.id = k.person_id"
        " where k.organisation_id = :organisation_id order by k.created_at",
        {"organisation_id": organisation_id},
    )
    return [
        Token(name_of(row.id), row.handle, row.label, row.created_at, row.used_at, row.revoked_at)
        for row in rows
    ]


_CALLER = """
    with found as (
        select k.id as token_id, k.used_at, p.id, p.organisation_id, p.handle, p.name, p.roles,
            p.language, p.time_zone
        from api_tokens k join people p on p.id = k.person_id
        where k.token_sha256 = :sha256 and k.revoked_at is null and p.active
    ), used as (
        update api_tokens set used_at = now() where id = (select token_id from found
            where used_at is null or used_at < now() - interval '1 minute')
    )
    select * from found
"""


async def caller(connection: AsyncConnection, token: str) -> Caller | None:
    """Whose token it is; None for one that is unknown, revoked, or of somebody who has left.

    It is looked up by its hash: how long that takes says nothing about the token itself.
    """
    row = await fetch_quickly(
        connection,
        _CALLER,  # across organisations: a token belongs to exactly one, and says which
        {"sha256": _hash(token)},
    )
    if row is None:
        return None
    person = as_person(row)
    return Caller(person, _account(person, row.token_id))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _account(person: Person, token_id: UUID) -> Sender:
    return Sender("api", str(person.organisation_id), str(token_id))


def _event(person: Person, tag: Tag, token_id: UUID, label: str, actor: Actor) -> Event:
    data: dict[str, JSON] = {
        "token": name_of(token_id),
        "label": brief(label),
        "handle": brief(person.handle),
    }
    return Event(person.organisation_id, person.id, tag, data, actor)
