"""Events lie by the month: each is found, none is refused, and no question reads all of them."""

import re
from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from audit import log
from audit.events import about, by_ids
from audit.proof_files import inclusion_file
from audit.search import Criteria, EventCriteria, events
from audit.sequencer import sequence
from audit.verifier.proof import Proven, check_proof
from audit.verifier.verdict import Kind
from tests.audit.log_of_one import KEYS, ORGANISATION, event, sign, tamper, verify, write
from tests.audit.months import ago, happened, make_months, set_clock

_LIES_IN = """
    select cast(cast(tableoid as regclass) as text) as month from audit_events order by at, id
"""


async def months(engine: AsyncEngine) -> list[str]:
    """In which partition each event lies, the oldest first."""
    async with engine.connect() as connection:
        rows = await connection.execute(text(_LIES_IN))
        return [row.month for row in rows]


def name(months_ago: int) -> str:
    return f"audit_events_{ago(months_ago):%Y_%m}"


async def test_each_event_lies_in_its_month_and_the_next_two_are_there(
    app: AsyncEngine, owner: AsyncEngine
) -> None:
    await set_clock(owner)
    stream = uuid7()
    for when in (0, -1, -2):
        await happened(app, ago(when), stream)

    assert await months(owner) == [name(0), name(-1), name(-2)]


async def test_an_event_whose_month_was_not_made_is_kept_and_moves_when_it_is(
    app: AsyncEngine, owner: AsyncEngine
) -> None:
    await set_clock(owner)
    [early] = await happened(app, ago(-3), uuid7())
    await sequence(app)
    await sign(app)
    assert await months(owner) == ["audit_events_default"]

    async with app.begin() as connection:
        made = await connection.scalar(text("select audit_make_months(4)"))

    assert made == 2
    assert await months(owner) == [name(-3)]
    assert (await verify(app)).verified
    async with app.connect() as connection:
        assert early.id in await by_ids(connection, ORGANISATION, [early.id])
        assert await connection.scalar(text("select audit_make_months(4)")) == 0


async def test_an_id_of_a_wrong_clock_is_found_and_proven(
    app: AsyncEngine, owner: AsyncEngine
) -> None:
    await set_clock(owner)
    await make_months(owner, 5)
    wrong = event(uuid7())  # its id says now, the database says long ago
    async with app.begin() as connection:
        await connection.execute(
            text("select set_config('test.clock', :at, true)"), {"at": ago(4).isoformat()}
        )
        await log.append(connection, [wrong])
    await sequence(app)
    await sign(app)

    assert (await verify(app)).verified
    async with app.connect() as connection:
        proof = await inclusion_file(connection, ORGANISATION, wrong.id)
    assert isinstance(check_proof(proof, KEYS), Proven)


@pytest.mark.parametrize("verb", ["update {t} set seq = seq", "delete from {t}", "truncate {t}"])
async def test_a_partition_by_its_own_name_is_append_only_too(
    app: AsyncEngine, owner: AsyncEngine, verb: str
) -> None:
    await write(app, event(uuid7()))
    for engine, why in ((app, "permission denied"), (owner, "append-only")):
        with pytest.raises(DBAPIError, match=why):
            async with engine.begin() as connection:
                await connection.execute(text(verb.format(t=name(0))))


_COPY = (
    "insert into audit_events select organisation_id, stream, {seq}, {id}, at + interval '1 day',"
    " tag, body, sha256 from audit_events where seq = 2"
)


@pytest.mark.parametrize(
    ("seq", "id_", "says"),
    [
        ("seq", "gen_random_uuid()", "number 2 of this stream stands there twice"),
        ("4", "id", "this event stands there more than once"),
    ],
)
async def test_a_double_that_no_key_refuses_is_found(
    app: AsyncEngine, owner: AsyncEngine, seq: str, id_: str, says: str
) -> None:
    stream = uuid7()
    await write(app, *[event(stream, n) for n in range(3)])
    await sign(app)
    await tamper(owner, _COPY.format(seq=seq, id=id_))

    verdict = await verify(app)

    assert not verdict.verified
    assert says in {fault.about for fault in verdict.faults if fault.kind is Kind.INSERTED}


# Plans


async def plan(engine: AsyncEngine, sql: str, values: Mapping[str, object]) -> str:
    """How PostgreSQL would go about it if reading a table from end to end were no choice."""
    async with engine.connect() as connection:
        await connection.execute(text("set local enable_seqscan = off"))
        await connection.execute(text("set local plan_cache_mode = force_custom_plan"))
        rows = await connection.execute(text(f"explain (costs off) {sql}"), dict(values))
        return "\n".join(row[0] for row in rows)


@pytest.mark.fresh
async def test_no_question_of_every_day_reads_all_months(
    app: AsyncEngine, owner: AsyncEngine
) -> None:
    await make_months(owner, 84)
    [found] = await write(app, event(uuid7()))
    since, until = about([found.id])
    of: dict[str, object] = {"organisation_id": ORGANISATION, "ids": [found.id]}
    by_id = "select e.body from audit_events e where e.organisation_id = :organisation_id and e.id"
    near = "e.at >= :since and e.at < :until"
    questions = {
        f"{by_id} = any (:ids) and {near}": (of | {"since": since, "until": until}, 2),
        f"{by_id} = any (:ids)": (of, None),
        "select e.id from audit_events e where e.stream = :stream order by e.seq": (
            {"stream": found.stream},
            None,
        ),
        f"select e.id from audit_events e where e.organisation_id = :organisation_id and {near}"
        " order by e.at desc, e.id desc limit 50": (
            {"organisation_id": ORGANISATION, "since": since, "until": until},
            2,
        ),
        "select e.id from audit_events e where e.organisation_id = :organisation_id"
        " order by e.at desc, e.id desc limit 50": ({"organisation_id": ORGANISATION}, None),
        "select e.id from audit_events e where e.organisation_id = :organisation_id"
        " and e.tag = 'admin:token:revoked' order by e.at desc, e.id desc limit 50": (
            {"organisation_id": ORGANISATION},
            None,
        ),
    }

    for sql, (values, most) in questions.items():
        shown = await plan(owner, sql, values)
        assert "Seq Scan" not in shown, shown
        scanned = set(re.findall(r"on (audit_events_\d{4}_\d\d|audit_events_default)\b", shown))
        assert len(scanned) <= (most or 90), shown


@pytest.mark.fresh
async def test_a_search_goes_from_the_newest_month_on(app: AsyncEngine, owner: AsyncEngine) -> None:
    await set_clock(owner)
    await make_months(owner, 6)
    stream = uuid7()
    written = [(await happened(app, ago(when), stream))[0] for when in range(5, -1, -1)]

    async with app.connect() as connection:
        first = await events(connection, ORGANISATION, EventCriteria(), limit=4)
        rest = await events(connection, ORGANISATION, EventCriteria(), after=first.after, limit=4)
        day = ago(3).date()
        criteria = EventCriteria(Criteria(since=day - timedelta(days=1), until=day))
        one = await events(connection, ORGANISATION, criteria)

    assert [row.id for row in (*first.rows, *rest.rows)] == [e.id for e in reversed(written)]
    assert [row.id for row in one.rows] == [written[2].id]
