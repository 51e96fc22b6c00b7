"""What the house tidies up by itself, about once an hour."""

from datetime import datetime, timedelta

from core import overdue
from core.db import execute
from core.house import House
from core.schedule import Occurrence, every
from core.unit import Unit

HOUSEKEEPING = "housekeeping"


async def tidy(house: House, work: Unit, occurrence: Occurrence) -> datetime:
    """Forget what was done long ago; miss no approval."""
    # across organisations: the house's own rows
    await execute(
        work.connection, "delete from schedule where done_at < now() - interval '30 days'", {}
    )
    await overdue.watch_unwatched(work)
    return every(occurrence, timedelta(hours=1))
