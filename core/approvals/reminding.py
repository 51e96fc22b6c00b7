"""Reminders: at most one a day for each person, of all that waits for them, in working hours.

A row of the schedule for whoever holds an open seat. What has no ladder is reminded of each working
day (Settings.approval_reminder_hours after it came), what has one on the days of its ladder; and
whenever there is anything to be reminded of, all that waits is shown with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON
from core import tasks
from core.approvals.deadlines import Calendar, calendar_of, in_hours
from core.approvals.plan import Rung
from core.codec import load
from core.db import execute, fetch_all, fetch_one, from_json
from core.house import House
from core.schedule import Occurrence
from core.tags import Tag
from core.unit import Unit

DIGEST = "approval.digest"


@dataclass(frozen=True, slots=True)
class _Open:
    """An open seat that somebody holds; `opened_at` is its step's."""

    task_id: UUID
    approval_id: UUID
    since: datetime
    opened_at: datetime
    ladder: Sequence[Rung]


async def watch_holders(work: Unit, organisation_id: UUID, people: Iterable[UUID]) -> None:
    """See to it that those who decide now are reminded of it one day."""
    await execute(
        work.connection,
        "insert into schedule (name, due_at, next_at, kind, organisation_id, subject_id)"
        " select 'digest:' || id, now(), now(), :kind, organisation_id, id from people p"
        " where organisation_id = :organisation_id and id = any(:people) and not exists"
        " (select from schedule s where s.name = 'digest:' || p.id and s.done_at is null)"
        " on conflict (name, due_at) do nothing",
        {"kind": DIGEST, "organisation_id": organisation_id, "people": list(people)},
    )


async def watch_unwatched(work: Unit) -> None:
    """Likewise for whoever waits without: of what was asked for by an earlier version."""
    await execute(
        work.connection,
        # across organisations: the schedule of the whole house
        "insert into schedule (name, due_at, next_at, kind, organisation_id, subject_id)"
        " select distinct 'digest:' || h.holder_id, now(), now(), :kind, h.organisation_id,"
        " h.holder_id from approval_seats h join approval_stages s on s.id = h.stage_id"
        " join approvals a on a.id = s.approval_id where h.state = 'open' and a.state = 'pending'"
        " and a.ladder = '[]' and not exists (select from schedule s where"
        " s.name = 'digest:' || h.holder_id and s.done_at is null)"
        " on conflict (name, due_at) do nothing",
        {"kind": DIGEST},
    )


async def digest(house: House, work: Unit, occurrence: Occurrence) -> datetime | None:
    """Remind somebody, if it is time to; and say when to look again."""
    organisation_id, person_id = occurrence.organisation_id, occurrence.subject_id
    assert organisation_id is not None and person_id is not None  # noqa: S101, PT018  # of a person
    person = await fetch_one(
        work.connection,
        # One at a time, where two rows for the same person were written at once.
        "select time_zone, reminded_at from people where organisation_id = :organisation_id"
        " and id = :id and active for no key update",
        {"organisation_id": organisation_id, "id": person_id},
    )
    found = await _open_seats(work.connection, organisation_id, person_id) if person else []
    if person is None or not found:
        return None
    calendar = await calendar_of(work.connection, organisation_id)
    clock = _Clock(ZoneInfo(person.time_zone), calendar, house.approval_reminder, occurrence.now)
    due = clock.next_of(found, person.reminded_at)
    if due is None or due > occurrence.now:
        return due
    await _remind(work, organisation_id, person_id, found, clock)
    return clock.next_of(found, occurrence.now)


async def _open_seats(
    connection: AsyncConnection, organisation_id: UUID, person_id: UUID
) -> list[_Open]:
    """What somebody has to decide now, what has waited longest first."""
    rows = await fetch_all(
        connection,
        "select h.task_id, a.id as approval_id, coalesce(h.open_since, s.opened_at) as since,"
        " s.opened_at, a.ladder from approval_seats h join approval_stages s on s.id = h.stage_id"
        " join approvals a on a.id = s.approval_id where h.organisation_id = :organisation_id"
        " and h.holder_id = :person_id and h.state = 'open' and a.state = 'pending'"
        " and a.expires_at > now() order by h.open_since, h.id",
        {"organisation_id": organisation_id, "person_id": person_id},
    )
    return [
        _Open(
            row.task_id, row.approval_id, row.since, row.opened_at,
            [load(Rung, each) for each in from_json(row.ladder)],
        )
        for row in rows
    ]  # fmt: skip


async def _remind(
    work: Unit, organisation_id: UUID, person_id: UUID, found: Sequence[_Open], clock: "_Clock"
) -> None:
    """One message to them, in the conversation about what has waited longest; and for each thing
    that waits its event, and a word to who asked."""
    await execute(
        work.connection,
        "update people set reminded_at = now() where organisation_id = :organisation_id"
        " and id = :id",
        {"organisation_id": organisation_id, "id": person_id},
    )
    by_id = await tasks.read(work.connection, organisation_id, [each.task_id for each in found])
    for each in found:
        task = by_id[each.task_id]
        data: dict[str, JSON] = {"approval": str(each.approval_id), "person": str(person_id)}
        work.record(tasks.event(task, Tag.APPROVAL_REMINDED, data))
        facts: dict[str, object] = {
            "approval": str(each.approval_id),
            "at": clock.now.isoformat(),
        }
        await tasks.notify(work, task, "approval.reminded", facts)
    slot = f"digest:{clock.today.isoformat()}"
    facts = {"people": [str(person_id)], "slot": slot}
    await tasks.notify(work, by_id[found[0].task_id], "approval.digest", facts)


class _Clock:
    """When somebody is to be reminded, where they live."""

    def __init__(self, zone: ZoneInfo, calendar: Calendar, every: timedelta, now: datetime) -> None:
        self.zone, self.every, self.now = zone, every, now
        self.calendar = Calendar(calendar.closing, (zone,))

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def next_of(self, found: Sequence[_Open], reminded_at: datetime | None) -> datetime | None:
        """The first moment from now on; None where nothing is to be reminded of any more."""
        moments = (self._next(each, reminded_at) for each in found)
        return min((moment for moment in moments if moment is not None), default=None)

    def _next(self, each: _Open, reminded_at: datetime | None) -> datetime | None:
        last = reminded_at.astimezone(self.zone).date() if reminded_at is not None else date.min
        if each.ladder:
            moments = [
                self.calendar.waited(each.opened_at, rung.days)
                for rung in each.ladder
                if rung.act == "remind"
            ]
            left = [m for m in moments if m.astimezone(self.zone).date() > last]
            return self._in_hours(min(left), last) if left else None
        begun = max(each.since, reminded_at) if reminded_at is not None else each.since
        return self._in_hours(begun + self.every, last)

    def _in_hours(self, moment: datetime, last: date) -> datetime:
        """Within working hours, from now on, and on no day on which they were reminded already."""

        def works(day: date) -> bool:
            return day > last and self.calendar.works(day)

        return in_hours(max(moment, self.now), self.zone, works)
