"""The ways to ask: commands, mentions, direct messages, threads, a message's shortcut."""

import re
from pathlib import Path

import pytest

from tests.bot.slack.conftest import REQUEST, TOTAL, Office
from tests.fakes.slack.blocks_check import elements
from tests.fakes.slack.reading import buttons, labels, text_of
from tests.fakes.slack.state import Message

pytestmark = pytest.mark.timeout(120)

WANTED = "株式会社ABC商事 モニター5台 キーボード10個 納期12/25"


async def test_a_mention_is_answered_in_its_own_thread(office: Office) -> None:
    reply = await office.driver.mention(WANTED, user="U1", channel="C1")

    assert reply.ok
    assert reply.message is not None
    card = await office.card()
    assert card.thread_ts == reply.message.ts
    assert TOTAL in text_of(card)


async def test_a_direct_message_is_a_request(office: Office) -> None:
    reply = await office.driver.message(WANTED, user="U1", channel="U1")

    assert reply.message is not None
    card = await office.card("DU1")
    assert card.thread_ts == reply.message.ts


async def test_a_thread_is_asked_for_its_task_with_an_exclamation_mark(office: Office) -> None:
    await office.quote()
    root = await office.root()

    await office.driver.message("!miyabi status", user="U3", channel="C1", thread_ts=root.ts)

    told = await office.said("C1", "#1001 見積書: 承認待ち")
    assert told.thread_ts == root.ts
    assert "◐" in text_of(told)


async def test_talk_in_a_thread_is_left_alone(office: Office) -> None:
    await office.quote()
    root = await office.root()
    before = len(office.slack.thread("C1", root.ts))

    reply = await office.driver.message(
        "これ5台で足りますか?", user="U3", channel="C1", thread_ts=root.ts
    )

    assert reply.ok
    assert len(office.slack.thread("C1", root.ts)) == before + 1
    assert await office.count("tasks") == 1


async def test_talk_elsewhere_leaves_no_trace_in_the_database(quiet_office: Office) -> None:
    office = quiet_office
    said = await office.driver.message("モニター5台ほしいな", user="U1", channel="C1")
    assert said.message is not None
    answered = await office.driver.message(
        "高いよ", user="U2", channel="C1", thread_ts=said.message.ts
    )

    assert said.ok
    assert answered.ok
    assert await office.count("inbound") == 0
    assert office.slack.calls_to("chat.postMessage") == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("help", "使えるコマンド"),
        ("", "使えるコマンド"),
        ("mine", "いま進行中の依頼も"),
        ("statsu #1", "Did you mean “status”?"),
        ("状沢", "状沢"),
        ("status #77", "見つかりません: #77"),
    ],
)
async def test_a_command_is_answered_at_once_to_its_sender_only(
    quiet_office: Office, words: str, told: str
) -> None:
    reply = await quiet_office.driver.slash(words, user="U1", channel="C1")

    assert reply.ok
    assert reply.json["response_type"] == "ephemeral"
    assert told in reply.json["text"]
    assert quiet_office.slack.calls_to("chat.postMessage") == []


async def test_the_word_payload_in_a_command_is_a_word_like_any_other(
    quiet_office: Office,
) -> None:
    words = "quote ABC商事 モニター5台 payload テスト"
    reply = await quiet_office.driver.slash(words, user="U1", channel="C1")

    assert "受け付けました" in reply.json["text"]


async def test_one_is_answered_in_the_language_one_writes(quiet_office: Office) -> None:
    english = await quiet_office.driver.slash(
        "quote for Northwind: 5 monitors please", user="U1", channel="C1"
    )
    chinese = await quiet_office.driver.slash(
        "报价 海星贸易 显示器6台 键盘6个", user="U1", channel="C1"
    )

    assert "is taken in" in english.json["text"]
    assert "已受理" in chinese.json["text"]


async def test_a_command_works_in_a_channel_without_the_bot_and_goes_on_directly(
    office: Office,
) -> None:
    office.slack.channel("C9", name="elsewhere", members=("U1",), with_bot=False)

    reply = await office.driver.slash(REQUEST, user="U1", channel="C9")

    assert "受け付けました" in reply.json["text"]
    card = await office.card("DU1")
    root = (await office.root("DU1")).ts
    assert card.thread_ts == root
    assert "投稿できないため" in text_of(await office.root("DU1"))
    await office.driver.click(card, "承認", user="U2")
    await office.slack.wait_for(
        lambda: [m for m in office.slack.thread("DU1", root) if m.files], 20.0
    )


async def test_an_archived_channel_is_no_reason_to_be_silent(office: Office) -> None:
    office.slack.home.channels["C1"].archived = True

    await office.driver.slash(REQUEST, user="U1", channel="C1")

    assert TOTAL in text_of(await office.card("DU1"))


async def test_a_shortcut_makes_a_quote_from_somebodys_message(office: Office) -> None:
    said = await office.driver.message(f"お願いします。{WANTED}", user="U3", channel="C1")
    assert said.message is not None

    reply = await office.driver.shortcut(said.message, "quote_from_message", user="U1")

    assert reply.ok
    card = await office.card()
    assert card.thread_ts == said.message.ts
    assert TOTAL in text_of(card)
    assert "受け付けました" in await office.whispered("U1", "#1001")


async def test_a_shortcut_where_the_bot_is_not_goes_on_directly(office: Office) -> None:
    office.slack.channel("C9", name="elsewhere", members=("U1", "U3"), with_bot=False)
    said = await office.driver.message(WANTED, user="U3", channel="C9")
    assert said.message is not None

    reply = await office.driver.shortcut(said.message, "quote_from_message", user="U1")

    assert reply.ok
    assert TOTAL in text_of(await office.card("DU1"))


async def test_a_shortcut_on_a_message_without_words_opens_the_form(office: Office) -> None:
    said = await office.driver.message("", user="U3", channel="C1")
    assert said.message is not None

    await office.driver.shortcut(said.message, "quote_from_message", user="U1")

    assert "品目" in text_of(await office.form("U1"))


async def test_a_shortcut_never_takes_a_message_for_a_command(office: Office) -> None:
    said = await office.driver.message("取消 ABC商事 モニター5台", user="U3", channel="C1")
    assert said.message is not None

    await office.driver.shortcut(said.message, "quote_from_message", user="U1")

    await office.said("C1", "#1001")
    assert "取消 ABC商事 モニター5台" in text_of(office.slack.thread("C1", said.message.ts)[1])
    assert await office.count("tasks") == 1


async def test_a_link_code_is_whispered_and_makes_a_stranger_known(office: Office) -> None:
    await office.driver.mention("連携", user="U1", channel="C1")
    told = await office.whispered("U1", "連携コード")
    digits = re.search(r"\d{8}", told)
    assert digits is not None
    assert office.saying("C1", "連携コード") == []

    await office.driver.mention(digits[0], user="U8", channel="C1")
    await office.said("C1", "このアカウントを連携しました")
    await office.driver.mention("mine", user="U8", channel="C1")
    assert await office.said("C1", "いま進行中の依頼も")


async def test_a_stranger_is_told_how_to_be_added_and_nothing_runs(office: Office) -> None:
    slash = await office.driver.slash(REQUEST, user="U8", channel="C1")
    mention = await office.driver.mention(WANTED, user="U8", channel="C1", also_message=True)

    assert "miyabi people link ハンドル slack:T1:U8" in slash.json["text"]
    assert mention.ok
    told = await office.said("C1", "slack:T1:U8")
    assert mention.message is not None
    assert told.thread_ts == mention.message.ts
    assert len(office.saying("C1", "slack:T1:U8")) == 1
    assert await office.count("tasks") == 0
    assert await office.count("inbound") == 0


async def test_whoever_may_not_ask_is_told_which_role_it_takes(quiet_office: Office) -> None:
    reply = await quiet_office.driver.slash(REQUEST, user="U3", channel="C1")

    assert "役割「requester」が必要" in reply.json["text"]
    assert await quiet_office.count("tasks") == 0


async def test_a_mention_of_the_bare_word_offers_the_form(office: Office) -> None:
    await office.driver.mention("見積", user="U1", channel="C1")
    told = await office.said("C1", "フォームでも依頼できます")

    assert labels(told) == ["フォームを開く"]
    await office.driver.click(told, "open", user="U1")
    assert "品目" in text_of(await office.form("U1"))


async def test_what_is_ambiguous_is_asked_and_answered_with_a_button(office: Office) -> None:
    reply = await office.driver.mention("ABC商事 ノートPC 2台", user="U1", channel="C1")
    assert reply.message is not None
    choices = await office.slack.wait_for(
        lambda: [m for m in office.slack.thread("C1", reply.message.ts) if buttons(m)]
    )
    question = choices[0]
    asked = question.snapshot()
    assert any("16型" in label for label in labels(question))

    stranger = await office.driver.click(question, "answer:1", user="U2")
    assert stranger.ok
    assert "佐藤 花子" in await office.whispered("U2", "佐藤")
    wanted = next(label for label in labels(question) if "16型" in label)
    await office.driver.click(question, wanted, user="U1")

    card = await office.card()
    assert "ノートPC 16型" in text_of(card)
    await office.slack.wait_for(lambda: not buttons(question))
    assert "回答: " in text_of(question)
    await office.driver.click(asked, wanted, user="U1")
    assert "すでに答えが出ています" in await office.whispered("U1", "答え")


async def test_of_many_choices_one_is_picked_in_a_menu(office: Office, tmp_path: Path) -> None:
    rows = [f"PC-{n},ノートPC {n}型,,台,{n}0000,10" for n in range(10, 18)]
    catalog = tmp_path / "catalog.csv"
    catalog.write_text("\n".join(["code,name,aliases,unit,unit_price,tax_rate", *rows]), "utf-8")
    await office.use_price_list(catalog)
    reply = await office.driver.mention("ABC商事 ノートPC 2台", user="U1", channel="C1")
    assert reply.message is not None
    root = reply.message.ts

    def menus() -> list[Message]:
        thread = office.slack.thread("C1", root)
        return [m for m in thread if any(e["type"] == "static_select" for e in elements(m.blocks))]

    [question] = await office.slack.wait_for(menus)
    picked = await office.driver.select(question, "answer", "ノートPC 12型", user="U1")

    assert picked.ok
    assert "ノートPC 12型" in text_of(await office.card())
    await office.slack.wait_for(lambda: not menus())
    assert await office.count("tasks") == 1


async def test_what_is_missing_is_asked_and_answered_in_words(office: Office) -> None:
    reply = await office.driver.mention("見積 モニター5台", user="U1", channel="C1")
    assert reply.message is not None
    root = reply.message.ts
    await office.slack.wait_for(
        lambda: [m for m in office.slack.thread("C1", root) if "お客様" in text_of(m)]
    )
    said = await office.driver.message("ABC商事です", user="U1", channel="C1", thread_ts=root)

    assert said.ok
    card = await office.card()
    assert "株式会社ABC商事" in text_of(card)
    assert await office.count("tasks") == 1


@pytest.mark.parametrize("words", ["ABC商事", "@bot ABC商事です"])
async def test_in_a_direct_conversation_the_answer_is_no_new_request(
    office: Office, words: str
) -> None:
    reply = await office.driver.message("見積 モニター5台", user="U1", channel="U1")
    assert reply.message is not None
    root = reply.message.ts
    await office.slack.wait_for(
        lambda: [m for m in office.slack.thread("DU1", root) if "お客様" in text_of(m)]
    )
    words = words.replace("@bot", f"<@{office.slack.home.bot_user}>")
    await office.driver.message(words, user="U1", channel="U1", thread_ts=root)

    assert "株式会社ABC商事" in text_of(await office.card("DU1"))
    assert await office.count("tasks") == 1
