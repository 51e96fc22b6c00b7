"""Webhooks as Standard Webhooks has them: signed, the same at each try, and what answers mean."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from core.errors import OutcomeUnknown, Permanent, TryLater, Unreachable
from core.settings import Settings
from notifier.channels.webhook import channel, makes, payload, signature
from tests.fakes.webhooks.receiver import Answer, Receiver
from tests.notifier.channels.posts import KEY, MESSAGE, OPEN, posting, told_as

SECRET = makes()["secret"]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver(secret=SECRET) as running:
        yield running


async def test_it_arrives_signed_with_its_facts_and_what_people_read(receiver: Receiver) -> None:
    secrets = {"secret": SECRET, "authorization": "Token t"}
    sent = await channel.send(OPEN, posting(receiver.url, secrets))

    assert (sent.id, sent.channel) == (KEY, receiver.url)
    [(headers, _)] = receiver.calls
    assert (headers["webhook-id"], headers["authorization"]) == (KEY, "Token t")
    assert receiver.bodies[KEY] == {
        "type": "alert.disk",
        "timestamp": "2026-11-27T12:00:00+09:00",
        "data": {
            "id": "0198c0de-0000-7000-8000-000000000002",
            "importance": "high",
            "facts": {"host": "web1", "url": "https://grafana.example/d/1"},
            "count": 3,
            "resolved": False,
            "title": MESSAGE.title,
            "text": MESSAGE.text,
        },
    }


async def test_what_is_tried_again_is_the_same_byte_by_byte(receiver: Receiver) -> None:
    receiver.answers = [Answer(hang_up=True)]
    with pytest.raises(OutcomeUnknown):
        await channel.send(OPEN, posting(receiver.url, {"secret": SECRET}))
    await channel.send(OPEN, posting(receiver.url, {"secret": SECRET}, again=True))

    (_, first), (_, second) = receiver.calls
    assert first == second
    assert len(receiver.bodies) == 1


async def test_a_secret_is_changed_without_a_gap(receiver: Receiver) -> None:
    """Whoever verifies with the old one or the new one takes it."""
    new = makes()["secret"]
    await channel.send(OPEN, posting(receiver.url, {"secret": new, "old_secret": SECRET}))
    receiver.secret = new
    await channel.send(OPEN, posting(receiver.url, {"secret": new, "old_secret": SECRET}))
    receiver.secret = SECRET
    with pytest.raises(TryLater):  # it can't verify that, and says 500
        await channel.send(OPEN, posting(receiver.url, {"secret": new}))

    assert len(receiver.calls) == 3


def test_the_signature_is_the_standards_own() -> None:
    """The example of its libraries' tests."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    moment = datetime.fromtimestamp(1614265330, UTC)
    signed = signature({"secret": secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", moment,
                       b'{"test": 2432232314}')  # fmt: skip

    assert signed == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(410), Unreachable), (Answer(404), Unreachable), (Answer(401), Permanent),
        (Answer(503, headers={"Retry-After": "9"}), TryLater), (Answer(302), Permanent),
        (Answer(200, '{"ok": false, "error": "channel_not_found"}'), Permanent),
        (Answer(200, '{"success": false}'), Permanent),
    ],
)  # fmt: skip
async def test_what_it_answers_is_told_apart(
    receiver: Receiver, answer: Answer, kind: type[Exception]
) -> None:
    receiver.answers = [answer]
    with pytest.raises(kind) as raised:
        await channel.send(OPEN, posting(receiver.url, {"secret": SECRET}))

    assert told_as(raised.value) is kind
    if isinstance(raised.value, TryLater):
        assert raised.value.after is not None
        assert raised.value.after.total_seconds() == 9


@pytest.mark.parametrize("body", ["", "ok", "[]", '{"ok": true}', '{"error": null}', '"x"'])
async def test_an_ordinary_answer_is_no_error(receiver: Receiver, body: str) -> None:
    receiver.answers = [Answer(200, body)]

    await channel.send(OPEN, posting(receiver.url, {"secret": SECRET}))


def test_what_is_wrong_with_its_secrets_is_told() -> None:
    short = "whsec_" + base64.b64encode(b"short").decode()
    url = "https://hooks.example.com/"

    assert channel.wrong(Settings(), url, {"secret": SECRET}) is None
    for secret in (short, "plain", SECRET.removeprefix("whsec_"), "whsec_!!"):
        assert channel.wrong(Settings(), url, {"secret": secret}) is not None
    assert channel.wrong(Settings(), "https://10.0.0.1/", {"secret": SECRET}) is not None
    assert channel.wrong(Settings(), url, {"authorization": "a\r\nx: y"}) is not None
    assert channel.wrong(Settings(), "x", {"secret": SECRET, "url": url}) is None


def test_the_body_is_json_of_the_standards_form() -> None:
    assert set(json.loads(payload(posting("https://x", {})))) == {"type", "timestamp", "data"}
