"""Every committed event gets one leaf, whoever writes, dies or comes twice."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit import log, sequencer
from audit.event import Event, canonical
from audit.hashing import SIZE, leaf_hash
from audit.proofs import Head, head, leaf_of, prove_consistency, prove_inclusion
from audit.sequencer import Batch, backlog, sequence
from tests.audit.happening import Happening
from tests.audit.test_merkle import naive, naive_path, naive_subproof

ORGANISATION = uuid7()


def event(n: int = 0, organisation: UUID = ORGANISATION, **more: UUID) -> Event:
    return Event(organisation, uuid7(), Happening.HAPPENED, {"n": n}, **more)


async def write(engine: AsyncEngine, *events: Event) -> None:
    async with engine.begin() as connection:
        await log.append(connection, events)


async def all_sequenced(engine: AsyncEngine, **how: int) -> int:
    """Go on until nothing waits; how many events got their leaf."""
    total = 0
    while (batch := await sequence(engine, **how)).events:
        total += batch.events
    return total


async def its_turn(engine: AsyncEngine) -> None:
    """Try until the lock is free; that another's connection is gone shows after a moment."""
    for _ in range(300):
        if (await sequence(engine)).events:
            return
        await asyncio.sleep(0.1)
    pytest.fail("the lock was never free")


async def leaves(engine: AsyncEngine, organisation: UUID = ORGANISATION) -> dict[UUID, bytes]:
    """By the tiles: each event in the order of its leaf, with the hash that stands there."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "select hashes, events from audit_tiles where organisation_id = :id and level = 0"
                " order by number"
            ),
            {"id": organisation},
        )
        pairs = [
            (each, row.hashes[at * SIZE : (at + 1) * SIZE])
            for row in rows
            for at, each in enumerate(row.events)
        ]
    assert len(dict(pairs)) == len(pairs), "an event has two leaves"
    return dict(pairs)


async def said(engine: AsyncEngine, organisation: UUID = ORGANISATION) -> dict[UUID, bytes]:
    """By the events themselves: the leaf hash of each."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("select id, body from audit_events where organisation_id = :id"),
            {"id": organisation},
        )
        return {row.id: leaf_hash(canonical(row.body).encode()) for row in rows}


async def is_whole(engine: AsyncEngine, organisation: UUID = ORGANISATION) -> Sequence[bytes]:
    """Check that the tree holds the events and nothing else, and has their root; its leaves."""
    found = await leaves(engine, organisation)
    assert found == await said(engine, organisation)
    async with engine.connect() as connection:
        stands = await head(connection, organisation)
    assert stands == Head(len(found), naive(list(found.values())))
    return list(found.values())


async def test_twenty_writers_rollbacks_and_late_commits_leave_no_gap_and_no_fork(
    app: AsyncEngine,
) -> None:
    organisations = [ORGANISATION, uuid7(), uuid7()]
    writing = True

    async def writer(number: int) -> None:
        chance = random.Random(number)
        for n in range(25):
            with contextlib.suppress(ZeroDivisionError):
                async with app.begin() as connection:
                    await log.append(
                        connection,
                        [
                            event(n, chance.choice(organisations))
                            for _ in range(chance.randint(1, 4))
                        ],
                    )
                    if chance.random() < 0.3:  # ids of now, committed later than others of then
                        await asyncio.sleep(chance.random() / 20)
                    if chance.random() < 0.3:
                        raise ZeroDivisionError

    async def reader() -> None:
        while writing:
            await sequence(app, batch=37)
            await asyncio.sleep(0.002)

    reading = [asyncio.create_task(reader()) for _ in range(2)]
    # The pool has as many connections as there are writers and sequencers together.
    for number in range(0, 20, 10):
        await asyncio.gather(*(writer(number + n) for n in range(10)))
    writing = False
    await asyncio.gather(*reading)
    await all_sequenced(app)

    for organisation in organisations:
        assert await is_whole(app, organisation)
    async with app.connect() as connection:
        assert (await backlog(connection)).events == 0


async def test_a_tree_grows_over_many_tiles_and_its_proofs_are_right(app: AsyncEngine) -> None:
    sizes = []
    for count in (1, 255, 300, 44, 500):
        await write(app, *(event(n) for n in range(count)))
        await all_sequenced(app, batch=200)
        async with app.connect() as connection:
            sizes.append(await head(connection, ORGANISATION))

    found = await is_whole(app)
    async with app.connect() as connection:
        for each in sizes:
            assert each is not None
            assert each.root == naive(found[: each.size])
            proof = await prove_consistency(connection, ORGANISATION, each.size, len(found))
            assert proof == naive_subproof(each.size, found, True)
        for number, event_id in list(enumerate(await leaves(app)))[::97]:
            assert await leaf_of(connection, ORGANISATION, event_id) == number
            proof = await prove_inclusion(connection, ORGANISATION, number, len(found))
            assert proof == naive_path(number, found)


async def test_an_event_with_a_wrong_clock_or_no_time_in_its_id_is_found_as_well(
    app: AsyncEngine,
) -> None:
    strange = [event(id=uuid4()), event(id=UUID(int=0)), event(id=UUID(int=2**128 - 1))]
    for each in strange:
        await write(app, *(event(n) for n in range(200)), each)
        await all_sequenced(app)

    order = list(await leaves(app))
    async with app.connect() as connection:
        for each in strange:
            assert await leaf_of(connection, ORGANISATION, each.id) == order.index(each.id)
        assert await leaf_of(connection, ORGANISATION, uuid7()) is None
        assert await leaf_of(connection, uuid7(), strange[0].id) is None


async def test_an_event_that_is_not_committed_waits_and_holds_nobody_up(app: AsyncEngine) -> None:
    async with app.begin() as late:
        await log.append(late, [event(1)])
        await write(app, event(2))

        assert await sequence(app) == Batch(1, more=False)

    assert await sequence(app) == Batch(1, more=False)
    await is_whole(app)


async def test_of_two_sequencers_one_works_and_the_other_goes_away(app: AsyncEngine) -> None:
    await write(app, event())
    async with app.connect() as other, other.begin():
        await other.execute(sequencer._ALONE, {"lock": sequencer.LOCK, "patience": "5s"})

        assert await sequence(app) == Batch()

    assert await sequence(app) == Batch(1, more=False)


async def test_a_sequencer_killed_in_the_middle_leaves_all_to_the_next(app: AsyncEngine) -> None:
    await write(app, *(event(n) for n in range(300)))
    async with app.connect() as dying:
        await dying.begin()
        assert (await sequencer._sequence(dying, 1000)).events == 300
        await dying.invalidate()  # before its commit

    await its_turn(app)
    await is_whole(app)


async def test_a_sequencer_that_is_stopped_loses_its_turn(app: AsyncEngine) -> None:
    await write(app, event())
    async with app.connect() as stopped:
        await stopped.begin()
        assert (await sequencer._sequence(stopped, 10)).events == 1

        await its_turn(app)

        await stopped.invalidate()
    await is_whole(app)


async def test_what_does_not_fit_the_tree_is_refused_and_nothing_happens(app: AsyncEngine) -> None:
    await write(app, *(event(n) for n in range(3)))
    await sequence(app)
    await write(app, event(3))
    async with app.connect() as connection:
        [row] = (await connection.execute(sequencer._TAKE, {"batch": 10, "without": []})).all()
    right = sequencer._growth(row)
    forged = [b"x" * SIZE]

    for wrong, why in (
        ({"size": 2}, "grown meanwhile"),
        ({"levels": forged}, "not the leaves"),
        ({"places": []}, "not the leaves"),
        ({"levels": [*right["levels"], b"x" * SIZE]}, "number of hashes"),
        ({"organisation_id": uuid7()}, "not the leaves"),
    ):
        with pytest.raises(DBAPIError, match=why):
            async with app.begin() as connection:
                await connection.execute(sequencer._GROW, {**right, **wrong})

    await sequence(app)
    assert len(await is_whole(app)) == 4


async def test_a_leaf_is_of_what_was_said_when_it_was_said(
    app: AsyncEngine, owner: AsyncEngine
) -> None:
    await write(app, event(1))
    async with owner.begin() as connection:
        await connection.execute(text("set session_replication_role = replica"))
        await connection.execute(text("update audit_events set body = '{\"n\": 2}'"))

    await sequence(app)

    assert await leaves(app) != await said(app)


_TABLES = ("audit_pending", "audit_tiles", "audit_trees", "audit_checkpoints")
_VERBS = (
    "insert into {t} select * from {t}",
    "update {t} set organisation_id = organisation_id",
    "delete from {t}",
    "truncate {t}",
)


@pytest.mark.parametrize("table", _TABLES)
@pytest.mark.parametrize("statement", _VERBS)
async def test_the_application_can_write_no_table_of_the_tree(
    app: AsyncEngine, table: str, statement: str
) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with app.begin() as connection:
            await connection.execute(text(statement.format(t=table)))


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_tiles set hashes = overlay(hashes placing '\\x00'::bytea from 3)",
        "update audit_tiles set number = 7",
        "update audit_tiles set hashes = substr(hashes, 1, 32), events = events[1:1]",
        "update audit_tiles set events[1] = events[2]",
        "update audit_trees set size = 1",
        "update audit_trees set root = sha256('')",
        "delete from audit_tiles",
        "delete from audit_trees",
        "truncate audit_tiles",
        "truncate audit_trees",
        "truncate audit_checkpoints",
        "truncate audit_keys",
    ],
)
async def test_the_owner_is_refused_what_is_no_growth(
    app: AsyncEngine, owner: AsyncEngine, statement: str
) -> None:
    await write(app, event(1), event(2))
    await sequence(app)
    with pytest.raises(DBAPIError, match=r"append-only|foreign key"):
        async with owner.begin() as connection:
            await connection.execute(text(statement))
