"""Whether the log is complete: what happened to tasks and notices is looked through, both ways.

It goes through time, from the last good run on, some thousand events at a time. Looked at are the
tasks and notices that have an event of that time, and those that have a row of it and perhaps no
event. What is
lacking can't be put right, as nobody can write into the past: it is told again every night until
somebody accepts it (`miyabi audit complete --accept`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from core.agreement import MOST_TOLD, Lack, compare
from core.db import fetch_all, fetch_one, from_json
from core.tags import FACTS, Tag
from core.unit import Unit

log = structlog.get_logger()

OVERLAP = timedelta(hours=1)
"""From so long before the end of the last good run: what was begun then may be committed later."""

WINDOW = 5000
"""Events looked through at once."""
_TASKS = 500
"""Tasks compared by one statement."""
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Run:
    """How far a run from `since` to `until` has come, and what it has found.

    `gapless`: nothing since the last good run was left out.
    """

    since: datetime
    until: datetime
    reached: datetime
    gapless: bool = True
    tasks: int = 0
    facts: int = 0
    lacking: int = 0
    kinds: frozenset[str] = frozenset()
    first: Sequence[Lack] = field(default=(), compare=False)
    """The first ones, of this go."""

    @property
    def done(self) -> bool:
        return self.reached >= self.until


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the log says of the newest run; `at` by the database's clock."""

    at: datetime
    tasks: int
    lacking: int
    accepted: bool
    kinds: Sequence[str]

    @property
    def well(self) -> bool:
        return self.accepted or not self.lacking


async def look(connection: AsyncConnection, organisation_id: UUID, run: Run) -> Run:
    """Look through the next stretch of time."""
    until = await _end(connection, organisation_id, run)
    touched = await _touched(connection, organisation_id, run.reached, until)
    for place in range(0, len(touched), _TASKS):
        compared = await compare(connection, organisation_id, touched[place : place + _TASKS])
        run = replace(
            run,
            tasks=run.tasks + compared.tasks,
            facts=run.facts + compared.facts,
            lacking=run.lacking + compared.lacking,
            kinds=run.kinds | set(compared.kinds),
            first=[*run.first, *compared.first][:MOST_TOLD],
        )
    return replace(run, reached=until)


async def begin(
    connection: AsyncConnection, organisation_id: UUID, since: datetime | None = None
) -> Run:
    """A run that ends now, from a moment or from the last run that was good or accepted on."""
    [row] = await fetch_all(connection, _LAST_GOOD, {"organisation_id": organisation_id})
    accepted, good = (
        datetime.fromisoformat(each) if each else BEGINNING for each in (row.accepted, row.good)
    )
    # What was accepted is not told again.
    due = max(accepted, good - OVERLAP)
    since = due if since is None else since
    return Run(since, row.now, since, gapless=since <= due)


# The tag stands in the statement, for the index of what is rare (migration 0005) to be used.
_RUNS = f"""
    from audit_events where organisation_id = :organisation_id and tag = '{Tag.LOG_COMPARED}'
"""
_UNTIL = f"select body -> 'data' ->> 'until' {_RUNS} and body -> 'data' -> 'gapless' = 'true'"
_LAST_GOOD = f"""
    select now() as now,
        ({_UNTIL} and body -> 'data' -> 'lacking' = '0' order by at desc limit 1) as good,
        ({_UNTIL} and body -> 'data' -> 'accepted' = 'true' order by at desc limit 1) as accepted
"""
_NEWEST = f"select at, body -> 'data' as data {_RUNS} order by at desc limit 1"


def record(
    work: Unit, organisation_id: UUID, run: Run, actor: Actor = SYSTEM, *, accepted: bool = False
) -> None:
    """Write the event of a run that is done."""
    data: dict[str, JSON] = {
        "since": run.since.isoformat(),
        "until": run.until.isoformat(),
        "gapless": run.gapless,
        "tasks": run.tasks,
        "facts": run.facts,
        "lacking": run.lacking,
        "kinds": [kind for kind in FACTS if kind in run.kinds],
        "accepted": accepted,
    }
    work.record(Event(organisation_id, organisation_id, Tag.LOG_COMPARED, data, actor))


def tell(organisation_id: UUID, run: Run) -> None:
    """The operator's log: a line for each that is lacking, and one at the end."""
    for lack in run.first:
        log.error(
            "audit.lacking", task=str(lack.task_id), reference=lack.reference, lacks=lack.side,
            kind=lack.kind, key=lack.key, rows=lack.stored, events=lack.said,
        )  # fmt: skip
    if not run.done:
        return
    summary = {"organisation": str(organisation_id), "tasks": run.tasks, "facts": run.facts}
    if run.lacking:
        log.error("audit.incomplete", **summary, lacking=run.lacking, kinds=sorted(run.kinds))
    else:
        log.info("audit.complete", **summary)


async def newest(connection: AsyncConnection, organisation_id: UUID) -> Outcome | None:
    """The newest run that came to its end."""
    row = await fetch_one(
        connection,
        _NEWEST,  # names organisation_id
        {"organisation_id": organisation_id},
    )
    if row is None:
        return None
    data: dict[str, Any] = from_json(row.data)
    return Outcome(row.at, data["tasks"], data["lacking"], data["accepted"], data["kinds"])


# Where the time goes on, and which tasks are of it


async def _end(connection: AsyncConnection, organisation_id: UUID, run: Run) -> datetime:
    """The end of the next stretch, which has about so many events."""
    row = await fetch_one(
        connection,
        "select at from audit_events where organisation_id = :organisation_id and at > :reached"
        " and at < :until order by at offset :window limit 1",
        {
            "organisation_id": organisation_id,
            "reached": run.reached,
            "until": run.until,
            "window": WINDOW,
        },
    )
    return row.at if row else run.until


async def _touched(
    connection: AsyncConnection, organisation_id: UUID, since: datetime, until: datetime
) -> Sequence[UUID]:
    rows = await fetch_all(
        connection,
        _TOUCHED,  # names organisation_id
        {
            "organisation_id": organisation_id,
            "since": since,
            "until": until,
            "first": _id_at(since),
            "last": _id_at(until),
            "tags": _TASK_TAGS,
        },
    )
    return [row.id for row in rows]


def _id_at(moment: datetime) -> UUID:
    """The least id that can have been made then: a UUIDv7 begins with the milliseconds."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


_TASK_TAGS = [tag for tag in Tag if tag.declaration.subject in {"task", "notice"}]

# Rows have ids of the time at which they were made, so the keys find those of a stretch of time; no
# table pays for a further index but tasks, which have one of those that are finished.
_TOUCHED = """
    select stream as id from audit_events where organisation_id = :organisation_id
        and at >= :since and at < :until and tag = any (:tags)
    union
    select id from tasks
        where id >= :first and id < :last and organisation_id = :organisation_id
    union
    select id from tasks where organisation_id = :organisation_id
        and finished_at >= :since and finished_at < :until
    union
    select id from tasks where organisation_id = :organisation_id
        and finished_at is null and updated_at >= :since and updated_at < :until
    union
    select task_id from approvals
        where id >= :first and id < :last and organisation_id = :organisation_id
    union
    select (select task_id from approvals where id = approval_id) from decisions
        where id >= :first and id < :last and organisation_id = :organisation_id
    union
    select task_id from effects
        where id >= :first and id < :last and organisation_id = :organisation_id
    union
    select task_id from documents
        where id >= :first and id < :last and organisation_id = :organisation_id
    union
    select task_id from messages
        where id >= :first and id < :last and organisation_id = :organisation_id
    union
    select task_id from payables
        where id >= :first and id < :last and organisation_id = :organisation_id
    union
    select id from notices
        where id >= :first and id < :last and organisation_id = :organisation_id
    union
    select notice_id from dispatches
        where id >= :first and id < :last and organisation_id = :organisation_id
    order by id
"""
