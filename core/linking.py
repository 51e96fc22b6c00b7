"""One-time codes by which somebody ties an account of another platform to themselves.

They are told a code where we know them, and say it where we do not yet. Only a keyed hash is kept;
it holds for ten minutes and once, within the organisation that the other workspace belongs to, and
an account has five tries in ten minutes.
"""

import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from core import linking_words as words
from core import people
from core.company import Company
from core.db import execute, fetch_all, fetch_one
from core.house import House
from core.ids import new_id
from core.inbound import Answer, Inbound, Sender
from core.messages import Message
from core.organisations import company_of
from core.people import Person, spell
from core.tags import Tag
from core.unit import Unit
from core.words import Language, Words

LASTS = timedelta(minutes=10)
MOST_TRIES = 5
TRIES_WITHIN = timedelta(minutes=10)
KEPT = timedelta(days=1)
"""For how long it is known of a code that it has ended or was used."""

_DIGITS = 8
_USE = b"miyabi: codes that link accounts"
_LONGEST = 32  # characters, with what people leave around it
_CODE = re.compile(r"\d{4}[\s-]?\d{4}")


@dataclass(frozen=True, slots=True)
class Code:
    """A code, to be told to whom it belongs and to nobody else; it is kept nowhere."""

    text: str
    expires_at: datetime


def read_code(text: str) -> str | None:
    """The digits of a text that is a code and nothing else, half-width or full-width."""
    if len(text) > _LONGEST:
        return None  # the usual request; not even looked at
    said = unicodedata.normalize("NFKC", text).strip()
    return re.sub(r"\D", "", said) if _CODE.fullmatch(said) and said.isascii() else None


async def make_code(work: Unit, house: House, person: Person, *, actor: Actor = SYSTEM) -> Code:
    """A new code for a person; one that they were told before holds no more."""
    scope = {"organisation_id": person.organisation_id, "person_id": person.id}
    await execute(
        work.connection,
        "update link_codes set expires_at = now() where organisation_id = :organisation_id"
        " and person_id = :person_id and used_at is null and expires_at > now()",
        scope,
    )
    while True:
        text = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
        made = await fetch_one(
            work.connection,
            "insert into link_codes (id, organisation_id, person_id, code_hash, expires_at)"
            " select :id, :organisation_id, :person_id, :hash,"
            " now() + make_interval(secs => :lasts)"
            " where not exists (select from link_codes where organisation_id = :organisation_id"
            " and code_hash = :hash) returning id, expires_at",
            {
                **scope,
                "id": new_id(),
                "hash": _hash(house, person.organisation_id, text),
                "lasts": LASTS.total_seconds(),
            },
        )
        if made is not None:
            break
    data: dict[str, JSON] = {
        "code": str(made.id),
        "until": made.expires_at.isoformat(timespec="seconds"),
    }
    work.record(Event(person.organisation_id, person.id, Tag.CODE_MADE, data, actor))
    return Code(text, made.expires_at)


def _hash(house: House, organisation_id: UUID, text: str) -> bytes:
    return hmac.digest(house.key_of(_USE), organisation_id.bytes + text.encode(), sha256)


async def organisation_of(connection: AsyncConnection, sender: Sender) -> UUID | None:
    """The organisation that a workspace belongs to: as it was connected, else as the accounts that
    we know there say."""
    row = await fetch_one(
        connection,
        # across organisations: a workspace belongs to exactly one, and this says which
        "select organisation_id from installations where platform = :platform"
        " and workspace = :workspace and removed_at is null"
        " union all (select organisation_id from accounts where platform = :platform"
        " and workspace = :workspace limit 1) limit 1",
        {"platform": sender.platform, "workspace": sender.workspace},
    )
    return row.organisation_id if row else None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a code that was said: who it made known, if anybody, and what is answered."""

    answer: Answer
    person: Person | None = None


async def take_code(work: Unit, house: House, inbound: Inbound, code: str) -> Taken | None:
    """Tie the account of a stranger who said a code to whom the code belongs. None where the
    account is somebody's by now, or the workspace is nobody's."""
    sender = inbound.sender
    organisation_id = inbound.organisation_id or await organisation_of(work.connection, sender)
    if organisation_id is None:
        return None
    # One try of an account after the other: several at once would all be the fifth.
    lock = f"linking:{spell(sender)}"
    await execute(
        work.connection, "select pg_advisory_xact_lock(hashtextextended(:lock, 0))", {"lock": lock}
    )
    known = await fetch_one(
        work.connection,
        # across organisations: an account belongs to exactly one; also of who has left
        "select 1 from accounts where platform = :platform and workspace = :workspace"
        " and external_id = :account",
        _account(organisation_id, sender),
    )
    if known is not None:
        return None
    company = await company_of(work.connection, organisation_id)
    again_at = await _too_often(work.connection, organisation_id, sender)
    if again_at is not None:
        at = again_at.astimezone(ZoneInfo(company.time_zone)).strftime("%H:%M")
        return _refused(company, words.TOO_OFTEN.fill(most=MOST_TRIES, at=at))
    await _count(work.connection, organisation_id, sender)
    person = await _spent(work.connection, house, organisation_id, code)
    if isinstance(person, Words):
        return _refused(company, person)
    actor = Actor(person.id, spell(sender), channel=sender.platform)
    await people.link(work, person, sender, actor=actor)
    greeting = words.LINKED.fill(name=person.name)
    return Taken(_said("done", greeting, person.language), person)


async def _spent(
    connection: AsyncConnection, house: House, organisation_id: UUID, code: str
) -> Person | Words:
    """Whose code it is, which is used up by this; or why it does not hold."""
    found = await _found(connection, house, organisation_id, code)
    person = await people.by_id(connection, organisation_id, found.person_id) if found else None
    if found is None or person is None:
        return words.WRONG
    if found.used_at is not None:
        return words.USED
    used = await execute(
        connection,
        "update link_codes set used_at = now() where organisation_id = :organisation_id"
        " and id = :id and used_at is null and expires_at > now()",
        {"organisation_id": organisation_id, "id": found.id},
    )
    return person if used else words.ENDED  # or somebody else used it at this moment


async def _too_often(
    connection: AsyncConnection, organisation_id: UUID, sender: Sender
) -> datetime | None:
    """When an account may try again, where it has no try left."""
    row = await fetch_one(
        connection,
        "select at + make_interval(secs => :within) as again_at from link_tries"
        " where organisation_id = :organisation_id and platform = :platform"
        " and workspace = :workspace and account = :account"
        " and at > now() - make_interval(secs => :within)"
        " order by at desc offset :most - 1 limit 1",
        {
            **_account(organisation_id, sender),
            "within": TRIES_WITHIN.total_seconds(),
            "most": MOST_TRIES,
        },
    )
    return row.again_at if row else None


async def _count(connection: AsyncConnection, organisation_id: UUID, sender: Sender) -> None:
    await execute(
        connection,
        "insert into link_tries (organisation_id, platform, workspace, account)"
        " values (:organisation_id, :platform, :workspace, :account)",
        _account(organisation_id, sender),
    )


async def _found(
    connection: AsyncConnection, house: House, organisation_id: UUID, code: str
) -> Any | None:
    """The row of a code; all are compared, each in constant time."""
    rows = await fetch_all(
        connection,
        "select id, person_id, code_hash, used_at from link_codes"
        " where organisation_id = :organisation_id"
        " and expires_at > now() - make_interval(secs => :kept)",
        {"organisation_id": organisation_id, "kept": KEPT.total_seconds()},
    )
    ours = _hash(house, organisation_id, code)
    same = [row for row in rows if hmac.compare_digest(bytes(row.code_hash), ours)]
    return same[0] if same else None


def _account(organisation_id: UUID, sender: Sender) -> dict[str, object]:
    return {
        "organisation_id": organisation_id,
        "platform": sender.platform,
        "workspace": sender.workspace,
        "account": sender.account,
    }


def _refused(company: Company, why: Words) -> Taken:
    return Taken(_said("unknown_person", why, company.language))


def _said(outcome: Any, said: Words, language: Language) -> Answer:
    return Answer(outcome, Message(said.to(language), language=language))
