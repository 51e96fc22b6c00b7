"""Documents by what is written in them: words of any kind, common or rare, the newest first.

A word that many documents hold is soon found by walking back along their dates, and an index of it
would only give a great heap to sort. A rare one is found by the index alone. Nobody knows which it
is before having looked; so some documents are walked first, and the index has the rest. It is
asked quarter by quarter: what was common years ago is not gathered up for a page of this year.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.criteria import DocumentPlace, TooSlow, Values, holds_all, may_hold

WALKED = 20
"""Documents that are walked for each that is looked for: a word that a twentieth hold is found so.
Of a rarer one a quarter of a year has few enough to be read and sorted."""

EACH = 16
"""Times its share of them, of each name: a few of many names have most documents."""

OLDER = "(d.dated, d.id) < (:after_dated, :after_id)"

_COLUMNS = """d.id, d.dated, d.amount, d.counterparty, d.kind, d.number, d.stream, d.reference,
    d.person_id, d.retain_until, d.sha256, d.file_name, d.media_type, d.voided_at"""
_ORDER = "order by d.dated desc, d.id desc"
_GRAMS = "audit_grams(d.organisation_id, audit_quarter(d.dated), d.words)"

_BELOW = "(d.dated, d.id) < (:edge_dated, :edge_id)"


def _below(edge: DocumentPlace) -> Values:
    return {"edge_dated": edge.dated, "edge_id": edge.id}


Rows = Sequence[Row[Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for but for the words: conditions about rows `d`, and their values.

    `names`: of these counterparties; None: of any.
    """

    connection: AsyncConnection
    where: Sequence[str]
    values: Values
    names: Sequence[UUID] | None

    async def newest(self, limit: int) -> Rows:
        """The newest that fit."""
        if self.names is None:
            return await self.run(self._along(_COLUMNS), each=limit)
        sql = (
            f"select {_COLUMNS} from ({self._by_names()} {_ORDER} limit :each) i"  # noqa: S608
            f" join audit_documents d on d.organisation_id = :organisation_id and d.id = i.id"
            f" {_ORDER}"
        )
        return await self.run(sql, each=limit)

    async def walk(
        self, words: Values, limit: int, below: DocumentPlace | None = None
    ) -> tuple[list[Row[Any]], DocumentPlace | None]:
        """Those of the newest (below a place) that hold the words; and the place down to which all
        were looked at, None if these were all there are."""
        all_ = WALKED * limit
        more = [_BELOW] if below else []
        if self.names is None:
            each, walked = all_, self._along(f"{_COLUMNS}, d.words", *more)
            walked = f"select d.*, row_number() over ({_ORDER}) = :all as last from ({walked}) d"  # noqa: S608
        else:
            each = min(all_, max(limit, EACH * all_ // len(self.names)))
            walked = (
                f"select {_COLUMNS}, d.words, i.last from ("  # noqa: S608
                f" select d.id, d.nth = :each or row_number() over ({_ORDER}) = :all as last"
                f" from ({self._by_names(*more)}) d {_ORDER} limit :all) i"
                " join audit_documents d on d.organisation_id = :organisation_id and d.id = i.id"
            )
        sql = (
            f"select {_COLUMNS}, d.fits, d.last from ("  # noqa: S608
            f" select d.*, {holds_all('d.words', words)} as fits from ({walked}) d) d"
            f" where d.fits or d.last {_ORDER}"
        )
        place = _below(below) if below else {}
        rows = await self.run(sql, each=each, all=all_, **words, **place)
        # Of each name all are known down to its last; so of all of them down to the newest last.
        lasts = [DocumentPlace(row.dated, row.id) for row in rows if row.last]
        edge = max(lasts, key=newness, default=None)
        found = [row for row in rows if row.fits and (not edge or newness(row) >= newness(edge))]
        return found, edge

    async def run(self, sql: str, **more: object) -> Rows:
        """The rows of a statement with these values and more."""
        values = self.values | more
        if self.names is not None:
            values["names"] = list(self.names)
        return (await self.connection.execute(text(sql), values)).all()

    def all_of(self, *more: str) -> str:
        """These conditions, those of the organisation and of names, and more."""
        of = ["d.counterparty_id = any (cast(:names as uuid[]))"] if self.names is not None else []
        return " and ".join(["d.organisation_id = :organisation_id", *self.where, *of, *more])

    def _along(self, columns: str, *more: str) -> str:
        """The newest :each along an index."""
        where = " and ".join(["d.organisation_id = :organisation_id", *self.where, *more])
        return f"select {columns} from audit_documents d where {where} {_ORDER} limit :each"  # noqa: S608

    def _by_names(self, *more: str) -> str:
        """Of each counterparty as many as could be on the page, along its own index: which has the
        date and the amount, so that only the rows of the page are read. `nth` counts them."""
        one = self._along("d.id, d.dated", "d.counterparty_id = c.id", *more)
        return (
            f"select d.id, d.dated, d.nth from unnest(cast(:names as uuid[])) as c (id)"  # noqa: S608
            f" cross join lateral ("
            f"select d.*, row_number() over ({_ORDER}) as nth from ({one}) d) d"
        )


async def holding(
    asked: Asked, words: Values, since: date | None, limit: int, seconds: float
) -> Rows:
    """The newest that hold each of these words (by the names of their parameters).

    Raises TooSlow if that takes more seconds.
    """
    late = monotonic() + seconds
    found, edge = await asked.walk(words, limit)
    if edge is None or len(found) >= limit:
        return found[:limit]
    newest, oldest = _quarter(edge.dated), _quarter(since or await _oldest(asked))
    found += await _of(asked, words, [newest], edge, limit - len(found))
    if len(found) >= limit:
        return found
    older = await _with_any(asked, words, range(newest - 1, oldest - 1, -1))
    if older:
        # What has not been used of late may have been common once.
        more, edge = await asked.walk(words, limit - len(found), _end(older[0]))
        found += more
        if edge is None:
            return found[:limit]
        older = [quarter for quarter in older if quarter <= _quarter(edge.dated)]
    for some in _steps(older):
        if len(found) >= limit:
            break
        if monotonic() > late:
            raise TooSlow
        found += await _of(asked, words, some, edge, limit - len(found))
    return found[:limit]


async def _oldest(asked: Asked) -> date:
    """The date of the organisation's oldest document, of which there is one."""
    rows = await asked.run(
        "select d.dated from audit_documents d where d.organisation_id = :organisation_id"
        " order by d.dated limit 1"
    )
    oldest: date = rows[0].dated
    return oldest


async def _with_any(asked: Asked, words: Values, quarters: Sequence[int]) -> list[int]:
    """Those of the quarters with a document that may hold the words, the newest first.

    `materialized` has the index be asked, as for all of them; one is enough. The organisation is
    in the grams: by itself it would only be one more thing to gather rows by.
    """
    sql = (
        "select q.n from unnest(cast(:quarters as int[])) as q (n) cross join lateral ("  # noqa: S608
        " with any_ as materialized ("
        f" select d.id from audit_documents d where {may_hold(_GRAMS, 'q.n', words)})"
        " select id from any_ limit 1) d"
    )
    rows = await asked.run(sql, quarters=list(quarters), **words)
    return sorted((row.n for row in rows), reverse=True)


async def _of(
    asked: Asked, words: Values, quarters: Sequence[int], edge: DocumentPlace, limit: int
) -> Rows:
    """The newest of these quarters and older than `edge`.

    `offset 0` keeps all else out of what the index is asked: a plan that goes by something else
    would make out the grams of every row it meets.
    """
    sql = (
        "select d.* from unnest(cast(:quarters as int[])) as q (n) cross join lateral ("  # noqa: S608
        f" select {_COLUMNS} from (select d.* from audit_documents d"
        f" where {may_hold(_GRAMS, 'q.n', words)} and {holds_all('d.words', words)} offset 0) d"
        f" where {asked.all_of(_BELOW)} {_ORDER} limit :limit) d {_ORDER} limit :limit"
    )
    return await asked.run(sql, quarters=list(quarters), limit=limit, **words, **_below(edge))


def newness(place: Any) -> tuple[date, UUID]:
    """UUIDs are ordered as PostgreSQL orders them: by their bytes."""
    return place.dated, place.id


def _quarter(day: date) -> int:
    """As audit_quarter counts them (migration 0015)."""
    day = min(max(day, date(2000, 1, 1)), date(2099, 12, 31))
    return (day.year - 2000) * 4 + (day.month - 1) // 3


def _end(quarter: int) -> DocumentPlace:
    """Behind its last document."""
    year, nth = divmod(quarter + 1, 4)
    return DocumentPlace(date(2000 + year, 3 * nth + 1, 1), UUID(int=0))


def _steps(quarters: Sequence[int]) -> Iterator[Sequence[int]]:
    """One, then two, then four ...: all in a few steps."""
    done, step = 0, 1
    while done < len(quarters):
        yield quarters[done : done + step]
        done, step = done + step, 2 * step
