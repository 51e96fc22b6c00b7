"""Several workspaces: installed by OAuth, apart from each other, tokens unreadable at rest."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from bot.slack import platform
from bot.slack.installs import Installs
from bot.slack.oauth import States
from core import organisations
from core.errors import Permanent
from core.unit import unit
from miyabi.build import Built, open_house
from miyabi.embedded import Services
from tests.bot.slack.conftest import (
    COMPANY,
    PEOPLE,
    REQUEST,
    TOTAL,
    Office,
    hire,
    serving,
    settings_for,
)
from tests.fakes.slack.reading import text_of
from tests.fakes.slack.server import FakeSlack
from tests.fakes.slack.state import Workspace
from tests.running import working

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def shared_house(
    slack: FakeSlack, services: Services, tmp_path: Path
) -> AsyncIterator[Office]:
    """An installation for many workspaces, the first of which is there by its token."""
    client = {
        "client_id": slack.world.client_id,
        "client_secret": SecretStr(slack.world.client_secret),
    }
    settings = settings_for(slack, tmp_path, services, **client)
    async with open_house(settings, services) as built:
        organisation = await hire(built.house, "default", COMPANY, "T1", PEOPLE)
        async with serving(built) as url, working(built):
            yield Office(slack, built, url, organisation)


def _second(slack: FakeSlack) -> Workspace:
    """Another company's workspace; who installs is its first user."""
    second = slack.workspace("T2")
    second.users.clear()
    installer = second.user("U7", "Tanaka_Jun")
    installer.locale, installer.tz = "en-US", "Europe/Paris"
    second.user(second.bot_user, "miyabi").is_bot = True
    second.channel("C7", members=("U7", "U8"))
    return second


async def _install(
    office: Office, workspace: Workspace, *, state: str | None = None, cookie: bool = True
) -> aiohttp.ClientResponse:
    """Go through OAuth in a browser as a person would."""
    session = office.slack.session
    assert session is not None
    page = await session.get(f"{office.url}/slack/install")
    html = await page.text()
    link = urlsplit(html.split('<a href="')[1].split('"')[0].replace("&amp;", "&"))
    asked = parse_qs(link.query)
    jar = SimpleCookie(page.headers["Set-Cookie"])
    morsel = next(iter(jar.values()))
    query = {"code": office.slack.oauth_code(workspace), "state": state or asked["state"][0]}
    headers = {"Cookie": f"{morsel.key}={morsel.value}"} if cookie else {}
    return await session.get(f"{office.url}/slack/oauth_redirect", params=query, headers=headers)


async def test_installing_makes_an_organisation_and_its_first_person(
    shared_house: Office,
) -> None:
    office, second = shared_house, _second(shared_house.slack)

    done = await _install(office, second)

    assert done.status == 200
    [row] = await office.rows(
        "select o.slug, o.name, p.handle, p.name as person, p.roles, p.language, p.time_zone"
        " from installations i join organisations o on o.id = i.organisation_id"
        " join people p on p.organisation_id = o.id where i.workspace = 'T2'"
    )
    assert (row.slug, row.name) == ("team-t2", "team-t2")
    assert (row.handle, row.person) == ("tanaka_jun", "Tanaka_Jun")
    assert set(row.roles) == {"admin", "requester", "approver"}
    assert (row.language, row.time_zone) == ("en", "Europe/Paris")


async def test_the_scopes_asked_for_are_those_of_the_settings(shared_house: Office) -> None:
    session = shared_house.slack.session
    assert session is not None
    page = await session.get(f"{shared_house.url}/slack/install")
    link = (await page.text()).split('<a href="')[1].split('"')[0].replace("&amp;", "&")
    asked = parse_qs(urlsplit(link).query)

    assert asked["scope"] == [shared_house.built.opening.settings.slack.scopes]
    assert asked["redirect_uri"] == ["https://miyabi.example/slack/oauth_redirect"]


async def test_the_new_workspace_works_and_neither_sees_the_other(shared_house: Office) -> None:
    office, second = shared_house, _second(shared_house.slack)
    await _install(office, second)
    await _give_price_list(office)
    theirs = office.slack.driver(office.url, workspace=second)

    mine = await office.driver.slash(REQUEST, user="U1", channel="C1")
    other = await theirs.slash("quote Northwind 2 monitors", user="U7", channel="C7")

    assert "#1001" in mine.json["text"]
    assert "#1001" in other.json["text"], "references count in each organisation"
    assert TOTAL in text_of(await office.card())
    await office.slack.wait_for(
        lambda: [m for m in second.channels["C7"].messages.values() if "Northwind" in m.text]
    )
    texts = [m.text for c in second.channels.values() for m in c.messages.values()]
    assert not any("ABC" in text for text in texts)
    tokens = {c.token for c in office.slack.calls if c.args.get("channel") == "C7"}
    assert tokens == {second.bot_token}


async def _give_price_list(office: Office) -> None:
    async with office.house.engine.connect() as connection:
        found = await organisations.by_slug(connection, "team-t2")
    assert found is not None
    company = replace(found.company, price_list={"connector": "csv"})
    async with unit(office.house) as work:
        await organisations.change_company(work, found.id, company)


async def test_tokens_cannot_be_read_in_the_table(shared_house: Office) -> None:
    office, second = shared_house, _second(shared_house.slack)
    await _install(office, second)
    await office.driver.slash("help", user="U1", channel="C1")

    rows = await office.rows("select workspace, secrets, organisation_id from installations")
    found = {row.workspace: row for row in rows}
    assert found["T1"].secrets is None, "its token stays in the settings"
    assert found["T1"].organisation_id == office.organisation.id
    sealed = bytes(found["T2"].secrets)
    assert second.bot_token.encode() not in sealed
    assert (await office.outbound.installs.get("T2")).token == second.bot_token


@pytest.mark.parametrize(
    ("state", "cookie"), [("forged", True), (None, False)], ids=["forged state", "no cookie"]
)
async def test_an_installation_that_did_not_begin_here_is_refused(
    shared_house: Office, state: str | None, cookie: bool
) -> None:
    second = _second(shared_house.slack)

    refused = await _install(shared_house, second, state=state, cookie=cookie)

    assert refused.status in {400, 401}
    assert await shared_house.count("organisations") == 1


async def test_a_state_is_good_once(shared_house: Office) -> None:
    states = States(shared_house.house.engine)
    state = await states.async_issue()

    assert await states.async_consume(state)
    assert not await states.async_consume(state)
    assert not await states.async_consume("never issued")
    late = await states.async_issue()
    async with shared_house.house.engine.begin() as connection:
        await connection.execute(text("update oauth_states set expires_at = now()"))
    assert not await states.async_consume(late)


async def test_installing_again_keeps_the_organisation_and_renews_the_token(
    shared_house: Office,
) -> None:
    office, second = shared_house, _second(shared_house.slack)
    await _install(office, second)
    second.bot_token = "xoxb-renewed"

    await asyncio.gather(_install(office, second), _install(office, second))

    assert await office.count("organisations") == 2
    assert await office.count("people") == 4
    assert (await office.outbound.installs.get("T2")).token == "xoxb-renewed"


@pytest.mark.parametrize(
    "event",
    [
        {"type": "app_uninstalled"},
        {"type": "tokens_revoked", "tokens": {"bot": ["UBOTT2"], "oauth": []}},
    ],
)
async def test_a_workspace_that_removes_the_app_is_forgotten(
    shared_house: Office, event: dict[str, Any]
) -> None:
    office, second = shared_house, _second(shared_house.slack)
    await _install(office, second)

    reply = await office.slack.driver(office.url, workspace=second).event(**event)

    assert reply.ok
    [row] = await office.rows(
        "select secrets, removed_at from installations where workspace = 'T2'"
    )
    assert row.secrets is None
    assert row.removed_at is not None
    with pytest.raises(Permanent, match="T2"):
        await office.outbound.installs.get("T2")


async def test_a_user_token_that_is_revoked_changes_nothing(shared_house: Office) -> None:
    office, second = shared_house, _second(shared_house.slack)
    await _install(office, second)
    driver = office.slack.driver(office.url, workspace=second)

    await driver.event(type="tokens_revoked", tokens={"oauth": ["U7"], "bot": []})

    assert await office.outbound.installs.get("T2")


async def test_connecting_and_removing_a_workspace_is_in_the_audit_log(
    shared_house: Office,
) -> None:
    office, second = shared_house, _second(shared_house.slack)
    await office.driver.slash("help", user="U1", channel="C1")
    await Installs(office.built.opening, office.outbound.api).own()  # another process's start
    await _install(office, second)
    driver = office.slack.driver(office.url, workspace=second)
    await driver.event(type="app_uninstalled")
    await driver.event(type="tokens_revoked", tokens={"bot": ["UBOTT2"], "oauth": []})
    await _install(office, second)

    rows = await office.rows(
        "select organisation_id, body from audit_events where tag like 'admin:workspace:%'"
        " order by at"
    )
    opened = []
    for row in rows:
        async with office.house.engine.connect() as connection:
            opened += await office.house.personal.opened(
                connection, row.organisation_id, [row.body], erased="", unreadable=""
            )
    said = [(b["tag"], b["data"]["workspace"], b["account"], b["ip"] is not None) for b in opened]
    assert said == [
        ("admin:workspace:connected", "T1", None, False),
        ("admin:workspace:connected", "T2", "slack:T2:U7", True),
        ("admin:workspace:removed", "T2", None, False),
        ("admin:workspace:connected", "T2", "slack:T2:U7", True),
    ]
    bodies = await office.rows("select body::text as body from audit_events")
    assert not any(second.bot_token in row.body for row in bodies)


# Socket Mode


@pytest.fixture
async def socket_house(
    slack: FakeSlack, services: Services, tmp_path: Path
) -> AsyncIterator[Office]:
    """An installation without an address, connected in Socket Mode."""
    settings = settings_for(
        slack,
        tmp_path,
        services,
        app_token=SecretStr(slack.world.app_token),
        signing_secret=None,
    )
    async with open_house(settings, services) as built:
        organisation = await hire(built.house, "default", COMPANY, "T1", PEOPLE)
        async with listening(built), working(built):
            await slack.wait_for(lambda: slack.sockets.connections)
            yield Office(slack, built, "", organisation)
    assert slack.sockets.connections == [], "the connection was closed"


@contextlib.asynccontextmanager
async def listening(built: Built) -> AsyncIterator[None]:
    assert platform.listen is not None

    async def listen() -> None:
        assert platform.listen is not None
        await platform.listen(built.opening)

    task = asyncio.create_task(listen())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_without_an_address_everything_works_over_a_web_socket(
    socket_house: Office,
) -> None:
    office, driver = socket_house, socket_house.slack.driver()
    assert platform.routes(office.built.opening) == ()

    reply = await driver.slash(REQUEST, user="U1", channel="C1")
    assert "受け付けました" in reply.json["text"]
    card = await office.card()
    click = await driver.click(card, "差し戻し", user="U2")
    assert click.ok
    modal = await office.modal("U2")
    await driver.submit_view(modal, {"reason": "納期を早く"}, user="U2")
    await office.said("C1", "納期を早く")
    root = (await office.root()).ts
    await driver.message("ABC商事 モニター5台 キーボード10個", "U1", "C1", thread_ts=root)

    second = await office.slack.wait_for(
        lambda: [m for m in office.saying("C1", "第2版") if "承認のお願い" in m.text], 20.0
    )
    await driver.click(second[0], "承認", user="U3")
    await office.said("C1", "を発行しました", 20.0)


async def test_a_connection_that_slack_renews_is_taken_up_again(socket_house: Office) -> None:
    office = socket_house
    first = office.slack.sockets.connections[0]
    await office.slack.sockets.disconnect()
    await office.slack.wait_for(
        lambda: [c for c in office.slack.sockets.connections if c is not first], 30.0
    )

    reply = await office.slack.driver().slash("help", user="U1", channel="C1")
    assert "使えるコマンド" in reply.json["text"]
