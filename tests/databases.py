"""A database for each test: the same one again, emptied, as long as nobody changed more than rows.

To make a database takes a tenth of a second and to drop it another, of which most is PostgreSQL
writing and removing some hundred files; most tests leave a few rows behind.
"""

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any

import asyncpg  # type: ignore[import-untyped]

_LARGE = 24 * 2**20
"""Bytes of tables and indexes beyond which a new database is made: nobody vacuums this one."""

# What a test can do to a database that deleting rows does not undo, in one text to compare.
_SHAPE = """
    with ours as (select oid, xmin from pg_class
        where relnamespace = 'public'::regnamespace and relkind <> 'S')
    select concat_ws(' ',
        (select string_agg(concat(oid, '/', xmin), ',' order by oid) from ours),
        (select string_agg(concat(attrelid, '/', a.xmin), ',' order by attrelid, attnum)
            from pg_attribute a join ours on ours.oid = attrelid where attnum > 0),
        (select string_agg(concat(oid, '/', xmin), ',' order by oid) from pg_proc
            where pronamespace = 'public'::regnamespace),
        (select string_agg(concat(oid, '/', xmin), ',' order by oid) from pg_trigger),
        (select string_agg(concat(oid, '/', xmin), ',' order by oid) from pg_constraint),
        (select string_agg(nspname || xmin, ',' order by oid) from pg_namespace),
        (select string_agg(s::text, ',') from pg_db_role_setting s)
    ) as shape
"""
_EMPTY = """
    do $$
    declare
        name text;
        filled boolean;
    begin
        for name in select relname from pg_class where relkind = 'r'
            and relname <> 'alembic_version' and relnamespace = 'public'::regnamespace loop
            execute format('select exists (select from %I)', name) into filled;
            if filled then
                execute format('delete from %I', name);
            end if;
        end loop;
        for name in select relname from pg_class where relkind = 'S' -- one for each organisation
            and relnamespace = 'public'::regnamespace loop
            execute format('drop sequence %I', name);
        end loop;
    end $$
"""
_TABLES = """
    select relname from pg_class where relkind = 'r' and relname <> 'alembic_version'
        and relnamespace = 'public'::regnamespace
"""
_SIZE = """
    select sum(pg_total_relation_size(oid)) from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace
"""
_OTHERS = """
    select count(pg_terminate_backend(pid)) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
        and backend_type = 'client backend' and not starts_with(application_name, 'tests: ')
"""


@dataclass(slots=True)
class Databases:
    """Those of one xdist worker. `server` is its superuser's address, `template` what is copied."""

    server: str
    template: str
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _name: str = ""
    _shape: str = ""
    _seeds: dict[str, str] = field(default_factory=dict)  # what the migrations put into tables
    _cleaner: Any = None

    def lend(self) -> str:
        """The address of a database with every table and no row, for one test."""
        self._loop.run_until_complete(self._make())
        return in_database(self.server, self._name)

    def take_back(self) -> None:
        """Empty it for the next one, or throw it away."""
        self._loop.run_until_complete(self._clean())

    def renew(self) -> None:
        """Lend another one from now on, which nobody has used."""
        self._loop.run_until_complete(self._drop())

    def close(self) -> None:
        """Drop what is left."""
        self._loop.run_until_complete(self._drop())
        self._loop.close()

    async def _make(self) -> None:
        if self._name:
            return
        name = f"test_{uuid.uuid4().hex}"
        copied = f"TEMPLATE {self.template} STRATEGY file_copy"
        await execute(self.server, f"CREATE DATABASE {name} {copied}")
        self._name = name
        connection = await self._connect()
        self._shape = await connection.fetchval(_SHAPE)
        self._seeds = {
            table: rows
            for (table,) in await connection.fetch(_TABLES)
            if (rows := await connection.fetchval(f"select jsonb_agg(t) from {table} t"))
        }
        await connection.close()

    async def _clean(self) -> None:
        try:
            reusable = await self._cleaned()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            # Some tests end all connections that there are.
            await self._let_go()
            reusable = await self._cleaned()
        if not reusable:
            await self._drop()

    async def _cleaned(self) -> bool:
        """Empty it, unless more than rows has changed; whether it can be lent again.

        By the same connection each time: a new one has to learn of all tables anew, which takes
        several times as long as all that is asked of it.
        """
        if self._cleaner is None or self._cleaner.is_closed():
            self._cleaner = await self._connect()
        connection = self._cleaner
        while await connection.fetchval(_OTHERS):  # noqa: ASYNC110  # they tell nobody
            await asyncio.sleep(0.005)
        same = await connection.fetchval(_SHAPE) == self._shape
        if not same or await connection.fetchval(_SIZE) >= _LARGE:
            return False
        await self._empty(connection)
        return True

    async def _let_go(self) -> None:
        if self._cleaner is not None:
            self._cleaner.terminate()
            self._cleaner = None

    async def _empty(self, connection: Any) -> None:
        async with connection.transaction():
            await connection.execute(_EMPTY)
            for table, rows in self._seeds.items():
                rows_of = f"jsonb_populate_recordset(null::{table}, $1)"
                await connection.execute(f"insert into {table} select * from {rows_of}", rows)

    async def _drop(self) -> None:
        await self._let_go()
        if self._name:
            name, self._name = self._name, ""
            await execute(self.server, f"DROP DATABASE {name} WITH (FORCE)")

    async def _connect(self) -> Any:
        connection = await _connect(in_database(self.server, self._name))
        await connection.execute("set session_replication_role = replica")
        return connection


async def execute(url: str, statement: str) -> bool:
    """Run a statement by itself; whether it gave a row."""
    connection = await _connect(url)
    try:
        return bool(await connection.fetch(statement))
    finally:
        await connection.close()


def in_database(url: str, name: str) -> str:
    """The address of another database of the same server."""
    return url.replace("/miyabi?", f"/{name}?")


async def _connect(url: str) -> Any:
    return await asyncpg.connect(url.replace("+asyncpg", ""))
