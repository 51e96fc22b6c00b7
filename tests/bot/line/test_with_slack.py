"""One company on two platforms: what begins in LINE is decided in Slack, as one record."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core import people
from core.inbound import Sender
from core.settings import SlackSettings
from core.unit import unit
from miyabi.build import open_house
from miyabi.embedded import Services
from miyabi.plugins import all_platforms
from tests.bot.line.conftest import COMPANY, REQUEST, TOTAL, Office, hire, serving, settings_for
from tests.fakes.line.reading import words
from tests.fakes.line.server import FakeLine
from tests.fakes.slack.driver import SIGNING_SECRET, Driver
from tests.fakes.slack.server import FakeSlack
from tests.fakes.slack.state import Message
from tests.running import at_port, working
from web.app import create_app

pytestmark = pytest.mark.timeout(120)


@dataclass
class Both:
    """The company, its LINE and its Slack: 四郎 (U4) approves in Slack and has no LINE."""

    line: Office
    slack: FakeSlack
    url: str

    @property
    def in_slack(self) -> Driver:
        return self.slack.driver(self.url)

    async def card(self) -> Message:
        """The card before somebody in Slack, wherever it was put."""

        def shown() -> list[Message]:
            channels = self.slack.home.channels.values()
            said = [each for found in channels for each in found.messages.values()]
            return [each for each in said if each.bot_id and "承認のお願い" in each.text]

        return (await self.slack.wait_for(shown, 20.0))[-1]


@pytest.fixture
async def both(line: FakeLine, services: Services, tmp_path: Path) -> AsyncIterator[Both]:
    async with FakeSlack() as slack:
        slack.channel("C1", name="sales", members=("U4",))
        given: dict[str, Any] = {
            "signing_secret": SecretStr(SIGNING_SECRET),
            "bot_token": SecretStr("xoxb-t1"),
            "api_url": slack.api_url,
        }
        settings = settings_for(line, tmp_path, services).model_copy(
            update={"slack": SlackSettings(**given)}
        )
        async with open_house(settings, services, pool_size=20) as built:
            organisation = await hire(
                built.house, "default", COMPANY, line.home, {"花子": "requester"}
            )
            async with unit(built.house) as work:
                roles = frozenset({"approver"})
                person = await people.add(work, organisation.id, "p4", "四郎", roles)
                await people.link(work, person, Sender("slack", "T1", "U4"))
            app = create_app(built.opening, [all_platforms()["slack"]])
            async with serving(built) as url, at_port(app) as there, working(built):
                yield Both(Office(line, built, url, organisation), slack, there)
        assert slack.violations == []


async def test_begun_in_line_and_approved_in_slack_it_is_one_record(both: Both) -> None:
    office = both.line
    await office.people.say(REQUEST, "花子")
    card = await both.card()
    await both.in_slack.click(card, "承認", user="U4")
    result = await office.said("花子", "Q-")
    assert TOTAL in words(result) or TOTAL in result.text
    [task] = await office.rows("select id, state from tasks")
    assert task.state == "done"
    events = await office.rows(
        "select tag, body ->> 'channel' as channel from audit_events"
        " where stream = :task order by seq",
        task=task.id,
    )
    by = {event.tag: event.channel for event in events}
    assert by["intake:task:received"] == "line"
    assert by["approval:approval:decided"] == "slack"
    assert await office.count("tasks") == 1
