"""A route of two steps in Slack: the menus and modals of the card, and an answer to every press."""

import time
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from core import people
from core.approvals.routes import put
from core.inbound import Sender
from core.unit import unit
from tests.bot.slack.conftest import Office
from tests.fakes.slack.delivery import Reply
from tests.fakes.slack.reading import buttons, labels, pings, text_of
from tests.fakes.slack.state import Message

pytestmark = pytest.mark.timeout(120)

_ROUTE = """
[routes.quote]
inform = [{ person = "u5", confirm = true }]
[[routes.quote.steps]]
name = "上長 <!channel>"
who = [{ person = "u2" }]
days = 3
[[routes.quote.steps]]
name = "経理"
who = [{ person = "u3" }, { person = "u4" }]
need = "all"
"""


@pytest.fixture
async def firm(office: Office) -> Office:
    """The office with U4, U5 and a route over two steps."""
    async with unit(office.house) as work:
        for user, name in (("U4", "高橋 *太字* @everyone"), ("U5", "伊藤 五郎")):
            person = await people.add(
                work, office.organisation.id, user.lower(), name, frozenset({"approver"})
            )
            await people.link(work, person, Sender("slack", "T1", user))
        await put(work, office.organisation.id, _ROUTE, ["quote"])
    office.slack.home.channels["C1"].members |= {"U4", "U5"}
    for user in ("U4", "U5"):
        office.slack.home.user(user)
    return office


async def _choose(office: Office, card: Message, label: str, user: str) -> None:
    """Pick from the three points of a card."""
    assert (await office.driver.select(card, "more", label, user)).ok


async def test_a_walk_over_two_steps_with_question_addition_and_return(firm: Office) -> None:
    office, driver = firm, firm.driver
    card = await office.quote()
    assert "◐ 上長 &lt;!channel&gt;" in text_of(card)
    assert "○ 経理" in text_of(card)
    assert "期限" in text_of(card)
    assert pings(card) == []
    direct = await office.card("DU2")

    await _choose(office, direct, "依頼者に質問", "U2")
    modal = await office.modal("U2")
    await driver.submit_view(modal, {"reason": "どの部署で使いますか <!here>"}, user="U2")
    asked = await office.said("C1", "質問です")
    assert pings(asked) == []
    await driver.message("営業部の5名です", user="U1", channel="C1", thread_ts=card.thread_ts)
    await office.slack.wait_for(lambda: "↳ 回答: 営業部の5名です" in text_of(direct), 15.0)

    await driver.click(direct, "承認", user="U2")
    await office.whispered("U2", "次は")
    await office.slack.wait_for(lambda: labels(direct) == ["承認を取り消す"], 15.0)
    third = await office.card("DU3")
    assert "✓ 上長" in text_of(third)
    assert "(Slack)" in text_of(third)

    await _choose(office, third, "承認者を追加", "U3")
    modal = await office.modal("U3")
    await driver.submit_view(modal, {"person": "U5"}, user="U3")
    await office.whispered("U3", "伊藤 五郎 さんを承認者に加えました")
    await office.card("DU5")

    await driver.click(third, "差し戻し", user="U3")
    modal = await office.modal("U3")
    [to] = [b["element"] for b in modal.blocks if b["block_id"] == "to"]
    assert to["options"][0]["text"]["text"] == "依頼者（佐藤 花子）"
    await driver.submit_view(modal, {"to": "1", "reason": "値引きを確認"}, user="U3")
    await office.whispered("U3", "1 番目の段階")
    again = await office.slack.wait_for(lambda: office.saying("DU2", "承認のお願い")[1:], 15.0)
    assert "2回目" in text_of(again[-1])


async def test_everybody_sees_the_end_before_the_work_goes_on(firm: Office) -> None:
    office = firm
    card = await office.quote()
    await office.driver.click(await office.card("DU2"), "承認", user="U2")
    await office.driver.click(await office.card("DU3"), "承認", user="U3")
    last = await office.card("DU4")
    copies = [card, *(m for c in ("DU2", "DU3", "DU4") for m in office.saying(c, "承認のお願い"))]
    pressed = time.monotonic()
    await office.driver.click(last, "承認", user="U4")
    await office.slack.wait_for(lambda: not any(buttons(copy) for copy in copies), 15.0)
    took = time.monotonic() - pressed
    issued = await office.said("C1", "を発行しました", 20.0)

    assert took < 3, "one second, and what a busy machine adds"
    assert all(copy.history[-1].at < issued.history[0].at for copy in copies)
    assert "承認: 高橋 *太字* @everyone" in text_of(card).replace("\u200b", "")
    seen = await office.said("DU5", "回覧", 15.0)
    assert labels(seen) == ["確認しました"]
    await office.driver.click(seen, "確認しました", user="U5")
    await office.slack.wait_for(lambda: not buttons(seen), 15.0)


async def test_an_old_card_is_answered_with_the_new_one(firm: Office) -> None:
    office = firm
    card = await office.quote()
    old = card.snapshot()
    await office.driver.message(
        "!miyabi 修正 #1001 ABC商事 モニター6台", user="U1", channel="C1", thread_ts=card.thread_ts
    )
    await office.slack.wait_for(
        lambda: "第2版" in text_of(office.saying("DU2", "承認のお")[-1]), 20
    )

    for label in ("承認", "却下"):
        before = len(office.whispers("U2"))
        await office.driver.click(old, label, user="U2")
        await office.slack.wait_for(lambda n=before: len(office.whispers("U2")) > n)
        told = [m for m in office.slack.home.ephemerals if m.only_for == "U2"][-1]
        assert "内容が変更されたため" in text_of(told)
        assert "第1版からの変更" in text_of(told)
        assert "5台" in text_of(told)
        assert {"承認", "却下", "差し戻し"} <= set(labels(told))


async def test_what_waits_lies_in_the_home_tab_to_be_approved_there(firm: Office) -> None:
    office, driver = firm, firm.driver
    await office.quote()
    today = datetime.now(UTC).date()
    said = await driver.slash(f"代理 @u3 {today + timedelta(days=30)}", user="U2", channel="C1")
    await driver.open_home("U2")
    home = await office.slack.wait_for(lambda: office.slack.home.homes.get("U2"))
    assert home is not None
    assert "244,200円" in text_of(home)
    assert "鈴木 一郎" in text_of(home), said.json

    await driver.click(home, "#1001 を見る", user="U2")
    shown = await office.said("DU2", "承認のお願い")
    assert "承認の流れ" in text_of(shown)
    await driver.click(home, "approve", user="U2")
    await office.slack.wait_for(
        lambda: "244,200円" not in text_of(office.slack.home.homes["U2"]), 15.0
    )


@pytest.mark.how_soon
async def test_every_press_is_answered_while_the_database_stalls(firm: Office) -> None:
    office, driver = firm, firm.driver
    card = await office.quote()
    async with office.house.engine.connect() as connection:
        # Whoever asks who it is waits: every press does.
        await connection.execute(text("lock table accounts in access exclusive mode"))
        took = [
            await _answered(office, driver.click(card, "承認", user="U2")),
            await _answered(office, driver.click(card, "却下", user="U2")),
            await _answered(office, driver.select(card, "more", "コメント", "U2")),
        ]

        said = office.whispers("U2")
        assert "まもなくここでお知らせします" in said[0]
        assert all("受け付けていません" in each for each in said[1:]), said
        assert await office.count("decisions") == 0
    assert max(took) < 1.5, "one second, and what a busy machine adds"

    await office.whispered("U2", "次は")  # the approval was only late
    assert await office.count("decisions") == 1


async def _answered(office: Office, press: Awaitable[Reply]) -> float:
    """Seconds from a press of U2's until they read something."""
    pressed, before = time.monotonic(), len(office.whispers("U2"))
    assert (await press).ok
    await office.slack.wait_for(lambda: len(office.whispers("U2")) > before, 10.0)
    return time.monotonic() - pressed
