"""The nightly run that tells whether the log is complete: a little at a time, once a night."""

import time as clock
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from core import completeness, schedule
from core.company import Company
from core.completeness import Run
from core.db import execute, fetch_one
from core.house import House
from core.schedule import Occurrence
from core.unit import Unit

COMPLETENESS = "completeness"
AT_NIGHT = time(3)
"""In the organisation's zone."""

_BUDGET = 2.0
"""Seconds of one go, which other things that are due wait for."""
_SOON = timedelta(seconds=1)


async def watch_unwatched(work: Unit) -> None:
    """Have every organisation looked at each night, from the first hour on."""
    await execute(
        work.connection,
        # across organisations: the schedule of the whole house
        """
        insert into schedule (name, due_at, next_at, kind, organisation_id)
        select cast(:kind as text) || ':' || o.id, now(), now(), :kind, o.id from organisations o
        where not exists
            (select from schedule s where s.name = cast(:kind as text) || ':' || o.id
                and s.done_at is null)
        on conflict (name, due_at) do nothing
        """,
        {"kind": COMPLETENESS},
    )


async def look_nightly(house: House, work: Unit, occurrence: Occurrence) -> datetime:
    """Look on for a little, from where the last go ended; at the end say what was found.

    Nights that were missed are made up for by one run, which begins where the last one ended.
    """
    organisation_id = occurrence.organisation_id
    assert organisation_id is not None  # noqa: S101  # as it was scheduled
    run = await _under_way(work, organisation_id) or await completeness.begin(
        work.connection, organisation_id
    )
    ends = clock.monotonic() + _BUDGET
    while True:
        run = await completeness.look(work.connection, organisation_id, run)
        if run.done or clock.monotonic() > ends:
            break
    completeness.tell(organisation_id, run)
    await _keep(work, organisation_id, run)
    if not run.done:
        return occurrence.now + _SOON
    completeness.record(work, organisation_id, run)
    return schedule.on_days(occurrence.now, await _zone(work, organisation_id), AT_NIGHT, _any)


def _any(_: date) -> bool:
    return True


async def _zone(work: Unit, organisation_id: UUID) -> ZoneInfo:
    """The company's, however old what it says of itself is."""
    row = await fetch_one(
        work.connection,
        "select profile ->> 'time_zone' as zone from organisations where id = :organisation_id",
        {"organisation_id": organisation_id},
    )
    return ZoneInfo(row.zone if row and row.zone else Company("").time_zone)


async def _under_way(work: Unit, organisation_id: UUID) -> Run | None:
    row = await fetch_one(
        work.connection,
        "select since, until, reached, tasks, facts, lacking, kinds from completeness_runs"
        " where organisation_id = :organisation_id",
        {"organisation_id": organisation_id},
    )
    return Run(**{**row._asdict(), "kinds": frozenset(row.kinds)}) if row else None


async def _keep(work: Unit, organisation_id: UUID, run: Run) -> None:
    """Where the next go begins; nothing where this one has come to the end."""
    values = {
        "organisation_id": organisation_id,
        "since": run.since,
        "until": run.until,
        "reached": run.reached,
        "tasks": run.tasks,
        "facts": run.facts,
        "lacking": run.lacking,
        "kinds": list(run.kinds),
    }
    await execute(work.connection, _FORGET if run.done else _REMEMBER, values)


_FORGET = "delete from completeness_runs where organisation_id = :organisation_id"
_REMEMBER = """
    insert into completeness_runs
        (organisation_id, since, until, reached, tasks, facts, lacking, kinds)
    values (:organisation_id, :since, :until, :reached, :tasks, :facts, :lacking, :kinds)
    on conflict (organisation_id) do update set reached = excluded.reached,
        tasks = excluded.tasks, facts = excluded.facts, lacking = excluded.lacking,
        kinds = excluded.kinds
"""
