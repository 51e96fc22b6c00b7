"""Slack and messages whose answer was lost: looked for where Slack lets us, else asked about."""

import asyncio
from datetime import timedelta

import pytest

from bot.slack import api
from notifier import sending
from tests.bot.slack.conftest import REQUEST, Office
from tests.fakes.slack.reading import buttons, text_of
from tests.running import working

pytestmark = pytest.mark.timeout(120)

NOTICE = "投稿されたかどうか分かりません"


def done_but_lost(office: Office, times: int = 1) -> None:
    """In the channel: threads are served at the same time, and an approver's may come first."""
    office.slack.fail_next("chat.postMessage", channel="C1", reset=True, after=True, times=times)


def unreadable(office: Office, error: str) -> None:
    for method in ("conversations.history", "conversations.replies"):
        office.slack.fail_next(method, error=error, times=1000)


@pytest.mark.parametrize("error", ["missing_scope", "not_in_channel"])
async def test_where_the_thread_cannot_be_read_a_person_is_asked(
    office: Office, error: str
) -> None:
    done_but_lost(office)
    unreadable(office, error)
    await office.driver.slash(REQUEST, user="U1", channel="C1")
    notice = await office.said("C1", NOTICE)
    await office.card()
    await asyncio.sleep(3.0)  # reconcilers have had their say

    assert error in text_of(notice)
    assert [button["text"]["text"] for button in buttons(notice)] == [
        "投稿されていた",
        "もう一度送る",
    ]
    assert len(office.saying("C1", "納期12/25")) == 1
    rows = await office.rows("select state from deliveries where slot = 'root'")
    assert sorted(row.state for row in rows if row.state != "superseded") == ["unknown"]


async def test_send_again_posts_it_once_more_and_the_question_is_closed(office: Office) -> None:
    done_but_lost(office)
    unreadable(office, "missing_scope")
    await office.driver.slash(REQUEST, user="U1", channel="C1")
    notice = await office.said("C1", NOTICE)
    await office.driver.click(notice, "もう一度送る", user="U1")
    await office.driver.click(notice, "もう一度送る", user="U2")

    await office.slack.wait_for(lambda: len(office.saying("C1", "納期12/25")) == 2, 20.0)
    await office.slack.wait_for(lambda: not buttons(notice), 20.0)
    assert "佐藤 花子 さんの回答: もう一度送る" in text_of(notice)
    assert await office.whispered("U2", "すでに答えが出ています")


@pytest.mark.parametrize("lost", [{"status": 503}, {"error": "fatal_error"}])
async def test_a_failure_after_which_it_may_be_done_is_looked_into(
    office: Office, lost: dict[str, object]
) -> None:
    office.slack.fail_next("chat.postMessage", channel="C1", after=True, **lost)
    await office.driver.slash(REQUEST, user="U1", channel="C1")
    await office.card()

    assert len(office.saying("C1", "納期12/25")) == 1


async def test_what_slack_does_long_after_we_stopped_waiting_is_not_posted_twice(
    quiet_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = quiet_office
    monkeypatch.setattr(api, "CALL_TIMEOUT", 1)
    monkeypatch.setattr(sending, "STILL_UNDER_WAY", timedelta(seconds=4))
    office.slack.fail_next("chat.postMessage", channel="C1", hang=4.0)
    async with working(office.built):
        await office.driver.slash(REQUEST, user="U1", channel="C1")
        await office.said("C1", "納期12/25", 30.0)
        await office.slack.wait_for(lambda: office.saying("C1", "読み取り"), 30.0)
        await asyncio.sleep(1.0)

    assert len(office.saying("C1", "納期12/25")) == 1
    rows = await office.rows("select state from deliveries where slot = 'root'")
    assert "unknown" not in {row.state for row in rows}
