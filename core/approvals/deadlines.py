"""Until when a step of a route is to be decided, in business days of the company."""

from collections.abc import Callable
from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from core.approvals.run import Stage
from core.organisations import company_of
from core.reading.calendar import business_days_from

CLOSES = time(18)
"""The working day ends; so does the time for a decision that is due on it."""


async def deadlines(
    connection: AsyncConnection, organisation_id: UUID
) -> Callable[[Stage], datetime | None]:
    """For a step that has been opened, the moment by which it is due; None where it has none."""
    company = await company_of(connection, organisation_id)
    zone = ZoneInfo(company.time_zone)

    def due(stage: Stage) -> datetime | None:
        if stage.days is None or stage.opened_at is None:
            return None
        day = business_days_from(stage.opened_at.astimezone(zone).date(), stage.days)
        return datetime.combine(day, CLOSES, zone) if day is not None else None

    return due
