"""What the house tidies up by itself, about once an hour."""

import asyncio
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from core import arrivals, erasure, holding, kept_mail, kept_notices, nightly, overdue
from core.approvals import reminding, settling
from core.db import execute
from core.errors import MiyabiError
from core.house import House
from core.schedule import Occurrence, every
from core.unit import Unit

log = structlog.get_logger()

HOUSEKEEPING = "housekeeping"

KEPT = timedelta(days=30)
"""For how long it is known that something was done: a delivery or a key that comes again later is
a new one. Platforms deliver again within hours, and programs are told so (bot/api/README.md)."""

_ERASING_AT_MOST = 3.0
"""Seconds; the run's own transaction waits meanwhile, and would be ended after 5 (core/db.py)."""
BATCH = 1000
"""Rows of a kind that one run forgets, so that none is long; where there are more, the next comes
soon."""
_SOON = timedelta(seconds=1)

MONTHS_AHEAD = 2
"""Partitions of the audit log that are there before their month begins."""

# across organisations: the house's own rows
_SCHEDULE = "delete from schedule where done_at < now() - make_interval(secs => :kept)"
# across organisations: deliveries of all of them. Their ids are UUIDv7, which begin with the time
# in milliseconds: the oldest are found by the key, and the intake has no further index to keep.
_INBOUND = """
    delete from inbound where id in (
        select id from inbound
        where id < cast(rpad(lpad(to_hex(cast(1000 * extract(epoch from
            now() - make_interval(secs => :kept)) as bigint)), 12, '0'), 32, '0') as uuid)
            and received_at < now() - make_interval(secs => :kept)
        order by id limit :batch)
"""
# across organisations: likewise
_KEYS = """
    delete from idempotency_keys where (person_id, key) in (
        select person_id, key from idempotency_keys
        where created_at < now() - make_interval(secs => :kept)
        order by created_at limit :batch)
"""

# across organisations: likewise
_CODES = """
    delete from link_codes where id in (
        select id from link_codes where expires_at < now() - interval '1 day'
        order by id limit :batch)
"""
# across organisations: likewise. That there was a link stays, as the log says so; what the file was
# called is in no log, and is needed by nobody any more.
_NAMES = """
    update links set name = '' where id in (
        select id from links
        where name <> '' and expires_at < now() - make_interval(secs => :kept)
        order by id limit :batch)
"""


async def tidy(house: House, work: Unit, occurrence: Occurrence) -> datetime:
    """End erasures that were cut short, forget what was done long ago; miss no approval, and no
    night of any organisation."""
    await _end_erasures(house)  # first: it has transactions of its own, which wait for none here
    kept = KEPT.total_seconds()
    await execute(work.connection, _SCHEDULE, {"kept": kept})
    limits = {"kept": kept, "batch": BATCH}
    statements = (_INBOUND, _KEYS, _CODES, _NAMES)
    forgotten = [await execute(work.connection, sql, limits) for sql in statements]
    forgotten.append(await arrivals.forget(work.connection, KEPT, BATCH))
    forgotten.append(await kept_mail.forget(work.connection, KEPT, BATCH))
    forgotten.append(await kept_notices.forget(work.connection, BATCH))
    await overdue.watch_unwatched(work)
    await holding.watch_unwatched(work)
    await reminding.watch_unwatched(work)
    await settling.settle_unsettled(work)
    await nightly.watch_unwatched(work)
    await _make_months(work.connection)
    if BATCH in forgotten:
        return occurrence.now + _SOON
    return every(occurrence, timedelta(hours=1))


async def _end_erasures(house: House) -> None:
    """For a few seconds; what takes longer is left for the command, and holds up nothing else."""
    try:
        async with asyncio.timeout(_ERASING_AT_MOST):
            await erasure.go_on(house)
    except (TimeoutError, MiyabiError, DBAPIError) as error:
        log.warning("housekeeping.erasure_not_ended", error=repr(error))


async def _make_months(connection: AsyncConnection) -> None:
    """Where somebody reads the whole log just now, in an hour; until its month is there, an event
    is kept by the default partition (migration 0007)."""
    try:
        async with connection.begin_nested():
            await execute(connection, "select audit_make_months(:ahead)", {"ahead": MONTHS_AHEAD})
    except DBAPIError as error:
        log.warning("housekeeping.months_not_made", error=repr(error.orig))
