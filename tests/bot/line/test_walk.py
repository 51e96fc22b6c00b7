"""From the webhook to the result: what people say and press, and what they are told."""

from typing import Any

import pytest

from tests.bot.line.conftest import REQUEST, TOTAL, Office
from tests.fakes.line.reading import words

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf"
    "c0000000030001013d1f5d0000000049454e44ae426082"
)

EXPENSE = "経費 11/20 日本交通 タクシー代 1,200円 客先訪問"


@pytest.fixture
def line_settings() -> dict[str, Any]:
    return {"gather_seconds": 0.3}


async def test_a_quote_from_the_first_word_to_the_document(office: Office) -> None:
    await office.people.say(REQUEST, "花子")
    card = await office.card("三郎")
    assert TOTAL in words(card)
    await office.people.press(card, "承認")
    await office.said("三郎", "「承認」にしました")
    result = await office.said("花子", "Q-")
    assert result.how in {"reply", "push"}
    # The same press once more, and the other approver's card: who decided.
    told = len(office.line.said("三郎"))
    await office.people.press(card, "承認")
    await office.line.wait_for(lambda: len(office.line.said("三郎")) > told)
    other = await office.card("一郎")
    await office.people.press(other, "承認")
    await office.said("一郎", "三郎")
    assert (await office.rows("select count(*) as n from tasks"))[0].n == 1
    assert (await office.rows("select count(*) as n from decisions"))[0].n == 1


async def test_several_messages_in_a_row_are_one_request(office: Office) -> None:
    people = office.people
    await people.say("見積 株式会社ABC商事", "花子")
    await people.say("モニター5台", "花子")
    await people.say("キーボード10個 納期12/25", "花子")
    card = await office.card("三郎")
    assert TOTAL in words(card)
    assert await office.count("tasks") == 1
    states = await office.rows("select state from arrivals")
    assert [row.state for row in states] == ["done"] * 3


async def receipts(office: Office) -> list[tuple[str, str]]:
    """The agent and the text of the tasks that have a file, once it was fetched."""
    rows = await office.until(
        "select t.agent, t.text from attachments a join tasks t on t.id = a.task_id"
        " where a.sha256 is not null order by a.id"
    )
    return [(row.agent, row.text) for row in rows]


async def test_an_expense_with_the_photo_of_its_receipt(office: Office) -> None:
    people = office.people
    text = people.make.text(EXPENSE, "花子")
    await people.deliver(text, people.make.image(PIXEL, "花子"))
    assert await receipts(office) == [("expense", EXPENSE.removeprefix("経費 "))]


async def test_images_that_are_sent_together_are_one_request(office: Office) -> None:
    people = office.people
    images = [people.make.image(PIXEL, "花子") for _ in range(3)]
    for place, each in enumerate(images, start=1):
        each["message"]["imageSet"] = {"id": "S1", "index": place, "total": 3}
    await people.deliver(images[0])
    await people.deliver(images[1], images[2])
    asked = await office.said("花子", "何に使いますか")
    assert asked.text.startswith("3 件")
    await people.say(EXPENSE, "花子")
    await office.until("select 1 from attachments having count(*) = 3")
    assert await office.count("tasks") == 1


async def test_a_photo_first_waits_for_its_words(office: Office) -> None:
    people = office.people
    await people.image(PIXEL, "花子")
    asked = await office.said("花子", "何に使いますか")
    await people.press(asked, "経費", "花子")
    await office.said("花子", "次のメッセージ")
    await people.say(EXPENSE.removeprefix("経費 "), "花子")
    assert await receipts(office) == [("expense", EXPENSE.removeprefix("経費 "))]
    assert await office.count("prompts") == 0


async def test_only_the_agents_word_takes_the_next_message_for_the_request(office: Office) -> None:
    people = office.people
    await people.say("経費 11/20 日本交通 タクシー代 1,200円 客先訪問", "花子")
    await office.until("select 1 from tasks where agent = 'expense'")
    await people.say("経費", "花子")
    await office.said("花子", "次のメッセージ")
    await people.image(PIXEL, "花子")  # for what is about to be asked for, not for the last one
    await office.until("select 1 from prompts where value like '%image/jpeg%'")
    assert await office.count("attachments") == 0
    await people.say("見積", "花子")
    await office.said("花子", "見積書")
    await people.say("株式会社ABC商事 モニター5台 キーボード10個 納期12/25", "花子")
    assert TOTAL in words(await office.card("三郎"))


async def test_redelivered_and_repeated_events_are_answered_once(office: Office) -> None:
    sent = await office.people.say("ヘルプ", "花子")
    await office.said("花子", "見積")
    await office.people.redeliver(*sent.events)
    await office.people.say("一覧", "花子")
    await office.said("花子", "ありません")
    assert len(office.line.said("花子")) == 2
