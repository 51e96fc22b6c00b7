"""What comes in at all: signed, fresh, small, once; and what is said when the database is away."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from prometheus_client import REGISTRY

from bot.slack.inbound import read_payload, why_not
from tests.bot.slack.conftest import POOL, REQUEST, Office
from tests.fakes.slack.delivery import Delivery
from tests.fakes.slack.driver import SIGNING_SECRET
from tests.fakes.slack.signing import signed_headers

pytestmark = [pytest.mark.timeout(120), pytest.mark.how_soon]

SECRET = SIGNING_SECRET.encode()


def _rejected(reason: str) -> float:
    return REGISTRY.get_sample_value("miyabi_slack_rejected_total", {"reason": reason}) or 0.0


async def test_a_wrong_signature_is_refused_counted_and_leaves_nothing(
    quiet_office: Office,
) -> None:
    before = _rejected("signature")
    driver = quiet_office.slack.driver(quiet_office.url, signing_secret="somebody else's")

    reply = await driver.slash(REQUEST, user="U1", channel="C1")

    assert reply.status == 401
    assert _rejected("signature") == before + 1
    assert await quiet_office.count("inbound") == 0
    assert await quiet_office.count("tasks") == 0


@pytest.mark.parametrize("age", [301.0, -301.0, 86_400.0])
async def test_an_old_or_future_timestamp_is_refused(quiet_office: Office, age: float) -> None:
    before = _rejected("old")
    driver = quiet_office.slack.driver(quiet_office.url, age=age)

    reply = await driver.slash(REQUEST, user="U1", channel="C1")

    assert reply.status == 401
    assert _rejected("old") == before + 1
    assert await quiet_office.count("tasks") == 0


async def test_a_signature_four_minutes_old_is_taken(quiet_office: Office) -> None:
    driver = quiet_office.slack.driver(quiet_office.url, age=240)

    reply = await driver.slash("help", user="U1", channel="C1")

    assert reply.ok


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-slack-request-timestamp": "soon", "x-slack-signature": "v0=aa"},
        {"x-slack-request-timestamp": "１２３", "x-slack-signature": "v0=aa"},
        {"x-slack-request-timestamp": "1" * 400, "x-slack-signature": "v0=aa"},
        {"x-slack-request-timestamp": str(int(time.time())), "x-slack-signature": "v0=é"},
        {"x-slack-request-timestamp": str(int(time.time()))},
    ],
)
async def test_headers_of_any_kind_are_refused_without_a_stumble(
    quiet_office: Office, headers: dict[str, str]
) -> None:
    sent = Delivery("slash_commands", {})
    reply = await quiet_office.driver.sender.post(b"text=help", headers, sent)

    assert reply.status == 401


async def test_a_body_over_a_megabyte_is_refused_before_it_is_parsed(
    quiet_office: Office,
) -> None:
    body = b"text=" + b"a" * 1_000_001
    sent = Delivery("slash_commands", {})
    driver = quiet_office.driver

    reply = await driver.sender.post(body, signed_headers(SIGNING_SECRET, body), sent)

    assert reply.status == 413
    assert await quiet_office.count("inbound") == 0


@pytest.mark.parametrize(
    "body",
    [b"{", b"[1]", b"\xff\xfe", b"[" * 200_000, b"null", b"payload=%7B"],
)
async def test_a_signed_body_that_is_no_delivery_is_refused(
    quiet_office: Office, body: bytes
) -> None:
    kind = "application/x-www-form-urlencoded" if body[:7] == b"payload" else "application/json"
    headers = signed_headers(SIGNING_SECRET, body) | {"content-type": kind}
    reply = await quiet_office.driver.sender.post(body, headers, Delivery("events_api", {}))

    assert reply.status == 400


def test_the_published_example_of_a_signature_is_right(shared: Path) -> None:
    example = json.loads((shared / "specs/samples/slack-request-signing.json").read_text("utf-8"))
    flat = json.dumps(example)

    assert "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503" in flat
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": (
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
        ),
    }
    assert why_not(b"8f742231b10e8888abcd99yyyzzz85a5", body, headers, 1531420620) is None


def test_a_form_and_json_are_read_alike() -> None:
    form = urlencode({"payload": json.dumps({"type": "block_actions"})}).encode()

    assert read_payload(form, "application/x-www-form-urlencoded") == {"type": "block_actions"}
    assert read_payload(b'{"type": "a"}', "application/json; charset=utf-8") == {"type": "a"}
    assert read_payload(b"text=my+payload", "application/x-www-form-urlencoded") == {
        "text": "my payload"
    }


async def test_slacks_question_whether_the_address_is_ours_is_answered(
    quiet_office: Office,
) -> None:
    body = {"type": "url_verification", "challenge": "c0ffee", "token": "x"}
    reply = await quiet_office.driver.deliver(Delivery("events_api", body))

    assert reply.status == 200
    assert "c0ffee" in reply.body


# Redelivery


async def test_a_redelivered_mention_is_one_task_and_one_answer(office: Office) -> None:
    first = await office.driver.mention(REQUEST[6:], user="U1", channel="C1", also_message=True)
    for number in (1, 2, 3):
        await office.driver.redeliver(first, number, again_id=number != 2)
    await office.card()

    assert await office.count("tasks") == 1
    assert len([m for m in office.saying("C1", "#1001") if m.text.startswith("#1001 見")]) == 1


async def test_a_question_asked_three_times_by_the_network_is_answered_once(
    office: Office,
) -> None:
    first = await office.driver.mention("help", user="U1", channel="C1", also_message=True)
    await asyncio.gather(*(office.driver.redeliver(first, n) for n in (1, 2, 3)))
    await office.said("C1", "使えるコマンド")
    await asyncio.sleep(0.3)

    assert len(office.saying("C1", "使えるコマンド")) == 1


async def test_a_refusal_is_said_once(office: Office) -> None:
    first = await office.driver.mention("status #77", user="U1", channel="C1", also_message=True)
    await office.driver.redeliver(first)
    await office.said("C1", "見つかりません")
    await asyncio.sleep(0.3)

    assert len(office.saying("C1", "見つかりません")) == 1


async def test_a_first_delivery_that_is_a_retry_is_handled(office: Office) -> None:
    reply = await office.driver.mention(
        REQUEST[6:], user="U1", channel="C1", retry=(1, "http_timeout")
    )

    assert reply.ok
    assert await office.card()


async def test_the_same_command_twice_is_two_requests(quiet_office: Office) -> None:
    await quiet_office.driver.slash(REQUEST, user="U1", channel="C1")
    await quiet_office.driver.slash(REQUEST, user="U1", channel="C1")

    assert await quiet_office.count("tasks") == 2


async def test_ones_own_words_are_not_heard(office: Office) -> None:
    card = await office.quote()
    before = await office.count("inbound")

    assert (await office.driver.echo(card)).ok
    assert await office.count("inbound") == before


@pytest.mark.parametrize("subtype", ["message_changed", "message_deleted", "bot_message", "me"])
async def test_edits_deletions_and_other_bots_are_not_heard(
    quiet_office: Office, subtype: str
) -> None:
    reply = await quiet_office.driver.event(
        type="message",
        subtype=subtype,
        channel="DU1",
        channel_type="im",
        user="U1",
        ts="1.1",
        text=REQUEST,
    )

    assert reply.ok
    assert await quiet_office.count("inbound") == 0


async def test_an_event_that_means_nothing_to_us_is_accepted(quiet_office: Office) -> None:
    assert (await quiet_office.driver.event(type="emoji_changed", subtype="add")).ok


# The database is away


async def test_within_two_seconds_one_is_told_that_nothing_was_taken_in(
    quiet_office: Office,
) -> None:
    office = quiet_office
    await office.driver.slash("help", user="U1", channel="C1")  # the token is known by now
    async with _held(office):
        slash = await office.driver.slash(REQUEST, user="U1", channel="C1")
        mention = await office.driver.mention(REQUEST[6:], user="U1", channel="C1")

    assert slash.status == 200
    assert "受け付けていません" in slash.json["text"]
    assert mention.status == 503, "so that Slack delivers it again"
    assert "送り直しは不要です" in await office.whispered("U1", "データベース")
    assert await office.count("tasks") == 0

    again = await office.driver.redeliver(mention)
    assert again.ok
    assert await office.count("tasks") == 1


async def test_a_click_or_a_form_meanwhile_is_told_so_too(office: Office) -> None:
    card, driver = await office.quote(), office.driver
    await driver.slash("quote", user="U1", channel="C1")
    form = await office.form("U1")
    await driver.suggest(form, "customer", "ABC", user="U1")
    await driver.suggest(form, "lines:0:item", "MON", user="U1")
    values = {
        "customer": driver.suggested["customer"][0],
        "lines:0:item": driver.suggested["lines:0:item"][0],
        "lines:0:quantity": "1",
    }
    async with _held(office):
        for label in ("承認", "却下"):
            click = await driver.click(card, label, user="U2")
            assert click.ok
        sent = await driver.submit_view(form, values, user="U1")
        await office.slack.wait_for(lambda: len(_refused(office)) == 2)

    [first] = [said for said in office.whispers("U2") if said not in _refused(office)]
    assert "まもなくここでお知らせします" in first, "the press that asks for no reason"
    assert "受け付けていません" in sent.json["errors"]["customer"]
    assert form.open, "what was typed is not lost"
    assert (await driver.submit_view(form, {}, user="U1")).ok
    assert await office.count("tasks") == 2


def _refused(office: Office) -> list[str]:
    return [said for said in office.whispers("U2") if "受け付けていません" in said]


@asynccontextmanager
async def _held(office: Office) -> AsyncIterator[None]:
    """All connections of the house taken: the database does not answer."""
    async with AsyncExitStack() as stack:
        held = 0
        while held < POOL:
            with contextlib.suppress(TimeoutError):  # the worker has it for a moment longer
                await stack.enter_async_context(office.house.engine.connect())
                held += 1
        yield
