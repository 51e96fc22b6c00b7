"""Groups: when Miyabi answers there, whose right counts, what it shows."""

import pytest

from tests.bot.line.conftest import REQUEST, TOTAL, Office
from tests.fakes.line.reading import words
from tests.fakes.line.state import Said


@pytest.fixture
async def group(office: Office) -> str:
    """A group of all three that Miyabi was just invited to."""
    office.line.home.group("営業", ("花子", "一郎", "三郎"))
    await office.people.join("営業")
    await office.said("営業", "メンション")
    return "営業"


def answers(office: Office, group: str) -> list[Said]:
    return office.line.said(group)[1:]


async def test_it_answers_only_when_it_is_spoken_to(office: Office, group: str) -> None:
    people = office.people
    for talk in ("お昼どうする？", "?", "モニター5台ほしいね", "昨日の見積よかったよ"):
        await people.say(talk, "花子", group)
    await people.sticker("花子", group)
    await people.say("一覧", "花子", group)
    first = await office.said(group, "花子: ")
    assert answers(office, group) == [first]
    await people.say("どうすればいい", "一郎", group, mention=True)
    await office.said(group, "一郎: ")

    # The right is of whoever speaks, not of the group.
    await people.say("見積 株式会社ABC商事 モニター5台", "三郎", group)  # who may not ask for one
    refused = await office.said(group, "三郎: ")
    assert "requester" in refused.text
    office.line.home.group(group, ("知らない人",))
    await people.say("承認 #1001", "知らない人", group)
    await office.line.wait_for(lambda: len(answers(office, group)) == 4)
    assert await office.count("tasks") == 0


async def test_no_amount_is_shown_unless_an_admin_allows_it(office: Office, group: str) -> None:
    people = office.people
    await people.say(REQUEST, "花子", group)
    taken = await office.said(group, "受け付け")
    assert taken.how == "reply"
    await office.card("三郎")
    await people.say("状況 #1001", "花子", group)
    await office.line.wait_for(lambda: len(answers(office, group)) >= 2)
    await people.say("承認 #1001", "三郎", group)
    await office.said(group, "「承認」にしました")
    await office.said("三郎", "#1001")
    shown = "\n".join(f"{each.text}\n{words(each)}" for each in office.line.said(group))
    assert "円" not in shown
    assert "244" not in shown


async def test_a_question_in_a_group_is_answered_by_quoting_it(office: Office, group: str) -> None:
    people = office.people
    await people.say("見積 モニター5台 納期12/25", "花子", group)
    question = await office.said(group, "お客様")
    await people.say("株式会社ABC商事", "一郎", group, quote=question)
    await people.say("ところで株式会社ABC商事は", "花子", group)
    await people.say("株式会社ABC商事", "花子", group, quote=question)
    await office.card("三郎")


async def test_what_somebody_has_open_in_a_group_they_leave_goes_on_alone(
    office: Office, group: str
) -> None:
    people = office.people
    await people.say(REQUEST, "花子", group)
    card = await office.card("三郎")
    await people.member_left("花子", group)
    await office.until("select 1 from audit_events where tag = 'intake:chat:departed'")
    said = len(office.line.said(group))
    await people.press(card, "承認", "三郎")
    result = await office.said("花子", "Q-")
    assert TOTAL in words(result)
    assert len(office.line.said(group)) == said
    await people.say("状況", "花子")
    await office.said("花子", "完了")


async def test_groups_it_left_are_known_to_be_left(office: Office, group: str) -> None:
    await office.people.leave(group)

    await office.until("select 1 from chats where left_at is not null")
    tags = [row.tag for row in await office.rows("select tag from audit_events order by id")]
    assert {"intake:chat:joined", "intake:chat:left"} <= set(tags)
