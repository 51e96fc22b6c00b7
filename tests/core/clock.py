"""A database whose clock says something else than those of all processes."""

from datetime import datetime

from tests.core.house import Office

_NOW = "create or replace function shifted.now() returns timestamptz language sql stable as"


async def shift_clock(office: Office, shift: str) -> None:
    """Have the database's clock go before all others by an interval of PostgreSQL's."""
    name = office.house.engine.url.database
    for statement in (
        "create schema if not exists shifted",
        f"{_NOW} $$ select pg_catalog.now() + interval '{shift}' $$",
        "grant usage on schema shifted to miyabi_app",
        f'alter database "{name}" set search_path = shifted, pg_catalog, public',
    ):
        await office.execute_as_owner(statement)
    await office.house.engine.dispose()  # connections that are open have the old one


async def set_clock(office: Office, moment: datetime) -> None:
    """Put the database's clock to a moment; from there it goes on."""
    row = await office.row(
        "select extract(epoch from cast(:moment as timestamptz) - pg_catalog.now()) as seconds",
        {"moment": moment},
    )
    await shift_clock(office, f"{row.seconds} seconds")
