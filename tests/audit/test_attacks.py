"""Whoever owns the database and every row in it is found out, and what they did is named."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit import log
from audit.event import JSON, Event, canonical
from audit.hashing import leaf_hash
from audit.merkle import Tree
from audit.note import NoteKey, checkpoint_text, note, signature_line
from audit.sequencer import sequence
from audit.verifier.live import verify_database
from audit.verifier.verdict import Fault, Kind, Verdict
from tests.audit.happening import Happening
from tests.audit.log_of_one import (
    KEY,
    KEYS,
    ORGANISATION,
    body_of,
    event,
    sign,
    tamper,
    verify,
    write,
)

STREAMS = [uuid7() for _ in range(3)]
EARLIER = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def events(app: AsyncEngine) -> list[Event]:
    """300 events of three streams, signed after 200 and after all."""
    made = [event(STREAMS[n % 3], n) for n in range(300)]
    await write(app, *made[:200])
    await sign(app)
    await write(app, *made[200:])
    await sign(app)
    return await _in_order(app, made)


async def _in_order(app: AsyncEngine, made: list[Event]) -> list[Event]:
    """The events in the order of their leaves."""
    by_id = {each.id: each for each in made}
    async with app.connect() as connection:
        rows = await connection.execute(
            text("select events from audit_tiles where level = 0 order by number")
        )
        return [by_id[id_] for row in rows for id_ in row.events]


def first(verdict: Verdict) -> Fault:
    assert verdict.first is not None
    return verdict.first


async def test_the_log_is_whole_before_any_attack(app: AsyncEngine, events: list[Event]) -> None:
    verdict = await verify(app)

    assert (verdict.faults, verdict.leaves, verdict.checkpoints) == ([], 300, 2)


async def test_a_changed_byte(app: AsyncEngine, owner: AsyncEngine, events: list[Event]) -> None:
    await tamper(
        owner,
        "update audit_events set body = jsonb_set(body, '{data,n}', '999') where id = :id",
        id=events[123].id,
    )

    verdict = await verify(app)

    fault = first(verdict)
    assert (verdict.kind, fault.leaf, fault.event) == (Kind.MODIFIED, 123, events[123].id)
    assert (fault.stream, fault.seq) == (events[123].stream, 42)


@pytest.mark.parametrize(
    "column",
    ["tag = 'test:thing:denied'", "at = at + interval '1 second'", "sha256 = sha256('x')"],
)
async def test_a_changed_column(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event], column: str
) -> None:
    await tamper(owner, f"update audit_events set {column} where id = :id", id=events[7].id)

    verdict = await verify(app)

    assert (verdict.kind, first(verdict).event) == (Kind.MODIFIED, events[7].id)


async def test_a_changed_event_whose_hashes_and_chain_were_computed_anew(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    changed = {**await body_of(app, events[5]), "data": {"n": 999}}
    await tamper(
        owner,
        "update audit_events set body = cast(cast(:body as text) as jsonb),"
        " sha256 = sha256(convert_to(cast(:body as text), 'UTF8')) where id = :id",
        _CHAIN_ANEW,
        body=canonical(changed),
        id=events[5].id,
    )

    verdict = await verify(app)

    assert (verdict.kind, first(verdict).leaf) == (Kind.MODIFIED, 5)
    assert first(verdict).event == events[5].id


async def test_a_row_deleted_in_the_middle(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    await tamper(owner, "delete from audit_events where id = :id", id=events[150].id)

    verdict = await verify(app)

    assert (verdict.kind, first(verdict).leaf, first(verdict).event) == (
        Kind.MISSING,
        150,
        events[150].id,
    )
    assert first(verdict).until == 151


async def test_a_row_deleted_and_the_gap_closed(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    """Those behind it are numbered anew, and so are their chain and its head."""
    await tamper(
        owner,
        "delete from audit_events where id = :id",
        "update audit_events set seq = -seq where stream = :stream and seq > 51",
        "update audit_events set seq = -seq - 1 where seq < 0",
        _CHAIN_ANEW,
        id=events[150].id,
        stream=events[150].stream,
    )

    verdict = await verify(app)

    assert (verdict.kind, first(verdict).event) == (Kind.MISSING, events[150].id)
    assert (first(verdict).leaf, first(verdict).until) == (150, 151)


async def test_the_tail_deleted(app: AsyncEngine, owner: AsyncEngine, events: list[Event]) -> None:
    await tamper(
        owner,
        "delete from audit_events where id = any (:ids)",
        ids=[each.id for each in events[280:]],
    )

    verdict = await verify(app)

    assert (verdict.kind, first(verdict).leaf, first(verdict).until) == (Kind.TAIL_CUT, 280, 300)
    assert first(verdict).event == events[280].id


async def test_the_tail_deleted_with_its_leaves(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    """The tree is cut back as well, in itself without a fault; the checkpoint is left."""
    await cut_back(owner, events, 230)

    verdict = await verify(app)

    assert (verdict.kind, first(verdict).leaf, first(verdict).until) == (Kind.TAIL_CUT, 230, 300)


async def test_the_tail_deleted_with_its_checkpoints_is_found_by_the_anchor(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    anchor = await newest_note(app)
    await cut_back(owner, events, 200)
    await tamper(
        owner,
        "delete from audit_checkpoints where size > 200",
        "update audit_trees set checkpoint_size = 200",
    )

    assert (await verify(app)).verified  # nothing in the database tells of it any more
    verdict = await verify(app, anchors=[anchor])

    assert (verdict.kind, first(verdict).leaf, first(verdict).until) == (Kind.TAIL_CUT, 200, 300)


async def test_an_inserted_row(app: AsyncEngine, owner: AsyncEngine, events: list[Event]) -> None:
    """Dated back, numbered into its stream, and its stream's chain computed anew."""
    forged = await insert_back_dated(owner, events[90])
    await tamper(owner, _CHAIN_ANEW)

    verdict = await verify(app)

    # Not "reordered", though all behind it stand at other numbers than they say.
    assert (verdict.kind, first(verdict).event) == (Kind.INSERTED, forged.id)
    assert (first(verdict).stream, first(verdict).seq) == (events[90].stream, 32)


async def test_a_back_dated_event_that_was_given_a_leaf(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    """Through the very function that the application uses, and another clock put into it."""
    old = Event(ORGANISATION, STREAMS[0], Happening.HAPPENED, {"n": 1})
    await turn_clock(owner, EARLIER)
    async with app.begin() as connection:
        await log.append(connection, [old])
    await sequence(app)
    await sign(app)

    verdict = await verify(app)

    assert (verdict.kind, first(verdict).leaf, first(verdict).event) == (
        Kind.INSERTED,
        300,
        old.id,
    )


async def test_two_rows_swapped(app: AsyncEngine, owner: AsyncEngine, events: list[Event]) -> None:
    """What they say changes places, hashes and all."""
    one, other = events[30], events[61]
    await tamper(
        owner,
        "update audit_events e set body = o.body, sha256 = o.sha256, tag = o.tag, at = o.at"
        " from audit_events o where (e.id = :one and o.id = :other)"
        " or (e.id = :other and o.id = :one)",
        _CHAIN_ANEW,
        one=one.id,
        other=other.id,
    )

    verdict = await verify(app)

    assert verdict.kind is Kind.REORDERED
    assert (first(verdict).leaf, first(verdict).event) == (30, one.id)


@pytest.mark.parametrize("chain", [False, True], ids=["chain as it was", "chain computed anew"])
async def test_two_rows_of_a_stream_numbered_the_other_way_round(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event], chain: bool
) -> None:
    """Each says its own number, so that one of them alone gives it away; the chain does so too."""
    one, other = events[30], events[33]
    await tamper(
        owner,
        "update audit_events set seq = -seq where id in (:one, :other)",
        "update audit_events e set seq = -o.seq from audit_events o"
        " where (e.id = :one and o.id = :other)",
        "update audit_events set seq = 11 where id = :other",
        *([_CHAIN_ANEW] if chain else []),
        one=one.id,
        other=other.id,
    )

    verdict = await verify(app)

    assert (verdict.kind, verdict.counts[Kind.REORDERED]) == (Kind.REORDERED, 1 if chain else 2)
    assert (first(verdict).leaf, first(verdict).event) == (30, one.id)
    assert (first(verdict).stream, first(verdict).seq) == (one.stream, 12)


async def test_everything_written_anew_without_the_key(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    """From one changed event on all hashes, tiles and heads fit again; only signatures do not."""
    await rewrite(owner, events, at=210)

    verdict = await verify(app)

    assert verdict.kind is Kind.INCONSISTENT
    assert (first(verdict).leaf, first(verdict).until) == (200, 300)
    assert first(verdict).event == str(events[200].id)


async def test_everything_written_anew_and_signed_with_another_key(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    await rewrite(owner, events, at=210)
    await tamper(owner, "delete from audit_checkpoints where size = 300")
    await tamper(owner, "update audit_trees set checkpoint_size = 200")
    await sign(app, NoteKey.made("miyabi"))

    verdict = await verify(app)

    assert verdict.kind is Kind.UNKNOWN_KEY
    assert first(verdict).leaf == 300


async def test_everything_written_anew_and_signed_in_the_name_of_the_key(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    await rewrite(owner, events, at=210)
    async with app.connect() as connection:
        row = (await connection.execute(text("select root, sequenced_at from audit_trees"))).one()
    words = checkpoint_text(ORGANISATION, 300, bytes(row.root), row.sequenced_at)
    forged = NoteKey.made(KEY.name).key.sign(words.encode())
    await tamper(
        owner,
        "update audit_checkpoints set root = :root, note = :note where size = 300",
        root=bytes(row.root),
        note=note(words, [signature_line(KEY.name, KEY.id, forged)]),
    )

    verdict = await verify(app)

    assert verdict.kind is Kind.BAD_SIGNATURE
    assert first(verdict).leaf == 300


async def test_an_old_backup_that_was_restored_and_written_on(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    """Signed by the true key even: the installation itself went on from the backup."""
    anchors = await all_notes(app)
    await restore_backup(owner, events, 200)
    await write(app, *(event(STREAMS[0], n) for n in range(150)))
    await sign(app)

    assert (await verify(app)).verified
    verdict = await verify(app, anchors=anchors)

    assert verdict.kind is Kind.INCONSISTENT
    assert (first(verdict).leaf, first(verdict).until) == (200, 300)


async def test_an_old_backup_that_was_restored(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    anchors = await all_notes(app)
    await restore_backup(owner, events, 200)
    await write(app, event(STREAMS[0]))

    verdict = await verify(app, anchors=anchors)

    assert verdict.kind is Kind.TAIL_CUT
    assert (first(verdict).leaf, first(verdict).until) == (201, 300)


async def test_two_histories_of_one_size(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    """Both signed by the true key: the auditor was shown one, the database has the other."""
    shown = await newest_note(app)
    await restore_backup(owner, events, 200)
    await write(app, *(event(STREAMS[0], n) for n in range(100)))
    other = await sign(app)

    against_database = await verify(app, anchors=[shown])
    among_themselves = await verify(app, anchors=[shown, other])

    assert against_database.kind is Kind.INCONSISTENT
    assert (first(against_database).leaf, first(against_database).until) == (200, 300)
    assert any("two anchors of size 300" in each.about for each in among_themselves.faults)


async def test_a_key_that_leaked_signs_a_tail_and_no_past(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    """With the key and the database one can forge what is not anchored, and nothing before."""
    anchors = (await all_notes(app))[:1]
    await rewrite(owner, events, at=210)
    await tamper(owner, "delete from audit_checkpoints where size = 300")
    await tamper(owner, "update audit_trees set checkpoint_size = 200")
    await sign(app)

    after_the_anchor = await verify(app, anchors=anchors)

    assert after_the_anchor.verified
    assert after_the_anchor.kind is Kind.UNANCHORED
    assert first(after_the_anchor).leaf == 200

    await rewrite(owner, events, at=150)
    await tamper(owner, "delete from audit_checkpoints")
    await tamper(owner, "update audit_trees set checkpoint_size = 0")
    await sign(app)

    assert (await verify(app, anchors=anchors)).kind is Kind.INCONSISTENT


async def test_a_hash_of_the_tree_changed(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    await tamper(
        owner,
        "update audit_tiles set hashes = overlay(hashes placing sha256('x') from 32 * 17 + 1)"
        " where level = 0 and number = 0",
    )

    verdict = await verify(app)

    assert (verdict.kind, first(verdict).leaf) == (Kind.MODIFIED, 17)
    assert Kind.INCONSISTENT in verdict.counts


async def test_a_hash_above_the_leaves_changed(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    await tamper(owner, "update audit_tiles set hashes = sha256('x') where level = 1")

    verdict = await verify(app)

    assert (verdict.kind, first(verdict).leaf, first(verdict).until) == (Kind.MODIFIED, 0, 256)


async def test_a_tile_deleted(app: AsyncEngine, owner: AsyncEngine, events: list[Event]) -> None:
    await tamper(owner, "delete from audit_tiles where level = 0 and number = 0")

    verdict = await verify(app)

    assert (verdict.kind, first(verdict).leaf, first(verdict).until) == (Kind.MISSING, 0, 256)


async def test_a_checkpoint_deleted(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    await tamper(owner, "delete from audit_checkpoints where size = 300")

    assert (await verify(app)).kind is Kind.TAIL_CUT


async def test_all_of_an_organisation_deleted_is_found_by_the_anchor(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    anchors = await all_notes(app)
    tables = ("events", "streams", "tiles", "trees", "checkpoints", "pending")
    await tamper(owner, *(f"delete from audit_{table}" for table in tables))

    verdict = await verify(app, anchors=anchors)

    assert (verdict.kind, first(verdict).leaf, first(verdict).until) == (Kind.TAIL_CUT, 0, 200)


async def test_an_event_that_waits_for_its_leaf_changed_or_deleted(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    waiting = [event(STREAMS[0], n) for n in range(2)]
    async with app.begin() as connection:
        await log.append(connection, waiting)
    assert (await verify(app)).unsequenced == 2

    await tamper(
        owner,
        "update audit_events set body = jsonb_set(body, '{data,n}', '999') where id = :one",
        "delete from audit_events where id = :other",
        one=waiting[0].id,
        other=waiting[1].id,
    )

    verdict = await verify(app)
    kinds = {each.event: each.kind for each in verdict.faults if each.event is not None}
    assert kinds == {waiting[0].id: Kind.MODIFIED, waiting[1].id: Kind.MISSING}


async def test_an_event_changed_before_its_leaf_was_made(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    late = event(STREAMS[0], 1)
    async with app.begin() as connection:
        await log.append(connection, [late])
    await tamper(
        owner,
        "update audit_events set body = jsonb_set(body, '{data,n}', '999') where id = :id",
        id=late.id,
    )
    await sequence(app)
    await sign(app)

    verdict = await verify(app)

    assert (verdict.kind, first(verdict).leaf, first(verdict).event) == (
        Kind.MODIFIED,
        300,
        late.id,
    )


async def test_another_organisation_is_not_blamed(
    app: AsyncEngine, owner: AsyncEngine, events: list[Event]
) -> None:
    other = uuid7()
    await write(app, event(uuid7(), organisation=other))
    await sign(app)
    await tamper(owner, "delete from audit_events where id = :id", id=events[9].id)

    assert (await verify_database(app, KEYS, organisation_id=other)).verified
    assert not (await verify_database(app, KEYS, organisation_id=ORGANISATION)).verified


# What the attackers do.

_CHAIN_ANEW = """
    with recursive chained as (
        select stream, seq, sha256(sha256) as head from audit_events where seq = 1
        union all
        select e.stream, e.seq, sha256(c.head || e.sha256)
        from chained c join audit_events e on e.stream = c.stream and e.seq = c.seq + 1
    ), last as (
        select distinct on (stream) stream, seq, head from chained order by stream, seq desc
    )
    update audit_streams s set count = last.seq, head = last.head from last
    where last.stream = s.stream
"""


async def newest_note(app: AsyncEngine) -> str:
    return (await all_notes(app))[-1]


async def all_notes(app: AsyncEngine) -> list[str]:
    async with app.connect() as connection:
        rows = await connection.execute(text("select note from audit_checkpoints order by size"))
        return [row.note for row in rows]


async def put_tree(owner: AsyncEngine, leaves: list[bytes], ids: list[object]) -> None:
    """Tiles and head as the true sequencer would have made them of these leaves."""
    tree, levels = Tree().grown(leaves)
    statements: list[tuple[str, dict[str, object]]] = [
        ("delete from audit_tiles", {}),
        (
            "update audit_trees set size = :size, root = :root, edge = :edge,"
            " checkpoint_size = least(checkpoint_size, :size)",
            {"size": tree.size, "root": tree.root(), "edge": b"".join(tree.edge)},
        ),
    ]
    for level, hashes in enumerate(levels):
        for number in range(-(-len(hashes) // (256 * 32))):
            part = hashes[number * 256 * 32 : (number + 1) * 256 * 32]
            held = ids[number * 256 : (number + 1) * 256] if level == 0 else None
            sql = (
                "insert into audit_tiles (organisation_id, level, number, hashes, events, span)"
                " values (:organisation, :level, :number, :hashes, cast(:events as uuid[]),"
                + (" box(point(0, 0), point(1, 1)))" if level == 0 else " null)")
            )
            statements.append(
                (
                    sql,
                    {
                        "organisation": ORGANISATION,
                        "level": level,
                        "number": number,
                        "hashes": part,
                        "events": held,
                    },
                )
            )
    async with owner.begin() as connection:
        await connection.execute(text("set session_replication_role = replica"))
        for sql, values in statements:
            await connection.execute(text(sql), values)


def leaf(body: dict[str, JSON]) -> bytes:
    return leaf_hash(canonical(body).encode())


async def cut_back(owner: AsyncEngine, events: list[Event], size: int) -> None:
    """Events, streams, tiles and head as they were at that size."""
    await tamper(
        owner,
        "delete from audit_events where id = any (:ids)",
        _CHAIN_ANEW,
        ids=[each.id for each in events[size:]],
    )
    kept = events[:size]
    leaves = [leaf(await body_of(owner, each)) for each in kept]
    await put_tree(owner, leaves, [each.id for each in kept])


async def restore_backup(owner: AsyncEngine, events: list[Event], size: int) -> None:
    """All as it was at that size, checkpoints as well."""
    await cut_back(owner, events, size)
    await tamper(
        owner,
        "delete from audit_checkpoints where size > :size",
        "update audit_trees set checkpoint_size = :size, checkpoint_at = null",
        size=size,
    )


async def rewrite(owner: AsyncEngine, events: list[Event], at: int) -> None:
    """Change one event, and compute everything that follows from it anew."""
    changed = {**await body_of(owner, events[at]), "data": {"n": 999}}
    await tamper(
        owner,
        "update audit_events set body = cast(cast(:body as text) as jsonb),"
        " sha256 = sha256(convert_to(cast(:body as text), 'UTF8')) where id = :id",
        _CHAIN_ANEW,
        body=canonical(changed),
        id=events[at].id,
    )
    async with owner.connect() as connection:
        rows = await connection.execute(text("select id, body from audit_events"))
        bodies = {row.id: row.body for row in rows}
    leaves = [leaf(bodies[e.id]) for e in events]
    await put_tree(owner, leaves, [e.id for e in events])


async def turn_clock(owner: AsyncEngine, at: datetime) -> None:
    """Have the log's own function put in that time, whatever its clock says."""
    await tamper(
        owner,
        "alter function audit_dated(text, timestamptz) rename to audit_dated_well",
        "create function audit_dated(text, timestamptz) returns text language sql"
        f" as $$ select audit_dated_well($1, '{at.isoformat()}') $$",
    )


async def insert_back_dated(owner: AsyncEngine, after: Event) -> Event:
    """A row behind another of its stream, the later ones numbered on."""
    forged = Event(ORGANISATION, after.stream, after.tag, {"n": -1})
    async with owner.connect() as connection:
        at = await connection.scalar(
            text("select at from audit_events where id = :id"), {"id": after.id}
        )
    await tamper(
        owner,
        "update audit_events set seq = -seq - 1 where stream = :stream and seq > 31",
        "update audit_events set seq = -seq where seq < 0",
        "insert into audit_events values (:organisation, :stream, 32, :id, :at, :tag,"
        " cast(cast(:body as text) as jsonb), sha256(convert_to(cast(:body as text), 'UTF8')))",
        organisation=ORGANISATION,
        stream=after.stream,
        id=forged.id,
        at=at,
        tag=after.tag,
        body=canonical({**forged.body(), "at": at.isoformat(), "seq": 32}),
    )
    return forged
