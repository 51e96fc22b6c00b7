"""The fake Slack drives a real slack_bolt app, over HTTP and Socket Mode."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.picture import page
from miyabi.browser import screenshot
from tests.fakes.slack.driver import Driver, NoSuchElement
from tests.fakes.slack.limits import SPECS
from tests.fakes.slack.reading import buttons, labels, pings, text_of
from tests.fakes.slack.sample_app import CARD, make_app, section, serving
from tests.fakes.slack.server import FakeSlack
from tests.fakes.slack.signing import sign
from tests.fakes.slack.view_state import CannotSubmit
from tests.fakes.slack.wire import as_typed


@pytest.fixture
async def app(client: AsyncWebClient) -> AsyncApp:
    return make_app(client)


@pytest.fixture
async def person(slack: FakeSlack, app: AsyncApp) -> AsyncIterator[Driver]:
    async with serving(app) as url:
        yield slack.driver(url)


@pytest.fixture
async def by_socket(slack: FakeSlack, app: AsyncApp) -> AsyncIterator[Driver]:
    handler = AsyncSocketModeHandler(app, "xapp-fake")
    await handler.connect_async()  # type: ignore[no-untyped-call]
    yield slack.driver()
    await handler.close_async()  # type: ignore[no-untyped-call]
    await handler.client.aiohttp_client_session.close()


def test_signatures_match_slack_s_published_example() -> None:
    file = SPECS / "samples" / "slack-request-signing.json"
    if not file.is_file():
        pytest.skip("the published example (../shared/specs) is not here")
    example = json.loads(file.read_text("utf-8"))
    headers = example["headers"]

    made = sign(
        example["signing_secret"],
        example["body"].encode(),
        int(headers["x-slack-request-timestamp"]),
    )

    assert made == headers["x-slack-signature"]


async def test_bolt_takes_a_signed_command_and_refuses_a_forged_or_old_one(
    slack: FakeSlack, person: Driver
) -> None:
    url = str(person.sender.url).removesuffix("/slack/events")

    good = await person.slash("quote A & B", "U1", "C1")
    forged = await slack.driver(url, signing_secret="other").slash("quote", "U1", "C1")
    old = await slack.driver(url, age=301).slash("quote", "U1", "C1")

    assert (good.ok, forged.status, old.status) == (True, 401, 401)
    assert [m.text for m in slack.home.ephemerals] == ["承りました：quote A &amp; B"]
    assert slack.violations == []


async def test_a_card_in_the_thread_is_approved_by_a_click(
    slack: FakeSlack, person: Driver
) -> None:
    said = await person.mention("見積お願い", "U1", "C1")
    assert said.message is not None
    card = slack.thread("C1", said.message.ts)[-1]
    assert labels(card) == ["承認"]
    assert buttons(card)[0]["value"] == "a1"
    before = card.snapshot()

    assert (await person.click(card, "承認", "U2")).ok

    assert text_of(before) == "見積 *¥110,000*\n承認"
    assert text_of(card) == "承認：<@U2> a1"
    assert pings(card) == ["<@U2>", "<@U2>"]
    assert (await person.click(before, "approve", "U2")).ok
    with pytest.raises(NoSuchElement):
        await person.click(card, "approve", "U2")
    assert slack.violations == []


async def test_one_mention_comes_as_two_events_and_can_be_redelivered(
    app: Any, slack: FakeSlack, person: Driver
) -> None:
    reply = await person.mention("<@UBOTT1> 見積", "U1", "C1", also_message=True)
    await person.redeliver(reply, 2, "http_error")
    await person.message("直接に", "U1", "U1")

    (other,) = reply.others
    assert reply.sent.body["event"]["ts"] == other.sent.body["event"]["ts"]
    assert reply.sent.body["event_id"] != other.sent.body["event_id"]
    assert sorted(app.seen[:2], key=str) == [
        ("app_mention", None),
        ("channel", "<@UBOTT1> 見積"),
    ]
    assert app.seen[2:] == [("app_mention", ["2"]), ("im", "直接に")]


async def test_a_modal_opens_is_filled_with_suggestions_and_is_sent(
    app: Any, slack: FakeSlack, person: Driver
) -> None:
    await person.slash("form", "U1", "C1")
    view = slack.modal("U1")
    assert view is not None
    assert [len(body["blocks"]) for body in view.history] == [1, 3]

    with pytest.raises(CannotSubmit, match="customer is empty"):
        await person.submit_view(view, {}, "U1")
    offered = await person.suggest(view, "customer", "ABC", "U1")
    assert [o["value"] for o in offered.json["options"]] == ["株式会社ABC商事"]
    assert (await person.click(view, "add", "U1", values={"note": "急ぎ"})).ok
    assert view.typed["note"]["note"]["value"] == "急ぎ"

    refused = await person.submit_view(view, {"customer": "株式会社ABC商事", "note": "だめ"}, "U1")
    assert refused.json["errors"] == {"note": "別の言葉で"}
    assert slack.modal("U1") is view
    await person.submit_view(view, {"note": "急ぎ"}, "U1")

    assert slack.modal("U1") is None
    assert app.seen == ["株式会社ABC商事"] * 2
    assert slack.violations == []


async def test_shortcuts_home_tab_and_closed_modals_reach_the_app(
    app: Any, slack: FakeSlack, person: Driver
) -> None:
    said = await person.message("モニター <5> 台", "U1", "C1")
    assert said.message is not None
    assert (await person.shortcut(said.message, "quote_from_this", "U2")).ok
    assert (await person.open_home("U1")).ok
    await person.slash("form", "U1", "C1")
    view = slack.modal("U1")
    assert view is not None
    await person.close_view(view, "U1")

    assert [m.text for m in slack.home.ephemerals] == ["モニター &lt;5&gt; 台"]
    assert text_of(slack.home.homes["U1"]) == "待っているもの"
    assert app.seen[-1] == "closed"
    assert slack.violations == []


async def test_socket_mode_carries_commands_events_clicks_and_suggestions(
    app: Any, slack: FakeSlack, by_socket: Driver
) -> None:
    assert (await by_socket.slash("quote", "U1", "C1")).ok
    said = await by_socket.mention("見積", "U1", "C1", retry=(1, "http_timeout"))
    assert said.message is not None
    card = slack.thread("C1", said.message.ts)[-1]
    await by_socket.click(card, "approve", "U2")
    await by_socket.slash("form", "U1", "C1")
    view = slack.modal("U1")
    assert view is not None
    await by_socket.suggest(view, "customer", "山田", "U1")
    await by_socket.submit_view(view, {"customer": "山田製作所"}, "U1")

    assert text_of(card) == "承認：<@U2> a1"
    assert app.seen == [("app_mention", ["1"]), "山田製作所"]
    assert [m.text for m in slack.home.ephemerals] == ["承りました：quote"]
    assert slack.violations == []


async def test_waiting_gives_what_came_or_fails_with_the_last_calls(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    posting = asyncio.create_task(client.chat_postMessage(channel="C1", text="x"))

    found = await slack.wait_for(lambda: slack.calls_to("chat.postMessage"))

    assert found[0].args["text"] == "x"
    await posting
    with pytest.raises(AssertionError, match=r"chat\.postMessage"):
        await slack.wait_for(lambda: False, timeout=0.05)


def test_typed_words_arrive_escaped_with_links_and_addresses_marked_up() -> None:
    typed = "A&B <!channel <@U1> a@example.com https://example.com/?a=1&b=2 <b>"

    assert as_typed(typed) == (
        "A&amp;B &lt;!channel <@U1> <mailto:a@example.com|a@example.com>"
        " <https://example.com/?a=1&amp;b=2> &lt;b&gt;"
    )


def test_a_card_can_be_looked_at(tmp_path: Path) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("Chromium is not installed")
    card = [*CARD, {"type": "context", "elements": [{"type": "mrkdwn", "text": "<@U1> &lt;b&gt;"}]}]

    assert screenshot(page(card), tmp_path / "card.png")
    assert (tmp_path / "card.png").read_bytes().startswith(b"\x89PNG")


def test_a_drawn_card_never_turns_a_person_s_words_into_markup() -> None:
    drawn = page([section("&lt;script&gt; *太字* <https://example.com|見る>")])

    assert "<script>" not in drawn
    assert "<b>太字</b>" in drawn
    assert ">見る</a>" in drawn


async def test_fifty_people_can_click_the_same_copy_of_a_card(
    slack: FakeSlack, person: Driver
) -> None:
    said = await person.mention("見積", "U1", "C1")
    assert said.message is not None
    card = slack.thread("C1", said.message.ts)[-1]

    replies = await asyncio.gather(*(person.click(card, "approve", f"U{n}") for n in range(50)))

    assert all(reply.status == 200 for reply in replies)
    assert card.edits == 50


async def test_an_app_told_to_reconnect_comes_back_in_socket_mode(
    slack: FakeSlack, by_socket: Driver
) -> None:
    sockets = slack.sockets
    before, old = len(slack.calls_to("apps.connections.open")), list(sockets.connections)

    await sockets.disconnect()
    await slack.wait_for(lambda: len(slack.calls_to("apps.connections.open")) > before)
    # What is sent into one that is about to close is lost.
    await slack.wait_for(
        lambda: sockets.connections and not any(each in old for each in sockets.connections), 10.0
    )

    assert (await by_socket.slash("quote", "U1", "C1")).ok


async def test_payloads_hold_all_that_the_recorded_samples_hold(
    slack: FakeSlack, person: Driver
) -> None:
    if not (SPECS / "samples").is_dir():
        pytest.skip("the recorded samples (../shared/specs/samples) are not here")
    said = await person.mention("見積", "U1", "C1", also_message=True)
    assert said.message is not None
    card = slack.thread("C1", said.message.ts)[-1]
    form = await person.slash("form", "U1", "C1")
    view = slack.modal("U1")
    assert view is not None
    made = {
        "app_mention": said.sent.body,
        "message_channel": said.others[0].sent.body,
        "fields": form.sent.body,
        "button_in_message": (await person.click(card, "approve", "U1")).sent.body,
        "message_shortcut": (
            await person.shortcut(said.message, "quote_from_this", "U1")
        ).sent.body,
        "block_suggestion": (await person.suggest(view, "customer", "", "U1")).sent.body,
        "view_submission": (
            await person.submit_view(view, {"customer": "山田製作所"}, "U1")
        ).sent.body,
    }

    lacking = {name: _lacking(body, _sample(name)) for name, body in made.items()}

    assert {name: keys for name, keys in lacking.items() if keys} == {}


def _sample(name: str) -> dict[str, Any]:
    for file in sorted((SPECS / "samples").glob("slack-*.json")):
        content = json.loads(file.read_text("utf-8"))
        for part in (content, content.get("bodies", {}), content.get("payloads", {})):
            if name in part:
                found: dict[str, Any] = part[name]
                return found
    raise AssertionError(f"no sample {name}")


def _lacking(made: Any, sample: Any, path: str = "") -> list[str]:
    """The keys of a sample that a payload has not; those of Enterprise Grid and old ones aside."""
    if not (isinstance(made, dict) and isinstance(sample, dict)):
        return []
    optional = {"enterprise_id", "enterprise_name", "authed_users", "values", "emoji"}
    missing = [f"{path}{key}" for key in sample.keys() - made.keys() - optional]
    both = (sample.keys() & made.keys()) - optional
    return missing + [m for key in both for m in _lacking(made[key], sample[key], f"{path}{key}/")]
