"""Searching documents and events, newest first, page by page.

A page goes on behind the last row of the one before (keyset), so that the thousandth costs what
the first does, and what is entered meanwhile shifts nothing: no row comes twice.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.criteria import (
    Criteria,
    DocumentPlace,
    EventPlace,
    TooSlow,
    Values,
    conditions,
    holds_all,
    long_enough,
    may_hold,
    words,
)
from audit.free_text import OLDER, Asked, holding

PAGE = 50
PAGE_AT_MOST = 1000

FEW = 100
"""So many counterparties are walked one by one, each along its own index. A text that more have in
their names ("株式会社") says little; then documents are walked by date, and most of them fit."""

MANY = 1000
"""Documents whose events are looked for by their streams."""

At = TypeVar("At", DocumentPlace, EventPlace)


@dataclass(frozen=True, slots=True)
class Page(Generic[At]):
    """Some of what was found. `after`: where the next page begins; None where there is none."""

    rows: Sequence[Row[Any]]
    after: At | None


SLOWEST = 2.5
"""Seconds a statement of a search may take. Who asks for more has to ask for less."""

_GIVEN_UP = "57014"  # query_canceled: what a statement ends with that takes longer


async def prepare(connection: AsyncConnection) -> None:
    """Have the searches of this transaction planned for their very values, and end in time.

    A plan for any values is good for none here: ranges may hold a day or a decade.
    """
    await connection.execute(
        text(
            "select set_config('plan_cache_mode', 'force_custom_plan', true),"
            " set_config('statement_timeout', :most, true)"
        ),
        {"most": f"{SLOWEST * 1000:.0f}"},
    )


# Documents


async def documents(
    connection: AsyncConnection,
    organisation_id: UUID,
    criteria: Criteria,
    *,
    after: DocumentPlace | None = None,
    limit: int = PAGE,
) -> Page[DocumentPlace]:
    """The organisation's documents that fit, the newest first. Raises TooShort, TooSlow."""
    where, values = conditions(criteria)
    values |= {"organisation_id": organisation_id}
    if after is not None:
        where.append(OLDER)
        values |= {"after_dated": after.dated, "after_id": after.id}
    names: Sequence[UUID] | None = None
    with _in_time():
        if criteria.counterparty:
            values["counterparty"] = long_enough(criteria.counterparty)
            names = await _counterparties(connection, values)
            if not names:
                return Page((), None)
            if len(names) > FEW:
                names = None
                where.append(_AMONG)
        asked = Asked(connection, where, values, names)
        looked_for = words(criteria)
        if looked_for:
            rows = await holding(asked, looked_for, criteria.since, limit + 1, SLOWEST)
        else:
            rows = await asked.newest(limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], DocumentPlace(last.dated, last.id) if last else None)


_NAMES = may_hold("audit_grams(c.organisation_id, 0, c.folded)", "0", ["counterparty"])
_NAMED = f"""select c.id from audit_counterparties c
    where c.organisation_id = :organisation_id and {_NAMES}
    and {holds_all("c.folded", ["counterparty"])}"""  # noqa: S608
# "Is true" has the names be found once and kept, and not each document's looked for among them.
_AMONG = f"(d.counterparty_id in ({_NAMED})) is true"


async def _counterparties(connection: AsyncConnection, values: Values) -> list[UUID]:
    """Those that have this in their names; one more than FEW at most."""
    rows = await connection.execute(text(f"{_NAMED} limit :few"), {**values, "few": FEW + 1})
    return [row.id for row in rows]


@contextmanager
def _in_time() -> Iterator[None]:
    """Raises TooSlow where the database gives up (`prepare`)."""
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _GIVEN_UP:
            raise TooSlow from error
        raise


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
    """The organisation's events that fit, the newest first. Raises TooShort, TooSlow."""
    where, values = _of_events(criteria)
    values |= {"organisation_id": organisation_id, "limit": limit + 1}
    if criteria.of.only_of_documents:
        needed, more = await _about(connection, organisation_id, criteria.of)
        where.append(needed)
        values |= more
    if after is not None:
        where.append("(e.at, e.id) < (:after_at, :after_id)")
        values |= {"after_at": after.at, "after_id": after.id}
    needed = " and ".join(["e.organisation_id = :organisation_id", *where])
    sql = (
        "select e.id, e.at, e.tag, e.stream, e.seq, e.body from audit_events e"  # noqa: S608
        f" where {needed} order by e.at desc, e.id desc limit :limit"
    )
    with _in_time():
        rows = (await connection.execute(text(sql), values)).all()
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
    return where, values


async def _about(
    connection: AsyncConnection, organisation_id: UUID, of: Criteria
) -> tuple[str, Values]:
    """That an event is of a document that fits. Few documents are looked up first; of many, whose
    events are everywhere, each event that is come by is asked about."""
    about = replace(of, since=None, until=None, person_id=None, stream=None)
    found = await documents(connection, organisation_id, about, limit=MANY)
    if found.after is None:
        streams = list({row.stream for row in found.rows})
        return "e.stream = any (cast(:streams as uuid[]))", {"streams": streams}
    needed, values = conditions(about)
    if of.counterparty:
        needed.append(_AMONG)
        values["counterparty"] = of.counterparty
    looked_for = words(about)
    if looked_for:
        needed.append(holds_all("d.words", looked_for))
        values |= looked_for
    return (
        "e.stream in (select d.stream from audit_documents d"  # noqa: S608
        f" where d.organisation_id = :organisation_id and {' and '.join(needed)})"
    ), values
