"""What Miyabi asks: answered by a choice, a day of the calendar, or the next message."""

from typing import Any

import pytest

from core import people
from core.inbound import Sender
from core.unit import unit
from tests.bot.line.conftest import REQUEST, TOTAL, Office
from tests.fakes.line.reading import quick_replies, words

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def line_settings() -> dict[str, Any]:
    return {"first_answer_seconds": 5}


async def test_a_day_is_picked_from_the_calendar(office: Office) -> None:
    await office.people.say("経費 日本交通 タクシー代 1,200円 客先訪問", "花子")
    asked = await office.said("花子", "いつの支払い")
    assert asked.how == "reply"
    assert office.line.said("花子") == [asked], "the free answer is for what is worth saying"
    await office.people.quick("日付", "花子", date="2026-11-20")
    await office.until("select 1 from revisions where ask ->> 'answers' like '%2026-11-20%'")


async def test_free_words_answer_what_is_open_and_an_agents_word_asks_anew(office: Office) -> None:
    await office.people.say("見積 モニター5台 キーボード10個 納期12/25", "花子")
    await office.said("花子", "お客様")
    await office.people.say("経費 日本交通 タクシー代 1,200円 客先訪問", "花子")
    paid = await office.said("花子", "いつの支払い")
    before = await office.said("花子", "お客様")
    assert before.text != paid.text
    await office.people.say("株式会社ABC商事", "花子", quote=before)
    assert TOTAL in words(await office.card("三郎"))
    assert await office.count("tasks") == 2


async def test_more_people_than_quick_replies_are_turned_over(office: Office) -> None:
    workspace = office.line.home.destination
    async with unit(office.house) as work:
        for n in range(20):
            name = f"承認者{n:02}"
            person = await people.add(
                work, office.organisation.id, f"a{n}", name, frozenset({"approver"})
            )
            account = Sender("line", workspace, office.line.home.user(name).id)
            await people.link(work, person, account)
    await office.people.say(REQUEST, "花子")
    card = await office.card("三郎")
    await office.people.press(card, "承認者を追加", "三郎")
    first = await office.said("三郎", "だれにしますか")
    shown = quick_replies(first)
    assert 10 < len(shown) <= 13
    await office.people.quick(shown[-1].label, "三郎")
    await office.line.wait_for(lambda: office.line.said("三郎", "だれにしますか")[1:])
    second = quick_replies(office.line.said("三郎", "だれにしますか")[-1])
    chosen = next(each for each in second if each.label.startswith("承認者"))
    assert chosen.label not in [each.label for each in shown]
    told = len(office.line.said("三郎"))
    await office.people.quick(chosen.label, "三郎")
    await office.line.wait_for(lambda: len(office.line.said("三郎")) > told)
    assert await office.count("prompts") == 0
