"""Searching documents and events, newest first, page by page.

A page goes on behind the last row of the one before (keyset), so that the thousandth costs what
the first does, and what is entered meanwhile shifts nothing: no row comes twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.criteria import (
    Criteria,
    DocumentPlace,
    EventPlace,
    Values,
    conditions,
    contains,
    long_enough,
)

PAGE = 50
PAGE_AT_MOST = 1000

FEW = 100
"""So many counterparties are walked one by one, each along its own index. A text that more have in
their names ("株式会社") says little; then documents are walked by date, and most of them fit."""

At = TypeVar("At", DocumentPlace, EventPlace)


@dataclass(frozen=True, slots=True)
class Page(Generic[At]):
    """Some of what was found. `after`: where the next page begins; None where there is none."""

    rows: Sequence[Row[Any]]
    after: At | None


async def prepare(connection: AsyncConnection) -> None:
    """Have the searches of this transaction planned for their very values.

    A plan for any values is good for none here: ranges may hold a day or a decade.
    """
    await connection.execute(text("set local plan_cache_mode = force_custom_plan"))


# Documents

_COLUMNS = """d.id, d.dated, d.amount, d.counterparty, d.kind, d.number, d.stream, d.reference,
    d.person_id, d.retain_until, d.sha256, d.file_name, d.media_type, d.voided_at"""
_ORDER = "order by d.dated desc, d.id desc limit :limit"


async def documents(
    connection: AsyncConnection,
    organisation_id: UUID,
    criteria: Criteria,
    *,
    after: DocumentPlace | None = None,
    limit: int = PAGE,
) -> Page[DocumentPlace]:
    """The organisation's documents that fit, the newest first. Raises TooShort."""
    where, values = conditions(criteria)
    values |= {"organisation_id": organisation_id, "limit": limit + 1}
    if after is not None:
        where.append("(d.dated, d.id) < (:after_dated, :after_id)")
        values |= {"after_dated": after.dated, "after_id": after.id}
    sql = _select(where)
    if criteria.counterparty:
        values["counterparty"] = long_enough(criteria.counterparty)
        known = await _counterparties(connection, organisation_id, criteria.counterparty)
        if not known:
            return Page((), None)
        if len(known) > FEW:
            sql = _select([*where, _AMONG])
        else:
            # Of each counterparty as many as could be on the page: a few hundred rows to sort.
            values["counterparties"] = known
            each = _select(["d.counterparty_id = c.id", *where])
            sql = (
                "select d.* from unnest(cast(:counterparties as uuid[])) as c (id)"  # noqa: S608
                f" cross join lateral ({each}) d {_ORDER}"
            )
    rows = (await connection.execute(text(sql), values)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], DocumentPlace(last.dated, last.id) if last else None)


def _select(where: Sequence[str]) -> str:
    needed = " and ".join(["d.organisation_id = :organisation_id", *where])
    return f"select {_COLUMNS} from audit_documents d where {needed} {_ORDER}"  # noqa: S608


_NAMED = f"""select c.id from audit_counterparties c
    where c.organisation_id = :organisation_id and {contains("c.folded", "counterparty")}"""  # noqa: S608
_AMONG = f"d.counterparty_id in ({_NAMED})"


async def _counterparties(
    connection: AsyncConnection, organisation_id: UUID, name: str
) -> list[UUID]:
    """Those that have this in their names; one more than FEW at most."""
    values: Values = {"organisation_id": organisation_id, "counterparty": name, "few": FEW + 1}
    rows = await connection.execute(text(f"{_NAMED} limit :few"), values)
    return [row.id for row in rows]


# Events


@dataclass(frozen=True, slots=True)
class EventCriteria:
    """Which events: of documents that fit `of`, and by the person in it, in its range of dates.

    `zone` says when a date begins. `tags`: any of these.
    """

    of: Criteria = field(default_factory=Criteria)
    tags: tuple[str, ...] = ()
    zone: str = "Asia/Tokyo"


async def events(
    connection: AsyncConnection,
    organisation_id: UUID,
    criteria: EventCriteria,
    *,
    after: EventPlace | None = None,
    limit: int = PAGE,
) -> Page[EventPlace]:
    """The organisation's events that fit, the newest first. Raises TooShort."""
    where, values = _of_events(criteria)
    values |= {"organisation_id": organisation_id, "limit": limit + 1}
    if after is not None:
        where.append("(e.at, e.id) < (:after_at, :after_id)")
        values |= {"after_at": after.at, "after_id": after.id}
    needed = " and ".join(["e.organisation_id = :organisation_id", *where])
    rows = (
        await connection.execute(
            text(
                "select e.id, e.at, e.tag, e.stream, e.seq, e.body from audit_events e"  # noqa: S608
                f" where {needed} order by e.at desc, e.id desc limit :limit"
            ),
            values,
        )
    ).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], EventPlace(last.at, last.id) if last else None)


def _of_events(criteria: EventCriteria) -> tuple[list[str], Values]:
    of, where, values = criteria.of, list[str](), Values()
    zone = ZoneInfo(criteria.zone)
    if of.since is not None:
        where.append("e.at >= :from")
        values["from"] = datetime.combine(of.since, time(0), zone).astimezone(UTC)
    if of.until is not None:
        where.append("e.at < :to")
        values["to"] = datetime.combine(of.until + timedelta(days=1), time(0), zone).astimezone(UTC)
    if len(criteria.tags) == 1:
        where.append("e.tag = :tag")
        values["tag"] = criteria.tags[0]
    elif criteria.tags:
        where.append("e.tag = any (cast(:tags as text[]))")
        values["tags"] = list(criteria.tags)
    if of.person_id is not None:
        where.append("e.body ->> 'person' = :person")
        values["person"] = str(of.person_id)
    if of.stream is not None:
        where.append("e.stream = :stream")
        values["stream"] = of.stream
    if of.only_of_documents:
        about = Criteria(least=of.least, most=of.most, number=of.number, kind=of.kind, text=of.text)
        needed, more = conditions(about)
        values |= more
        if of.counterparty:
            needed.append(_AMONG)
            values["counterparty"] = long_enough(of.counterparty)
        where.append(
            "e.stream in (select d.stream from audit_documents d"  # noqa: S608
            f" where d.organisation_id = :organisation_id and {' and '.join(needed)})"
        )
    return where, values
