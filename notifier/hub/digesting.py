"""Digests: what is held is gathered by windows, and each window goes out as one notice, once.

Whoever adds to a window locks its row until their commit, and so does whoever closes it: nothing is
added to a closed one, and nothing is left behind in one. A window that was closed meanwhile gives
the next.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from core.db import execute, fetch_all, fetch_one, from_json
from core.house import House
from core.ids import new_id
from core.notices import wake
from core.preferences import Digest
from core.preferences import read as read_preferences
from core.quiet_hours import quiet_until
from core.unit import Unit, unit
from notifier.hub.decision import Window
from notifier.hub.digest_items import QUIET, hears_digests, held_items, tell_together
from notifier.hub.windows import quiet_window, window_of

log = structlog.get_logger()

MOST_AT_ONCE = 100
"""So many are closed by one call."""
_TRIES = 5


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A digest that can still be added to in this transaction."""

    id: UUID
    due_at: datetime


Wanted = tuple[UUID, str, str]
"""Whose, and a window's topic and key."""


async def open_windows(
    connection: AsyncConnection, organisation_id: UUID, wanted: Collection[tuple[UUID, Window]]
) -> Mapping[Wanted, OpenWindow]:
    """The digests of these people's windows, made where they are not there, for what is added to
    them in this transaction. Where one was closed meanwhile, the next of its kind stands for it."""
    names = {(person, window.topic, window.key): window for person, window in wanted}
    asked = {name: name for name in names}
    found: dict[Wanted, OpenWindow] = {}
    for _ in range(_TRIES):
        got = await _opened(
            connection, organisation_id, {(name[0], names[name]) for name in set(asked.values())}
        )
        found |= {first: got[name] for first, name in asked.items() if name in got}
        asked = {first: name for first, name in asked.items() if name not in got}
        if not asked:
            return found
        zones = await _zones(connection, organisation_id, {name[0] for name in asked.values()})
        for first, (person, _topic, _key) in list(asked.items()):
            window = _after(names[asked[first]], zones[person])
            asked[first] = (person, window.topic, window.key)
            names[asked[first]] = window
    raise RuntimeError(f"no digest can be opened for {asked}")


async def _opened(
    connection: AsyncConnection, organisation_id: UUID, wanted: Collection[tuple[UUID, Window]]
) -> Mapping[Wanted, OpenWindow]:
    rows = sorted((person, window.topic, window.key, window.due_at) for person, window in wanted)
    made = await fetch_all(
        connection,
        # in one order, so that two who add to the same ones never wait for each other; and one that
        # is there already is locked by being updated
        "insert into digests as d (id, organisation_id, person_id, topic, window_key, due_at)"
        " select id, :organisation_id, person_id, topic, window_key, due_at"
        " from unnest(cast(:ids as uuid[]), cast(:people as uuid[]), cast(:topics as text[]),"
        " cast(:keys as text[]), cast(:dues as timestamptz[]))"
        " as w (id, person_id, topic, window_key, due_at)"
        " order by person_id, topic, window_key"
        " on conflict (organisation_id, person_id, topic, window_key) do update"
        " set due_at = d.due_at where d.state = 'open'"
        " returning id, person_id, topic, window_key, due_at",
        {
            "organisation_id": organisation_id,
            "ids": [new_id() for _ in rows],
            "people": [row[0] for row in rows],
            "topics": [row[1] for row in rows],
            "keys": [row[2] for row in rows],
            "dues": [row[3] for row in rows],
        },
    )
    return {
        (row.person_id, row.topic, row.window_key): OpenWindow(row.id, row.due_at) for row in made
    }


def _after(window: Window, zone: ZoneInfo) -> Window:
    """The window after one that is closed. After the end of quiet hours nothing is waited for."""
    rhythm = window.key.partition(":")[0]
    due = window.due_at.astimezone(zone)
    if rhythm in ("hourly", "daily", "weekly"):
        digest = Digest(window.topic, rhythm, due.time(), due.weekday())  # type: ignore[arg-type]
        later = window_of(digest, zone, window.due_at)
        if later is not None:
            return later
    return Window(window.topic, f"{window.key}+", window.due_at)


async def _zones(
    connection: AsyncConnection, organisation_id: UUID, people: Collection[UUID]
) -> Mapping[UUID, ZoneInfo]:
    rows = await fetch_all(
        connection,
        "select id, time_zone from people where organisation_id = :organisation_id"
        " and id = any(:people)",
        {"organisation_id": organisation_id, "people": list(people)},
    )
    return {row.id: ZoneInfo(row.time_zone) for row in rows}


# Closing


async def close_due(house: House, most: int = 20) -> int:
    """Close the digests that are due, each in a unit of its own; gives how many were looked at.

    `most`: items that are shown of one. One that fails is put off, and holds up no other.
    """
    for looked_at in range(MOST_AT_ONCE):
        digest_id = None
        try:
            async with unit(house) as work:
                row = await _claim(work)
                if row is None:
                    return looked_at
                digest_id = row.id
                await _close(work, row, most)
        except Exception:  # a handler's or a row's own fault must not hold up the others
            if digest_id is None:
                raise
            log.exception("digest.failed", digest=str(digest_id))
            await _put_off(house, digest_id)
    return MOST_AT_ONCE


async def _claim(work: Unit) -> Any:
    # across organisations: the digests of the whole house
    return await fetch_one(
        work.connection,
        "select d.id, d.organisation_id, d.person_id, d.window_key,"
        " split_part(d.window_key, ':', 1) as kind, p.active, p.roles, p.time_zone,"
        " o.profile -> 'closing_days' as closing, now() as now"
        " from digests d join people p on p.id = d.person_id"
        " join organisations o on o.id = d.organisation_id"
        " where d.state = 'open' and d.due_at <= now()"
        " order by d.due_at limit 1 for update of d skip locked",
        {},
    )


async def _put_off(house: House, digest_id: UUID) -> None:
    async with house.engine.begin() as connection:
        await execute(
            connection,
            # across organisations: this one digest
            "update digests set due_at = now() + interval '1 minute' where id = :id"
            " and state = 'open'",
            {"id": digest_id},
        )


async def _close(work: Unit, row: Any, most: int) -> None:
    chosen = await read_preferences(work.connection, row.organisation_id, row.person_id)
    zone = ZoneInfo(row.time_zone)
    until = quiet_until(chosen.quiet, zone, from_json(row.closing) or (), row.now)
    if until is not None and row.active:
        await _wait(work, row, quiet_window(zone, until))
        return
    heard = await hears_digests(work, row, chosen)
    items, left_out = await held_items(work, row, chosen, heard=heard)
    await tell_together(work, row, items, left_out, most, heard=heard)


async def _wait(work: Unit, row: Any, window: Window) -> None:
    """It is quiet there (again, or later than it was): until that ends nothing goes out.

    What was held for the end of other quiet hours goes to those that hold it now.
    """
    await wake(work)
    values = {"id": row.id, "organisation_id": row.organisation_id, "until": window.due_at}
    if row.kind == QUIET and row.window_key != window.key:
        name = (row.person_id, window.topic, window.key)
        found = await open_windows(work.connection, row.organisation_id, [(row.person_id, window)])
        await execute(
            work.connection,
            "update dispatches set digest_id = :to, held_until = :until"
            " where organisation_id = :organisation_id and digest_id = :id and state = 'held'",
            {**values, "to": found[name].id},
        )
        await execute(
            work.connection,
            "update digests set state = 'empty', closed_at = now()"
            " where organisation_id = :organisation_id and id = :id",
            {"organisation_id": row.organisation_id, "id": row.id},
        )
        return
    await execute(
        work.connection,
        "with moved as (update dispatches set held_until = :until"
        " where organisation_id = :organisation_id and digest_id = :id and state = 'held')"
        " update digests set due_at = :until where organisation_id = :organisation_id and id = :id",
        values,
    )
