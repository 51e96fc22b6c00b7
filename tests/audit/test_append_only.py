"""No table of the log can be changed: not by the application, and not by its owner's slip."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from uuid_utils.compat import uuid7

from audit import documents, log
from audit.event import Event
from core.db import create_engine
from tests.audit.happening import Happening
from tests.audit.log_of_one import sign, write
from tests.audit.shelf import entry

ORGANISATION = uuid7()

VERBS = ("insert", "update", "delete", "truncate")
_STATEMENTS = {
    "insert": "insert into {t} select * from {t}",
    "update": "update {t} set {c} = {c}",
    "delete": "delete from {t}",
    "truncate": "truncate {t} cascade",
}
TABLES: dict[str, frozenset[str]] = {
    "audit_events": frozenset(),
    "audit_streams": frozenset(),
    "audit_blobs": frozenset(),
    "audit_pending": frozenset(),
    "audit_tiles": frozenset(),
    "audit_trees": frozenset(),
    "audit_checkpoints": frozenset(),
    "audit_keys": frozenset({"insert", "update"}),
    "audit_counterparties": frozenset({"insert"}),
    "audit_documents": frozenset({"insert", "update"}),
    "audit_receipts": frozenset({"insert"}),
    "audit_anchors": frozenset({"insert", "update"}),
    "audit_subjects": frozenset({"insert", "update"}),
    "audit_archives": frozenset(),
    "audit_archived_runs": frozenset(),
    "audit_holds": frozenset({"insert", "update"}),
}
"""All tables, and what the application may do there by itself beside reading: say that a key was
retired, which file a document is and that it is void, when an anchor is tried next, and that a hold
was released; make and destroy a person's key, which is no part of the log; nothing else of them can
be changed."""

GROWS: dict[str, frozenset[str]] = {
    "audit_pending": frozenset({"update", "delete", "truncate"}),
    "audit_tiles": frozenset({"update"}),
    "audit_trees": frozenset({"update"}),
    "audit_keys": frozenset({"update"}),
    "audit_documents": frozenset({"update"}),
    "audit_anchors": frozenset({"update"}),
    "audit_subjects": frozenset({"update", "delete", "truncate"}),
    "audit_archives": frozenset({"update"}),
    "audit_archived_runs": frozenset({"delete"}),
    "audit_holds": frozenset({"update"}),
}
"""What their owner is not refused whatever it is: the functions of the log do it. What waits for a
leaf is no record; of the others see the tests of the sequencer, of the index and of archives."""


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[AsyncEngine]:
    """The application's own connection, with something in each table."""
    engine = create_engine(database_url)
    async with engine.begin() as connection:
        await log.append(
            connection, [Event(ORGANISATION, uuid7(), Happening.HAPPENED, {"n": n}) for n in (1, 2)]
        )
        await connection.execute(
            text("select audit_keep(:o, 'text/plain', 'x')"), {"o": ORGANISATION}
        )
        await documents.enter(connection, entry(ORGANISATION, "Q-1"))
        await connection.execute(text("insert into audit_keys (vkey, name) values ('x', 'x')"))
    await write(engine, Event(ORGANISATION, uuid7(), Happening.DONE, {}))
    await sign(engine)
    async with engine.begin() as connection:
        for more in (
            "receipts (organisation_id, anchor, size, place) values (:o, 'x', 3, 'x')",
            "anchors (organisation_id, anchor) values (:o, 'x')",
            "holds (id, organisation_id, reason) values (gen_random_uuid(), :o, 'x')",
        ):
            await connection.execute(text(f"insert into audit_{more}"), {"o": ORGANISATION})
    owner = create_async_engine(database_url)
    async with owner.begin() as connection:
        for more in (
            "archives (organisation_id, month, first_leaf, end_leaf, events, strays)"
            " values (:o, '2020-01-01', 0, 1, 1, '{}')",
            "archived_runs (organisation_id, month, stream, first, last, before, after)"
            " values (:o, '2020-01-01', :o, 1, 1, '', '')",
        ):
            await connection.execute(text(f"insert into audit_{more}"), {"o": ORGANISATION})
    await owner.dispose()
    async with engine.begin() as connection:  # and one that waits
        await log.append(connection, [Event(ORGANISATION, uuid7(), Happening.DONE, {})])
    yield engine
    await engine.dispose()


async def attempt(engine: AsyncEngine, verb: str, table: str) -> None:
    """Do it in the plainest way."""
    async with engine.begin() as connection:
        column = await connection.scalar(
            text(
                "select attname from pg_attribute"
                " where attrelid = cast(:table as regclass) and attnum = 1"
            ),
            {"table": table},
        )
        await connection.execute(text(_STATEMENTS[verb].format(t=table, c=column)))


async def test_all_tables_of_the_log_are_looked_at(owner: AsyncEngine) -> None:
    async with owner.connect() as connection:
        found = await connection.scalars(
            text(
                "select relname from pg_class where relkind in ('r', 'p')"
                " and relname like 'audit\\_%' and relnamespace = 'public'::regnamespace"
                " and not relispartition"  # these: tests/audit/test_partitions.py
            )
        )
        assert set(found) == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", VERBS)
async def test_the_application_can_do_nothing_but_read(
    app: AsyncEngine, table: str, verb: str
) -> None:
    if verb == "insert" and verb in TABLES[table]:
        return
    with pytest.raises(DBAPIError, match="permission denied"):
        await attempt(app, verb, table)


@pytest.mark.parametrize("table", TABLES)
async def test_the_application_has_no_right_of_another_kind(app: AsyncEngine, table: str) -> None:
    async with app.connect() as connection:
        rights = await connection.scalars(
            text(
                "select right_ from unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE',"
                " 'REFERENCES', 'TRIGGER']) right_"
                " where has_table_privilege(current_user, :table, right_)"
                " or case when right_ in ('INSERT', 'UPDATE', 'REFERENCES')"
                " then has_any_column_privilege(current_user, :table, right_) end"
            ),
            {"table": table},
        )
        assert {right.lower() for right in rights} == TABLES[table]


@pytest.mark.parametrize("table", TABLES)
async def test_the_application_is_not_the_owner(app: AsyncEngine, table: str) -> None:
    async with app.connect() as connection:
        assert await connection.scalar(
            text(
                "select relowner <> to_regrole(current_user) and current_user = 'miyabi_app'"
                " from pg_class where oid = cast(:table as regclass)"
            ),
            {"table": table},
        )


@pytest.mark.parametrize(
    ("verb", "table"),
    [
        (verb, table)
        for table in TABLES
        for verb in ("update", "delete", "truncate")
        if verb not in GROWS.get(table, ())
    ],
)
async def test_the_owner_is_refused_by_a_trigger(
    app: AsyncEngine, owner: AsyncEngine, table: str, verb: str
) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        await attempt(owner, verb, table)


@pytest.mark.parametrize(
    "change", ["count = count - 1", "count = 0, head = ''", "stream = gen_random_uuid()"]
)
async def test_a_stream_is_not_turned_back(
    app: AsyncEngine, owner: AsyncEngine, change: str
) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        async with owner.begin() as connection:
            await connection.execute(text(f"update audit_streams set {change}"))


async def test_a_document_stands_under_its_own_hash_only(app: AsyncEngine) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with app.begin() as connection:
            await connection.execute(
                text("insert into audit_blobs values (:i, 'false', 'text/plain', 'x')"),
                {"i": ORGANISATION},
            )


async def test_a_hold_is_released_once_and_nothing_else_of_it_changes(
    app: AsyncEngine, owner: AsyncEngine
) -> None:
    async with app.begin() as connection:
        await connection.execute(text("update audit_holds set released_at = now()"))
    for change in ("released_at = null", "reason = 'y'", "released_at = now()"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with owner.begin() as connection:
                await connection.execute(text(f"update audit_holds set {change}"))
