"""The doctor says what is not well with Slack, and what to do about it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.slack import platform
from core.platform import Finding
from miyabi.build import open_house
from miyabi.embedded import Services
from tests.bot.slack.conftest import settings_for
from tests.fakes.slack.server import FakeSlack

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def check(slack: FakeSlack, services: Services, tmp_path: Path) -> Any:
    async def check(**settings: Any) -> dict[str, Finding]:
        chosen = settings_for(slack, tmp_path, services, **settings)
        async with open_house(chosen, services) as built:
            found = await platform.check(built.opening)
        return {finding.what.en: finding for finding in found}

    return check


async def test_all_is_well(check: Any, slack: FakeSlack) -> None:
    found = await check(app_token=SecretStr(slack.world.app_token))

    assert all(finding.well for finding in found.values())
    assert "Slack: the rights in team-t1" in found


async def test_missing_rights_are_named(check: Any, slack: FakeSlack) -> None:
    slack.home.scopes -= {"files:write", "im:write"}

    finding = (await check())["Slack: the rights in team-t1"]

    assert not finding.well
    assert "files:write, im:write" in finding.fix.ja


async def test_a_token_that_does_not_open_is_said(check: Any) -> None:
    finding = (await check(bot_token=SecretStr("xoxb-wrong")))[
        "Slack: the token of SLACK_BOT_TOKEN"
    ]

    assert not finding.well
    assert "invalid_auth" in finding.fix.en


async def test_a_wrong_token_for_socket_mode_is_said(check: Any) -> None:
    found = await check(app_token=SecretStr("xapp-wrong"))

    assert not found["Slack: the token for Socket Mode"].well


async def test_without_a_way_in_it_says_which_there_are(check: Any) -> None:
    found = await check(signing_secret=None)
    finding = found["Slack: a way in (a signing secret for HTTP, or Socket Mode)"]

    assert not finding.well
    assert "SLACK_SIGNING_SECRET" in finding.fix.ja
    assert "SLACK_APP_TOKEN" in finding.fix.ja


async def test_half_a_setup_is_told_from_none(check: Any) -> None:
    half = await check(bot_token=None)
    none = await check(bot_token=None, signing_secret=None)

    assert not half["Slack: the bot's token"].well
    assert none["Slack: not set up (fine if you don't use it)"].well
