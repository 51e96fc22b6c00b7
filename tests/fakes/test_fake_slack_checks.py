"""The fake Slack finds what Slack would refuse, and what it would let pass but we should not."""

import json
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack.limits import LIMITS, REQUIRED, SPECS, described_methods, flattened
from tests.fakes.slack.sample_app import button, form, modal, plain, section
from tests.fakes.slack.server import METHODS, FakeSlack

needs_specs = pytest.mark.skipif(
    not described_methods(), reason="Slack's method pages (../shared/specs) are not here"
)


# -- the Web API ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        ([section("")], "must be more than 0 characters"),
        ([section("あ" * 3001)], "must be less than 3001 characters"),
        ([{"type": "sectoin"}], "unsupported type: sectoin"),
        ([{"type": "section"}], "missing required field: text or fields"),
        ([{"type": "divider"}] * 51, "no more than 50 items allowed"),
        ([{"type": "divider", "block_id": "a"}] * 2, "block_id already exists: a"),
        ([{"type": "divider", "color": "red"}], "invalid additional property: color"),
        ([{"type": "header", "text": section("x")["text"]}], "unsupported type: mrkdwn"),
        (
            [{"type": "actions", "elements": [button("a", "あ"), button("a", "い")]}],
            "action_id already exists: a",
        ),
        (
            [{"type": "actions", "elements": [button("a", "あ" * 76)]}],
            "must be less than 76 characters",
        ),
        (
            [{"type": "actions", "elements": [button("a", "あ", value="v" * 2001)]}],
            "must be less than 2001 characters",
        ),
        (
            [{"type": "actions", "elements": [{"type": "static_select", "action_id": "s"}]}],
            "needs exactly one of options, option_groups",
        ),
        ([{"type": "image", "alt_text": "x"}], "needs exactly one of image_url, slack_file"),
        ([{"type": "image", "image_url": "x", "alt_text": "x"}], "must be a valid URL"),
        ([{"type": "section", "fields": [plain("x")] * 11}], "no more than 10 items allowed"),
    ],
)
async def test_bad_blocks_are_refused_and_found(
    slack: FakeSlack, client: AsyncWebClient, blocks: list[Any], problem: str
) -> None:
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="C1", text="x", blocks=blocks)

    assert refused.value.response["error"] == "invalid_blocks"
    assert problem in refused.value.response["response_metadata"]["messages"][0]
    assert any(problem in violation.problem for violation in slack.violations)
    assert slack.home.channels["C1"].messages == {}


async def test_a_message_over_13200_characters_is_refused(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    blocks = [section("あ" * 2990) for _ in range(5)]

    with pytest.raises(SlackApiError, match="msg_blocks_too_long"):
        await client.chat_postMessage(channel="C1", text="x", blocks=blocks)


@pytest.mark.filterwarnings("ignore:The top-level")
async def test_what_slack_lets_pass_but_we_do_not_is_found(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    long = [{"type": "actions", "elements": [button("a", "あ", value="v" * 65)]}]
    first = await client.chat_postMessage(channel="C1", blocks=long)
    reply = await client.chat_postMessage(channel="C1", text="x", thread_ts=first["ts"])
    await client.chat_postMessage(channel="C1", text="x", thread_ts=reply["ts"])
    await client.chat_update(channel="C1", ts=first["ts"], text="x")

    found = " / ".join(violation.problem for violation in slack.violations)
    assert len(slack.violations) == 4
    assert "longer than our own 64" in found
    assert "the notification would be empty" in found
    assert "that of a reply" in found
    assert "must say what becomes of them" in found


@needs_specs
async def test_unknown_and_missing_arguments_are_found(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    assert slack.spec_checked
    await client.chat_postMessage(channel="C1", text="x", colour="red", team_id="T1")
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.api_call("chat.update", json={"channel": "C1", "text": "x"})
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.api_call(
            "chat.postMessage", json={"channel": "C1", "text": "x", "unfurl_links": "maybe"}
        )

    assert [violation.problem for violation in slack.violations] == [
        "unknown argument: colour",
        "[ERROR] missing required field: ts",
        "[ERROR] invalid type of argument: unfurl_links ['maybe']",
    ]


async def test_an_unknown_method_is_found(slack: FakeSlack, client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError, match="unknown_method"):
        await client.api_call("chat.shout")

    assert [v.problem for v in slack.violations] == ["unknown method"]


@needs_specs
def test_our_own_copy_of_the_limits_is_what_slack_s_descriptions_say() -> None:
    described = flattened(json.loads((SPECS / "slack-block-kit-limits.json").read_text("utf-8")))

    assert {path: described.get(path) for path in LIMITS} == LIMITS
    for method, needed in REQUIRED.items():
        given = set(described_methods()[method]["args"].get("required") or ()) - {"token"}
        assert given == set(needed), method
    assert set(METHODS) | {"oauth.v2.access", "apps.connections.open"} == set(REQUIRED)


async def test_a_trigger_works_once_and_for_three_seconds(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    view = modal(section("x"))
    once = slack.world.trigger(slack.home, "U1")
    late = slack.world.trigger(slack.home, "U1")
    slack.world.triggers[late].at -= 3.1

    await client.views_open(trigger_id=once, view=view)
    for trigger, error in ((once, "exchanged"), (late, "expired"), ("x", "invalid")):
        with pytest.raises(SlackApiError, match=f"{error}_trigger_id"):
            await client.views_open(trigger_id=trigger, view=view)


async def test_a_modal_with_inputs_but_no_way_to_send_it_is_found(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    view = form()
    del view["submit"]

    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.views_open(trigger_id=slack.world.trigger(slack.home, "U1"), view=view)

    assert ["submit" in violation.problem for violation in slack.violations] == [True]
