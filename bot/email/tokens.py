"""The random part of a Reply-To: which task and person an answer to our mail belongs to.

Of each task and person one, as long as it is good: all letters about it have the same, so that any
of them can be answered. Whoever has a letter has its token; that the answer is from whom it was
sent to is for whoever reads it to find out.
"""

import re
import secrets
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.email.boxes import Box
from bot.email.ids import base32, from_base32
from bot.email.tagged import tag_of, with_tag
from core.db import execute, fetch_one
from core.errors import Permanent
from core.house import House
from core.ids import new_id
from core.sealing import seal, unseal
from core.unit import Unit

LASTS = timedelta(days=180)
"""That an answer to a letter finds its task by it; each letter of the second half begins anew."""

_BYTES = 16
_USE = b"miyabi: reply tokens"
_LENGTH = 26  # characters of 128 bits in base 32
_TOKEN = re.compile(rf"[a-z2-7]{{{_LENGTH}}}", re.IGNORECASE)


class Found(NamedTuple):
    """Whose a token is. `expired`: it says so, and gives no right any more."""

    organisation_id: UUID
    task_id: UUID
    person_id: UUID
    expired: bool


async def token_for(
    work: Unit, house: House, organisation_id: UUID, task_id: UUID, person_id: UUID
) -> str:
    """The token for a task and a person, in base 32 and small letters."""
    scope: dict[str, object] = {
        "organisation_id": organisation_id,
        "task_id": task_id,
        "person_id": person_id,
    }
    found = await fetch_one(
        work.connection,
        "select sealed, expires_at > now() as good,"
        " expires_at < now() + make_interval(secs => :lasts) / 2 as old from reply_tokens"
        " where organisation_id = :organisation_id and task_id = :task_id"
        " and person_id = :person_id for update",
        {**scope, "lasts": LASTS.total_seconds()},
    )
    bound = f"{task_id} {person_id}"
    known = _opened(house, bound, found.sealed) if found is not None and found.good else None
    if known is not None and found is not None and not found.old:
        return known
    token = known or base32(secrets.token_bytes(_BYTES))
    values = {
        **scope,
        "id": new_id(),
        "hash": _hash(token),
        "sealed": seal(house.key_of(_USE), "email", bound, {"token": token}),
        "lasts": LASTS.total_seconds(),
        "renewed": found is not None,
    }
    # Of two who make the first at once, the second waits for the other's and takes that.
    made = await fetch_one(
        work.connection,
        "insert into reply_tokens as t (id, organisation_id, task_id, person_id, token_hash,"
        " sealed, expires_at) values (:id, :organisation_id, :task_id, :person_id, :hash, :sealed,"
        " now() + make_interval(secs => :lasts))"
        " on conflict (task_id, person_id) do update set"
        " token_hash = case when :renewed then excluded.token_hash else t.token_hash end,"
        " sealed = case when :renewed then excluded.sealed else t.sealed end,"
        " expires_at = excluded.expires_at where t.organisation_id = :organisation_id"
        " returning sealed",
        values,
    )
    assert made is not None  # noqa: S101  # a task is of one organisation
    return _opened(house, bound, made.sealed) or token


async def find_token(connection: AsyncConnection, token: str) -> Found | None:
    """Whose a token is, in any case; None for one that we did not give, or took back."""
    if _TOKEN.fullmatch(token) is None or from_base32(token) is None:
        return None
    row = await fetch_one(
        connection,
        # across organisations: a token belongs to exactly one, and says which
        "select organisation_id, task_id, person_id, expires_at <= now() as expired"
        " from reply_tokens where token_hash = :hash",
        {"hash": _hash(token.lower())},
    )
    return Found(**row._asdict()) if row is not None else None


async def revoke(work: Unit, organisation_id: UUID, person_id: UUID) -> None:
    """Take back all tokens of a person: what they were sent is no key to their tasks any more."""
    await execute(
        work.connection,
        "delete from reply_tokens where organisation_id = :organisation_id"
        " and person_id = :person_id",
        {"organisation_id": organisation_id, "person_id": person_id},
    )


def reply_to(box: Box, token: str) -> str:
    """The address that an answer goes to. Where it can have no tag, the answer is told by what it
    refers to."""
    return with_tag(box, token)


def token_in(box: Box, address: str) -> str | None:
    """The token in an address that a mail came to, in small letters; None where it has none."""
    tag = tag_of(box, address)
    return tag if _TOKEN.fullmatch(tag) is not None else None


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _opened(house: House, bound: str, sealed: bytes) -> str | None:
    """None where it was sealed with another key: a new one takes its place."""
    try:
        return unseal(house.key_of(_USE), "email", bound, sealed).get("token")
    except Permanent:
        return None
