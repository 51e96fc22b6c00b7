"""The daily and the weekly report: made at their time, once, and told as notices `report.*`.

A report that is switched on is a row of the schedule, whose name has its kind and its time of day.
Who gets it is the rules' business, as with any notice; without any it is the admins, by mail.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from importlib import resources
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import SYSTEM, Actor, Event
from core import schedule
from core.bank_days import is_working_day
from core.db import execute, fetch_all
from core.documents import Files
from core.house import House
from core.messages import Attachment, Picture
from core.notices import Notice, publish
from core.paper import PNG, midnight
from core.schedule import Occurrence
from core.tags import Tag
from core.typeset import preview
from core.unit import Unit
from notifier.hub.readers import setting_of
from notifier.hub.report_figures import (
    DAY,
    ROWS,
    Days,
    Task,
    bars_of,
    facts_of,
    rows_of,
    task_of,
)

Report = Literal["daily", "weekly"]

_KIND = "report"
_SHOWN_DAYS = 7
"""In the picture of a daily one as well: a day alone says little."""
_PPI = 144


async def run_reports(house: House, minutes: Mapping[str, int]) -> int:
    """Make those that are due. `minutes`: what one task of an agent spares somebody."""
    return await schedule.run_due(house, {_KIND: partial(make, minutes=minutes)})


async def make(
    house: House, work: Unit, occurrence: Occurrence, minutes: Mapping[str, int]
) -> datetime | None:
    """Write the report's notice, and say when the next one is due. Days on which nothing was done,
    waited or failed have none."""
    organisation_id = occurrence.organisation_id
    if organisation_id is None:
        return None
    report, at = _read(occurrence.name)
    company = await house.company(organisation_id)
    closing = (await setting_of(work.connection, organisation_id)).closing_days
    zone = company.time_zone
    today = occurrence.now.astimezone(ZoneInfo(zone)).date()
    days = days_of(report, today, closing, zone)
    tasks = await read_tasks(house, work.connection, organisation_id, days)
    facts = facts_of(tasks, days, minutes)
    if facts["done"] or facts["waiting"] or facts["failed"]:
        files = Files(house, organisation_id)
        rows = rows_of(tasks, days, minutes, company.language)
        form = "%G-W%V" if report == "weekly" else "%Y-%m-%d"
        name = f"report-{days.since:{form}}.csv"
        shown = Days(min(days.since, days.until - (_SHOWN_DAYS - 1) * DAY), days.until, zone)
        more = await read_tasks(house, work.connection, organisation_id, shown)
        notice = Notice(
            f"report.{report}",
            (),
            facts,
            file=Attachment(await files.put(rows, "text/csv"), name, "text/csv"),
            picture=await picture_of(files, more, shown),
        )
        await publish(work, organisation_id, notice)
    return next_after(report, at, occurrence.now, closing, zone)


async def read_tasks(
    house: House, connection: AsyncConnection, organisation_id: UUID, days: Days
) -> Sequence[Task]:
    """What was done and failed in those days, and what waits now."""
    since, until = days.moments()
    rows = await fetch_all(
        connection,
        ROWS,  # names organisation_id
        {"organisation_id": organisation_id, "since": since, "until": until},
    )
    return [task_of(house, row) for row in rows]


async def picture_of(files: Files, tasks: Sequence[Task], days: Days) -> Picture:
    """A bar for each day."""
    bars = bars_of(tasks, days)
    template = resources.files("notifier.hub").joinpath("report_bars.typ").read_bytes()
    png = await preview(template, {"bars": bars}, {}, at=midnight(days.until), ppi=_PPI)
    alt = ", ".join(f"{bar['day']}: {bar['done']} (+{bar['failed']})" for bar in bars)
    return Picture(await files.put(png, PNG), alt)


# When, and about which days


def days_of(report: Report, today: date, closing: Collection[str], zone: str) -> Days:
    """What a report of today is about: the days since the working day before, or last week."""
    if report == "weekly":
        monday = today - timedelta(days=today.weekday() + 7)
        return Days(monday, monday + 6 * DAY, zone)
    before = today - DAY
    for _ in range(31):
        if is_working_day(before, closing):
            break
        before -= DAY
    return Days(before, today - DAY, zone)


def next_after(
    report: Report, at: time, now: datetime, closing: Collection[str], zone: str
) -> datetime:
    """The next working day's, or the next week's first working day's, at that time."""

    def fits(day: date) -> bool:
        if not is_working_day(day, closing):
            return False
        monday = day - timedelta(days=day.weekday())
        before = [monday + number * DAY for number in range(day.weekday())]
        return report == "daily" or not any(is_working_day(each, closing) for each in before)

    return schedule.on_days(now, ZoneInfo(zone), at, fits)


# Switching


async def switch_on(
    work: Unit,
    house: House,
    organisation_id: UUID,
    report: Report,
    at: time,
    now: datetime,
    *,
    actor: Actor = SYSTEM,
) -> datetime:
    """Have it sent at that time of day from now on; gives the first."""  # fmt: skip
    await _end(work, organisation_id, report)
    company = await house.company(organisation_id)
    closing = (await setting_of(work.connection, organisation_id)).closing_days
    first = next_after(report, at, now, closing, company.time_zone)
    name = f"{_KIND}:{report}:{at:%H:%M}:{organisation_id}"
    # A row of that moment may be there, switched off.
    await execute(
        work.connection,
        "delete from schedule where organisation_id = :organisation_id and name = :name"
        " and due_at = :due_at",
        {"organisation_id": organisation_id, "name": name, "due_at": first},
    )
    await schedule.at(work, name, first, _KIND, organisation_id=organisation_id)
    _record(work, organisation_id, report, f"{at:%H:%M}", actor)
    return first


async def switch_off(
    work: Unit, organisation_id: UUID, report: Report, *, actor: Actor = SYSTEM
) -> bool:
    """No more of it; whether there were any."""
    if not await _end(work, organisation_id, report):
        return False
    _record(work, organisation_id, report, None, actor)
    return True


async def switched_on(
    connection: AsyncConnection, organisation_id: UUID
) -> Mapping[Report, tuple[time, datetime]]:
    """Those that are sent: at which time of day, and the next."""
    rows = await fetch_all(
        connection,
        "select name, due_at from schedule where organisation_id = :organisation_id"
        " and kind = :kind and done_at is null",
        {"organisation_id": organisation_id, "kind": _KIND},
    )
    found: dict[Report, tuple[time, datetime]] = {}
    for row in rows:
        report, at = _read(row.name)
        found[report] = (at, row.due_at)
    return found


async def _end(work: Unit, organisation_id: UUID, report: Report) -> int:
    return await execute(
        work.connection,
        "update schedule set done_at = now() where organisation_id = :organisation_id"
        " and kind = :kind and name like :name and done_at is null",
        {"organisation_id": organisation_id, "kind": _KIND, "name": f"{_KIND}:{report}:%"},
    )


def _read(name: str) -> tuple[Report, time]:
    _, kind, hour, minute, _ = name.split(":")
    report: Report = "weekly" if kind == "weekly" else "daily"
    return report, time(int(hour), int(minute))


def _record(
    work: Unit, organisation_id: UUID, report: Report, at: str | None, actor: Actor
) -> None:
    data = {"report": report, "at": at}
    work.record(Event(organisation_id, organisation_id, Tag.REPORT_SWITCHED, data, actor))
