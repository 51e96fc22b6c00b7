"""A database whose clock says something else than those of all processes."""

from datetime import datetime, timedelta

from tests.core.house import Office

_NOW = "create or replace function shifted.now() returns timestamptz language sql stable as"
_THIS = "create or replace function shifted.clock_timestamp() returns timestamptz language sql as"

_DEFAULTS = """
    do $$ declare statement text; begin
        for statement in select format('alter table %I alter %I set default shifted.now()',
            table_name, column_name) from information_schema.columns
            where table_schema = 'public' and column_default = 'now()'
        loop execute statement; end loop;
    end $$
"""


async def shift_clock(office: Office, shift: str) -> None:
    """Have the database's clock go before all others by an interval of PostgreSQL's."""
    row = await office.row("select to_regprocedure('shifted.now()') is not null as set", {})
    if row.set:  # every connection has it by now
        await _shift(office, shift)
        return
    name = office.house.engine.url.database
    await office.execute_as_owner("create schema shifted")
    await _shift(office, shift)
    for statement in (
        "grant usage on schema shifted to miyabi_app",
        _DEFAULTS,
        f'alter database "{name}" set search_path = shifted, pg_catalog, public',
    ):
        await office.execute_as_owner(statement)
    await office.house.engine.dispose()  # connections that are open have the old one


async def _shift(office: Office, shift: str) -> None:
    await office.execute_as_owner(f"{_NOW} $$ select pg_catalog.now() + interval '{shift}' $$")
    await office.execute_as_owner(
        f"{_THIS} $$ select pg_catalog.clock_timestamp() + interval '{shift}' $$"
    )


async def set_clock(office: Office, moment: datetime) -> None:
    """Put the database's clock to a moment; from there it goes on."""
    row = await office.row(
        "select extract(epoch from cast(:moment as timestamptz) - pg_catalog.now()) as seconds",
        {"moment": moment},
    )
    await shift_clock(office, f"{row.seconds} seconds")


async def jump(office: Office, time: timedelta) -> None:
    """Have a clock that was set before go so much faster, or so much slower."""
    row = await office.row(
        "select extract(epoch from shifted.now() - pg_catalog.now()) as seconds", {}
    )
    await _shift(office, f"{float(row.seconds) + time.total_seconds()} seconds")
