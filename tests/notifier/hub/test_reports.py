"""Reports: the right days, the figures with their rows, made once, in a picture as well."""

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.db import from_json
from core.documents import Files
from core.schedule import Occurrence
from core.unit import unit
from core.words import Words, same
from notifier.hub import reports
from notifier.hub.report_figures import Days, Task, facts_of, rows_of
from tests.core.house import Office

TOKYO = "Asia/Tokyo"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(TOKYO))


@pytest.mark.parametrize(
    ("today", "since"),
    [
        (date(2026, 11, 26), date(2026, 11, 25)),  # a Thursday
        (date(2026, 11, 30), date(2026, 11, 27)),  # a Monday: the weekend as well
        (date(2026, 11, 24), date(2026, 11, 20)),  # after 勤労感謝の日, a Monday
    ],
)
def test_a_daily_report_is_about_the_days_since_the_working_day_before(
    today: date, since: date
) -> None:
    assert reports.days_of("daily", today, (), TOKYO) == Days(since, today - timedelta(1), TOKYO)


def test_a_weekly_report_is_about_the_week_before() -> None:
    days = reports.days_of("weekly", date(2026, 11, 24), (), TOKYO)
    assert (days.since, days.until) == (date(2026, 11, 16), date(2026, 11, 22))


def test_reports_come_on_working_days_and_weekly_ones_on_the_first_of_the_week() -> None:
    friday = at("2026-11-20 12:00")
    daily = reports.next_after("daily", time(8, 30), friday, (), TOKYO)
    weekly = reports.next_after("weekly", time(8, 30), friday, (), TOKYO)
    closed = reports.next_after("weekly", time(8, 30), friday, ("11-24",), TOKYO)
    assert daily == weekly == at("2026-11-24 08:30"), "the Monday is a holiday"
    assert closed == at("2026-11-25 08:30")
    following = reports.next_after("weekly", time(8, 30), weekly, (), TOKYO)
    assert following == at("2026-11-30 08:30")


def test_days_begin_and_end_by_the_companys_clock_also_over_a_change_of_it() -> None:
    since, until = Days(date(2026, 3, 8), date(2026, 3, 8), "America/New_York").moments()
    assert until - since == timedelta(hours=23)


def task(what: str, reference: int, agent: str = "quote", **more: Any) -> Task:
    ended = None if what == "waiting" else at("2026-11-25 10:00")
    title = Words("見積書", "Quote", "报价单")
    given = {"requester": "佐藤", "waits_for": [], "since": at("2026-11-24 09:00"), **more}
    return Task(what, reference, agent, title, ended=ended, **given)


DAYS = Days(date(2026, 11, 25), date(2026, 11, 25), TOKYO)


def test_the_figures_add_up_with_the_time_as_set_and_their_rows() -> None:
    tasks = [
        task("done", 1), task("done", 2), task("done", 3, "expense"),
        task("waiting", 4, waits_for=["鈴木", "=cmd|' /C calc'!A0"]),
        task("failed", 5, failure=same("broken"), requester="=1+1"),
    ]  # fmt: skip
    facts = facts_of(tasks, DAYS, {"quote": 20})

    assert (facts["done"], facts["waiting"], facts["failed"]) == (3, 1, 1)
    assert facts["minutes_saved"] == 40
    assert [(each["done"], each["minutes"]) for each in facts["agents"]] == [(2, 40), (1, None)]
    assert facts["waits"][0]["who"][0] == "鈴木"
    assert facts_of(tasks, DAYS, {})["minutes_saved"] is None

    written = rows_of(tasks, DAYS, {"quote": 20}, "en")
    assert written.startswith(b"\xef\xbb\xbf"), "Excel reads it as UTF-8"
    rows = list(csv.DictReader(io.StringIO(written.decode("utf-8-sig"))))
    assert [row["What"] for row in rows].count("done") == facts["done"]
    assert sum(int(row["Minutes saved"] or 0) for row in rows) == facts["minutes_saved"]
    assert rows[-1]["Requester"] == "'=1+1", "no spreadsheet takes a name for a formula"


_LAST_WEEK = """
    insert into tasks (id, organisation_id, reference, agent, agent_version, person_id, language,
        state, finished_at)
    select gen_random_uuid(), '{o}', n, 'letter', 1, '{p}', 'ja', 'done',
        date_trunc('week', now() at time zone 'Asia/Tokyo') at time zone 'Asia/Tokyo'
            - interval '1 hour' * (n - 899)
    from generate_series(900, 902) n
"""


@pytest.mark.tampers
async def test_a_report_is_made_once_at_its_time_with_rows_and_picture(office: Office) -> None:
    await office.execute(_LAST_WEEK.format(o=office.organisation.id, p=office.asker.id))
    async with unit(office.house) as work:
        await reports.switch_on(
            work, office.house, office.organisation.id, "weekly", time(9), datetime.now(UTC)
        )
        again = await reports.switch_on(
            work, office.house, office.organisation.id, "weekly", time(8, 30), datetime.now(UTC)
        )
        on = await reports.switched_on(work.connection, office.organisation.id)
    assert on == {"weekly": (time(8, 30), again)}, "one of a kind, at the time that was said last"
    await office.execute(
        "update schedule set due_at = now(), next_at = now()"
        " where kind = 'report' and done_at is null"
    )

    made = await reports.run_reports(office.house, {"letter": 5})
    assert (made, await reports.run_reports(office.house, {"letter": 5})) == (1, 0)

    row = await office.row("select topic, facts, recipients, file, picture from notices", {})
    facts = from_json(row.facts)
    assert (row.topic, facts["done"], facts["minutes_saved"]) == ("report.weekly", 3, 15)
    assert from_json(row.recipients) == [], "whoever the rules say"
    files = Files(office.house, office.organisation.id)
    rows = (await files.get(from_json(row.file)["sha256"])).decode("utf-8-sig")
    assert rows.count("#90") == 3
    assert (await files.get(from_json(row.picture)["sha256"])).startswith(b"\x89PNG")
    async with unit(office.house) as work:
        on = await reports.switched_on(work.connection, office.organisation.id)
        assert on["weekly"][1] > datetime.now(UTC), "the next one"
        assert await reports.switch_off(work, office.organisation.id, "weekly")
        assert not await reports.switch_off(work, office.organisation.id, "weekly")


async def test_days_on_which_nothing_was_have_no_report(office: Office) -> None:
    occurrence = Occurrence(
        f"report:daily:08:30:{office.organisation.id}",
        datetime.now(UTC), datetime.now(UTC), "report", office.organisation.id, None, 0,
    )  # fmt: skip
    async with unit(office.house) as work:
        again = await reports.make(office.house, work, occurrence, {})
    assert again is not None
    row = await office.row("select count(*) as every from notices", {})
    assert row.every == 0
