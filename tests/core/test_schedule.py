"""The schedule: each occurrence once, whoever finds it, by the database's clock alone."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from audit.event import Event
from core.db import create_engine
from core.house import House
from core.schedule import Occurrence, at, every, on_days, run_due
from core.tags import Tag
from core.unit import Unit, unit
from tests.core.clock import set_clock, shift_clock
from tests.core.house import Office

TOKYO = ZoneInfo("Asia/Tokyo")


@dataclass(slots=True)
class Diary:
    """Handlers that write down what they did."""

    done: list[str] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def once(self, house: House, work: Unit, occurrence: Occurrence) -> None:
        await asyncio.sleep(0.005)  # for the others to look meanwhile
        self.done.append(occurrence.name)

    async def each_minute(self, house: House, work: Unit, occurrence: Occurrence) -> datetime:
        self.done.append(occurrence.name)
        return every(occurrence, timedelta(minutes=1))

    async def fails(self, house: House, work: Unit, occurrence: Occurrence) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.done.append(occurrence.name)

    async def writes(self, house: House, work: Unit, occurrence: Occurrence) -> None:
        assert occurrence.organisation_id is not None
        stream = occurrence.organisation_id
        work.record(Event(stream, stream, Tag.ORGANISATION_ADDED, {"slug": occurrence.name}))
        self.done.append(occurrence.name)
        self.begun.set()
        await asyncio.sleep(len(self.done) == 1 and 60)


async def plan(office: Office, *names: str, due: str = "0 s", kind: str = "once") -> None:
    """Rows due so long from now by the database's clock (before now, with a minus)."""
    for name in names:
        await office.execute(
            "insert into schedule (name, due_at, next_at, kind, organisation_id)"
            f" select '{name}', due, due, '{kind}', '{office.organisation.id}'"
            f" from (select now() + interval '{due}' as due) d"
        )


async def rows(office: Office, name: str) -> list[Any]:
    """The occurrences of a name, the last one first."""
    found = []
    row = await office.row(
        "select jsonb_agg(to_jsonb(s) order by due_at desc) as all from schedule s"
        " where name = :name",
        {"name": name},
    )
    found.extend(row.all or [])
    return found


async def test_three_workers_do_each_occurrence_once(office: Office) -> None:
    diary = Diary()
    await plan(office, *(f"row-{n}" for n in range(40)))
    url = office.house.engine.url.render_as_string()
    houses = [replace(office.house, engine=create_engine(url)) for _ in range(3)]

    tried = await asyncio.gather(*(run_due(house, {"once": diary.once}) for house in houses))

    assert sum(tried) == 40
    assert sum(map(bool, tried)) > 1, "they took turns"
    assert set(Counter(diary.done).values()) == {1}
    assert await run_due(office.house, {"once": diary.once}) == 0
    for house in houses:
        await house.engine.dispose()


async def test_the_same_name_and_moment_is_one_row_whoever_asks(office: Office) -> None:
    diary = Diary()
    moment = datetime(2026, 1, 5, 9, tzinfo=TOKYO)

    async def ask() -> None:
        async with unit(office.house) as work:
            await at(work, "digest:acme", moment, "once")

    await asyncio.gather(*(ask() for _ in range(5)))
    await run_due(office.house, {"once": diary.once})
    await ask()  # long since done
    await run_due(office.house, {"once": diary.once})

    assert diary.done == ["digest:acme"]


async def test_ten_minutes_of_downtime_are_caught_up_once(office: Office) -> None:
    diary = Diary()
    await plan(office, "tick", due="-10 minutes", kind="tick")

    for _ in range(3):
        await run_due(office.house, {"tick": diary.each_minute})

    assert diary.done == ["tick"]
    row = await office.row(
        "select count(*) as n, max(due_at) - now() as wait,"
        " extract(epoch from max(due_at) - min(due_at)) % 60 as off from schedule"
        " where name = 'tick'",
        {},
    )
    assert row.n == 2
    assert timedelta(0) < row.wait <= timedelta(minutes=1)
    assert row.off == 0  # it keeps its beat

    await office.execute("update schedule set next_at = now() where done_at is null")
    await run_due(office.house, {"tick": diary.each_minute})
    assert diary.done == ["tick", "tick"]


async def test_a_crash_in_the_middle_leaves_nothing_and_it_runs_again(office: Office) -> None:
    diary = Diary()
    handlers = {"writes": diary.writes}
    await plan(office, "month-end", kind="writes")

    crashing = asyncio.create_task(run_due(office.house, handlers))
    await diary.begun.wait()
    crashing.cancel()
    await asyncio.gather(crashing, return_exceptions=True)
    written = await office.row(_WRITTEN, {})
    assert written.n == 0

    assert await run_due(office.house, handlers) == 1

    written = await office.row(_WRITTEN, {})
    assert written.n == 1
    assert diary.done == ["month-end", "month-end"]


_WRITTEN = "select count(*) as n from audit_events where body::text like '%month-end%'"


async def test_what_fails_is_put_off_visibly_and_holds_up_no_other(office: Office) -> None:
    diary = Diary(errors=[RuntimeError("the 31st?"), RuntimeError("again")])
    handlers = {"fails": diary.fails, "once": diary.once}
    await plan(office, "bad", due="-1 minute", kind="fails")
    await plan(office, "good")

    assert await run_due(office.house, handlers) == 2

    [bad] = await rows(office, "bad")
    assert diary.done == ["good"]
    assert (bad["attempts"], bad["error"], bad["done_at"]) == (1, "RuntimeError('the 31st?')", None)
    assert await run_due(office.house, handlers) == 0, "it waits"

    waits = []
    for _ in range(2):
        wait = await office.row("select next_at - now() as w from schedule where name = 'bad'", {})
        waits.append(wait.w)
        await office.execute("update schedule set next_at = now() where done_at is null")
        await run_due(office.house, handlers)

    assert waits[1] > waits[0] * 1.5
    [bad] = await rows(office, "bad")
    assert diary.done == ["good", "bad"]
    assert bad["error"] is None
    assert bad["attempts"] == 2


async def test_work_of_a_newer_version_is_left_for_it(office: Office) -> None:
    diary = Diary()
    await plan(office, "new", kind="of-next-year")

    assert await run_due(office.house, {"once": diary.once}) == 0

    [row] = await rows(office, "new")
    assert (row["done_at"], row["attempts"]) == (None, 0)


async def test_a_next_time_that_is_over_is_a_fault_and_not_the_end_of_it(office: Office) -> None:
    async def yesterday(house: House, work: Unit, occurrence: Occurrence) -> datetime:
        return occurrence.due_at

    await plan(office, "stuck", kind="yesterday")
    await run_due(office.house, {"yesterday": yesterday})

    [row] = await rows(office, "stuck")
    assert row["done_at"] is None
    assert "which is over" in row["error"]


@pytest.mark.parametrize("shift", ["-90 seconds", "90 seconds", "400 days"])
async def test_only_the_clock_of_the_database_counts(office: Office, shift: str) -> None:
    """However far the worker's own clock is off, to either side."""
    diary = Diary()
    await shift_clock(office, shift)
    await plan(office, "just-due", due="-1 second", kind="tick")
    await plan(office, "not-yet", due="60 seconds", kind="tick")
    async with unit(office.house) as work:
        await at(work, "in-an-hour", timedelta(hours=1), "tick")

    assert await run_due(office.house, {"tick": diary.each_minute}) == 1

    assert diary.done == ["just-due"]
    row = await office.row(
        "select (select max(due_at) - now() from schedule where name = 'just-due') as again,"
        " (select due_at - now() from schedule where name = 'in-an-hour') as hour",
        {},
    )
    assert timedelta(0) < row.again <= timedelta(minutes=1)
    assert timedelta(minutes=59) < row.hour <= timedelta(hours=1)


def is_month_end(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


async def close_books(house: House, work: Unit, occurrence: Occurrence) -> datetime:
    return on_days(occurrence.now, TOKYO, time(18), is_month_end)


async def test_month_ends_in_tokyo_follow_one_another(office: Office) -> None:
    moment = datetime(2028, 1, 31, 18, tzinfo=TOKYO)
    await set_clock(office, moment)
    async with unit(office.house) as work:
        await at(work, "books", moment, "close")
    found = []
    for _ in range(4):
        await run_due(office.house, {"close": close_books})
        row = await office.row("select max(due_at) as due from schedule", {})
        found.append(row.due.astimezone(TOKYO).strftime("%m-%d %H:%M"))
        await set_clock(office, row.due)

    assert found == ["02-29 18:00", "03-31 18:00", "04-30 18:00", "05-31 18:00"]


@pytest.mark.parametrize(
    ("after", "wanted"),
    [
        ("2026-01-31T08:59:59+00:00", "2026-01-31 18:00"),  # it is 17:59:59 in Tokyo
        ("2026-01-31T09:00:00+00:00", "2026-02-28 18:00"),
        ("2026-01-31T15:30:00+00:00", "2026-02-28 18:00"),  # February in Tokyo already
        ("2026-12-31T23:00:00+09:00", "2027-01-31 18:00"),
    ],
)
def test_the_end_of_the_month_is_that_of_the_zone(after: str, wanted: str) -> None:
    found = on_days(datetime.fromisoformat(after), TOKYO, time(18), is_month_end)

    assert found.astimezone(TOKYO).strftime("%Y-%m-%d %H:%M") == wanted


def test_a_day_that_never_comes_is_refused() -> None:
    with pytest.raises(ValueError, match="no day"):
        on_days(datetime(2026, 1, 1, tzinfo=UTC), TOKYO, time(9), lambda day: day.day == 32)
