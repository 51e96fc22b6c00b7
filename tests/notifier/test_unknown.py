"""A message of which nobody knows whether it was posted: looked for, and else put to a person."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import people
from core.approvals.card import OVER
from core.db import fetch_all
from core.errors import OutcomeUnknown, Permanent, TryLater
from core.inbound import Answer, Sender
from core.messages import Message
from core.runner import advance
from core.task_data import unsure_of
from core.unit import unit
from core.views import task_view
from notifier import sending
from notifier.deliver import announce
from tests.core.house import Office, seen

ROOT = "#1001 Letter"
NOTICE = "Nobody knows whether"
UNREADABLE = OutcomeUnknown("not_in_channel")


async def tell(office: Office, answer: Answer, worker: str = "w") -> None:
    """One announcement of what there is."""
    assert answer.task_id is not None
    await announce(office.house, office.organisation.id, answer.task_id, worker)


async def tell_in_time(office: Office, answer: Answer) -> None:
    """The next one, when all that was put off is due."""
    await office.execute("update deliveries set next_at = now() where next_at > now()")
    await tell(office, answer)


async def deliveries(office: Office, slot: str) -> list[tuple[str, int]]:
    async with office.house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select state, attempts from deliveries where slot like :slot order by id",
            {"slot": slot},
        )
    return [(row.state, row.attempts) for row in rows]


async def events(office: Office, answer: Answer) -> list[tuple[str, Any]]:
    async with office.house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select tag, coalesce(body #>> '{data,how}', body #>> '{data,answer}') as how"
            " from audit_events where stream = :id and tag like '%:message:%' order by seq",
            {"id": answer.task_id},
        )
    return [(row.tag.split(":")[-1], row.how) for row in rows]


def roots(office: Office) -> list[str]:
    return [text for text in office.wall.texts() if text.startswith(ROOT)]


async def unknown(office: Office) -> tuple[Answer, Message]:
    """A task whose first message may or may not stand there, and the notice that asks."""
    office.wall.lose_answer = True
    office.wall.deaf = UNREADABLE
    answer = await office.say("letter hello")
    await tell(office, answer)
    await tell(office, answer)
    return answer, office.wall.showing(NOTICE)


# Looked for


async def test_a_message_whose_answer_was_lost_is_found_and_not_repeated(office: Office) -> None:
    office.wall.lose_answer = True
    answer = await office.say("letter hello")
    await tell(office, answer)

    assert len(roots(office)) == 1
    assert await deliveries(office, "root") == [("sent", 1)]
    assert (await events(office, answer))[0] == ("sent", "found")


async def test_what_is_not_there_on_the_second_look_either_is_sent_again_once(
    office: Office,
) -> None:
    office.wall.troubles = [ConnectionResetError("before anything was done")]
    answer = await office.say("letter hello")
    await tell(office, answer)

    assert len(office.wall.looks) == 2
    assert await deliveries(office, "root") == [("pending", 1)]
    assert office.wall.texts() == []  # nothing overtakes it

    await tell_in_time(office, answer)
    assert len(roots(office)) == 1
    assert len(office.wall.looks) == 2
    assert await deliveries(office, "root") == [("sent", 2)]


async def test_the_second_look_comes_when_the_platform_has_had_time(office: Office) -> None:
    office.wall.settles = timedelta(seconds=0.4)
    office.wall.troubles = [ConnectionResetError("and it comes late")]
    answer = await office.say("letter hello")
    telling = asyncio.create_task(tell(office, answer))
    await seen(lambda: office.wall.looks)
    office.wall.come_late(office.wall.looks[0])
    await telling

    assert await deliveries(office, "root") == [("sent", 1)]
    assert len(roots(office)) == 0  # it is the one that came by itself


async def sent_by_the_dead(office: Office) -> Answer:
    """A task whose first message was posted by a worker that died before it could say so."""
    answer = await office.say("letter hello")
    await die_telling(office, answer)
    return answer


async def die_telling(office: Office, answer: Answer) -> None:
    """A worker posts the next message, and dies before it can say so."""
    office.wall.hang_after = True
    dying = asyncio.create_task(tell(office, answer, "dead"))
    await office.wall.hanging.wait()
    dying.cancel()
    await asyncio.wait([dying])


async def test_a_worker_dies_after_the_act_and_its_heir_finds_the_message(office: Office) -> None:
    answer = await sent_by_the_dead(office)
    assert await deliveries(office, "root") == [("sending", 1)]

    await tell(office, answer, "heir")

    assert len(roots(office)) == 1
    assert office.wall.sends[0] in office.wall.edits  # whatever it said: now it is so
    assert await deliveries(office, "root") == [("sent", 2)]


async def test_what_was_found_of_an_earlier_state_is_brought_up_to_date(office: Office) -> None:
    answer = await sent_by_the_dead(office)
    await office.say(f"revise #{answer.reference} goodbye")
    await tell(office, answer, "heir")

    assert [text.split("\n")[1] for text in roots(office)] == ["goodbye"]


async def test_a_question_sent_by_the_dead_and_answered_since_is_found_and_closed(
    office: Office,
) -> None:
    """Its buttons must not stand there for ever, with no record of it."""
    answer = await office.say("letter ?")
    await tell(office, answer)
    await advance(office.house, office.organisation.id, answer.task_id, "w")  # type: ignore[arg-type]
    await die_telling(office, answer)
    asked = office.wall.showing("Which tone?")
    await office.click("answer", asked.buttons[0].value, office.asker)

    await tell(office, answer, "heir")

    over = office.wall.showing(OVER.en)
    assert (over.buttons, over.note) == ((), "Answer: warm")
    assert "Which tone?" not in "".join(office.wall.texts())
    assert await deliveries(office, "question:%") == [("sent", 1), ("sent", 1)]
    assert len(office.wall.sends) == 3


async def test_a_platform_that_cannot_be_asked_now_is_asked_later(office: Office) -> None:
    office.wall.lose_answer = True
    office.wall.deaf = TryLater("429", timedelta(seconds=0.1))
    answer = await office.say("letter hello")
    await tell(office, answer)
    assert await deliveries(office, "root") == [("sending", 1)]

    office.wall.deaf = None
    await tell_in_time(office, answer)

    assert len(roots(office)) == 1
    assert await deliveries(office, "root") == [("sent", 2)]


async def test_a_platform_that_can_never_be_asked_is_left_to_a_person(office: Office) -> None:
    office.wall.lose_answer = True
    office.wall.deaf = TryLater("away")
    answer = await office.say("letter hello")
    for _ in range(sending.SEND_TRIES + 1):
        await tell_in_time(office, answer)

    assert len(roots(office)) == 1
    assert [state for state, _ in await deliveries(office, "root")] == ["unknown"]


async def test_an_edit_whose_answer_was_lost_is_made_again(office: Office) -> None:
    answer = await office.say("letter hello")
    await tell(office, answer)
    await office.say(f"cancel #{answer.reference}")
    office.wall.troubles = [ConnectionResetError("lost")]
    await tell(office, answer)
    assert office.wall.edits == []
    await tell_in_time(office, answer)

    assert office.wall.looks == []
    assert office.wall.showing("○ draw").text.startswith("#1001 cancelled")


# Hanging


async def test_a_platform_that_hangs_holds_up_nobody_but_its_own_thread(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SEND_AT_MOST", timedelta(seconds=1))
    answer = await office.say("letter hello")
    await tell(office, answer)
    office.wall.hang_in = "room"
    telling = asyncio.create_task(office.work())
    await office.wall.hanging.wait()
    await seen(lambda: office.wall.texts("boss") and office.wall.texts("other"))

    assert not telling.done()
    await telling


async def test_what_a_platform_does_late_is_found_and_not_repeated(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SEND_AT_MOST", timedelta(seconds=0.2))
    office.wall.hang = True
    answer = await office.say("letter hello")
    await tell(office, answer)
    await tell(office, answer)  # not yet: it may still be done
    assert await deliveries(office, "root") == [("sending", 1)]
    assert office.wall.sends == []

    office.wall.come_late(office.wall.looks[0])
    await tell_in_time(office, answer)

    assert len(office.wall.posted) == 2  # with the flash
    assert await deliveries(office, "root") == [("sent", 2)]


async def test_what_a_platform_never_did_is_sent_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SEND_AT_MOST", timedelta(seconds=0.2))
    office.wall.hang = True
    answer = await office.say("letter hello")
    await tell(office, answer)
    await tell_in_time(office, answer)

    assert len(roots(office)) == 1
    assert await deliveries(office, "root") == [("sent", 2)]


# Put to a person


@pytest.mark.parametrize("deaf", [UNREADABLE, Permanent("missing_scope")])
async def test_where_nobody_can_look_a_person_is_asked_and_nothing_is_repeated(
    office: Office, deaf: Exception
) -> None:
    office.wall.lose_answer = True
    office.wall.deaf = deaf
    answer = await office.say("letter hello")
    await tell(office, answer)
    await office.work()
    await office.recover()

    notice = office.wall.showing(NOTICE)
    assert "“The request”" in notice.text
    assert str(deaf) in notice.text
    assert [button.label for button in notice.buttons] == ["It was sent", "Send again"]
    assert len(roots(office)) == 1
    assert ("unknown", None) in await events(office, answer)
    states = {state for state, _ in await deliveries(office, "root")}
    assert states == {"unknown", "superseded"}


async def test_an_unknown_message_is_shown_with_the_task(office: Office) -> None:
    answer, _ = await unknown(office)
    assert answer.task_id is not None

    told = await office.say(f"status #{answer.reference}")

    assert told.message is not None
    fields = [(field.label, field.value) for field in told.message.fields]
    assert fields == [("The request (wall:room)", "outcome unknown")]
    async with office.house.engine.connect() as connection:
        view = await task_view(connection, office.house, office.organisation.id, answer.task_id)
    [unsure] = unsure_of(view, "ja")
    assert (unsure["slot"], unsure["message"], unsure["place"], unsure["reason"]) == (
        "root",
        "依頼の内容",
        "wall:room",
        "not_in_channel",
    )


async def test_send_again_sends_it_once_however_often_it_is_pressed(office: Office) -> None:
    answer, notice = await unknown(office)
    again = notice.buttons[1]
    told = await asyncio.gather(
        *(office.click(again.action, again.value, office.asker) for _ in range(5))
    )
    await office.work()
    await office.recover()

    assert sorted(each.outcome for each in told) == ["done", *["refused"] * 4]
    assert len(roots(office)) == 2  # as before, and once again
    shown = office.wall.showing(NOTICE)
    assert (shown.buttons, shown.note) == ((), "Answered by Asker: Send again")
    assert ("settled", "resend") in await events(office, answer)


async def test_it_was_sent_is_taken_for_its_outcome(office: Office) -> None:
    answer, notice = await unknown(office)
    was_sent, again = notice.buttons
    await office.click(was_sent.action, was_sent.value, office.boss)
    late = await office.click(again.action, again.value, office.asker)
    await office.work()

    assert late.outcome == "refused"
    assert office.wall.sends.count(was_sent.value) == 1
    assert office.wall.showing(NOTICE).note == "Answered by Boss: It was sent"
    row = await office.row(
        "select state, settled_by from deliveries where id = :id", {"id": was_sent.value}
    )
    assert (row.state, row.settled_by) == ("sent", office.boss.id)
    assert ("settled", "sent") in await events(office, answer)


async def test_what_waited_for_the_answer_is_shown_after_it(office: Office) -> None:
    answer, notice = await unknown(office)
    await office.say(f"revise #{answer.reference} goodbye")
    await tell(office, answer)
    assert [text.split("\n")[1] for text in roots(office)] == ["hello"]

    button = notice.buttons[0]
    await office.click(button.action, button.value, office.asker)
    await tell(office, answer)

    assert [text.split("\n")[1] for text in roots(office)] == ["hello", "goodbye"]


async def test_only_who_has_to_do_with_it_may_say(office: Office) -> None:
    async with unit(office.house) as work:
        guest = await people.add(
            work, office.organisation.id, "guest", "Guest", frozenset({"requester"}), language="en"
        )
        await people.link(work, guest, Sender("wall", "w1", "guest"))
    _, notice = await unknown(office)
    button = notice.buttons[1]

    refused = await office.click(button.action, button.value, guest)

    assert (refused.outcome, refused.refusal) == ("refused", "not_allowed")
    assert refused.message is not None
    assert "Asker" in refused.message.text
    assert (await office.click(button.action, button.value, office.other_boss)).outcome == "done"


async def test_nobody_is_asked_about_the_question_itself(office: Office) -> None:
    office.wall.lose_answer = True
    office.wall.deaf = UNREADABLE
    answer = await office.say("letter hello")
    await tell(office, answer)
    office.wall.lose_answer = True
    for _ in range(3):
        await tell(office, answer)

    assert len([text for text in office.wall.texts() if NOTICE in text]) == 1
    assert await deliveries(office, "unknown:%") == [("unknown", 1)]
    told = await office.say(f"status #{answer.reference}")
    assert told.message is not None
    assert [field.label for field in told.message.fields] == [
        "The request (wall:room)",
        "The question whether it was sent (wall:room)",
    ]
