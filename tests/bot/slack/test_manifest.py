"""The manifests that people paste: valid, alike, and with exactly the rights that are needed."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from core.settings import SlackSettings
from tests.bot.slack.conftest import REQUEST, Office
from tests.fakes.slack.reading import buttons

FOLDER = Path(__file__).resolve().parents[3] / "bot" / "slack"
NAMES = ("manifest.json", "manifest.socket-mode.json")


def _manifest(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / name).read_text("utf-8"))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_slack_takes_the_manifest(name: str, shared: Path) -> None:
    schema = json.loads((shared / "specs/slack-manifest-schema.json").read_text("utf-8"))

    jsonschema.validate(_manifest(name), schema)


def test_both_manifests_ask_for_the_same() -> None:
    http, socket = (_manifest(name) for name in NAMES)

    assert http["oauth_config"].pop("redirect_urls")
    assert http["features"]["slash_commands"][0].pop("url")
    assert http["settings"]["event_subscriptions"].pop("request_url")
    for name in ("request_url", "message_menu_options_url"):
        assert http["settings"]["interactivity"].pop(name)
    assert not http["settings"].pop("socket_mode_enabled")
    assert socket["settings"].pop("socket_mode_enabled")
    assert http == socket


def test_the_rights_are_those_that_an_installation_by_oauth_asks_for() -> None:
    asked = SlackSettings().scopes.split(",")

    assert _manifest("manifest.json")["oauth_config"]["scopes"]["bot"] == asked


def test_each_right_is_explained() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")

    for scope in SlackSettings().scopes.split(","):
        assert f"`{scope}`" in readme


@pytest.mark.timeout(120)
async def test_with_exactly_these_rights_everything_works(shared: Path, office: Office) -> None:
    scopes = _manifest("manifest.json")["oauth_config"]["scopes"]["bot"]
    office.slack.home.scopes = set(scopes)

    office.slack.fail_next("chat.postMessage", reset=True, after=True)
    card = await office.quote(REQUEST)
    assert await office.card("DU2")
    await office.driver.open_home("U1")
    await office.driver.slash("quote", user="U1", channel="C1")
    await office.form("U1")
    await office.driver.click(card, "承認", user="U2")
    root = await office.root()
    await office.slack.wait_for(
        lambda: [m for m in office.slack.thread("C1", root.ts) if m.files], 20.0
    )
    await office.slack.wait_for(lambda: not buttons(card), 20.0)

    refused = [c for c in office.slack.calls if c.answer.get("error") == "missing_scope"]
    assert refused == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("scope", ["chat:write", "files:write", "im:write"])
async def test_none_of_these_rights_is_too_many(shared: Path, office: Office, scope: str) -> None:
    scopes = set(_manifest("manifest.json")["oauth_config"]["scopes"]["bot"])
    office.slack.home.scopes = scopes - {scope}

    await office.driver.slash(REQUEST, user="U1", channel="C1")
    await office.slack.wait_for(
        lambda: any(c.answer.get("error") == "missing_scope" for c in office.slack.calls), 20.0
    )
