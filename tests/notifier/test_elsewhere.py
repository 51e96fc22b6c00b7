"""Who can't be told where they should be is told by another account, or somebody is told of it."""

from dataclasses import replace

import pytest

from core import people
from core.approvals.elsewhere import show_elsewhere
from core.db import execute
from core.inbound import Sender
from core.people import Person
from core.unit import unit
from core.words import same
from tests.core.house import Office, SayingWall, Wall
from tests.notifier.saying import CARD, Flat, flatten

QUOTA = same("The month's messages are used up.")


@pytest.fixture
async def flat(office: Office) -> Flat:
    return await flatten(office)


async def cards(flat: Flat, room: str) -> list[str]:
    return [text for text in flat.office.wall.texts(room) if text.startswith(CARD)]


async def test_a_card_that_does_not_reach_somebody_goes_to_their_next_account_and_says_why(
    flat: Flat,
) -> None:
    flat.wall.unreachable["boss"] = QUOTA
    answer = await flat.asked()

    wall = flat.office.wall
    [key] = [key for key, room in wall.rooms.items() if room == "boss"]
    assert wall.posted[key].note.endswith(QUOTA.en)
    assert wall.posted[key].buttons
    assert await flat.states("card:%", "boss") == ["superseded", "sent"]

    await flat.approve(answer.task_id, flat.office.other_boss)
    assert key in wall.edits  # an edit there, as ever
    assert wall.posted[key].buttons == ()


async def test_what_is_said_elsewhere_is_in_the_log(flat: Flat) -> None:
    flat.wall.unreachable["boss"] = QUOTA
    await flat.asked()

    row = await flat.office.row(
        "select e.body #>> '{data,to}' as went, h.id from audit_events e, threads h"
        " where tag = 'notifier:message:elsewhere' and h.platform = 'wall'"
        " and h.channel = 'boss'",
        {},
    )
    assert row.went == f"wall:{row.id}"


async def test_a_question_asked_elsewhere_loses_its_buttons_when_it_is_answered(
    flat: Flat,
) -> None:
    flat.wall.unreachable["asker"] = QUOTA
    await flat.asked("letter ?")
    question = flat.office.wall.showing("Which tone?")
    button = question.buttons[0]
    await flat.office.click(button.action, button.value, flat.office.asker)
    await flat.office.work()

    assert flat.office.wall.showing("Which tone?").buttons == ()


async def test_who_has_no_other_account_is_named_to_the_admins_once(flat: Flat) -> None:
    office = flat.office
    async with unit(office.house) as work:
        admin = await people.add(
            work, office.organisation.id, "admin", "Admin", frozenset({"admin"}), language="en"
        )
        await people.link(work, admin, Sender("wall", "w1", "admin"))
        await people.unlink(work, office.boss, Sender("wall", "w1", "boss"))
    flat.wall.unreachable["boss"] = QUOTA
    answer = await flat.asked()
    await flat.office.click(
        "question", await office.approval_id(answer.task_id), office.other_boss, "why?"
    )
    await office.work()

    assert await flat.states("card:%", "boss") == ["failed"]
    assert office.wall.texts("admin") == [
        "Boss can't be told of #1001. Please have them link another account."
    ]


async def test_an_admin_who_can_be_told_nowhere_is_no_endless_news(flat: Flat) -> None:
    office = flat.office
    async with unit(office.house) as work:
        for handle in ("admin", "admin2"):
            admin = await people.add(
                work, office.organisation.id, handle, handle, frozenset({"admin"})
            )
            await people.link(work, admin, Sender("flat", "f1", handle))
        await people.unlink(work, office.boss, Sender("wall", "w1", "boss"))
    flat.wall.unreachable = {"boss": QUOTA, "admin": QUOTA, "admin2": QUOTA}
    await flat.asked()

    assert await flat.states("word:%") == ["failed", "failed"]


async def test_two_platforms_that_reach_nobody_do_not_send_it_to_and_fro(flat: Flat) -> None:
    office = flat.office
    other = SayingWall(unreachable={"boss": QUOTA})
    office.house = replace(
        office.house, outbounds={"wall": office.wall, "flat": flat.wall, "even": other}
    )
    async with unit(office.house) as work:
        await people.unlink(work, office.boss, Sender("wall", "w1", "boss"))
        await people.link(work, office.boss, Sender("even", "e1", "boss"))
    flat.wall.unreachable["boss"] = QUOTA
    await flat.asked()

    assert (len(flat.wall.made), len(other.made)) == (2, 1)  # with the asker's own
    assert await flat.states("card:%", "boss") == ["superseded", "failed"]


async def test_who_blocks_it_while_something_waits_gets_it_elsewhere_and_nothing_is_said_there(
    flat: Flat,
) -> None:
    answer = await flat.asked()
    assert await cards(flat, "boss") == []
    await _block(flat, flat.office.boss)
    await flat.office.work()
    assert len(await cards(flat, "boss")) == 1
    [moved] = [m for m in flat.office.wall.posted.values() if "not reached any more" in m.note]
    assert moved.buttons

    calls = len(flat.wall.made)
    await flat.approve(answer.task_id, flat.office.boss)
    assert len(flat.wall.texts("boss")) == 1
    assert [text for text in flat.wall.texts("asker") if "issued" in text]
    assert len(flat.wall.made) > calls


async def _block(flat: Flat, person: Person) -> None:
    """As the setter of that does it, in one unit."""
    async with unit(flat.office.house) as work:
        await execute(
            work.connection,
            "update accounts set unreachable_since = now() where platform = 'flat'"
            " and organisation_id = :organisation_id and external_id = :account",
            {"organisation_id": person.organisation_id, "account": person.handle},
        )
        await show_elsewhere(work, person.organisation_id, person.id)


async def test_who_asked_and_blocked_it_gets_question_and_result_elsewhere(flat: Flat) -> None:
    answer = await flat.asked("letter ?")
    await _block(flat, flat.office.asker)
    await flat.office.work()
    button = flat.office.wall.showing("Which tone?").buttons[0]
    await flat.office.click(button.action, button.value, flat.office.asker)
    await flat.office.work()
    await flat.approve(answer.task_id, flat.office.other_boss)

    [result] = [m for m in flat.office.wall.posted.values() if m.files]
    assert "not reached on flat" in result.note
    assert len(flat.wall.texts("asker")) == 1


async def test_nothing_is_said_to_an_account_that_is_somebody_elses_by_now(flat: Flat) -> None:
    answer = await flat.asked()
    async with unit(flat.office.house) as work:
        account = flat.sender(flat.office.asker)
        await people.unlink(work, flat.office.asker, account)
        await people.link(work, flat.office.other_boss, account)
    await flat.approve(answer.task_id, flat.office.boss)

    assert flat.wall.texts("asker") == []
    [result] = [m for m in flat.office.wall.posted.values() if m.files]
    assert "issued" in result.text


async def test_nothing_is_said_to_who_has_left(flat: Flat) -> None:
    answer = await flat.asked()
    async with unit(flat.office.house) as work:
        await people.change(work, flat.office.asker, email=None, active=False)
    await flat.approve(answer.task_id, flat.office.boss)

    assert flat.wall.texts("asker") == []
    assert [m for m in flat.office.wall.posted.values() if m.files] == []


async def test_later_news_for_somebody_unreachable_goes_by_their_other_accounts(
    flat: Flat,
) -> None:
    await flat.block(flat.office.boss)
    await flat.asked()

    assert len(await cards(flat, "boss")) == 1
    assert flat.wall.texts("boss") == []


async def test_a_group_that_was_left_has_what_was_asked_told_to_who_asked(flat: Flat) -> None:
    await flat.office.execute(
        "insert into chats (organisation_id, platform, workspace, channel, left_at)"
        " select id, 'flat', 'f1', 'g1', now() from organisations"
    )
    await flat.say("letter ?", group="g1")
    await flat.office.work()

    assert flat.wall.texts("g1") == []
    assert len([text for text in flat.wall.texts("asker") if "Which tone?" in text]) == 1


# Where messages are edited, too


async def test_who_is_gone_from_where_they_are_told_hears_it_by_their_next_account(
    office: Office,
) -> None:
    """A card goes to the other account with the reason, and the next news of it goes there."""
    hall = await _hall(office)
    office.wall.unreachable["boss"] = GONE
    answer = await office.say("letter hello")
    await office.work()

    [(key, card)] = [each for each in hall.posted.items() if each[1].text.startswith(CARD)]
    assert card.buttons
    assert card.note.endswith(GONE.en)
    row = await office.row(
        "select e.body #>> '{data,to}' as went from audit_events e"
        " where tag = 'notifier:message:elsewhere'",
        {},
    )
    assert row.went.startswith("hall:")

    approval = await office.approval_id(answer.task_id)
    await office.click("approve", approval, office.other_boss)
    await office.work()
    assert key in hall.edits
    assert hall.posted[key].buttons == ()


async def test_what_stands_where_somebody_is_gone_from_is_not_told_once_more(
    office: Office,
) -> None:
    hall = await _hall(office)
    answer = await office.say("letter hello")
    await office.work()
    office.wall.unreachable["boss"] = GONE
    approval = await office.approval_id(answer.task_id)
    await office.click("approve", approval, office.other_boss)
    await office.work()

    assert hall.posted == {}
    assert await office.state(answer.task_id) == "done"


GONE = same("The conversation on the wall is closed.")


async def _hall(office: Office) -> Wall:
    """One of those who approve has an account on another such platform besides."""
    hall = Wall()
    office.house = replace(office.house, outbounds={**office.house.outbounds, "hall": hall})
    async with unit(office.house) as work:
        await people.link(work, office.boss, Sender("hall", "h1", "boss"))
    return hall
