"""Documents are found by date, amount and counterparty in any combination, and by more."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from audit.criteria import Criteria, DocumentPlace, EventPlace, NoCursor, TooShort
from audit.event import Actor, Event
from audit.log import append
from audit.search import FEW, EventCriteria, events, prepare
from core.db import create_engine
from tests.audit.happening import Happening
from tests.audit.shelf import Shelf, entry


@pytest.fixture
async def shelf(database_url: str) -> AsyncIterator[Shelf]:
    """An organisation's index, empty."""
    engine = create_engine(database_url)
    yield Shelf(engine, uuid4())
    await engine.dispose()


# What the law asks for


async def test_date_amount_and_counterparty_in_every_combination(shelf: Shelf) -> None:
    days = (date(2026, 3, 31), date(2026, 4, 1), date(2027, 3, 31))
    amounts, names = (999, 1000, 250_000), ("株式会社ABC商事", "山川製作所", "Ｘ（株）")
    all_ = [
        entry(shelf.organisation_id, f"{d}/{a}/{n}", dated=d, amount=a, counterparty=n)
        for d in days
        for a in amounts
        for n in names
    ]
    await shelf.put(all_)
    sought: dict[str, Any] = {
        "since": date(2026, 4, 1),
        "until": date(2027, 3, 30),
        "least": 1000,
        "most": 249_999,
        "counterparty": "abc",
    }
    fits = {
        "since": lambda e: e.dated >= sought["since"],
        "until": lambda e: e.dated <= sought["until"],
        "least": lambda e: e.amount >= sought["least"],
        "most": lambda e: e.amount <= sought["most"],
        "counterparty": lambda e: "ABC" in e.counterparty,
    }

    for size in range(len(sought) + 1):
        for chosen in combinations(sought, size):
            expected = {e.number for e in all_ if all(fits[name](e) for name in chosen)}
            assert await shelf.numbers(**{name: sought[name] for name in chosen}) == expected


async def test_both_ends_of_a_range_belong_to_it(shelf: Shelf) -> None:
    await shelf.add("one", dated=date(2026, 1, 1), amount=5)

    day = date(2026, 1, 1)
    assert await shelf.numbers(since=day, until=day, least=5, most=5) == {"one"}


async def test_a_document_about_no_money_is_found_by_no_amount(shelf: Shelf) -> None:
    await shelf.add("letter", amount=None)

    assert await shelf.numbers() == {"letter"}
    assert await shelf.numbers(least=-(10**15)) == set()


# What people look for besides


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("株式会社ABC商事", "ＡＢＣ商事"),
        ("㈱ﾊﾞﾅﾅ ﾃﾞｰﾀ", "バナナデータ"),
        ("株式会社 みやび 商事", "みやび商事"),
        ("Müller & Söhne GmbH", "MÜLLER &"),
        ("海星贸易", "贸易"),
        ("100%_off\\", "0%_off\\"),
    ],
)
async def test_width_case_and_spaces_make_no_difference(
    shelf: Shelf, written: str, typed: str
) -> None:
    await shelf.add("it", counterparty=written)
    await shelf.add("other", counterparty="別の会社")

    assert await shelf.numbers(counterparty=typed) == {"it"}
    assert await shelf.numbers(text=typed) == {"it"}


async def test_free_text_finds_all_of_its_words_anywhere_in_the_document(shelf: Shelf) -> None:
    await shelf.add("monitor", words=["モニター 27型", "納期は相談"], counterparty="山川製作所")
    await shelf.add("tea", words=["お茶"], counterparty="山川製作所")

    assert await shelf.numbers(text="もにたー") == set()
    assert await shelf.numbers(text="ﾓﾆﾀｰ 山川") == {"monitor"}
    assert await shelf.numbers(text="山川") == {"monitor", "tea"}
    assert await shelf.numbers(text="山川 茶") == {"tea"}
    assert await shelf.numbers(text="27型納期") == set(), "the end of one thing, and the next"
    assert await shelf.numbers(text="型7") == set(), "its pairs are there, but not it"


async def test_person_stream_number_and_kind(shelf: Shelf) -> None:
    person, stream = uuid4(), uuid4()
    await shelf.add("Q-2026-0001", person_id=person)
    await shelf.add("Q-2026-0002", stream=stream, kind="letter")

    assert await shelf.numbers(person_id=person) == {"Q-2026-0001"}
    assert await shelf.numbers(stream=stream) == {"Q-2026-0002"}
    assert await shelf.numbers(kind="letter") == {"Q-2026-0002"}
    assert await shelf.numbers(number=" ｑ-2026-0001") == {"Q-2026-0001"}
    assert await shelf.numbers(number="Q-2026") == set()


@pytest.mark.parametrize("short", ["東", " 東 ", "　ａ"])
async def test_one_character_is_too_little(shelf: Shelf, short: str) -> None:
    with pytest.raises(TooShort):
        await shelf.page(Criteria(counterparty=short))
    with pytest.raises(TooShort):
        await shelf.page(Criteria(text=f"{short} b"))


async def test_a_text_that_many_names_hold_finds_them_all(shelf: Shelf) -> None:
    many = {f"n{n}" for n in range(FEW + 20)}
    await shelf.put(
        entry(shelf.organisation_id, n, counterparty=f"株式会社{n}") for n in sorted(many)
    )
    await shelf.add("other", counterparty="山川製作所")

    assert await shelf.numbers(counterparty="株式会社") == many


async def test_one_counterparty_however_it_is_written(shelf: Shelf) -> None:
    for number, name in enumerate(("ＡＢＣ商事", "ABC 商事", "abc商事")):
        await shelf.add(str(number), counterparty=name)

    async with shelf.engine.connect() as connection:
        names = await connection.execute(text("select name from audit_counterparties"))
        assert names.scalars().all() == ["ＡＢＣ商事"]
    page = await shelf.page(Criteria(counterparty="ABC商事"))
    assert [row.counterparty for row in page.rows] == ["abc商事", "ABC 商事", "ＡＢＣ商事"]


async def test_writers_who_bring_the_same_new_name_do_not_disturb_each_other(shelf: Shelf) -> None:
    await asyncio.gather(*(shelf.add(str(n), counterparty="新会社") for n in range(12)))

    assert len(await shelf.numbers(counterparty="新会社")) == 12


async def test_nobody_finds_another_organisations_documents(shelf: Shelf) -> None:
    rival = Shelf(shelf.engine, uuid4())
    await shelf.add("ours", words=["秘密"])
    await rival.add("theirs", words=["秘密"])

    for criteria in ({}, {"counterparty": "ABC"}, {"text": "秘密"}, {"number": "ours"}):
        assert await rival.numbers(**criteria) <= {"theirs"}
    assert await rival.numbers(counterparty="ABC") == {"theirs"}


# Pages

DAYS = st.integers(0, 4).map(lambda days: date(2026, 11, 25) - timedelta(days=days))
ROWS = st.lists(st.tuples(DAYS, st.integers(0, 3), st.sampled_from(["ABC商事", "ABC製作所"])))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.lists(ROWS.filter(lambda rows: len(rows) < 4)), st.integers(1, 7), st.booleans())
def test_all_pages_together_are_one_search_while_others_write(
    database_url: str,
    there: list[tuple[date, int, str]],
    coming: list[list[tuple[date, int, str]]],
    limit: int,
    named: bool,
) -> None:
    criteria = Criteria(least=1, counterparty="ABC" if named else "")

    async def walk() -> tuple[list[UUID], list[UUID]]:
        engine = create_engine(database_url)
        shelf = Shelf(engine, uuid4())

        async def write(rows: list[tuple[date, int, str]]) -> None:
            await shelf.put(
                entry(shelf.organisation_id, "n", dated=day, amount=amount, counterparty=name)
                for day, amount, name in rows
            )

        await write(there)
        whole = [row.id for row in (await shelf.page(criteria, limit=1000)).rows]
        paged, waiting = [], list(coming)
        page = await shelf.page(criteria, limit=limit)
        while True:
            assert len(page.rows) <= limit
            paged += [row.id for row in page.rows]
            if page.after is None:
                break
            if waiting:
                await write(waiting.pop())
            after = DocumentPlace.read(page.after.written())
            page = await shelf.page(criteria, after=after, limit=limit)
        await engine.dispose()
        return whole, paged

    whole, paged = asyncio.run(walk())

    assert len(set(paged)) == len(paged)
    assert [each for each in paged if each in set(whole)] == whole
    if not coming:
        assert paged == whole


@pytest.mark.parametrize("word", ["", "x", "!", "ÿ", "MjAyNi0xMS0yNQ", "MjAyNi0xMS0yNSB4"])
def test_what_never_was_the_end_of_a_page_is_no_place(word: str) -> None:
    for place in (DocumentPlace, EventPlace):
        with pytest.raises(NoCursor):
            place.read(word)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_a_place(word: str) -> None:
    for place in (DocumentPlace, EventPlace):
        with contextlib.suppress(NoCursor):
            place.read(word)


# Events


async def test_events_by_tag_person_time_and_the_document_they_are_about(shelf: Shelf) -> None:
    of, person, stream = shelf.organisation_id, uuid4(), uuid4()
    await shelf.add("Q-1", stream=stream, amount=777, counterparty="山川製作所")
    said = [
        Event(of, stream, Happening.HAPPENED, {"n": 0}, Actor(person)),
        Event(of, stream, Happening.DONE, {}),
        Event(of, uuid4(), Happening.DONE, {}),
        Event(uuid4(), uuid4(), Happening.DONE, {}, Actor(person)),
    ]
    async with shelf.engine.begin() as connection:
        await append(connection, said)
    today = datetime.now(UTC).date()

    async def found(*tags: str, zone: str = "UTC", **criteria: Any) -> list[int]:
        sought = EventCriteria(Criteria(**criteria), tags, zone)
        async with shelf.engine.begin() as connection:
            await prepare(connection)
            page = await events(connection, of, sought, limit=10)
        return sorted([each.id for each in said].index(row.id) for row in page.rows)

    assert await found() == [0, 1, 2]
    assert await found(Happening.DONE) == [1, 2]
    assert await found(Happening.DONE, Happening.HAPPENED) == [0, 1, 2]
    assert await found(person_id=person) == [0]
    assert await found(stream=stream) == [0, 1]
    assert await found(Happening.DONE, least=700, counterparty="山川") == [1]
    assert await found(number="Q-1") == [0, 1]
    assert await found(number="Q-2") == []
    assert await found(since=today, until=today) == [0, 1, 2]
    assert await found(since=today + timedelta(days=1)) == []
    assert await found(until=today - timedelta(days=1)) == []


# The table


async def test_what_a_document_is_searched_by_can_be_changed_by_nobody(
    shelf: Shelf, database_url: str
) -> None:
    await shelf.add("Q-1")
    refused = [
        "update audit_documents set amount = 1",
        "update audit_documents set dated = current_date",
        "delete from audit_documents",
        "truncate audit_documents",
        "update audit_counterparties set name = 'x'",
        "delete from audit_counterparties",
    ]
    for statement in refused:
        with pytest.raises(DBAPIError, match=r"permission denied|refused"):
            async with shelf.engine.begin() as connection:
                await connection.execute(text(statement))
    owner = create_async_engine(database_url)
    for statement in refused[2:]:
        with pytest.raises(DBAPIError, match=r"append-only|cannot truncate"):
            async with owner.begin() as connection:
                await connection.execute(text(statement))
    await owner.dispose()


SEARCHES = [
    Criteria(),
    Criteria(since=date(2026, 1, 1), until=date(2026, 1, 31)),
    Criteria(least=5_000, most=5_010),
    Criteria(counterparty="会社 17号"),
    Criteria(
        since=date(2025, 1, 1), until=date(2026, 12, 31), least=100, most=90_000,
        counterparty="会社17号",
    ),
    Criteria(person_id=UUID(int=17)),
    Criteria(stream=UUID(int=17)),
    Criteria(number="N-17"),
    Criteria(kind="rare"),
    Criteria(text="品目4711"),
]  # fmt: skip


@pytest.mark.fresh
async def test_no_search_reads_the_table_from_end_to_end(shelf: Shelf, database_url: str) -> None:
    await _fill(database_url, shelf.organisation_id)
    seen: list[tuple[str, Any]] = []
    plans: dict[str, str] = {}

    def note(_c: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        if "audit_documents" in sql and not sql.startswith("explain"):
            seen.append((sql, parameters))

    event.listen(shelf.engine.sync_engine, "before_cursor_execute", note)
    for criteria in SEARCHES:
        assert (await shelf.page(criteria)).rows, criteria
    event.remove(shelf.engine.sync_engine, "before_cursor_execute", note)
    async with shelf.engine.begin() as connection:
        await prepare(connection)
        for sql, parameters in seen:
            plan = await connection.exec_driver_sql(f"explain {sql}", parameters)
            plans[sql] = "\n".join(plan.scalars())

    assert len(seen) >= len(SEARCHES)
    for sql, plan in plans.items():
        assert not re.search(r"Seq Scan on audit_documents", plan), f"{sql}\n{plan}"


async def _fill(database_url: str, organisation_id: UUID) -> None:
    """20,000 documents of 500 counterparties, in the order of their dates as documents come."""
    owner = create_async_engine(database_url)
    async with owner.begin() as connection:
        await connection.execute(
            text("""
                insert into audit_counterparties (id, organisation_id, name)
                select lpad(to_hex(n), 32, '0')::uuid, :organisation_id, '株式会社' || n || '号'
                from generate_series(0, 499) n
            """),
            {"organisation_id": organisation_id},
        )
        await connection.execute(
            text("""
                insert into audit_documents (id, organisation_id, dated, amount, counterparty_id,
                    counterparty, kind, number, stream, reference, person_id, words, retain_until)
                select gen_random_uuid(), :organisation_id, date '2024-01-01' + n * 1095 / 20000,
                    n * 7919 % 100000, lpad(to_hex(n % 500), 32, '0')::uuid, '',
                    case when n % 5000 = 0 then 'rare' else 'quote' end, 'N-' || n,
                    lpad(to_hex(n), 32, '0')::uuid, '#' || n, lpad(to_hex(n % 50), 32, '0')::uuid,
                    'n-' || n || E'\\n品目' || n, date '2034-01-01'
                from generate_series(1, 20000) n
            """),
            {"organisation_id": organisation_id},
        )
    async with owner.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("vacuum analyze audit_documents"))
        await connection.execute(text("vacuum analyze audit_counterparties"))
    await owner.dispose()
