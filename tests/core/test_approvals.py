"""Approvals: decided once, by who may, on exactly what was shown."""

import asyncio

from audit.event import Actor
from core import people
from core.approvals import changing, deciding, rows
from core.db import fetch_one
from core.inbound import Answer, Click, Inbound, Sender, Spot
from core.intake import accept
from core.people import Person
from core.unit import unit
from tests.core.house import Office


async def asked(office: Office, text: str = "letter hello") -> tuple[object, object]:
    answer = await office.say(text, thread="t")
    await office.work()
    return answer.task_id, await office.approval_id(answer.task_id)


async def test_fifty_clicks_are_one_decision_and_forty_nine_answers(office: Office) -> None:
    _, approval = await asked(office)

    answers = await asyncio.gather(
        *(office.click("approve", approval, office.boss) for _ in range(50))
    )

    outcomes = [answer.outcome for answer in answers]
    assert outcomes.count("done") == 1
    assert outcomes.count("refused") == 49
    told = next(answer for answer in answers if answer.outcome == "refused")
    assert told.message is not None
    assert "approved by Boss at" in told.message.text
    count = await office.row("select count(*) as n from decisions", {})
    assert count.n == 1


async def test_two_bosses_at_once_one_decides_the_other_is_told(office: Office) -> None:
    _, approval = await asked(office)

    first, second = await asyncio.gather(
        office.click("approve", approval, office.boss),
        office.click("reject", approval, office.other_boss, "too dear"),
    )

    assert {first.outcome, second.outcome} == {"done", "refused"}


async def test_nobody_approves_their_own_request_and_is_told_who_can(office: Office) -> None:
    answer = await office.say("letter hello", office.boss)
    await office.work()
    approval = await office.approval_id(answer.task_id)

    told = await office.click("approve", approval, office.boss)

    assert told.outcome == "refused"
    assert told.message is not None
    assert "own request" in told.message.text
    assert "Other" in told.message.text
    assert await office.state(answer.task_id) == "waiting:approval"


async def test_who_has_no_right_is_told_whose_it_is(office: Office) -> None:
    answer = await office.say("letter hello", office.boss)
    await office.work()

    told = await office.click("approve", await office.approval_id(answer.task_id), office.asker)

    assert told.message is not None
    assert told.message.text == "Only Other can do this."


async def test_reject_and_send_back_need_a_reason(office: Office) -> None:
    task_id, approval = await asked(office)

    for action in ("reject", "return"):
        told = await office.click(action, approval, office.boss)
        assert told.outcome == "refused"

    assert await office.state(task_id) == "waiting:approval"


async def test_a_rejection_is_final_and_its_reason_is_on_the_card(office: Office) -> None:
    task_id, approval = await asked(office)

    await office.click("reject", approval, office.boss, "too dear")
    await office.work()

    assert await office.state(task_id) == "rejected"
    for message in office.wall.posted.values():
        if "Approval wanted" in message.text:
            assert message.buttons == ()
            assert "too dear" in message.note
    revised = await office.say("revise #1001 cheaper")
    assert revised.outcome == "refused"


async def test_every_copy_of_the_card_loses_its_buttons(office: Office) -> None:
    _, approval = await asked(office)
    cards = [key for key, m in office.wall.posted.items() if "Approval wanted" in m.text]
    assert len(cards) == 3  # the thread and two bosses

    await office.click("approve", approval, office.boss)
    await office.work()

    assert all(office.wall.posted[key].buttons == () for key in cards)
    assert all("approved by Boss" in office.wall.posted[key].note for key in cards)


async def test_an_edit_makes_the_old_approval_void_and_asks_anew(office: Office) -> None:
    task_id, approval = await asked(office)

    await office.say("revise #1001 letter bye")
    await office.work()
    told = await office.click("approve", approval, office.boss)
    newer = await office.approval_id(task_id)

    assert told.message is not None
    assert "changed" in told.message.text
    assert newer != approval
    decided = await office.click("approve", newer, office.boss)
    await office.work()
    assert decided.outcome == "done"
    assert await office.state(task_id) == "done"


async def test_sent_back_the_requester_writes_it_anew_and_it_is_approved_anew(
    office: Office,
) -> None:
    task_id, approval = await asked(office)

    await office.click("return", approval, office.boss, "wrong name")
    await office.work()
    assert await office.state(task_id) == "waiting:answer"
    assert "wrong name" in office.wall.showing("Sent back by Boss").text

    await office.say("letter better", thread="t", addressed=False)
    await office.work()

    assert await office.state(task_id) == "waiting:approval"
    row = await office.row("select revision from tasks where id = :id", {"id": task_id})
    assert row.revision == 2


async def test_who_edited_may_not_approve(office: Office) -> None:
    answer = await office.say("letter hello", office.boss)
    await office.work()
    await office.say("revise #1001 letter again", office.boss)
    await office.work()

    told = await office.click("approve", await office.approval_id(answer.task_id), office.boss)

    assert told.outcome == "refused"


async def test_steps_whose_inputs_are_unchanged_keep_their_results(office: Office) -> None:
    await asked(office)
    office.trouble.ran.clear()

    await office.say("revise #1001 letter HELLO")  # the ask is another, the letter the same
    await office.work()

    assert office.trouble.ran == ["write"]


async def test_an_expired_approval_says_so_and_a_retry_asks_anew(office: Office) -> None:
    task_id, approval = await asked(office)
    await office.execute("update approvals set expires_at = now() - interval '1 day'")
    await office.execute("update schedule set next_at = now() where kind = 'approval.expire'")

    told = await office.click("approve", approval, office.boss)
    assert told.message is not None
    assert "expired" in told.message.text

    await office.recover()
    assert await office.state(task_id) == "failed"
    await office.say("retry #1001")
    await office.work()
    assert await office.state(task_id) == "waiting:approval"
    assert await office.approval_id(task_id) != approval


async def test_approval_by_words_names_the_task(office: Office) -> None:
    await asked(office)

    told = await office.say("approve #1001", office.boss)

    assert told.outcome == "done"
    second = await office.say("承認 1001", office.other_boss)
    assert second.outcome == "refused"
    assert second.message is not None
    assert "Boss" in second.message.text


async def test_decisions_stand_in_the_order_in_which_they_were_made(office: Office) -> None:
    """Whoever had to wait for the lock has decided later, though their transaction began first."""
    _, approval = await asked(office)
    async with unit(office.house) as first:
        await fetch_one(first.connection, "select now()", {})  # its transaction has begun
        async with unit(office.house) as second:
            third = await people.add(
                second, office.organisation.id, "third", "Third", frozenset({"requester"})
            )
            await changing.add(second, office.boss, approval, third, Actor(office.boss.id))
        async with unit(office.house) as second:
            await deciding.decide(second, third, approval, "approve", "", Actor(third.id))
        await deciding.decide(first, office.boss, approval, "approve", "", Actor(office.boss.id))

    async with office.house.engine.connect() as connection:
        run = await rows.read(connection, office.organisation.id, approval)
    assert [decision.person for decision in run.decisions] == [third.id, office.boss.id]


async def test_who_comes_to_act_for_the_requester_meanwhile_may_not_decide(office: Office) -> None:
    """Also by way of somebody else who does."""
    _, approval = await asked(office)
    async with unit(office.house) as work:
        between = await people.add(
            work, office.organisation.id, "between", "Between", frozenset({"requester"})
        )
    for person, delegate in ((office.asker, between), (between, office.boss)):
        await office.execute(
            "insert into delegations (id, organisation_id, person_id, delegate_id, since, until)"
            " select gen_random_uuid(), organisation_id, id, "
            f"'{delegate.id}', current_date - 1, current_date + 1 from people"
            f" where id = '{person.id}'"
        )

    told = await office.click("approve", approval, office.boss)

    assert told.outcome == "refused"
    assert told.message is not None
    assert "act for who asked" in told.message.text
    assert (await office.click("approve", approval, office.other_boss)).outcome == "done"


async def test_a_person_is_one_over_all_their_accounts(office: Office) -> None:
    """Neither approves what they asked for elsewhere, nor counts twice."""
    async with unit(office.house) as work:
        for person in (office.asker, office.boss):
            for place in ("w2", "w3"):
                await people.link(work, person, Sender("wall", place, person.handle))
    _, approval = await asked(office)
    async with unit(office.house) as work:
        third = await people.add(
            work, office.organisation.id, "third", "Third", frozenset({"requester"})
        )
        await changing.add(work, office.boss, approval, third, Actor(office.boss.id))

    async def presses(person: Person, place: str) -> Answer:
        click = Click("approve", str(approval))
        sender = Sender("wall", place, person.handle)
        return await accept(
            office.house, Inbound(sender, Spot("room"), f"{person.handle} {place}", click=click)
        )

    own = await presses(office.asker, "w2")
    first = await presses(office.boss, "w2")
    again = [await presses(office.boss, place) for place in ("w1", "w3")]

    assert own.message is not None
    assert "own request" in own.message.text
    assert first.outcome == "done"
    assert {each.outcome for each in again} == {"refused"}
    told = again[0].message
    assert told is not None
    assert "It waits for Third now" in told.text
    row = await office.row("select count(*) as n from decisions", {})
    assert row.n == 1
