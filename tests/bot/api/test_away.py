"""The API while the database is away: it says so in time, and nothing is half done."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from core.agent import Results, Summary
from core.db import create_engine
from core.intake import PATIENCE
from core.words import Language
from tests.bot.api.conftest import Program, Said, Site, described, opening_of, served
from tests.core.house import letter_agent


@pytest.mark.parametrize("table", ["api_tokens", "idempotency_keys", "inbound", "tasks"])
async def test_a_database_that_hangs_is_said_in_time_and_nothing_is_taken(
    site: Site, asker: Program, table: str
) -> None:
    async with site.house.engine.connect() as blocker:
        await blocker.execute(text(f"lock table {table} in access exclusive mode"))
        async with asyncio.timeout(10):
            said = await asker.ask("letter hello", key="k")
        await blocker.rollback()
    again = await asker.ask("letter hello", key="k")

    assert PATIENCE < 2
    assert (said.status, said.data["code"]) == (503, "unavailable")
    assert "Retry-After" in said.headers
    assert (again.status, again.data["outcome"]) == (202, "taken")
    row = await site.office.row("select count(*) as n from tasks", {})
    assert row.n == 1


async def test_looking_does_not_wait_for_ever_either(site: Site, asker: Program) -> None:
    said = await asker.ask("letter hello")
    async with site.house.engine.connect() as blocker:
        await blocker.execute(text("lock table tasks in access exclusive mode"))
        async with asyncio.timeout(10):
            looked = await asker.get(f"/tasks/{said.data['reference']}")
        await blocker.rollback()

    assert looked.status == 503


async def test_a_database_that_is_down_is_said(site: Site, asker: Program) -> None:
    away = create_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    async with served(opening_of(replace(site.house, engine=away))) as http:
        program = Program(http, await described(http), asker.token)
        said: list[Said] = [await program.ask("letter hello"), await program.get("/tasks/1001")]
    await away.dispose()

    assert [each.status for each in said] == [503, 503]


async def test_after_a_restart_of_the_database_all_goes_on(site: Site, asker: Program) -> None:
    await asker.ask("letter hello")
    await site.office.execute_as_owner(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )

    said = await asker.ask("letter again")

    assert said.status == 202


async def test_a_crash_says_an_id_and_nothing_else(site: Site, asker: Program) -> None:
    def broken(results: Results, language: Language) -> Summary:
        raise LookupError("a secret")

    said = await asker.ask("letter hello")
    agents = {"letter": replace(letter_agent, summarise=broken)}
    async with served(opening_of(replace(site.house, agents=agents))) as http:
        program = Program(http, await described(http), asker.token)
        crashed = await program.get(f"/tasks/{said.data['reference']}")

    assert (crashed.status, crashed.data["code"]) == (500, "internal")
    assert crashed.data["id"] in crashed.data["detail"]
    assert b"secret" not in crashed.body
