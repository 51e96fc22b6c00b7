"""Until when a step of a route is to be decided, in business days of the company.

A day is one of the company's own calendar (core/bank_days.py), and it ends at 18:00 where those who
decide are: of several zones, theirs and the company's, the one in which it ends last. So nobody's
day is cut short by where somebody else lives.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from core import schedule
from core.approvals import run
from core.approvals.run import Run
from core.bank_days import is_working_day, working_days_from
from core.db import fetch_all
from core.organisations import company_of

OPENS, CLOSES = time(9), time(18)
"""The hours of a working day. Nobody is reminded outside of them, and what is due ends with it."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The company's working days, and the zones in which a step's days are counted."""

    closing: tuple[str, ...]
    zones: tuple[ZoneInfo, ...]

    def works(self, day: date) -> bool:
        """Whether the company works on that day."""
        return is_working_day(day, self.closing)

    def due(self, opened_at: datetime, days: int) -> datetime:
        """The end of the working day so many working days on, in the zone in which it ends last."""
        return max(
            datetime.combine(
                working_days_from(opened_at.astimezone(zone).date(), days, self.closing),
                CLOSES,
                zone,
            )
            for zone in self.zones
        )

    def waited(self, opened_at: datetime, days: int) -> datetime:
        """The moment at which something has waited for so many working days, likewise: within
        working hours. What comes outside of them counts from the next morning on."""
        return max(self._waited(opened_at, days, zone) for zone in self.zones)

    def _waited(self, opened_at: datetime, days: int, zone: ZoneInfo) -> datetime:
        begun = in_hours(opened_at, zone, self.works).astimezone(zone)
        day = working_days_from(begun.date(), days, self.closing)
        return datetime.combine(day, begun.time(), zone)


def in_hours(moment: datetime, zone: ZoneInfo, works: Callable[[date], bool]) -> datetime:
    """This moment where it lies within the hours of a working day, else the next morning."""
    local = moment.astimezone(zone)
    if works(local.date()) and OPENS <= local.time() < CLOSES:
        return moment
    return schedule.on_days(moment, zone, OPENS, works)


async def calendar_of(
    connection: AsyncConnection, organisation_id: UUID, people: Iterable[UUID] = ()
) -> Calendar:
    """The company's calendar, in its own zone and in those of these people."""
    company = await company_of(connection, organisation_id)
    rows = await fetch_all(
        connection,
        "select distinct time_zone from people where organisation_id = :organisation_id"
        " and id = any(:people)",
        {"organisation_id": organisation_id, "people": list(people)},
    )
    zones = {company.time_zone, *(row.time_zone for row in rows)}
    return Calendar(tuple(company.closing_days), tuple(ZoneInfo(zone) for zone in sorted(zones)))


async def with_due(connection: AsyncConnection, organisation_id: UUID, after: Run) -> Run:
    """What has just been opened is given its deadline, where the route sets one."""
    stage = after.open
    if stage is None or stage.due_at is not None or stage.days is None or stage.opened_at is None:
        return after
    calendar = await calendar_of(
        connection, organisation_id, [seat.holder for seat in stage.living]
    )
    return run.with_deadline(after, calendar.due(stage.opened_at, stage.days))
