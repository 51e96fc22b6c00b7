"""Searching a million documents by date, amount and counterparty, beside a lookup by key.

`MIYABI_BENCH_DOCUMENTS=10000000` makes it ten million. The rows go in by COPY; the indexes are made
afterwards, which is ten times as quick.
"""

import os
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from audit import search
from audit.criteria import Criteria, TooSlow
from bench.figures import Figures, Goal, Spread, spread, tell
from bench.ground import Ground, ground
from core.db import create_engine

FIRST, DAYS = date(2019, 4, 1), 7 * 365
NAMES = 20_000
"""Counterparties. A few buy most: the first one 7 %, half of all is that of the first 140."""

_BATCH = 50_000
_ITEMS = (
    "モニター",
    "キーボード",
    "お茶",
    "会議室利用料",
    "保守契約",
    "ノートPC",
    "複合機",
    "椅子",
)


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """Fill the index of one organisation beside a smaller one's, then search."""
    documents = int(os.environ.get("MIYABI_BENCH_DOCUMENTS") or (20_000 if quick else 1_000_000))
    rounds = 30 if quick else 300
    async with ground() as place:
        organisation_id, filling = await _fill(place, documents)
        engine = create_engine(place.services.database_url)
        asked = _Asked(engine, organisation_id, random.Random(5))
        measured = {name: await asked.rounds(make, rounds) for name, make in SEARCHES.items()}
        bare = await asked.by_key(rounds)
        scans = await asked.scans()
        size = await _size(engine)
        await engine.dispose()
    main = measured[MAIN]
    more: dict[str, object] = {
        "documents": documents,
        "filled, s": round(filling, 1),
        **{name: each.as_json() for name, each in measured.items() if name != MAIN},
        **size,
    }
    yield Figures(
        "search",
        main,
        bare,
        (
            Goal("p99, ms", main.p99, 100),
            Goal("largest p99 of the others, ms", max(s.p99 for s in measured.values()), 100),
            Goal("sequential scans of documents", len(scans), 1),
        ),
        more,
    )


async def _fill(place: Ground, documents: int) -> tuple[UUID, float]:
    """Nine of ten are one organisation's."""
    began = perf_counter()
    big, small = uuid4(), uuid4()
    url = place.services.owner_url.replace("+asyncpg", "")
    driver = await asyncpg.connect(url)
    rng = random.Random(7)
    try:
        indexes = {
            row["name"]: row["definition"]
            for row in await driver.fetch(
                "select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid)"
                " as definition from pg_index where indrelid = any ($1::text[]::regclass[])"
                " and not indisunique",
                ["audit_documents", "audit_counterparties"],
            )
        }
        for name in indexes:
            await driver.execute(f"drop index {name}")
        for organisation_id, share in ((big, 0.9), (small, 0.1)):
            ids = await _names(driver, organisation_id)
            await _copy(driver, organisation_id, ids, int(documents * share), rng)
        await driver.execute("set maintenance_work_mem = '256MB'")
        for definition in indexes.values():
            await driver.execute(definition)
        await driver.execute("vacuum analyze audit_documents")
        await driver.execute("vacuum analyze audit_counterparties")
    finally:
        await driver.close()
    return big, perf_counter() - began


async def _names(driver: Any, organisation_id: UUID) -> Sequence[tuple[UUID, str]]:
    named = [(uuid4(), f"株式会社{_syllables(n)}商事{n}") for n in range(NAMES)]
    await driver.copy_records_to_table(
        "audit_counterparties",
        columns=("id", "organisation_id", "name"),
        records=[(id_, organisation_id, name) for id_, name in named],
    )
    return named


def _syllables(number: int) -> str:
    rng = random.Random(number)
    return "".join(
        rng.choice("アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホ") for _ in range(4)
    )


async def _copy(
    driver: Any,
    organisation_id: UUID,
    named: Sequence[tuple[UUID, str]],
    documents: int,
    rng: random.Random,
) -> None:
    columns = (
        "id", "organisation_id", "dated", "amount", "counterparty_id", "counterparty", "kind",
        "number", "stream", "reference", "person_id", "words", "retain_until",
    )  # fmt: skip
    people = [uuid4() for _ in range(200)]
    for start in range(0, documents, _BATCH):
        rows = []
        for n in range(start, min(start + _BATCH, documents)):
            dated = FIRST + timedelta(days=n * DAYS // documents)
            id_, name = named[_one_of(rng)]
            number = f"Q-{dated.year}-{n:08}"
            words = "\n".join((number.lower(), name, rng.choice(_ITEMS), f"型番{n:07}"))
            rows.append(
                (
                    UUID(int=rng.getrandbits(128)), organisation_id, dated,
                    int(rng.lognormvariate(11, 1.5)), id_, name, rng.choice(("quote", "invoice")),
                    number, UUID(int=rng.getrandbits(128)), f"#{n}", rng.choice(people), words,
                    dated + timedelta(days=8 * 365),
                )
            )  # fmt: skip
        await driver.copy_records_to_table("audit_documents", columns=columns, records=rows)
        if start % 500_000 == 0:
            tell(f"  {start:,} of {documents:,} documents")


def _one_of(rng: random.Random) -> int:
    return int(NAMES ** rng.random()) - 1


class _Asked:
    """Somebody who searches, each time for something else."""

    def __init__(self, engine: AsyncEngine, organisation_id: UUID, rng: random.Random) -> None:
        self.engine = engine
        self.organisation_id = organisation_id
        self.rng = rng
        self.said: dict[str, Any] = {}

    async def rounds(self, make: Callable[[random.Random], Criteria], rounds: int) -> Spread:
        """Milliseconds from the question to the page, with its transaction."""
        event.listen(self.engine.sync_engine, "before_cursor_execute", self._note)
        taken, found, given_up = [], 0, 0
        for _ in range(rounds):
            criteria = make(self.rng)
            began = perf_counter()
            try:
                async with self.engine.begin() as connection:
                    await search.prepare(connection)
                    page = await search.documents(connection, self.organisation_id, criteria)
                found += len(page.rows)
            except TooSlow:
                given_up += 1
            taken.append((perf_counter() - began) * 1000)
        event.remove(self.engine.sync_engine, "before_cursor_execute", self._note)
        what = f"{make.__doc__} {found / rounds:.0f} rows a page"
        return spread(f"{what}; {given_up} given up" if given_up else what, taken)

    async def by_key(self, rounds: int) -> Spread:
        """One row by its primary key, likewise."""
        async with self.engine.connect() as connection:
            ids = await connection.execute(
                text(
                    "select id from audit_documents where organisation_id = :organisation_id"
                    " limit :rounds"
                ),
                {"organisation_id": self.organisation_id, "rounds": rounds},
            )
            keys = [row.id for row in ids]
        taken = []
        for key in keys:
            began = perf_counter()
            async with self.engine.begin() as connection:
                await search.prepare(connection)
                # across organisations: its key is
                await connection.execute(
                    text("select * from audit_documents where id = :id"), {"id": key}
                )
            taken.append((perf_counter() - began) * 1000)
        return spread("one document by its primary key", taken)

    def _note(self, _c: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        if "audit_documents" in sql:
            self.said[sql] = parameters

    async def scans(self) -> Sequence[str]:
        """The statements whose plan reads the table from end to end."""
        found = []
        async with self.engine.begin() as connection:
            await search.prepare(connection)
            for sql, parameters in self.said.items():
                plan = await _plan(connection, sql, parameters)
                if "Seq Scan on audit_documents" in plan:
                    found.append(sql)
                    tell(f"{sql}\n{plan}")
        return found


async def _plan(connection: AsyncConnection, sql: str, parameters: Any) -> str:
    rows = await connection.exec_driver_sql(f"explain {sql}", parameters)
    return "\n".join(rows.scalars())


async def _size(engine: AsyncEngine) -> Mapping[str, object]:
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                text(
                    "select pg_table_size('audit_documents') as rows,"
                    " pg_relation_size('audit_documents_words') as words,"
                    " pg_indexes_size('audit_documents') as indexes"
                )
            )
        ).one()
    return {f"{name}, MB": round(value / 1e6) for name, value in row._asdict().items()}


def _days(rng: random.Random) -> tuple[date, date]:
    """From a day to seven years."""
    length = int(2 ** rng.uniform(0, 11.3))
    first = FIRST + timedelta(days=rng.randrange(max(1, DAYS - length)))
    return first, first + timedelta(days=length)


def _yen(rng: random.Random) -> tuple[int, int]:
    """A tenth more to a hundred times as much."""
    least = int(rng.lognormvariate(11, 1.5))
    return least, int(least * 10 ** rng.uniform(0.04, 2))


def _name(rng: random.Random) -> str:
    """Mostly a whole name; at times only two syllables, which a dozen or a hundred names hold."""
    return _syllables(_one_of(rng))[: 2 if rng.random() < 0.2 else 4]


def all_three(rng: random.Random) -> Criteria:
    """date, amount and counterparty;"""
    (since, until), (least, most) = _days(rng), _yen(rng)
    return Criteria(since, until, least, most, _name(rng))


def dates_and_amounts(rng: random.Random) -> Criteria:
    """date and amount;"""
    (since, until), (least, most) = _days(rng), _yen(rng)
    return Criteria(since, until, least, most)


def only_amounts(rng: random.Random) -> Criteria:
    """amount;"""
    least, most = _yen(rng)
    return Criteria(least=least, most=most)


def only_names(rng: random.Random) -> Criteria:
    """counterparty;"""
    return Criteria(counterparty=_name(rng))


def everybodys_name(rng: random.Random) -> Criteria:
    """date, amount, and a word that all names hold;"""
    (since, until), (least, most) = _days(rng), _yen(rng)
    return Criteria(since, until, least, most, "株式会社")


def rare_words(rng: random.Random) -> Criteria:
    """words that one document holds;"""
    return Criteria(text=f"型番{rng.randrange(10_000):07}")


def common_words(rng: random.Random) -> Criteria:
    """a word that an eighth hold, of some days;"""
    since, until = _days(rng)
    return Criteria(since, until, text=rng.choice(_ITEMS))


def words_of_a_name(rng: random.Random) -> Criteria:
    """a word that an eighth hold, and counterparty;"""
    return Criteria(counterparty=_name(rng), text=rng.choice(_ITEMS))


def never_together(rng: random.Random) -> Criteria:
    """two words that an eighth hold each and none both, of some days;"""
    since, until = _days(rng)
    return Criteria(since, until, text=" ".join(rng.sample(_ITEMS, 2)))


MAIN = "date + amount + counterparty, ms"
SEARCHES: Mapping[str, Callable[[random.Random], Criteria]] = {
    MAIN: all_three,
    "date + amount, ms": dates_and_amounts,
    "amount, ms": only_amounts,
    "counterparty, ms": only_names,
    "a word of all names, ms": everybodys_name,
    "rare words, ms": rare_words,
    "common words, ms": common_words,
    "words + counterparty, ms": words_of_a_name,
    "words never together, ms": never_together,
}
