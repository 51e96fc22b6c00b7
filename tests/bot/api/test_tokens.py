"""Tokens: only their hash is kept, and they give no more than their person may."""

import pytest
from sqlalchemy import text

from bot.api import tokens
from core import people
from core.errors import Unknown
from core.unit import unit
from tests.bot.api.conftest import Program, Site


async def test_without_a_valid_token_nobody_is_let_in(site: Site, asker: Program) -> None:
    assert asker.token is not None
    wrong = [None, "miyabi_" + "x" * 43, asker.token[:-1], asker.token + "x", "x" * 5_000]
    said = [await site.stranger(token).ask("letter hello") for token in wrong]

    assert {each.status for each in said} == {401}
    assert {each.headers["WWW-Authenticate"] for each in said} == {"Bearer"}
    assert len({each.body for each in said}) == 1
    row = await site.office.row("select count(*) as n from tasks", {})
    assert row.n == 0


@pytest.mark.parametrize("scheme", ["Basic", "bearer x", ""])
async def test_only_bearer_tokens_are_taken(site: Site, asker: Program, scheme: str) -> None:
    stranger = site.stranger(None)
    stranger.headers["Authorization"] = f"{scheme} {asker.token}"

    assert (await stranger.get("/tasks/1001")).status == 401


async def test_only_the_hash_of_a_token_is_kept(site: Site, asker: Program) -> None:
    assert asker.token is not None
    async with site.house.engine.connect() as connection:
        tables = await connection.scalars(
            text("select table_name from information_schema.tables where table_schema = 'public'")
        )
        for table in tables.all():
            if table == "alembic_version":
                continue
            found = await connection.scalar(
                text(f"select count(*) from {table} t where cast(t as text) like :token"),
                {"token": f"%{asker.token.removeprefix('miyabi_')}%"},
            )
            assert found == 0, table


async def test_a_revoked_token_is_worth_nothing_from_then_on(site: Site, asker: Program) -> None:
    async with site.house.engine.connect() as connection:
        (token,) = await tokens.every(connection, site.office.organisation.id)
    async with unit(site.house) as work:
        await tokens.revoke(work, site.office.organisation.id, token.name)
    async with unit(site.house) as work:
        await tokens.revoke(work, site.office.organisation.id, token.name)

    said = await asker.ask("letter hello")

    assert said.status == 401
    async with site.house.engine.connect() as connection:
        (token,) = await tokens.every(connection, site.office.organisation.id)
    assert token.revoked_at is not None
    assert [event.tag for event in site.office.bell.events if "token" in event.tag] == [
        "admin:token:created",
        "admin:token:revoked",
    ]


async def test_a_token_of_another_organisation_can_not_be_revoked(
    site: Site, asker: Program
) -> None:
    rival = await site.competitor()
    async with site.house.engine.connect() as connection:
        (token,) = await tokens.every(connection, site.office.organisation.id)
    row = await site.office.row("select id from organisations where slug = 'rival'", {})

    with pytest.raises(Unknown):
        async with unit(site.house) as work:
            await tokens.revoke(work, row.id, token.name)

    assert (await asker.ask("letter hello")).status == 202
    assert (await rival.ask("letter hello")).status == 202


async def test_the_token_of_somebody_who_has_left_is_worth_nothing(
    site: Site, asker: Program
) -> None:
    async with unit(site.house) as work:
        await people.change(work, site.office.asker, email=None, active=False)

    assert (await asker.ask("letter hello")).status == 401


async def test_when_a_token_was_used_is_listed(site: Site, asker: Program) -> None:
    async with site.house.engine.connect() as connection:
        (before,) = await tokens.every(connection, site.office.organisation.id)
    await asker.ask("letter hello")
    async with site.house.engine.connect() as connection:
        (after,) = await tokens.every(connection, site.office.organisation.id)

    assert before.used_at is None
    assert after.used_at is not None
    assert (after.handle, after.revoked_at) == ("asker", None)


async def test_the_log_says_which_token_spoke_and_from_where(site: Site, asker: Program) -> None:
    asker.headers["User-Agent"] = "orders/2.1"
    await asker.ask("letter hello")

    async with site.house.engine.connect() as connection:
        (token,) = await tokens.every(connection, site.office.organisation.id)
    received = next(e for e in site.office.bell.events if e.tag == "intake:task:received")
    assert received.actor.person_id == site.office.asker.id
    opened = await site.office.opened(received.id)
    assert opened["account"].replace("-", "").endswith(token.name)
    assert (opened["ip"], opened["user_agent"]) == ("127.0.0.1", "orders/2.1")
