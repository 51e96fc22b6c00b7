"""Work for a moment: rows `(name, due_at)` that whoever finds them due does, each once.

A row is claimed, worked on and marked as done in one transaction: a crash in the middle means
again, and done means once. Every time is the database's; the clock of a process decides nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from core.db import execute, fetch_one
from core.house import House
from core.unit import Unit, unit

log = structlog.get_logger()

MOST_AT_ONCE = 100
"""How many rows one call of `run_due` does; the next call goes on."""
SECONDS_FOR_ONE = 20
"""Longer than this no row may take: a handler works in the database only."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A row that is due, claimed. `now` is the database's clock; `failures` went before."""

    name: str
    due_at: datetime
    now: datetime
    kind: str
    organisation_id: UUID | None
    subject_id: UUID | None
    failures: int


Handler = Callable[[House, Unit, Occurrence], Awaitable[datetime | None]]
"""Does the work in the unit it is given, and says when it is to be done again (None: never).

It works in the database only; what concerns the outside it writes as news or as a task. To be done
again is a moment after `now`, so that runs that were missed are made up by the one under way.
"""


async def at(
    work: Unit,
    name: str,
    when: datetime | timedelta,
    kind: str,
    *,
    organisation_id: UUID | None = None,
    subject_id: UUID | None = None,
) -> None:
    """Have something done at a moment, or so long after now, if this change is committed.

    The same name at the same moment is one row, however often it is asked for. A name's row of
    another moment is another occurrence. Without an organisation it is the house's own.
    """
    await execute(
        work.connection,
        "insert into schedule (name, due_at, next_at, kind, organisation_id, subject_id)"
        " select :name, due_at, due_at, :kind, cast(:organisation_id as uuid),"
        " cast(:subject_id as uuid) from (select coalesce(cast(:moment as timestamptz),"
        " now() + make_interval(secs => :after)) as due_at) as moment"
        " on conflict (name, due_at) do nothing",
        {
            "name": name,
            "moment": when if isinstance(when, datetime) else None,
            "after": when.total_seconds() if isinstance(when, timedelta) else None,
            "kind": kind,
            "organisation_id": organisation_id,
            "subject_id": subject_id,
        },
    )


async def run_due(house: House, handlers: Mapping[str, Handler]) -> int:
    """Do what is due, each row in a unit of its own; returns how many were tried.

    One that fails is put off, with its error beside it, and holds up no other. Rows of a kind that
    is not among the handlers are a newer version's and are left for it.
    """
    for tried in range(MOST_AT_ONCE):
        if not await _run_next(house, handlers):
            return tried
    return MOST_AT_ONCE


async def _run_next(house: House, handlers: Mapping[str, Handler]) -> bool:
    occurrence = None
    try:
        async with asyncio.timeout(SECONDS_FOR_ONE), unit(house) as work:
            occurrence = await _claim(work, list(handlers))
            if occurrence is None:
                return False
            again = await handlers[occurrence.kind](house, work, occurrence)
            await _finish(work, occurrence, again)
    except Exception as error:  # a handler may raise anything; the others must not wait for it
        if occurrence is None:
            raise
        log.exception("schedule.failed", name=occurrence.name, failures=occurrence.failures + 1)
        await _put_off(house, occurrence, error)
    return True


async def _claim(work: Unit, kinds: list[str]) -> Occurrence | None:
    # across organisations: the schedule of the whole house
    row = await fetch_one(
        work.connection,
        "select name, due_at, now() as now, kind, organisation_id, subject_id,"
        " attempts as failures from schedule"
        " where done_at is null and next_at <= now() and kind = any(:kinds)"
        " order by next_at limit 1 for update skip locked",
        {"kinds": kinds},
    )
    return Occurrence(**row._asdict()) if row else None


async def _finish(work: Unit, occurrence: Occurrence, again: datetime | None) -> None:
    # across organisations: a name and a moment are one row of the house
    await execute(
        work.connection,
        "update schedule set done_at = now(), error = null where name = :name and due_at = :due_at",
        {"name": occurrence.name, "due_at": occurrence.due_at},
    )
    if again is None:
        return
    if again <= occurrence.now:
        raise ValueError(f"{occurrence.name}: to be done again at {again}, which is over")
    await at(
        work,
        occurrence.name,
        again,
        occurrence.kind,
        organisation_id=occurrence.organisation_id,
        subject_id=occurrence.subject_id,
    )


async def _put_off(house: House, occurrence: Occurrence, error: Exception) -> None:
    """2, 4, 8 ... seconds, up to ten minutes; whoever looks sees how often it failed and why."""
    async with house.engine.begin() as connection:
        await execute(
            connection,
            # across organisations: a name and a moment are one row of the house
            "update schedule set attempts = attempts + 1, error = :error,"
            " next_at = now() + make_interval(secs => least(600, 2 ^ least(attempts + 1, 10)))"
            " where name = :name and due_at = :due_at and done_at is null",
            {"error": repr(error), "name": occurrence.name, "due_at": occurrence.due_at},
        )


# When to do something again


def every(occurrence: Occurrence, interval: timedelta) -> datetime:
    """The next beat after now of work that is done at an interval, counted from when it was due."""
    missed = (occurrence.now - occurrence.due_at) // interval
    return occurrence.due_at + (missed + 1) * interval


def on_days(
    after: datetime, zone: ZoneInfo, time_of_day: time, fits: Callable[[date], bool]
) -> datetime:
    """The first moment after another that is this time of day, in a zone, on a day that fits.

    Raises ValueError where no day within a year does.
    """
    day = after.astimezone(zone).date()
    for _ in range(367):
        moment = datetime.combine(day, time_of_day, zone)
        if moment > after and fits(day):
            return moment
        day += timedelta(days=1)
    raise ValueError("no day within a year fits")
