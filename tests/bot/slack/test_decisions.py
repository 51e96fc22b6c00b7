"""Who may decide, once; everyone who clicks is told what came of it, within a second."""

import asyncio
import re

import pytest
from sqlalchemy import text

from bot.slack import actions
from core import people
from core.inbound import Sender
from core.unit import unit
from tests.bot.slack.conftest import Office, hire
from tests.fakes.slack.reading import buttons, text_of
from tests.running import working

pytestmark = pytest.mark.timeout(120)


async def test_nobody_approves_their_own_request(office: Office) -> None:
    card = await office.quote(user="U2")

    reply = await office.driver.click(card, "承認", user="U2")

    assert reply.ok
    assert "自分の依頼は自分で承認できません" in await office.whispered("U2", "自分の")
    assert "田中 三郎" in office.whispers("U2")[-1]
    assert await office.count("decisions") == 0
    assert buttons(card)


async def test_whoever_may_not_decide_is_told_whose_it_is(office: Office) -> None:
    card = await office.quote(user="U2")

    await office.driver.click(card, "承認", user="U1")
    assert "これができるのは 田中 三郎 さんです" in await office.whispered("U1", "これができる")
    await office.driver.click(card, "却下", user="U1")
    await office.slack.wait_for(lambda: len(office.whispers("U1")) == 2)

    assert office.slack.modal("U1") is None, "nobody writes a reason in vain"
    assert await office.count("decisions") == 0


async def test_a_rejection_needs_a_reason_and_everyone_reads_it(office: Office) -> None:
    card = await office.quote()
    await office.driver.click(card, "却下", user="U2")
    modal = await office.modal("U2")
    [field] = modal.blocks
    assert not field.get("optional")
    assert "#1001" in modal.body["title"]["text"]

    reply = await office.driver.submit_view(modal, {"reason": "予算外 <!channel>"}, user="U2")

    assert reply.ok
    assert not modal.open
    assert "「却下」にしました" in await office.whispered("U2", "#1001")
    await office.slack.wait_for(lambda: not buttons(card))
    assert "却下: 鈴木 一郎" in text_of(card)
    assert "理由: 予算外 &lt;!channel&gt;" in text_of(card)
    await office.said("C1", "■")


async def test_second_click_is_told_who_decided_and_when(office: Office) -> None:
    card = await office.quote()
    still_on_screen = card.snapshot()
    await office.driver.click(card, "承認", user="U2")
    await office.whispered("U2", "承認")

    await office.driver.click(still_on_screen, "承認", user="U3")
    told = await office.whispered("U3", "鈴木 一郎")
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d に「承認」としてすでに決定", told)
    await office.driver.click(still_on_screen, "差し戻し", user="U3")
    await office.slack.wait_for(lambda: len(office.whispers("U3")) == 2)
    assert office.slack.modal("U3") is None


async def test_a_reason_that_comes_too_late_is_told_so(office: Office) -> None:
    card = await office.quote()
    await office.driver.click(card, "却下", user="U3")
    modal = await office.modal("U3")
    await office.driver.click(card, "承認", user="U2")
    await office.whispered("U2", "承認")

    reply = await office.driver.submit_view(modal, {"reason": "高い"}, user="U3")

    assert reply.ok
    assert "すでに決定" in await office.whispered("U3", "鈴木")
    assert [row.action for row in await office.rows("select action from decisions")] == ["approve"]


async def test_of_fifty_callers_one_decides_and_the_others_are_told(
    quiet_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = quiet_office
    # Fifty people, Slack and Miyabi share this machine: its speed is not the question here.
    for patience in ("CLICK_PATIENCE", "LATE_PATIENCE"):
        monkeypatch.setattr(actions, patience, 30)
    callers = [f"A{n:02}" for n in range(50)]
    await _hire_approvers(office, callers)
    office.slack.home.channels["C1"].members |= {office.slack.home.user(c).id for c in callers}
    async with working(office.built):
        card = (await office.quote()).snapshot()

    # The worker rests meanwhile: here it would share one core with Slack, its fifty people and us.
    replies = await asyncio.gather(
        *(office.driver.click(card, "承認", user=user) for user in callers)
    )

    assert all(reply.ok for reply in replies)
    await office.slack.wait_for(lambda: all(office.whispers(user) for user in callers))
    told = [office.whispers(user) for user in callers]
    assert sum("「承認」にしました" in heard[0] for heard in told) == 1
    assert sum("すでに決定しています" in heard[0] for heard in told) == 49
    assert all(len(heard) == 1 for heard in told)
    assert await office.count("decisions") == 1
    async with working(office.built):
        await office.said("C1", "を発行しました", 20.0)
    assert await office.count("documents") == 1


async def test_a_click_is_answered_where_it_was_made(office: Office) -> None:
    card = await office.quote()
    reply = await office.driver.click(card, "承認", user="U2")
    await office.whispered("U2", "承認")

    calls = office.slack.calls_to("chat.postEphemeral")  # two where it took a moment
    assert reply.ok
    assert {call.args["channel"] for call in calls} == {"C1"}
    assert {call.args["thread_ts"] for call in calls} == {card.thread_ts}
    assert not any(place.uses for place in office.slack.world.response_urls.values())


async def test_a_decision_in_the_direct_copy_is_answered_there(office: Office) -> None:
    await office.quote()
    copy = await office.card("DU3")
    await office.driver.click(copy, "承認", user="U3")

    await office.whispered("U3", "承認")
    [call] = office.slack.calls_to("chat.postEphemeral")
    assert call.args["channel"] == "DU3"
    assert "thread_ts" not in call.args


async def test_an_approval_can_be_written_in_the_thread(office: Office) -> None:
    card = await office.quote()
    await office.driver.message(
        "!miyabi 却下 予算外です", user="U2", channel="C1", thread_ts=card.thread_ts
    )

    await office.said("C1", "「却下」にしました")
    await office.slack.wait_for(lambda: not buttons(card))
    assert "予算外です" in text_of(card)


async def test_what_is_changed_meanwhile_needs_a_new_approval(office: Office) -> None:
    card = await office.quote()
    old = card.snapshot()
    await office.driver.message(
        "!miyabi 修正 #1001 ABC商事 モニター6台", user="U1", channel="C1", thread_ts=card.thread_ts
    )
    await office.slack.wait_for(lambda: not buttons(card), 20.0)
    assert "内容が変更されたため無効" in text_of(card)

    await office.driver.click(old, "承認", user="U2")
    assert "内容が変更されたため" in await office.whispered("U2", "内容")
    second = await office.card()
    assert "第2版" in text_of(second)
    await office.driver.click(second, "承認", user="U2")
    await office.said("C1", "を発行しました", 20.0)


async def test_an_approval_that_expired_says_so(office: Office) -> None:
    card = await office.quote()
    async with office.house.engine.begin() as connection:
        await connection.execute(text("update approvals set expires_at = now() - interval '1 s'"))
    await office.driver.click(card, "承認", user="U2")

    assert "期限" in await office.whispered("U2", "期限")
    assert await office.count("decisions") == 0


async def _hire_approvers(office: Office, users: list[str]) -> None:
    async with unit(office.house) as work:
        for user in users:
            person = await people.add(
                work, office.organisation.id, user.lower(), user, frozenset({"approver"})
            )
            await people.link(work, person, Sender("slack", "T1", user))


async def test_another_company_can_neither_see_nor_decide(office: Office) -> None:
    other = office.slack.workspace("T2")
    other.channel("C1", members=("U5",))
    await hire(office.house, "other", office.organisation.company, "T2", {"U5": "approver admin"})
    card = await office.quote()
    driver = office.slack.driver(office.url, workspace=other)

    shown = other.channel("C1")
    copy = card.snapshot()
    shown.messages[copy.ts] = copy
    click = await driver.click(copy, "承認", user="U5")
    status = await driver.slash("status #1001", user="U5", channel="C1")

    assert click.ok
    assert "見つかりません" in status.json["text"]
    assert await office.count("decisions") == 0
    assert buttons(card)
