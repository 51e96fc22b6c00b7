"""Buttons, however old and whoever presses them, and what a press asks for besides."""

from typing import Any

import pytest

from core.approvals.routes import put
from core.approvals.view import latest_of
from core.inbound import Click, Inbound, Sender, Spot
from core.intake import accept
from core.people import add, change, link, who
from core.unit import unit
from miyabi.build import open_house
from miyabi.embedded import Services
from tests.bot.line.conftest import REQUEST, TOTAL, Office, serving, settings_for
from tests.fakes.line.reading import buttons, quick_replies, words
from tests.fakes.line.state import Said, id_of


async def heard(office: Office, chat: str, act: Any) -> Said:
    """The first thing that is said in a chat after an act."""
    before = len(office.line.said(chat))
    await act
    said = await office.line.wait_for(lambda: office.line.said(chat)[before:])
    found: Said = said[0]
    return found


@pytest.fixture
async def card(office: Office) -> Said:
    """The card of a quote that 花子 asked for, before 三郎."""
    await office.people.say(REQUEST, "花子")
    return await office.card("三郎")


async def state(office: Office) -> str:
    return str((await office.rows("select state from approvals"))[0].state)


async def test_a_double_press_decides_once_and_says_so_twice(office: Office, card: Said) -> None:
    people = office.people
    first = people.make.postback(data(card, "承認"), "三郎")
    second = people.make.postback(data(card, "承認"), "三郎")
    await people.deliver(first, second)
    await office.line.wait_for(lambda: len(answers(office, "三郎")) >= 2)
    assert await state(office) == "approved"
    assert len(await office.rows("select 1 from decisions")) == 1


def answers(office: Office, chat: str) -> list[Said]:
    return [said for said in office.line.said(chat) if said.how == "reply"]


def data(said: Said, label: str) -> str:
    """What the button of that label carries."""
    [found] = [b for b in buttons(said) if b.label.startswith(label) and b.kind == "postback"][:1]
    return str(found.action["data"])


async def test_who_has_left_meanwhile_is_shown_nothing_more(office: Office, card: Said) -> None:
    """This process has met them; another one was told that they have left."""
    asked = await heard(office, "三郎", office.people.press(card, "却下"))
    assert "#1001" in asked.text
    async with unit(office.house) as work:
        account = Sender("line", office.line.home.destination, id_of("三郎"))
        person = await who(work.connection, account)
        assert person is not None
        await change(work, person, email=None, active=False)
    told = await heard(office, "三郎", office.people.press(card, "却下"))
    assert "#1001" not in told.text
    told = await heard(office, "三郎", office.people.press(card, "承認"))
    assert "#1001" not in told.text
    assert await state(office) == "pending"


async def test_the_answer_to_a_later_question_is_no_reason(office: Office) -> None:
    """一郎 asks himself, and is asked something about it after he pressed to reject another's."""
    people = office.people
    await people.say(REQUEST, "花子")
    card = await office.card("一郎")
    request = people.make.text("見積 モニター5台 納期12/25", "一郎")
    await people.deliver(request, people.make.postback(data(card, "却下"), "一郎"))
    await office.said("一郎", "理由")
    await office.said("一郎", "どのお客様")
    await office.until("select 1 from messages where slot like 'question:%'")
    await people.say("株式会社ABC商事", "一郎")
    await office.until("select 1 from tasks where reference = 1002 and question is null")
    assert await state(office) == "pending"
    assert await office.count("prompts") == 0


async def test_a_press_after_a_restart(
    office: Office, card: Said, services: Services, tmp_path: Any
) -> None:
    settings = settings_for(office.line, tmp_path / "again", services)
    async with open_house(settings, services, pool_size=5) as again, serving(again) as url:
        await office.line.driver(url).press(card, "承認", "三郎")
        await office.said("三郎", "「承認」にしました")


async def test_a_press_a_month_later_gets_the_present_state(office: Office, card: Said) -> None:
    office.line.pass_time(31 * 86_400)
    async with office.house.engine.begin() as connection:
        await connection.exec_driver_sql(
            "update approvals set expires_at = now() - interval '17 days'"
        )
    said = await heard(office, "三郎", office.people.press(card, "承認", "三郎"))
    assert "期限" in words(said)
    assert len(await office.rows("select 1 from decisions")) == 0
    nonsense = office.people.make.postback("approve:1042", "三郎")
    said = await heard(office, "三郎", office.people.deliver(nonsense))
    assert "使えません" in said.text


async def test_a_reason_is_written_unless_a_command_comes_between(
    office: Office, card: Said
) -> None:
    people = office.people
    await heard(office, "三郎", people.press(card, "差し戻し", "三郎"))
    await heard(office, "三郎", people.say("一覧", "三郎"))
    assert await office.count("prompts") == 0
    await heard(office, "三郎", people.press(card, "差し戻し", "三郎"))
    await people.say("台数が 3 台多いです", "三郎")
    await office.line.wait_for(lambda: office.line.said("花子", "台数が 3 台多いです"))
    assert await state(office) == "returned"
    assert (await office.rows("select count(*) as n from tasks"))[0].n == 1


async def test_what_a_press_lacks_is_chosen_or_written(office: Office, card: Said) -> None:
    people = office.people
    whom = await heard(office, "三郎", people.press(card, "承認者を追加", "三郎"))
    assert "鈴木" not in whom.text
    await heard(office, "三郎", people.say("だれでもない", "三郎"))
    await heard(office, "三郎", people.press(whom, "やめる", "三郎"))
    assert await office.count("prompts") == 0
    asked = await heard(office, "三郎", people.press(card, "依頼者に質問", "三郎"))
    assert "次のメッセージ" in asked.text
    await people.say("納期は守れますか", "三郎")
    await office.said("花子", "納期は守れますか")
    await people.say("はい、大丈夫です", "花子")
    await office.said("三郎", "はい、大丈夫です")
    asked = await heard(office, "三郎", people.press(card, "却下", "三郎"))
    assert {"金額相違", "内容不備"} <= {each.label for each in quick_replies(asked)}
    await people.press(asked, "金額相違", "三郎")
    await office.line.wait_for(lambda: office.line.said("花子", "金額相違"))
    assert await state(office) == "rejected"
    assert await office.count("prompts") == 0


async def test_nobody_approves_their_own_with_another_of_their_accounts(office: Office) -> None:
    await office.people.say(REQUEST, "一郎")
    card = await office.card("三郎")
    here = Sender("line", office.line.home.destination, id_of("一郎"))
    there = Sender("slack", "T1", "U2")
    async with unit(office.house) as work:
        person = await who(work.connection, here)
        assert person is not None
        await link(work, person, there)
    [task] = await office.rows("select id from tasks")
    async with office.house.engine.connect() as connection:
        value = await latest_of(connection, office.organisation.id, task.id)
    for sender in (here, there):
        click = Click("approve", str(value))
        answer = await accept(
            office.house, Inbound(sender, Spot("x"), f"{sender}", click=click), 10
        )
        assert answer.outcome == "refused"
    assert await state(office) == "pending"
    await office.people.press(card, "承認", "三郎")
    await office.said("三郎", "「承認」にしました")


async def test_two_in_a_group_press_approve(office: Office) -> None:
    office.line.home.group("営業", ("花子", "一郎", "三郎"))
    await office.people.join("営業")
    await office.said("営業", "メンション")
    async with office.house.engine.begin() as connection:
        await connection.exec_driver_sql("update chats set amounts = true")
    await office.people.say(REQUEST, "花子", "営業")
    card = await office.card("営業")
    assert TOTAL in words(card)
    await office.people.press(card, "却下", "三郎")
    await office.said("営業", "メンションして")
    await office.people.say("お昼に行きます", "三郎", "営業")  # to the others: no reason for it
    first = office.people.make.postback(data(card, "承認"), "一郎", "営業")
    second = office.people.make.postback(data(card, "承認"), "三郎", "営業")
    await office.people.deliver(first, second)
    await office.said("営業", "一郎: ")
    told = await office.line.wait_for(lambda: office.line.said("営業", "三郎: ")[1:], 15.0)
    late = told[-1]
    assert "一郎" in late.text.removeprefix("三郎: ")
    assert len(await office.rows("select 1 from decisions")) == 1


_TWO_STEPS = """
[[routes.quote.steps]]
name = "上長"
who = [{ person = "p2" }]
[[routes.quote.steps]]
name = "経理"
who = [{ person = "p3" }]
"""


async def test_over_two_steps_it_is_passed_on_and_sent_back_to_one(office: Office) -> None:
    people = office.people
    async with unit(office.house) as work:
        person = await add(work, office.organisation.id, "p5", "伊藤五郎", frozenset({"approver"}))
        account = Sender("line", office.line.home.destination, office.line.home.user("五郎").id)
        await link(work, person, account)
        await put(work, office.organisation.id, _TWO_STEPS, ["quote"])
    await people.say(REQUEST, "花子")
    first = await office.card("一郎")
    await people.press(first, "承認", "一郎")
    card = await office.card("三郎")

    # Where choices are not shown, the number, and the reason, are written.
    where = await heard(office, "三郎", people.press(card, "差し戻し", "三郎"))
    assert "1: 1. 上長（一郎）" in where.text
    why = await heard(office, "三郎", people.say("１", "三郎"))
    assert "理由" in why.text
    await heard(office, "三郎", people.say("値引きを確認", "三郎"))
    await office.line.wait_for(lambda: office.line.said("一郎", "承認のお願い")[1:], 15.0)

    again = office.line.said("一郎", "承認のお願い")[-1]
    whom = await heard(office, "一郎", people.press(again, "ほかの人に回す", "一郎"))
    words_asked = await heard(office, "一郎", people.press(whom, "伊藤五郎", "一郎"))
    assert "次のメッセージ" in words_asked.text
    await heard(office, "一郎", people.say("出張のため", "一郎"))
    await office.card("五郎")
    assert await office.count("prompts") == 0


async def test_how_one_is_notified_is_shown_and_set_by_a_press(office: Office) -> None:
    shown = await heard(office, "花子", office.people.say("通知設定", "花子"))
    assert "会社の決まりどおり" in words(shown)
    told = await heard(office, "花子", office.people.press(shown, "静か 22:00-8:00"))
    assert "22:00 から 08:00 まで（Asia/Tokyo、会社の時間帯）" in words(told)
    [row] = await office.rows("select body from preferences")
    assert row.body["quiet"] == {"begins": "22:00:00", "ends": "08:00:00", "days_off": False}
    told = await heard(office, "花子", office.people.press(shown, "毎日9時にまとめる"))
    assert "毎日 09:00" in words(told)
