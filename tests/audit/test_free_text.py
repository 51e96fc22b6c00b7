"""Words are found in documents, all of them and nothing else, however common they are."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import create_async_engine

from audit import free_text, search
from audit.criteria import Criteria, TooSlow
from core.db import create_engine
from tests.audit.shelf import Shelf, entry

DAYS = (date(1985, 5, 5), date(2024, 3, 31), date(2024, 4, 1), date(2026, 11, 25), date(2150, 1, 1))
PARTS = ("a", "b", "1", "12", "-", "あ", "ー", "山川", "0047")
LINE = st.lists(st.sampled_from(PARTS), min_size=1, max_size=6).map("".join)
DOCUMENTS = st.lists(
    st.tuples(
        st.sampled_from(DAYS), st.lists(LINE, max_size=3), st.sampled_from(["甲商事", "乙商会"])
    ),
    min_size=4,
    max_size=25,
)
ASKED = st.tuples(
    st.lists(LINE, min_size=1, max_size=2).filter(lambda typed: len(max(typed, key=len)) > 1),
    st.sampled_from([None, DAYS[2]]),
    st.sampled_from([None, DAYS[3]]),
    st.sampled_from(["", "甲商", "商事", "商会", "乙"]).filter(lambda name: len(name) != 1),
)


@pytest.fixture
async def shelf(database_url: str) -> AsyncIterator[Shelf]:
    """An organisation's index, empty."""
    engine = create_engine(database_url)
    yield Shelf(engine, uuid4())
    await engine.dispose()


@dataclass(frozen=True, slots=True)
class Found:
    """What pages of a search gave, and what was to be found."""

    pages: Sequence[UUID]
    expected: Sequence[UUID]


async def compare(database_url: str, documents: Any, asked: Any, limit: int) -> Found:
    """All pages, and the same by comparing each document. Each is there for a rival, too."""
    engine = create_engine(database_url)
    shelf, rival = Shelf(engine, uuid4()), Shelf(engine, uuid4())
    made = [
        entry(of.organisation_id, "n", dated=day, counterparty=name, words=lines)
        for of in (shelf, rival)
        for day, lines, name in documents
    ]
    await shelf.put(made)
    typed, since, until, name = asked
    criteria = Criteria(since, until, counterparty=name, text=" ".join(typed))
    paged: list[UUID] = []
    page = await shelf.page(criteria, limit=limit)
    paged += [row.id for row in page.rows]
    while page.after is not None:
        page = await shelf.page(criteria, after=page.after, limit=limit)
        paged += [row.id for row in page.rows]
    await engine.dispose()
    fitting = [
        each
        for each in made
        if each.organisation_id == shelf.organisation_id
        and (since is None or each.dated >= since)
        and (until is None or each.dated <= until)
        and name in each.counterparty
        and all(any(w in line for line in ("n", each.counterparty, *each.words)) for w in typed)
    ]
    fitting.sort(key=lambda each: (each.dated, each.id), reverse=True)
    return Found(paged, [each.id for each in fitting])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DOCUMENTS, ASKED, st.integers(1, 3), st.sampled_from([1, 3]))
def test_what_is_found_is_what_comparing_every_document_finds(
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    documents: Any,
    asked: Any,
    limit: int,
    walked: int,
) -> None:
    """With few documents walked, so that the index is asked for most."""
    monkeypatch.setattr(free_text, "WALKED", walked)

    found = asyncio.run(compare(database_url, documents, asked, limit))

    assert found.pages == found.expected


async def test_quarters_are_counted_as_the_index_counts_them(shelf: Shelf) -> None:
    days = [*DAYS, date(1, 1, 1), date(1999, 12, 31), date(2000, 1, 1), date(2099, 12, 31)]
    async with shelf.engine.connect() as connection:
        for day in days:
            counted = await connection.scalar(text("select audit_quarter(:day)"), {"day": day})
            assert counted == free_text._quarter(day)


@pytest.mark.parametrize("quarter", [0, 3, 104, 398])
def test_a_quarter_ends_where_the_next_begins(quarter: int) -> None:
    end = free_text._end(quarter)

    assert free_text._quarter(end.dated) == quarter + 1
    assert free_text._quarter(end.dated - timedelta(days=1)) == quarter


@pytest.mark.parametrize("count", [0, 1, 2, 28, 400])
def test_every_quarter_is_asked_for_once_in_a_few_steps(count: int) -> None:
    quarters = list(range(count, 0, -1))

    steps = list(free_text._steps(quarters))

    assert [quarter for step in steps for quarter in step] == quarters
    assert len(steps) <= 9


async def test_a_common_word_is_found_without_the_index_and_a_rare_one_by_it(shelf: Shelf) -> None:
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, sql: str, *_: Any) -> None:
        asked.append(sql)

    rare = {3, 70}
    await shelf.put(
        entry(shelf.organisation_id, str(n), dated=date(2019 + n // 12, n % 12 + 1, 1), words=[
            "共通", "型番 0004711" if n in rare else "型番 0074110"
        ])
        for n in range(90)
    )  # fmt: skip
    event.listen(shelf.engine.sync_engine, "before_cursor_execute", note)

    common = await shelf.page(Criteria(text="共通 型番"), limit=2)
    by_walking, asked[:] = list(asked), []
    few = await shelf.page(Criteria(text="番0004711"), limit=2)

    event.remove(shelf.engine.sync_engine, "before_cursor_execute", note)
    assert [row.number for row in common.rows] == ["89", "88"]
    assert not any("audit_sought" in sql for sql in by_walking)
    assert [row.number for row in few.rows] == ["70", "3"]
    assert few.after is None
    assert any("audit_sought" in sql for sql in asked)


async def test_a_search_that_takes_too_long_is_given_up(
    shelf: Shelf, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shelf.add("one", words=["言葉"])
    monkeypatch.setattr(search, "SLOWEST", 0.1)
    owner = create_async_engine(database_url)
    async with owner.begin() as connection:  # nobody reads on until it is over
        await connection.execute(text("lock table audit_documents in access exclusive mode"))
        for criteria in (Criteria(), Criteria(text="言葉"), Criteria(counterparty="ABC")):
            with pytest.raises(TooSlow):
                await shelf.page(criteria)
    await owner.dispose()

    assert await shelf.numbers(text="言葉") == {"one"}
