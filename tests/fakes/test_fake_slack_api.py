"""The fake Slack's Web API, driven with the real slack_sdk."""

import asyncio
import time

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack.limits import described_methods
from tests.fakes.slack.server import FakeSlack

needs_specs = pytest.mark.skipif(
    not described_methods(), reason="Slack's method pages (../shared/specs) are not here"
)


# -- the Web API ----------------------------------------------------------------------------------


async def test_a_thread_is_posted_edited_and_read_back_with_its_metadata(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    first = await client.chat_postMessage(channel="C1", text="受付 #1")
    note = {"event_type": "task", "event_payload": {"reference": "#1"}}
    reply = await client.chat_postMessage(
        channel="C1", text="◐", thread_ts=first["ts"], metadata=note
    )
    await client.chat_update(channel="C1", ts=reply["ts"], text="●")

    read = await client.conversations_replies(
        channel="C1", ts=first["ts"], include_all_metadata=True
    )

    assert [m["text"] for m in read["messages"]] == ["受付 #1", "●"]
    assert read["messages"][0]["reply_count"] == 1
    assert read["messages"][1]["metadata"] == note
    parent, edited = slack.thread("C1", first["ts"])
    assert [version.text for version in edited.history] == ["◐", "●"]
    assert parent.edits == 0
    assert slack.violations == []


async def test_a_person_s_id_as_channel_is_the_direct_conversation(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel="U2", text="お願いします")
    opened = await client.conversations_open(users="U2")

    assert posted["channel"] == opened["channel"]["id"] == slack.home.dm("U2").id
    assert slack.violations == []


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("C404", "channel_not_found"),
        ("COUT", "not_in_channel"),
        ("CPRIVATE", "channel_not_found"),
        ("COLD", "is_archived"),
    ],
)
async def test_where_the_bot_may_not_write_it_is_told_why(
    slack: FakeSlack, client: AsyncWebClient, channel: str, error: str
) -> None:
    slack.channel("COUT", with_bot=False)
    slack.channel("CPRIVATE", with_bot=False, private=True)
    slack.channel("COLD").archived = True

    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=channel, text="x")

    assert refused.value.response["error"] == error
    assert slack.violations == []


async def test_workspaces_are_apart_and_tokens_are_checked(slack: FakeSlack) -> None:
    other = slack.workspace("T2", "xoxb-other")
    other.channel("C1")
    theirs = AsyncWebClient(token="xoxb-other", base_url=slack.api_url)
    await theirs.chat_postMessage(channel="C1", text="こちら")

    assert (await theirs.auth_test())["team_id"] == "T2"
    assert len(other.channels["C1"].messages) == 1
    assert len(slack.home.channels["C1"].messages) == 0
    other.token_revoked = True
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await theirs.auth_test()


async def test_a_call_without_a_token_is_not_authed_and_found(slack: FakeSlack) -> None:
    with pytest.raises(SlackApiError, match="not_authed"):
        await AsyncWebClient(base_url=slack.api_url).auth_test()

    assert [v.problem for v in slack.violations] == ["no token"]


@needs_specs
async def test_a_missing_scope_is_named(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.home.scopes.discard("files:write")

    with pytest.raises(SlackApiError) as refused:
        await client.files_getUploadURLExternal(filename="a.pdf", length=1)

    assert refused.value.response["needed"] == "files:write"


async def test_an_uploaded_file_appears_in_the_thread_with_its_bytes(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    first = await client.chat_postMessage(channel="C1", text="受付")

    await client.files_upload_v2(
        channel="C1",
        thread_ts=first["ts"],
        filename="Q-2026-0001.pdf",
        title="御見積書",
        content=b"%PDF-1.7",
        initial_comment="お待たせしました",
    )

    shared = slack.thread("C1", first["ts"])[-1]
    assert shared.text == "お待たせしました"
    assert [(f.name, f.title, f.data) for f in shared.files] == [
        ("Q-2026-0001.pdf", "御見積書", b"%PDF-1.7")
    ]
    assert slack.violations == []


async def test_an_image_block_shows_an_uploaded_file_once_slack_has_looked_at_it(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    slack.world.file_ready_after = 0.2
    picture = (await client.files_upload_v2(filename="p.png", content=b"png"))["file"]["id"]
    blocks = [{"type": "image", "slack_file": {"id": picture}, "alt_text": "1ページ目"}]

    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await client.chat_postMessage(channel="C1", text="x", blocks=blocks)
    await asyncio.sleep(0.25)
    await client.chat_postMessage(channel="C1", text="x", blocks=blocks)

    assert slack.violations == []


async def test_an_ephemeral_message_is_seen_by_one_member_only(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    await client.chat_postEphemeral(channel="C1", user="U1", text="あなただけに")

    assert [(m.only_for, m.text) for m in slack.home.ephemerals] == [("U1", "あなただけに")]
    assert slack.home.channels["C1"].messages == {}
    with pytest.raises(SlackApiError, match="user_not_in_channel"):
        await client.chat_postEphemeral(channel="C1", user="U9", text="x")


async def test_oauth_gives_a_workspace_s_token_once(slack: FakeSlack) -> None:
    code = slack.oauth_code(slack.workspace("T2", "xoxb-two"))
    ask = {"client_id": "1111.2222", "client_secret": "fake-client-secret", "code": code}
    client = AsyncWebClient(base_url=slack.api_url)

    given = await client.oauth_v2_access(**ask)

    assert (given["access_token"], given["team"]["id"]) == ("xoxb-two", "T2")
    with pytest.raises(SlackApiError, match="invalid_code"):
        await client.oauth_v2_access(**ask)


# -- faults ---------------------------------------------------------------------------------------


async def test_a_429_is_waited_out_by_the_sdk_s_own_retry_handler(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    slack.fail_next("chat.postMessage", status=429, retry_after=1)

    await client.chat_postMessage(channel="C1", text="x")

    limited, done = slack.calls_to("chat.postMessage")
    assert (limited.status, done.status) == (429, 200)
    assert done.at - limited.done_at >= 1.0


async def test_faults_come_as_often_as_asked_and_before_or_after_the_act(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    client.retry_handlers.clear()
    slack.fail_next("chat.postMessage", status=500, times=2)
    slack.fail_next("chat.postMessage", error="fatal_error", after=True)
    slack.fail_next("chat.postMessage", reset=True)
    slack.fail_next("chat.postMessage", hang=0.2)

    for number in range(4):
        with pytest.raises((SlackApiError, aiohttp.ClientError)):
            await client.chat_postMessage(channel="C1", text=str(number))
    began = time.monotonic()
    await client.chat_postMessage(channel="C1", text="4")

    assert time.monotonic() - began >= 0.2
    assert [m.text for m in slack.home.channels["C1"].messages.values()] == ["2", "3", "4"]


async def test_the_pace_of_one_message_a_second_is_held_when_turned_on(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    slack.pace.on = True

    answers = []
    for number in range(5):
        try:
            answers.append((await client.chat_postMessage(channel="C1", text=str(number)))["ok"])
        except SlackApiError as error:
            answers.append(error.response.headers["Retry-After"])

    assert answers == [True, True, True, "1", "1"]
