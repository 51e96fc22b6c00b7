"""The audit log's tree: what an event costs its writer, how fast it gets a leaf, how fast a proof.

Beside each what PostgreSQL alone takes for the like in the same run.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from statistics import fmean
from time import monotonic_ns, perf_counter
from typing import Any
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.ext.asyncio import AsyncEngine

from audit import log, sequencer
from audit.event import JSON, Event
from audit.hashing import leaf_hash
from audit.proofs import head, leaf_of, prove_inclusion
from audit.sequencer import Batch, sequence
from bench import writers
from bench.children import Life, child
from bench.figures import Figures, Goal, spread
from bench.ground import Ground, ask, ground, house_on
from bench.kinds import Kind
from core.db import create_engine, fetch_one_alone, to_json
from core.finish import _FINISH
from core.ids import new_id
from core.ports import Job
from core.unit import outbox_row
from miyabi.tree import SEQUENCE_EVERY

_PER_SECOND = 2000
_AT_A_TIME = 20  # events a transaction of the writer
_WRITTEN = "written.json"

_AUDITED = """,
        (select audit_append(:organisation_id, :task_id, cast(:events as jsonb)) from fresh)
"""
_ROWS = """, rows as (
        insert into bench_rows (organisation_id, stream, seq, id, at, tag, body, sha256)
        select :organisation_id, :task_id, place, gen_random_uuid(), now(), said::jsonb ->> 'tag',
            said::jsonb, sha256('')
        from jsonb_array_elements_text(cast(:events as jsonb)) with ordinality as one (said, place)
        where exists (select from fresh)
    )
    select (select state"""


async def run(*, quick: bool) -> AsyncIterator[Figures]:
    """A step's events, writers, months, leaves, proofs."""
    events, steps, inserts, proofs, seconds = (
        (20_000, 60, 60, 60, 2) if quick else (500_000, 1500, 3000, 2000, 20)
    )
    async with ground() as place:
        owner = await asyncpg.connect(place.services.owner_url.replace("+asyncpg", ""))
        engine = create_engine(place.services.database_url)
        try:
            yield await _step(place, owner, engine, steps)
            yield await writers.measure(place, owner, engine, seconds / 4)
            await _all_sequenced(engine)
            yield await _months(place, owner, engine, inserts)
            yield await _leaves(place, owner, engine, events, seconds)
            yield await _proofs(owner, engine, proofs)
        finally:
            await engine.dispose()
            await owner.close()


# What an event costs


async def _step(
    place: Ground, owner: asyncpg.Connection, engine: AsyncEngine, steps: int
) -> Figures:
    """The product's own statement that ends a step, with its three events and without."""
    assert _AUDITED in _FINISH
    async with house_on(place) as (house, _):
        task_id = await ask(house)
    await owner.execute("update tasks set state = 'running', fence = 1 where id = $1", task_id)
    await _without_pending(owner)
    await owner.execute(
        "create table bench_rows (like audit_events including all);"
        "grant insert on bench_rows to miyabi_app"
    )
    ways = {
        "ours": _FINISH,
        "rows alone": _FINISH.replace(_AUDITED, "\n").replace("\n    select (select state", _ROWS),
        "no row that waits": _FINISH.replace("audit_append(", "bench_append("),
        "bare": _FINISH.replace(_AUDITED, "\n"),
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(steps + 20):
        for way, sql in ways.items():
            values = _finish_values(place.organisation_id, task_id, f"{way} {number}")
            began = perf_counter()
            await fetch_one_alone(engine, sql, values)
            if number >= 20:
                times[way].append((perf_counter() - began) * 1000)
    await _all_sequenced(engine)
    ours = spread("a step's result, news, job and its three events", times["ours"])
    bare = spread("the same statement without the events", times["bare"])
    before = spread("with events that no tree is made of", times["no row that waits"])
    rows = spread("with three plain rows of the same form", times["rows alone"])
    adds = 100 * (ours.p50 / bare.p50 - 1)
    goals = (Goal("three events add to the bare transaction, %", adds, 15),)
    more = {
        "plain rows": rows.as_json(),
        "plain rows add to the bare transaction, %": round(100 * (rows.p50 / bare.p50 - 1), 1),
        "without a tree": before.as_json(),
        "the tree's rows add to that, %": round(100 * (ours.p50 / before.p50 - 1), 1),
    }
    return Figures("audit, a step's events", ours, bare, goals, more)


async def _without_pending(owner: asyncpg.Connection) -> None:
    """The function as it is, but for the rows that wait."""
    source: str = await owner.fetchval(
        "select pg_get_functiondef('audit_append(uuid, uuid, jsonb)'::regprocedure)"
    )
    start = source.index("with event as")
    parts = source[start:]
    kept = parts[parts.index("insert into audit_events") : parts.index("from event")]
    first = parts[: parts.index("), kept as (")]
    source = source[:start] + first + ") " + kept + "from event;\n    return position;\nend $$;"
    tag = re.search(r"AS (\$\w*\$)", source)
    assert tag
    source = source.replace("end $$;", f"end {tag[1]}")
    await owner.execute(source.replace(".audit_append(", ".bench_append("))
    await owner.execute("grant execute on function bench_append to miyabi_app")


def _finish_values(organisation_id: UUID, task_id: UUID, step: str) -> Mapping[str, Any]:
    events = [_event(organisation_id, task_id, step, n) for n in range(3)]
    return {
        "organisation_id": organisation_id,
        "task_id": task_id,
        "fence": 1,
        "revision": 1,
        "step": step,
        "inputs": "0" * 64,
        "result": json.dumps({"lines": ["monitor, 27 inch, 5, 32,800 yen"] * 10}),
        "started": datetime.now(UTC),
        "counted": False,
        "notification_id": new_id(),
        "events": log.as_json(events),
        "jobs": to_json([outbox_row(Job("advance", organisation_id, task_id, id=new_id()))]),
    }


def _event(organisation_id: UUID, stream: UUID, step: str, n: int) -> Event:
    data: dict[str, JSON] = {"step": step, "n": n, "sha256": "5dc9da79a70659a9" * 4}
    return Event(organisation_id, stream, Kind.STEP_DONE, data)


# Months


async def _months(
    place: Ground, owner: asyncpg.Connection, engine: AsyncEngine, inserts: int
) -> Figures:
    """The same three events into a log of seven years' partitions, and into one of a single."""
    await _single_month(owner)
    await owner.execute(_MONTHS, _SEVEN_YEARS)
    count: int = await owner.fetchval(_HOW_MANY)
    ways = {"many": "audit_append", "one": "bench_append_one"}
    times: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(inserts + 50):
        for way, function in ways.items():
            stream = new_id()
            events = [_event(place.organisation_id, stream, way, n) for n in range(3)]
            values = {
                "organisation_id": place.organisation_id,
                "stream": stream,
                "events": log.as_json(events),
            }
            sql = f"select {function}(:organisation_id, :stream, cast(:events as jsonb))"
            began = perf_counter()
            await fetch_one_alone(engine, sql, values)
            if number >= 50:
                times[way].append((perf_counter() - began) * 1000)
    await owner.execute("drop function bench_append_one; drop table bench_events")
    await _all_sequenced(engine)
    many = spread(f"three events into one of {count} months", times["many"])
    one = spread("three events into the only month", times["one"])
    adds = 100 * (many.p99 / one.p99 - 1)
    goals = (Goal("months add to the p99 of an insert, %", adds, 10),)
    return Figures("audit, months", many, one, goals)


_SEVEN_YEARS = 84
_MONTHS = """
    select count(audit_make_month((date_trunc('month', now()) - make_interval(months => n))::date))
    from generate_series(0, $1 - 1) as n
"""
_HOW_MANY = "select count(*) from pg_inherits where inhparent = 'audit_events'::regclass"


async def _single_month(owner: asyncpg.Connection) -> None:
    """A log of the same form with a single partition, and the function that writes there."""
    source: str = await owner.fetchval(
        "select pg_get_functiondef('audit_append(uuid, uuid, jsonb)'::regprocedure)"
    )
    source = source.replace("insert into audit_events ", "insert into bench_events ")
    await owner.execute(
        "create table bench_events (like audit_events including all) partition by range (at);"
        "create table bench_events_one partition of bench_events default;"
        + source.replace(".audit_append(", ".bench_append_one(")
        + ";grant execute on function bench_append_one to miyabi_app"
    )


# Leaves


async def _leaves(
    place: Ground, owner: asyncpg.Connection, engine: AsyncEngine, events: int, seconds: int
) -> Figures:
    await _let_wait(owner, place.organisation_id, events)
    ours = await _batches(engine)
    await _move_table(owner, events)
    bare = []
    while (began := perf_counter()) and await owner.fetchval(_MOVE, sequencer.BATCH):
        bare.append((perf_counter() - began) * 1000)
    lags = await _lags(place, owner, engine, seconds)
    lag = spread(f"at {_PER_SECOND} events a second, ms from commit to leaf", lags)
    per_thousand = 1000 / sequencer.BATCH
    measured = spread("a batch of leaves with its tiles", [t * per_thousand for t in ours])
    moved = spread(
        "a batch of the same rows moved to another table", [t * per_thousand for t in bare]
    )
    goals = (
        Goal("1,000 events, ms (20,000 a second)", fmean(ours) * per_thousand, 50),
        Goal("lag p99, ms", lag.p99, 1000),
    )
    more = {
        "events a second": round(1000 * sequencer.BATCH / fmean(ours)),
        "moved a second": round(1000 * sequencer.BATCH / fmean(bare)),
        "lag": lag.as_json(),
    }
    return Figures("audit, leaves", measured, moved, goals, more, unit="ms a thousand events")


async def _batches(engine: AsyncEngine) -> Sequence[float]:
    """Milliseconds of each full batch."""
    times: list[float] = []
    while True:
        began = perf_counter()
        batch = await sequence(engine)
        if not batch.more:
            return times
        times.append((perf_counter() - began) * 1000)


async def _let_wait(owner: asyncpg.Connection, organisation_id: UUID, count: int) -> None:
    """Rows as writers leave them. The sequencer reads nothing else."""
    leaf = leaf_hash(b"{}")
    rows = [(organisation_id, new_id(), leaf) for _ in range(count)]
    columns = ["organisation_id", "event_id", "leaf"]
    await owner.copy_records_to_table("audit_pending", records=rows, columns=columns)


async def _move_table(owner: asyncpg.Connection, count: int) -> None:
    await owner.execute("create table bench_from (like audit_pending including defaults)")
    await owner.execute("create table bench_to (like audit_pending)")
    rows = [(new_id(), new_id(), leaf_hash(b"{}")) for _ in range(count)]
    columns = ["organisation_id", "event_id", "leaf"]
    await owner.copy_records_to_table("bench_from", records=rows, columns=columns)


_MOVE = """
    with moved as (
        delete from bench_from where ctid = any (array(select ctid from bench_from limit $1))
        returning *
    ), kept as (
        insert into bench_to select * from moved
    )
    select count(*) from moved
"""


async def _lags(
    place: Ground, owner: asyncpg.Connection, engine: AsyncEngine, seconds: int
) -> Sequence[float]:
    """Milliseconds from the writer's commit to the commit of the leaf, of each event."""
    async with child(write, place, seconds) as writing:
        result = asyncio.create_task(writing.result())
        done: list[tuple[int, int]] = []  # (how many leaves, when)
        before = await _size(engine, place.organisation_id)
        size, batch = before, Batch()
        while not result.done() or batch.events:
            batch = await sequence(engine)
            size += batch.events
            done.append((size, monotonic_ns()))
            if not batch.more:
                await asyncio.sleep(SEQUENCE_EVERY)
        await result
    written = json.loads((place.settings.home / _WRITTEN).read_text())
    committed = {UUID(event): when for event, when in written.items()}
    rows = await owner.fetch(
        "select number, events from audit_tiles where level = 0 and organisation_id = $1"
        " and number >= $2 order by number",
        place.organisation_id,
        before // 256,
    )
    leaves = [
        (row["number"] * 256 + at, each) for row in rows for at, each in enumerate(row["events"])
    ]
    lags, batches = [], iter(done)
    upto, when = next(batches)
    for leaf, event in leaves:
        while leaf >= upto:
            upto, when = next(batches)
        if event in committed:
            lags.append((when - committed[event]) / 1e6)
    assert len(lags) == len(committed)
    return lags


async def _size(engine: AsyncEngine, organisation_id: UUID) -> int:
    async with engine.connect() as connection:
        found = await head(connection, organisation_id)
    return found.size if found else 0


async def write(life: Life, place: Ground, seconds: int) -> None:
    """A child: so many events a second, for so long; when each was committed is in a file."""
    engine = create_engine(place.services.database_url)
    life.ready()
    committed: dict[str, int] = {}
    began, gap = monotonic_ns(), 1e9 * _AT_A_TIME / _PER_SECOND
    for turn in range(seconds * _PER_SECOND // _AT_A_TIME):
        await asyncio.sleep((began + turn * gap - monotonic_ns()) / 1e9)
        stream = new_id()
        events = [_event(place.organisation_id, stream, "write", n) for n in range(_AT_A_TIME)]
        async with engine.begin() as connection:
            await log.append(connection, events)
        now = monotonic_ns()
        committed.update({str(event.id): now for event in events})
    await engine.dispose()
    (place.settings.home / _WRITTEN).write_text(json.dumps(committed))  # too much for the pipe


async def _all_sequenced(engine: AsyncEngine) -> None:
    while (await sequence(engine)).events:
        pass


# Proofs


async def _proofs(owner: asyncpg.Connection, engine: AsyncEngine, count: int) -> Figures:
    """Of events all over the tree, each found by its id."""
    rows = await owner.fetch(
        "select organisation_id, events[1 + number % cardinality(events)] as id from audit_tiles"
        " where level = 0 order by random() limit $1",
        count,
    )
    ours, bare = [], []
    async with engine.connect() as connection:
        size = await _size(engine, rows[0]["organisation_id"])
        for row in rows:
            began = perf_counter()
            leaf = await leaf_of(connection, row["organisation_id"], row["id"])
            assert leaf is not None
            await prove_inclusion(connection, row["organisation_id"], leaf, size)
            ours.append((perf_counter() - began) * 1000)
            began = perf_counter()
            await leaf_of(connection, row["organisation_id"], row["id"])
            bare.append((perf_counter() - began) * 1000)
    proved = spread(f"an inclusion proof in a tree of {size}", ours)
    found = spread("the leaf's number alone", bare)
    return Figures("audit, proofs", proved, found, (Goal("p99, ms", proved.p99, 5),))
