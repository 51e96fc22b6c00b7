"""What is written of a letter that is handed over: before, so that nobody does it twice, and what
came of it.

    queued -> sending -> sent | unknown | failed        (and from sent or unknown: bounced)

`queued` was surely never handed over. `sending` is somebody's until its lease ends; after that
nobody knows, and it is not sent again.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from audit.event import JSON, Event
from core.db import fetch_alone, fetch_one, fetch_one_alone
from core.errors import TryLater
from core.house import House
from core.tags import Tag
from core.unit import Unit, unit
from core.words import Words

LEASE = timedelta(minutes=4)
"""Longer than any server takes over a letter (bot.email.smtp.TAKES_WITHIN)."""

DATABASE_AWAY = Words(
    ja="データベースに接続できません。",
    en="The database can't be reached.",
    zh="无法连接数据库。",
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A stored letter. `answer`: it is no call of the notifier's, which tells the task's log of its
    own calls."""

    id: UUID
    organisation_id: UUID
    mailbox_id: UUID
    recipient: str
    automatic: bool
    answer: bool
    state: str
    attempts: int
    created_at: datetime
    person_id: UUID | None
    task_id: UUID | None
    message_id: str
    under_way: bool
    content: bytes | None = field(repr=False)


class Taken(Exception):
    """Somebody else hands it over, or has."""


_COLUMNS = """id, organisation_id, mailbox_id, recipient, automatic, state,
    thread_id is null as answer, attempts, created_at, person_id, task_id, message_id, content,
    coalesce(lease_until > now(), false) as under_way
"""


def _letter(row: Any) -> Letter:
    return Letter(**dict(row.items()))


async def read(house: House, organisation_id: UUID, letter_id: UUID) -> Letter | None:
    """A letter as it stands."""
    row = await fetch_one_alone(
        house.engine,
        f"select {_COLUMNS} from letters"  # noqa: S608
        " where organisation_id = :organisation_id and id = :id",
        {"organisation_id": organisation_id, "id": letter_id},
    )
    return _letter(row) if row is not None else None


async def claim(house: House, most: int) -> list[Letter]:
    """Answers that are due, which are ours for a while."""
    rows = await fetch_alone(
        house.engine,
        # across organisations: whoever sends sends for all
        "with due as (select id from letters where state = 'queued' and thread_id is null"  # noqa: S608
        " and next_at <= now() and coalesce(lease_until, '-infinity') <= now()"
        " order by next_at limit :most for update skip locked)"
        " update letters l set lease_until = now() + make_interval(secs => :lease)"
        f" from due where l.id = due.id returning l.{_COLUMNS}",
        {"most": most, "lease": LEASE.total_seconds()},
    )
    return sorted(map(_letter, rows), key=lambda letter: letter.id)


async def begin(house: House, letter: Letter) -> None:
    """It is about to be handed over. Raises Taken where it was before, TryLater without a
    database."""
    try:
        row = await fetch_one_alone(
            house.engine,
            "update letters set state = 'sending', attempts = attempts + 1,"
            " lease_until = now() + make_interval(secs => :lease)"
            " where organisation_id = :organisation_id and id = :id and state = 'queued'"
            " returning id",
            {**_scope(letter), "lease": LEASE.total_seconds()},
        )
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise TryLater(DATABASE_AWAY) from error
    if row is None:
        raise Taken


async def sent(house: House, letter: Letter) -> None:
    """The server has taken it."""
    if not letter.answer:
        await fetch_one_alone(
            house.engine,
            "update letters set state = 'sent', sent_at = now(), lease_until = null, error = null"
            " where organisation_id = :organisation_id and id = :id and state = 'sending'",
            _scope(letter),
        )
        return
    async with unit(house) as work:
        row = await _ended(work, letter, "sent", None, "sending")
        if row:
            work.record(_event(letter, Tag.LETTER_SENT))


Before = Literal["queued", "sending"]
"""In which state whoever writes about a letter left it: in another one it is somebody else's."""


async def later(
    house: House, letter: Letter, why: str, wait: timedelta, before: Before = "queued"
) -> None:
    """It surely was not taken: it is tried again."""
    await fetch_one_alone(
        house.engine,
        "update letters set state = 'queued', lease_until = null, error = :why,"
        " attempts = attempts + case when state = 'queued' then 1 else 0 end,"
        " next_at = now() + make_interval(secs => :wait)"
        " where organisation_id = :organisation_id and id = :id and state = :before",
        {**_scope(letter), "why": why, "wait": wait.total_seconds(), "before": before},
    )


async def drop(house: House, letter: Letter) -> None:
    """It surely was not taken, and another is written in its place."""
    await fetch_one_alone(
        house.engine,
        "delete from letters where organisation_id = :organisation_id and id = :id"
        " and state = 'queued' returning id",
        _scope(letter),
    )


async def failed(
    work: Unit, letter: Letter, why: str, code: int = 0, before: Before = "queued"
) -> bool:
    """It never will be taken. False where it is somebody else's, or over."""
    ended = await _ended(work, letter, "failed", why, before)
    if ended and letter.answer:
        work.record(_event(letter, Tag.LETTER_FAILED, code=code))
    return ended


async def unknown(house: House, letter: Letter, why: str) -> None:
    """Nobody knows whether it was taken."""
    async with unit(house) as work:
        if await _ended(work, letter, "unknown", why, "sending") and letter.answer:
            work.record(_event(letter, Tag.LETTER_UNKNOWN))


async def abandon(house: House) -> None:
    """Answers whose sender died while they were handed over are of unknown outcome; and calls of
    the notifier's that it gave up before they were, are failed."""
    rows = await fetch_alone(
        house.engine,
        # across organisations: the house looks after itself
        f"select {_COLUMNS} from letters"  # noqa: S608
        " where (state = 'sending' and thread_id is null and lease_until <= now())"
        " or (state = 'queued' and thread_id is not null"
        " and created_at < now() - interval '3 days') limit 50",
        {},
    )
    for letter in map(_letter, rows):
        if letter.state == "sending":
            await unknown(house, letter, "whoever sent it came to an end")
        else:
            async with unit(house) as work:
                await failed(work, letter, "given up")


async def _ended(work: Unit, letter: Letter, state: str, why: str | None, before: Before) -> bool:
    row = await fetch_one(
        work.connection,
        "update letters set state = :state, lease_until = null, error = :why,"
        " sent_at = case when :state = 'sent' then now() end"
        " where organisation_id = :organisation_id and id = :id and state = :before returning id",
        {**_scope(letter), "state": state, "why": why, "before": before},
    )
    return row is not None


def _scope(letter: Letter) -> dict[str, object]:
    return {"organisation_id": letter.organisation_id, "id": letter.id}


def _event(letter: Letter, tag: Tag, **data: JSON) -> Event:
    return Event(letter.organisation_id, letter.id, tag, data)
