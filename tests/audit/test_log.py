"""The audit log: append-only for the application, and every kind of tampering is found."""

import asyncio
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit import blobs, log
from audit.event import TO_BE_NUMBERED, Actor, Event, canonical, digest
from audit.verifier.chains import verify_streams
from audit.verifier.verdict import Fault
from tests.audit.happening import Happening
from tests.audit.log_of_one import SEALED

ORGANISATION = uuid7()


def event(stream: UUID, n: int = 0, organisation: UUID = ORGANISATION) -> Event:
    return Event(organisation, stream, Happening.HAPPENED, {"n": n}, Actor(uuid7(), SEALED))


async def write(engine: AsyncEngine, *events: Event) -> None:
    async with engine.begin() as connection:
        await log.append(connection, events)


async def faults(engine: AsyncEngine, **scope: object) -> list[Fault]:
    async with engine.connect() as connection:
        return (await verify_streams(connection, **scope)).faults  # type: ignore[arg-type]


async def tamper(engine: AsyncEngine, statement: str) -> None:
    """As the database's superuser, with the triggers switched off."""
    async with engine.begin() as connection:
        await connection.execute(text("set session_replication_role = replica"))
        await connection.execute(text(statement))


async def test_what_was_written_verifies(app: AsyncEngine) -> None:
    streams = [uuid7() for _ in range(3)]
    for n in range(4):
        await write(app, *(event(stream, n) for stream in streams))

    async with app.connect() as connection:
        verdict = await verify_streams(connection, expected=streams)

    assert (verdict.events, verdict.streams, verdict.faults) == (12, 3, [])


async def test_writers_of_one_stream_in_parallel_leave_no_gap(app: AsyncEngine) -> None:
    stream = uuid7()

    await asyncio.gather(*(write(app, event(stream, n), event(stream, -n)) for n in range(15)))

    assert await faults(app) == []
    async with app.connect() as connection:
        rows = await connection.execute(text("select seq from audit_events order by seq"))
        assert [row.seq for row in rows] == list(range(1, 31))


async def test_many_streams_at_once_each_in_its_order_and_two_writers_wait_for_nobody_in_a_circle(
    app: AsyncEngine,
) -> None:
    streams = [uuid7() for _ in range(20)]

    def events() -> list[Event]:
        there = [event(stream, n) for n in (0, 1, 2) for stream in streams]
        return there + [event(stream, n) for n in (2, 1, 0) for stream in streams[::-1]]

    await asyncio.gather(*(write(app, *events()) for _ in range(3)))

    assert await faults(app, expected=streams) == []
    async with app.connect() as connection:
        rows = await connection.execute(
            text(
                "select distinct array_agg(cast(body -> 'data' ->> 'n' as integer) order by seq)"
                " as n from audit_events group by stream"
            )
        )
        assert [row.n for row in rows] == [[0, 1, 2, 2, 1, 0] * 3]


@pytest.mark.parametrize(
    "attack",
    [
        "update audit_events set body = jsonb_set(body, '{data,n}', '99') where seq = 2",
        "update audit_events set tag = 'test:thing:denied' where seq = 2",
        "update audit_events set at = at - interval '1 day' where seq = 2",
        "delete from audit_events where seq = 2",
        "delete from audit_events where seq = 4",
        "update audit_events set seq = seq + 10 where seq = 4",
        "update audit_events set body = jsonb_set(body, '{seq}', '7') where seq = 2",
        "with a as (select stream, body, sha256, id from audit_events where seq = 1)"
        " update audit_events e set body = a.body, sha256 = a.sha256 from a where e.seq = 3",
        "delete from audit_events",
        "delete from audit_streams",
        "insert into audit_events select organisation_id, stream, 5, gen_random_uuid(), at, tag,"
        " body, sha256 from audit_events where seq = 4",
    ],
)
async def test_a_changed_deleted_or_inserted_row_is_found(
    app: AsyncEngine, owner: AsyncEngine, attack: str
) -> None:
    stream = uuid7()
    await write(app, *(event(stream, n) for n in range(4)))
    assert await faults(app) == []

    await tamper(owner, attack)

    found = await faults(app)
    assert found
    assert stream in {fault.stream for fault in found}


async def test_a_stream_that_vanished_whole_is_missed(app: AsyncEngine, owner: AsyncEngine) -> None:
    stream = uuid7()
    await write(app, event(stream))
    await tamper(owner, "delete from audit_events")
    await tamper(owner, "delete from audit_streams")

    assert await faults(app) == []
    assert await faults(app, expected=[stream])


async def test_a_stream_belongs_to_one_organisation(app: AsyncEngine) -> None:
    stream = uuid7()
    await write(app, event(stream))
    with pytest.raises(DBAPIError, match="another organisation"):
        await write(app, event(stream, organisation=uuid7()))


async def test_a_rolled_back_change_leaves_no_event(app: AsyncEngine) -> None:
    async with app.connect() as connection:
        await log.append(connection, [event(uuid7())])
        await connection.rollback()
    async with app.connect() as connection:
        assert (await verify_streams(connection)).events == 0


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), json, max_size=4))
@settings(max_examples=100)
def test_the_hash_does_not_depend_on_the_order_of_keys(data: dict[str, object]) -> None:
    body = {**event(uuid7()).body(), "data": data}
    turned = dict(reversed(body.items()))
    turned["data"] = dict(reversed(data.items()))
    assert digest(turned) == digest(body)


@given(
    st.dictionaries(
        st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=8),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["a", "B", "é", "見"]), inner, max_size=3)
            ),
            max_leaves=10,
        ),
        max_size=4,
    )
)
@settings(max_examples=150)
def test_an_event_is_spelt_as_the_standard_has_it(data: dict[str, object]) -> None:
    body = {**event(uuid7()).body(), "data": data}

    assert canonical(body).encode() == rfc8785.dumps(body)  # type: ignore[arg-type]


async def test_the_first_event_of_a_stream_is_as_any_other(app: AsyncEngine) -> None:
    first, second = event(uuid7(), 1), event(uuid7(), 2)
    async with app.begin() as connection:
        await connection.execute(
            text("select audit_begin(:organisation, :stream, :body)"),
            {
                "organisation": ORGANISATION,
                "stream": first.stream,
                "body": canonical(first.body()),
            },
        )
    await write(app, second, event(first.stream, 3))

    assert await faults(app) == []
    with pytest.raises(DBAPIError):  # a stream begins once
        async with app.begin() as connection:
            await connection.execute(
                text("select audit_begin(:organisation, :stream, :body)"),
                {
                    "organisation": ORGANISATION,
                    "stream": first.stream,
                    "body": canonical(event(first.stream).body()),
                },
            )


async def test_an_event_says_its_own_number(app: AsyncEngine) -> None:
    stream = uuid7()
    await write(app, event(stream), event(stream))
    await write(app, event(stream))

    async with app.connect() as connection:
        rows = await connection.execute(text("select seq, body from audit_events order by seq"))
        assert [(row.seq, row.body["seq"]) for row in rows] == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize("seq", [7, "1", None, ...])
async def test_an_event_that_brings_a_number_of_its_own_is_refused(
    app: AsyncEngine, seq: object
) -> None:
    """Whatever else of it looks like the place for a number."""
    brought = event(uuid7()).body()
    brought = {**brought, "seq": seq, "data": {"n": 1, "seq": TO_BE_NUMBERED}}
    if seq is ...:
        del brought["seq"]
    for sql in ("audit_begin(:o, :s, :body)", "audit_append(:o, :s, jsonb_build_array(:body))"):
        with pytest.raises(DBAPIError, match="seq"):
            async with app.begin() as connection:
                await connection.execute(
                    text(f"select {sql}".replace(":body", "cast(:body as text)")),
                    {"o": ORGANISATION, "s": uuid7(), "body": canonical(brought)},
                )


async def test_a_document_of_before_the_store_is_read_and_a_changed_one_is_noticed(
    app: AsyncEngine, owner: AsyncEngine
) -> None:
    keep = text("select audit_keep(:organisation_id, 'text/plain', convert_to('hello', 'UTF8'))")
    async with app.begin() as connection:
        first = await connection.scalar(keep, {"organisation_id": ORGANISATION})
        assert await blobs.get(connection, ORGANISATION, first) == b"hello"
        assert await blobs.get(connection, uuid7(), first) is None

    await tamper(owner, "update audit_blobs set content = 'jello'")

    async with app.connect() as connection:
        with pytest.raises(ValueError, match="was changed"):
            await blobs.get(connection, ORGANISATION, first)
