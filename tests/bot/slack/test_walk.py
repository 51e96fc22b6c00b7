"""From a command in a channel to the approved PDF in its thread."""

import re
from itertools import pairwise

import pytest

from tests.bot.slack.conftest import REQUEST, TOTAL, Office
from tests.fakes.slack.reading import buttons, labels, text_of
from tests.fakes.slack.state import Message

pytestmark = pytest.mark.timeout(120)


def _files(office: Office, root: Message) -> list[Message]:
    return [message for message in office.slack.thread("C1", root.ts) if message.files]


async def test_a_command_becomes_a_thread_and_after_the_approval_a_pdf(office: Office) -> None:
    reply = await office.driver.slash(REQUEST, user="U1", channel="C1")

    assert reply.ok
    assert "#1001 「見積書」を受け付けました" in reply.json["text"]
    root = await office.root()
    assert "株式会社ABC商事 モニター5台 キーボード10個 納期12/25" in text_of(root)

    card = await office.card()
    assert card.thread_ts == root.ts
    assert TOTAL in text_of(card)
    assert labels(card) == ["承認", "却下", "差し戻し"]

    click = await office.driver.click(card, "承認", user="U2")
    assert click.ok
    assert "「承認」にしました" in await office.whispered("U2", "#1001")

    [posted] = await office.slack.wait_for(lambda: _files(office, root), 20.0)
    [file] = posted.files
    assert re.fullmatch(r"見積書_Q-\d{4}-0001_株式会社ABC商事\.pdf", file.name)
    assert file.data is not None
    assert file.data.startswith(b"%PDF-")
    assert "0001 を発行しました" in posted.text
    assert len(_files(office, root)) == 1


async def test_one_message_is_edited_as_the_steps_complete(office: Office) -> None:
    card = await office.quote()
    await office.driver.click(card, "approve", user="U2")
    await office.said("C1", "完了", 20.0)

    root = await office.root()
    [flash] = [m for m in office.slack.thread("C1", root.ts) if "読み取り" in text_of(m)]
    assert flash.edits >= 1
    for step in ("読み取り", "価格計算", "書類作成", "承認", "採番", "発行", "お届け"):
        assert re.search(rf"●\s{step}\s\d\d:\d\d:\d\d", text_of(flash)), step
    moments = [version.at for version in flash.history]
    pauses = [after - before for before, after in pairwise(moments)]
    assert all(pause > 0.9 for pause in pauses), "edits of one message are about a second apart"


async def test_every_copy_of_the_card_loses_its_buttons_and_says_who_decided(
    office: Office,
) -> None:
    card = await office.quote()
    copies = [card, await office.card("DU2"), await office.card("DU3")]

    await office.driver.click(copies[1], "承認", user="U2")

    await office.slack.wait_for(lambda: not any(buttons(copy) for copy in copies), 20.0)
    for copy in copies:
        assert re.search(r"承認: 鈴木 一郎（\d{4}-\d\d-\d\d \d\d:\d\d、Slack）", text_of(copy))


async def test_the_card_shows_the_first_page_as_a_picture(office: Office) -> None:
    card = await office.quote()

    [image] = [block for block in card.blocks if block["type"] == "image"]
    file = office.slack.home.files[image["slack_file"]["id"]]
    assert file.data is not None
    assert file.data.startswith(b"\x89PNG")
    assert image["alt_text"] == "見積書の1ページ目"
    assert file.shares == [], "the picture is on the card only, not a file of its own"


async def test_the_picture_is_uploaded_once_for_all_copies_and_edits(office: Office) -> None:
    card = await office.quote()
    await office.card("DU2")
    await office.card("DU3")
    await office.driver.click(card, "承認", user="U2")
    await office.slack.wait_for(lambda: not buttons(card), 20.0)

    pictures = [f for f in office.slack.home.files.values() if f.name == "preview.png"]
    assert len(pictures) == 1
    assert [block["type"] for block in card.blocks].count("image") == 1


async def test_what_a_person_typed_pings_nobody(office: Office) -> None:
    await office.driver.slash(f"{REQUEST} 備考: <!channel> & <@U2>", user="U1", channel="C1")
    root = await office.root()

    assert "&lt;!channel&gt;" in text_of(root)
    for message in office.slack.home.channels["C1"].messages.values():
        if message.bot_id:
            assert "<!" not in message.text + text_of(message)
            assert "<@" not in message.text + text_of(message)


async def test_an_issued_quote_can_be_revised_and_keeps_its_number(office: Office) -> None:
    card = await office.quote()
    await office.driver.click(card, "承認", user="U2")
    root = await office.root()
    await office.slack.wait_for(lambda: _files(office, root), 20.0)

    revised = "!miyabi 修正 #1001 ABC商事 モニター6台"
    await office.driver.message(revised, user="U1", channel="C1", thread_ts=root.ts)
    second = await office.slack.wait_for(
        lambda: [m for m in office.saying("C1", "承認のお願い: #1002") if buttons(m)], 20.0
    )
    await office.driver.click(second[0], "承認", user="U2")

    await office.slack.wait_for(lambda: len(_files(office, root)) == 2, 20.0)
    name = _files(office, root)[1].files[0].name
    assert re.search(r"Q-\d{4}-0001-2_", name)
