"""The form: opened at once, rows that come and go, errors beside the field, edits."""

from datetime import date, timedelta

import pytest

from tests.bot.slack.conftest import TOTAL, Office
from tests.fakes.slack.driver import Driver
from tests.fakes.slack.reading import buttons, labels, text_of
from tests.fakes.slack.state import View

pytestmark = pytest.mark.timeout(120)


def _soon() -> str:
    return (date.today() + timedelta(days=30)).isoformat()  # noqa: DTZ011  # any day to come


async def _open(office: Office, driver: Driver, user: str = "U1") -> View:
    reply = await driver.slash("quote", user=user, channel="C1")
    assert reply.ok
    assert reply.body == ""
    return await office.form(user)


async def _choose(driver: Driver, form: View, field: str, words: str, user: str = "U1") -> None:
    await driver.suggest(form, field, words, user=user)


async def test_the_form_opens_at_once_and_fills_in_when_it_is_ready(office: Office) -> None:
    form = await _open(office, office.driver)

    first, last = form.history[0], form.history[-1]
    assert "読み込んでいます" in first["blocks"][0]["text"]["text"]
    assert "submit" not in first
    assert last["submit"]["text"] == "作成"


async def test_a_form_that_was_filled_in_becomes_a_quote(office: Office) -> None:
    driver = office.driver
    form = await _open(office, driver)
    await driver.click(form, "form:add", user="U1")
    await _choose(driver, form, "customer", "ABC")
    customer = driver.suggested["customer"][0]
    await _choose(driver, form, "lines:0:item", "モニター")
    monitor = driver.suggested["lines:0:item"][0]
    await _choose(driver, form, "lines:1:item", "キーボード")
    keyboard = driver.suggested["lines:1:item"][0]

    reply = await driver.submit_view(
        form,
        {
            "customer": customer,
            "lines:0:item": monitor,
            "lines:0:quantity": "5",
            "lines:1:item": keyboard,
            "lines:1:quantity": "１０個",
            "due": _soon(),
            "note": "至急 <!here>",
        },
        user="U1",
    )

    assert reply.ok
    assert not form.open
    assert "受け付けました" in await office.whispered("U1", "#1001")
    card = await office.card()
    assert TOTAL in text_of(card)
    assert "至急 &lt;!here&gt;" in text_of(card)


async def test_what_was_typed_stays_when_a_row_is_added_or_removed(office: Office) -> None:
    driver = office.driver
    form = await _open(office, driver)
    await driver.click(form, "form:add", user="U1", values={"lines:0:quantity": "3"})
    await driver.click(form, "form:add", user="U1", values={"lines:1:quantity": "7"})
    assert labels(form) == ["削除", "削除", "削除", "＋ 行を追加"]

    await driver.click(form, "1", user="U1", values={"note": "急ぎ"})

    rows = [b["block_id"] for b in form.blocks if b["block_id"].endswith(":quantity")]
    assert rows == ["lines:0:quantity", "lines:2:quantity"]
    assert form.typed["lines:0:quantity"]["lines:0:quantity"]["value"] == "3"
    assert form.typed["note"]["note"]["value"] == "急ぎ"


async def test_the_last_row_has_no_button_to_take_it_away(office: Office) -> None:
    form = await _open(office, office.driver)

    assert labels(form) == ["＋ 行を追加"]


async def test_a_form_has_no_more_rows_than_slack_can_show(office: Office) -> None:
    driver = office.driver
    form = await _open(office, driver)
    while "＋ 行を追加" in labels(form):
        await driver.click(form, "form:add", user="U1")

    assert len(labels(form)) == 25


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("lines:0:quantity", "0", "1以上の整数"),
        ("lines:0:quantity", "たくさん", "1以上の整数"),
        ("due", "2020-01-01", "納期が過ぎています"),
        ("discount", "まけて", "10%"),
    ],
)
async def test_an_error_is_shown_beside_its_field_and_nothing_is_taken_in(
    quiet_office: Office, field: str, typed: str, told: str
) -> None:
    office, driver = quiet_office, quiet_office.driver
    form = await _open(office, driver)
    await _choose(driver, form, "customer", "ABC")
    await _choose(driver, form, "lines:0:item", "モニター")
    values = {
        "customer": driver.suggested["customer"][0],
        "lines:0:item": driver.suggested["lines:0:item"][0],
        "lines:0:quantity": "5",
    }
    reply = await driver.submit_view(form, values | {field: typed}, user="U1")

    assert reply.json["response_action"] == "errors"
    assert told in reply.json["errors"][field]
    assert form.open
    assert await office.count("tasks") == 0

    again = await driver.submit_view(form, values | {field: None, "lines:0:quantity": "5"}, "U1")
    assert again.ok
    assert await office.count("tasks") == 1


async def test_type_ahead_finds_by_alias_and_by_code(quiet_office: Office) -> None:
    driver = quiet_office.driver
    form = await _open(quiet_office, driver)

    await driver.suggest(form, "customer", "エービーシー", user="U1")
    assert driver.suggested["customer"][0]["text"]["text"] == "株式会社ABC商事"
    await driver.suggest(form, "lines:0:item", "MON", user="U1")
    assert driver.suggested["lines:0:item"][0]["value"] == "MON-27"
    await driver.suggest(form, "customer", "", user="U1")
    assert len(driver.suggested["customer"]) == 7
    await driver.suggest(form, "customer", "XYZあり得ない", user="U1")
    assert driver.suggested["customer"] == []


async def test_a_stranger_gets_no_form_and_no_names(quiet_office: Office) -> None:
    office, driver = quiet_office, quiet_office.driver
    reply = await driver.slash("quote", user="U8", channel="C1")

    assert "slack:T1:U8" in reply.json["text"]
    assert office.slack.modal("U8") is None
    form = await _open(office, driver)
    await driver.suggest(form, "customer", "ABC", user="U8")
    assert driver.suggested["customer"] == []


async def test_whoever_may_not_ask_is_told_so_in_the_form(quiet_office: Office) -> None:
    office, driver = quiet_office, quiet_office.driver
    form = await _open(office, driver, user="U3")
    await driver.suggest(form, "customer", "ABC", user="U3")
    await driver.suggest(form, "lines:0:item", "MON", user="U3")
    values = {
        "customer": driver.suggested["customer"][0],
        "lines:0:item": driver.suggested["lines:0:item"][0],
        "lines:0:quantity": "5",
    }
    await driver.submit_view(form, values, user="U3")

    assert "役割「requester」が必要" in text_of(form)
    assert await office.count("tasks") == 0


async def test_without_its_trigger_the_form_is_offered_in_words(quiet_office: Office) -> None:
    quiet_office.slack.fail_next("views.open", error="expired_trigger_id")

    reply = await quiet_office.driver.slash("quote", user="U1", channel="C1")

    assert "フォームでも依頼できます" in reply.json["text"]
    assert "見積 株式会社ABC商事" in reply.json["text"]


async def test_a_send_back_is_edited_in_the_form_and_makes_a_second_revision(
    office: Office,
) -> None:
    driver = office.driver
    card = await office.quote()
    old = card.snapshot()
    await driver.click(card, "差し戻し", user="U2")
    modal = await office.modal("U2")
    await driver.submit_view(modal, {"reason": "モニターは6台では？"}, user="U2")
    question = await office.said("C1", "差し戻されました。理由: モニターは6台では？")

    other = await driver.click(question, "edit", user="U2")
    assert other.ok
    assert "佐藤 花子" in await office.whispered("U2", "佐藤")
    await driver.click(question, "フォームで修正", user="U1")
    form = await office.form("U1")
    assert form.typed["lines:0:quantity"]["lines:0:quantity"]["value"] == "5"
    assert form.typed["customer"]["customer"]["selected_option"]["value"] == "C001"
    await driver.submit_view(form, {"lines:0:quantity": "6"}, user="U1")

    await office.slack.wait_for(lambda: not buttons(card), 20.0)
    second = await office.card()
    assert "第2版" in text_of(second)
    assert "6台 × 32,800円" in text_of(second)
    assert second.thread_ts == card.thread_ts
    await driver.click(old, "承認", user="U2")
    assert "内容が変更された" in await office.whispered("U2", "内容")
    assert "第2版" in text_of(await office.card("DU2"))


async def test_a_broken_price_list_is_said_in_the_form(
    quiet_office: Office, tmp_path_factory: pytest.TempPathFactory
) -> None:
    office = quiet_office
    broken = tmp_path_factory.mktemp("lists") / "catalog.csv"
    broken.write_text("code,name\nA,B\n", "utf-8")
    await office.use_price_list(broken)

    await office.driver.slash("quote", user="U1", channel="C1")
    said = await office.modal("U1", lambda view: "読み込んでいます" not in text_of(view))

    assert "catalog.csv" in text_of(said)
    assert "submit" not in said.body


async def test_a_broken_price_list_stops_the_task_and_a_button_goes_on_after_the_fix(
    office: Office, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("lists")
    catalog = folder / "catalog.csv"
    catalog.write_text("code,name\nA,B\n", "utf-8")
    await office.use_price_list(catalog)
    await office.driver.mention("ABC商事 モニター5台", user="U1", channel="C1")
    stopped = await office.slack.wait_for(
        lambda: [m for m in office.saying("C1", "停止（エラー）") if buttons(m)], 20.0
    )

    assert "catalog.csv" in text_of(stopped[0])
    catalog.write_text(
        "code,name,aliases,unit,unit_price,tax_rate\nMON-27,モニター,,台,32800,10\n", "utf-8"
    )
    await office.driver.click(stopped[0], "再実行", user="U1")

    assert "180,400円" in text_of(await office.card())
    await office.slack.wait_for(lambda: not buttons(stopped[0]))


async def test_a_general_request_is_asked_for_in_its_form_and_edited_there(office: Office) -> None:
    driver = office.driver
    reply = await driver.slash("ask-approval", user="U1", channel="C1")
    assert reply.ok
    form = await office.form("U1")
    values = {"title": "複合機の入替", "text": "リース満了 <!here>", "amount": "たくさん"}
    wrong = await driver.submit_view(form, values, user="U1")
    assert "12,000円" in wrong.json["errors"]["amount"]
    await driver.submit_view(form, values | {"amount": "８万５千円"}, user="U1")
    card = await office.card()
    assert "85,000円" in text_of(card)
    assert "リース満了 &lt;!here&gt;" in text_of(card)

    await driver.click(card, "差し戻し", user="U2")
    modal = await office.modal("U2")
    await driver.submit_view(modal, {"reason": "理由は？"}, user="U2")
    question = await office.said("C1", "差し戻されました")
    await driver.click(question, "フォームで修正", user="U1")
    again = await office.form("U1")

    assert again.typed["amount"]["amount"]["value"] == "85,000"
    assert again.typed["title"]["title"]["value"] == "複合機の入替"
