"""Slack in trouble: told to slow down, answers lost, pictures not ready, servers failing."""

import asyncio
import itertools

import pytest

from bot.slack.api import SlackRefused
from core.errors import Unreachable
from core.messages import Message
from core.ports import Place
from tests.bot.slack.conftest import REQUEST, TOTAL, Office
from tests.fakes.slack.reading import buttons, text_of

pytestmark = pytest.mark.timeout(120)


async def test_told_to_slow_down_a_post_waits_as_long_as_it_is_told(office: Office) -> None:
    office.slack.fail_next("chat.postMessage", channel="C1", status=429, retry_after=2)

    await office.driver.slash(REQUEST, user="U1", channel="C1")

    assert TOTAL in text_of(await office.card())
    posts = [c for c in office.slack.calls_to("chat.postMessage") if c.args["channel"] == "C1"]
    assert posts[0].status == 429
    assert posts[1].at - posts[0].at >= 2.0
    assert len(office.roots()) == 1


async def test_told_to_slow_down_an_edit_waits_and_the_last_state_is_shown(
    office: Office,
) -> None:
    card = await office.quote()
    office.slack.fail_next("chat.update", status=429, retry_after=2)
    await office.driver.click(card, "承認", user="U2")

    def again() -> list[float]:
        """When the edit that was refused came once more."""
        edits = office.slack.calls_to("chat.update")
        refused = [edit for edit in edits if edit.status == 429]
        return [
            edit.at - first.at
            for first in refused
            for edit in edits
            if edit.at > first.at and edit.args["ts"] == first.args["ts"]
        ]

    waits = await office.slack.wait_for(again, 30.0)
    assert waits[0] >= 2.0
    await office.said("C1", "完了", 30.0)
    await office.slack.wait_for(lambda: not buttons(card), 30.0)


async def test_at_slacks_own_pace_everything_arrives(office: Office) -> None:
    office.slack.pace.on = True
    for _ in range(3):
        await office.driver.mention(REQUEST[6:], user="U1", channel="C1")

    await office.slack.wait_for(lambda: len(office.saying("C1", "承認のお願い")) == 3, 60.0)
    assert await office.count("tasks") == 3


async def test_a_message_whose_answer_got_lost_is_found_and_not_posted_again(
    office: Office,
) -> None:
    office.slack.fail_next("chat.postMessage", reset=True, after=True, times=2)

    await office.driver.slash(REQUEST, user="U1", channel="C1")

    card = await office.card()
    assert len(office.roots()) == 1
    root = (await office.root()).ts
    await asyncio.sleep(1.0)
    assert len(office.saying("C1", "読み取り")) == 1
    assert len(office.saying("C1", "承認のお願い")) == 1
    assert card.thread_ts == root


async def test_a_file_whose_answer_got_lost_is_found_and_not_posted_again(
    office: Office,
) -> None:
    card = await office.quote()
    office.slack.fail_next("files.completeUploadExternal", reset=True, after=True)
    await office.driver.click(card, "承認", user="U2")
    await office.said("C1", "完了", 30.0)
    root = await office.root()

    await office.slack.wait_for(
        lambda: [m for m in office.slack.thread("C1", root.ts) if m.files], 30.0
    )
    await asyncio.sleep(1.5)
    assert len([m for m in office.slack.thread("C1", root.ts) if m.files]) == 1


@pytest.mark.parametrize("fault", [{"status": 503}, {"error": "internal_error"}, {"reset": True}])
async def test_a_server_that_fails_is_asked_again(office: Office, fault: dict[str, object]) -> None:
    office.slack.fail_next("chat.postMessage", **fault)
    office.slack.fail_next("conversations.open", **fault)

    assert TOTAL in text_of(await office.quote())
    assert TOTAL in text_of(await office.card("DU2"))


async def test_a_picture_that_is_not_ready_is_waited_for(office: Office) -> None:
    office.slack.world.file_ready_after = 0.8

    card = await office.quote()

    assert "image" in [block["type"] for block in card.blocks]


async def test_a_card_does_not_wait_for_its_picture_for_ever(office: Office) -> None:
    office.slack.world.file_ready_after = 600.0

    card = await office.quote()

    assert "image" not in [block["type"] for block in card.blocks]
    assert buttons(card)


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "upload"])
async def test_a_card_comes_without_a_picture_that_cannot_be_uploaded(
    office: Office, method: str
) -> None:
    office.slack.fail_next(method, status=500, times=3)

    card = await office.quote()

    assert TOTAL in text_of(card)
    assert buttons(card)


async def test_an_answer_is_said_again_after_a_short_wait(office: Office) -> None:
    card = await office.quote()
    office.slack.fail_next("chat.postEphemeral", status=429, retry_after=1)

    await office.driver.click(card, "承認", user="U2")

    assert "「承認」にしました" in await office.whispered("U2", "#1001")


async def test_somebody_who_cannot_be_whispered_to_is_told_directly(office: Office) -> None:
    card = await office.quote()
    office.slack.home.channels["C1"].members -= {"U3"}

    await office.driver.click(card, "却下", user="U3")
    modal = await office.modal("U3")
    await office.driver.submit_view(modal, {"reason": "高い"}, user="U3")

    await office.said("DU3", "「却下」にしました")


async def test_the_edits_of_one_message_are_a_second_apart(office: Office) -> None:
    card = await office.quote()
    await office.driver.click(card, "承認", user="U2")
    await office.said("C1", "完了", 30.0)

    edits: dict[str, list[float]] = {}
    for call in office.slack.calls_to("chat.update"):
        edits.setdefault(f"{call.args['channel']}{call.args['ts']}", []).append(call.at)
    for moments in edits.values():
        assert all(b - a > 0.9 for a, b in itertools.pairwise(moments))


async def test_a_revoked_token_is_no_reason_to_try_for_ever(office: Office) -> None:
    await office.quote()
    office.slack.home.token_revoked = True
    before = len(office.slack.calls)
    await office.driver.slash(REQUEST, user="U1", channel="C1")
    await asyncio.sleep(3.0)

    rows = await office.rows("select state, error from deliveries where state = 'failed'")
    assert rows
    assert "invalid_auth" in rows[0].error
    assert len(office.slack.calls) - before < 20


@pytest.mark.parametrize(
    ("method", "error"),
    [("conversations.open", "user_disabled"), ("chat.postMessage", "channel_not_found")],
)
async def test_somebody_who_is_gone_from_slack_is_told_apart_from_what_is_wrong_with_the_app(
    office: Office, method: str, error: str
) -> None:
    """The former are told elsewhere (notifier/elsewhere.py)."""
    place = Place(office.organisation.id, office.slack.home.team_id, "U2", None, "U2", direct=True)
    office.slack.fail_next(method, error=error)
    with pytest.raises(Unreachable, match=error):
        await office.outbound.send(place, Message("Hello"), "key-1")
    office.slack.fail_next(method, error="account_inactive")
    with pytest.raises(SlackRefused):
        await office.outbound.send(place, Message("Hello"), "key-2")
