"""LINE's own sample events, all 28, through the real webhook."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bot.line.conftest import Office

KNOWN = {"message", "follow", "unfollow", "join", "leave", "postback", "accountLink"}
KNOWN |= {"memberJoined", "memberLeft", "unsend"}
USER = "U206d25c2ea6bd87c17655609a1c37cb8"
GROUP = "Ca56f94637cc4347f90a25382909b24b9"
ROOM = "Ra8dbf4673c4c812cd491258042226c99"


@pytest.fixture
def samples(shared: Path) -> list[dict[str, Any]]:
    """The events, each with an id of its own: in the file they share one, and would be one."""
    file = shared / "specs" / "samples" / "line-webhook.json"
    events = json.loads(file.read_text(encoding="utf-8"))["body"]["events"]
    assert len(events) == 28
    return [event | {"webhookEventId": f"sample-{n:02}"} for n, event in enumerate(events)]


async def test_every_sample_is_taken_once_and_dealt_with(
    quiet_office: Office, samples: list[dict[str, Any]]
) -> None:
    office, home = quiet_office, quiet_office.line.home
    home.user(USER)
    home.group(GROUP, (USER,))
    home.group(ROOM, (USER,), room=True)

    await office.people.deliver()  # what has to be loaded for the first of all is loaded then
    first = await office.people.deliver(*samples)
    again = await office.people.redeliver(*samples)
    assert (first.ok, again.ok) == (True, True)

    async def states() -> dict[str, str]:
        rows = await office.rows("select key, state from arrivals order by key")
        return {row.key: row.state for row in rows}

    found = await office.line.wait_until(states, lambda s: "received" not in s.values(), 20.0)
    assert set(found) == {event["webhookEventId"] for event in samples}
    assert "failed" not in found.values()
    for event in samples:
        if event["type"] not in KNOWN:
            assert found[event["webhookEventId"]] == "ignored", event["type"]

    # Nobody spoke to Miyabi in the group and the room. The reply tokens are none of this LINE's:
    # no push is spent on a stranger.
    assert home.chat(ROOM).bots == []
    assert home.chat(USER).bots == []
    assert await office.count("tasks") == 0


async def test_the_token_of_a_redelivered_event_is_not_used(quiet_office: Office) -> None:
    office = quiet_office
    event = office.people.make.text("ヘルプ", "花子")
    await office.people.redeliver(event)
    said = await office.said("花子")
    assert said.how == "push"
    rows = await office.rows("select reply_until from arrivals")
    assert [row.reply_until for row in rows] == [None]
