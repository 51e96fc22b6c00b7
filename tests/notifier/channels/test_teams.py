"""Cards for Teams: taken by the workflow, neutral in what people typed, and what answers mean."""

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Permanent, TryLater, Unreachable
from core.messages import Field, Line, Message
from core.settings import Settings
from notifier.channels.teams import channel
from notifier.hub.adaptive import post_of
from tests.fakes.teams.workflow import (
    ACCEPTED,
    BUSY,
    INSIDE_413,
    INSIDE_429,
    MOST,
    OFF,
    UNSIGNED,
    Workflow,
    card_of,
    text_of,
)
from tests.fakes.webhooks.receiver import Answer
from tests.notifier.channels.posts import NOTICE, OPEN, posting, told_as


@pytest.fixture
async def workflow() -> AsyncIterator[Workflow]:
    async with Workflow(usual=ACCEPTED) as running:
        yield running


async def test_a_card_stands_in_the_channel(workflow: Workflow) -> None:
    sent = await channel.send(OPEN, posting("#ops", {"url": workflow.address}))

    assert (sent.channel, sent.id) == ("#ops", "08584")
    [card] = workflow.cards()
    text = text_of(card)
    for said in ("ディスクの空きが少なくなっています", "web1 の空きは 1% です。", "ホスト", "/var",
                 "40 GB", "監視"):  # fmt: skip
        assert said in text
    [action] = card["actions"]
    assert action == {
        "type": "Action.OpenUrl",
        "title": "開く",
        "url": "https://grafana.example/d/1",
    }
    assert card["body"][0]["inlines"][0]["color"] == "warning"


@pytest.mark.parametrize(
    ("answer", "kind", "after"),
    [
        (OFF, Unreachable, None), (Answer(404), Unreachable, None), (UNSIGNED, Permanent, None),
        (BUSY, TryLater, 17), (INSIDE_429, TryLater, None), (INSIDE_413, Permanent, None),
        (Answer(200, '{"error": {"code": "BadCard"}}'), Permanent, None),
        (Answer(502), TryLater, None),
    ],
)  # fmt: skip
async def test_what_a_workflow_answers_is_told_apart(
    workflow: Workflow, answer: Answer, kind: type[Exception], after: int | None
) -> None:
    workflow.answers = [answer]
    with pytest.raises(kind) as raised:
        await channel.send(OPEN, posting("#ops", {"url": workflow.address}))

    assert told_as(raised.value) is kind
    if isinstance(raised.value, TryLater):
        wait = raised.value.after
        assert (wait.total_seconds() if wait else None) == after
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("body", ["", "1", '{"status": "Accepted"}'])
async def test_an_ordinary_answer_is_no_error(workflow: Workflow, body: str) -> None:
    workflow.answers = [Answer(200, body)]

    await channel.send(OPEN, posting("#ops", {"url": workflow.address}))


def test_its_address_is_a_secret_that_is_needed() -> None:
    url = "https://prod-1.japaneast.logic.azure.com/workflows/x?sig=y"

    assert channel.wrong(Settings(), "#ops", {"url": url}) is None
    assert channel.wrong(Settings(), "#ops", {}) is not None
    assert channel.wrong(Settings(), "#ops", {"url": "https://10.0.0.1/"}) is not None


_TEXT = st.text(max_size=300) | st.sampled_from(
    ["<at>all</at>", "[x](https://evil.example)", "**bold**", "${expression}", "あ" * 20_000]
)


@given(
    st.builds(
        Message,
        _TEXT.filter(str.strip),
        title=_TEXT,
        body=_TEXT,
        fields=st.tuples(st.builds(Field, _TEXT, _TEXT)),
        lines=st.lists(st.builds(Line, _TEXT, _TEXT, _TEXT), max_size=60).map(tuple),
        sections=st.tuples(st.builds(Field, _TEXT, _TEXT)),
        note=_TEXT,
    )
)
def test_whatever_it_says_teams_takes_it(message: Message) -> None:
    content = post_of(message, NOTICE)

    assert len(content) <= MOST
    card_of(json.loads(content))


def test_nothing_of_a_card_is_said_twice() -> None:
    said = Message("承認\n金額: 1円", "承認", fields=(Field("金額", "1円"),))
    assert post_of(said, {}).decode().partition('"body"')[2].count("1円") == 1
    assert post_of(Message("警報\n残り2GB"), {}).decode().partition('"body"')[2].count("2GB") == 1


def test_what_is_over_is_green_and_no_address_of_another_kind_is_a_link() -> None:
    notice = {**NOTICE, "resolved": True, "facts": {"url": "javascript:alert(1)"}}
    card = card_of(json.loads(post_of(Message("x"), notice)))

    assert card["body"][0]["inlines"][0]["color"] == "good"
    assert card["actions"] == []
