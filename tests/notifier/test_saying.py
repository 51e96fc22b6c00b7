"""Where nothing can be edited and each call counts: what is said, in how many calls, how often."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from core import tasks
from core.approvals.telling import tell_people
from core.db import fetch_all
from core.errors import LostLease, OutcomeUnknown, TryLater
from core.inbound import Answer
from core.messages import Message
from core.runner import advance
from core.tasks import Task
from core.unit import Unit, unit
from core.words import same
from notifier import planning, saying
from notifier.routing import route
from notifier.thread import take
from notifier.versions import Versions
from tests.core.house import Office, seen
from tests.core.post import BLIND, open_post
from tests.notifier.saying import CARD, Flat, flatten


@pytest.fixture
async def flat(office: Office) -> Flat:
    return await flatten(office)


async def messages(flat: Flat, tag: str) -> list[Any]:
    """The data of the events of this kind."""
    async with flat.office.house.engine.connect() as connection:
        return list(
            await fetch_all(
                connection,
                "select body -> 'data' as data from audit_events"
                " where tag = 'notifier:message:' || :tag order by seq",
                {"tag": tag},
            )
        )


async def ready_to_tell(flat: Flat, words: str = "letter ?") -> Answer:
    """A task that has come to its question; nothing is told of it yet."""
    answer = await flat.say(words)
    assert answer.task_id is not None
    await advance(flat.office.house, flat.office.organisation.id, answer.task_id, "w")
    return answer


# What is said


async def test_how_far_a_task_is_is_not_said_and_costs_no_call(flat: Flat) -> None:
    answer = await flat.say("letter hello")
    await flat.tell(answer)

    assert flat.wall.made == []
    assert await flat.states("root") == await flat.states("flash") == ["unsaid"]


async def test_who_decides_gets_a_card_that_is_worth_the_reserve_with_a_code(flat: Flat) -> None:
    await flat.asked()

    [(_, card)] = [each for each in flat.wall.said if each[0] == "boss"]
    assert card.message.text.startswith(CARD)
    assert (card.weight, bool(card.code), card.before) == ("urgent", True, None)
    named = [step.label for step in card.message.progress if step.label]
    assert named == ["approve"]
    assert len(flat.office.wall.texts("other")) == 1  # who is not on it hears it as ever


async def test_who_asked_hears_that_it_waits_where_that_costs_nothing(flat: Flat) -> None:
    flat.wall.tokens["asker"] = 1
    await flat.asked()

    [(_, draft)] = [each for each in flat.wall.said if each[0] == "asker"]
    assert draft.message.text.startswith("Draft ready: #1001")
    assert "Boss" in draft.message.note
    assert (draft.message.buttons, draft.weight, draft.code) == ((), "may", "")


async def test_what_may_be_said_is_left_unsaid_where_it_would_cost(flat: Flat) -> None:
    await flat.asked()

    assert flat.wall.texts("asker") == []
    assert await flat.states("card:%", "asker") == ["unsaid"]


async def test_a_question_is_said_and_its_answer_not_repeated(flat: Flat) -> None:
    answer = await flat.asked("letter ?")
    assert flat.wall.texts("asker")[0].startswith("Which tone?")

    await flat.say("warm")
    await flat.office.work()
    assert await flat.office.state(answer.task_id) == "waiting:approval"
    assert len(flat.wall.texts("asker")) == 1


async def test_the_result_is_said_with_its_file_and_nothing_of_the_way_there(flat: Flat) -> None:
    answer = await flat.asked()
    await flat.approve(answer.task_id, flat.office.other_boss)

    [(_, result)] = [each for each in flat.wall.said if each[0] == "asker"]
    assert result.message.files[0].name.startswith("L")
    assert result.weight == "must"
    [sent] = [each.data for each in await messages(flat, "sent") if each.data["slot"] == "result"]
    assert sent["call"] in {str(call) for call, _ in flat.wall.made}


async def test_a_rejection_is_told_to_who_asked_who_saw_no_card(flat: Flat) -> None:
    answer = await flat.asked()
    await flat.office.click(
        "reject", await flat.office.approval_id(answer.task_id), flat.office.other_boss, "too dear"
    )
    await flat.office.work()

    assert ["too dear" in text for text in flat.wall.texts("asker")] == [True]


async def test_who_decided_gets_no_closing_message_and_others_only_if_it_is_free(
    flat: Flat,
) -> None:
    flat.wall.tokens["boss"] = 1
    answer = await flat.asked()
    await flat.approve(answer.task_id, flat.office.other_boss)
    _, closing = [each for each in flat.wall.said if each[0] == "boss"]
    assert "Other" in closing[1].message.note
    assert closing[1].weight == "may"
    assert closing[1].before is not None

    flat.wall.tokens["boss"] = 1
    again = await flat.say("letter again")
    await flat.office.work()
    await flat.approve(again.task_id, flat.office.boss)
    assert len(flat.wall.texts("boss")) == 3


async def test_who_wants_to_hear_ends_hears_them_at_a_cost(flat: Flat) -> None:
    await flat.office.execute("update accounts set tells_ends = true where platform = 'flat'")
    answer = await flat.asked()
    await flat.approve(answer.task_id, flat.office.other_boss)

    assert [each.weight for chat, each in flat.wall.said if chat == "boss"] == ["urgent", "must"]


async def test_what_was_cancelled_under_way_says_what_stays(flat: Flat) -> None:
    office = flat.office
    office.trouble.pause_sealing = asyncio.Event()
    answer = await flat.asked()
    await office.click("approve", await office.approval_id(answer.task_id), office.other_boss)
    working = asyncio.create_task(office.work())
    await seen(lambda: "seal" in office.trouble.ran)
    await flat.say(f"cancel #{answer.reference}")
    office.trouble.pause_sealing.set()
    await working
    await office.recover()

    assert [text for text in flat.wall.texts("asker") if "cancelled" in text]


async def test_what_ends_without_a_result_says_that_it_is_done(flat: Flat) -> None:
    open_post(flat.office, BLIND)
    await flat.asked("parcel hello")

    assert [text.split(":")[0] for text in flat.wall.texts("asker")] == ["#1001 done"]


async def test_what_a_cancelled_task_leaves_open_is_asked(flat: Flat) -> None:
    outside = open_post(flat.office, BLIND)
    outside.after = [ConnectionResetError()]
    answer = await flat.asked("parcel hello")
    await flat.say(f"cancel #{answer.reference}")
    await flat.office.work()

    [*_, (_, left)] = [each for each in flat.wall.said if each[0] == "asker"]
    assert {button.action for button in left.message.buttons} == {"effect_sent", "effect_not_sent"}

    await flat.office.click("effect_sent", left.message.buttons[0].value, flat.office.asker)
    await flat.office.work()
    assert flat.wall.said[-1][1] == left


async def test_who_asked_before_deciding_gets_the_answer_and_others_words_only_for_free(
    flat: Flat,
) -> None:
    answer = await flat.asked()
    approval_id = await flat.office.approval_id(answer.task_id)
    await flat.office.click("comment", approval_id, flat.office.other_boss, "hm")
    await flat.office.work()
    assert len(flat.wall.texts("boss")) == 1

    await flat.office.click("question", approval_id, flat.office.boss, "for whom?")
    await flat.office.work()
    told = [text.split(":")[0] for text in flat.wall.texts("asker")]
    assert told == ["Other on #1001", "Draft ready", "Boss asks about #1001"]
    await flat.say("for the museum")
    await flat.office.work()

    _, (_, again) = [each for each in flat.wall.said if each[0] == "boss"]
    assert "for the museum" in again.message.sections[-1].value
    assert (again.weight, again.before is not None) == ("must", True)


async def test_a_reminder_is_said_to_who_decides_and_is_no_call_to_who_asked(flat: Flat) -> None:
    answer = await flat.asked()
    async with unit(flat.office.house) as work:
        task = await _task(flat, work, answer)
        approval = str(await flat.office.approval_id(answer.task_id))
        at = "2026-11-26T01:00:00+00:00"
        await tasks.notify(work, task, "approval.reminded", {"approval": approval, "at": at})
        people = [str(flat.office.boss.id)]
        facts: dict[str, object] = {"people": people, "slot": "digest:2026-11-26"}
        await tasks.notify(work, task, "approval.digest", facts)
    await flat.office.work()
    _, digest = flat.wall.texts("boss")
    assert digest.startswith("Waiting for your decision: 1")

    await flat.approve(answer.task_id, flat.office.other_boss)
    assert len(flat.wall.texts("boss")) == 2
    assert not [text for text in flat.wall.texts("asker") if "Reminded" in text]


async def test_several_messages_that_are_due_go_in_one_call(flat: Flat) -> None:
    answer = await ready_to_tell(flat)
    async with unit(flat.office.house) as work:
        await _tell_asker(flat, work, answer, 6)
    await flat.tell(answer)
    await flat.tell(answer)

    assert len(flat.wall.made) == 3  # the chat's own thread, and twice the direct one
    assert sorted(len(call) for call in flat.wall.calls.values()) == [1, 1, 5]
    direct = [text for text in flat.wall.texts("asker") if text.startswith("word")]
    assert direct == [f"word {n}" for n in range(6)]


async def _task(flat: Flat, work: Unit, answer: Answer) -> Task:
    assert answer.task_id is not None
    found = await tasks.read(work.connection, flat.office.organisation.id, [answer.task_id])
    return found[answer.task_id]


async def _tell_asker(flat: Flat, work: Unit, answer: Answer, count: int) -> None:
    task = await _task(flat, work, answer)
    for n in range(count):
        await tell_people(work, task, [flat.office.asker.id], f"w{n}", same(f"word {n}"))


# A call whose answer is lost


async def test_a_call_whose_answer_was_lost_is_made_again_as_it_was(flat: Flat) -> None:
    answer = await ready_to_tell(flat)
    flat.wall.lose_answer = True
    await flat.tell(answer)
    assert await flat.states("question:%") == ["sending"]
    await flat.say("warm")  # newer words, which the call does not have

    await flat.tell_in_time(answer)

    [first, second, *_] = flat.wall.made
    assert (first[0], first[1], second[1]) == (second[0], False, True)
    assert len(flat.wall.texts("asker")) == 1
    assert (await flat.states("question:%"))[0] == "sent"
    [sent] = [each.data for each in await messages(flat, "sent")]
    assert (sent["how"], sent["call"]) == ("found", str(first[0]))


@pytest.mark.parametrize("after_the_act", [False, True])
async def test_a_worker_dies_with_a_call_and_its_heir_makes_the_same(
    flat: Flat, after_the_act: bool
) -> None:
    answer = await ready_to_tell(flat)
    flat.wall.hang, flat.wall.hang_after = not after_the_act, after_the_act
    dying = asyncio.create_task(flat.tell(answer, "dead"))
    await flat.wall.hanging.wait()
    dying.cancel()
    await asyncio.wait([dying])
    await flat.tell_in_time(answer)

    assert len(flat.wall.texts("asker")) == 1
    assert flat.wall.made[0][0] == flat.wall.made[1][0]
    assert await flat.states("question:%") == ["sent"]


async def test_whoever_was_away_for_a_day_says_nothing_twice_and_gives_nothing_up(
    flat: Flat,
) -> None:
    """The platform knows a call again for a day; and one hiccup is no reason to be silent."""
    answer = await ready_to_tell(flat)
    flat.wall.lose_answer = True
    await flat.tell(answer)
    yesterday = UUID(int=flat.wall.made[0][0].int - (86_400_000 << 80))
    await flat.office.execute(f"update deliveries set call = '{yesterday}' where call is not null")
    await flat.tell_in_time(answer)
    assert len(flat.wall.texts("asker")) == 1
    assert await flat.states("question:%") == ["unknown"]

    await flat.office.execute("update deliveries set created_at = created_at - interval '1 day'")
    flat.wall.troubles = [TryLater("busy")]
    await flat.tell_in_time(answer)
    assert await flat.states("unknown:%") == ["pending"]
    await flat.tell_in_time(answer)
    assert await flat.states("unknown:%") == ["sent"]


async def test_a_call_that_takes_too_long_is_made_again_later(
    flat: Flat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saying, "SAY_AT_MOST", timedelta(seconds=0.2))
    answer = await ready_to_tell(flat)
    flat.wall.hang_after = True
    await flat.tell(answer)
    await flat.tell(answer)
    assert len(flat.wall.made) == 1  # it may still be under way

    await flat.tell_in_time(answer)
    assert len(flat.wall.texts("asker")) == 1


async def test_where_nobody_can_tell_a_person_is_asked_but_not_of_the_question(
    flat: Flat,
) -> None:
    answer = await ready_to_tell(flat)
    unsure = OutcomeUnknown("the token is too old")
    flat.wall.troubles = [unsure, unsure]
    await flat.tell(answer)
    await flat.tell_in_time(answer)
    flat.wall.troubles = [unsure, unsure]
    for _ in range(3):
        await flat.tell_in_time(answer)

    assert await flat.states("question:%") == ["unknown"]
    assert await flat.states("unknown:%") == ["unknown"]

    row = await flat.office.row("select id from deliveries where slot like 'question:%'", {})
    await flat.office.click("resend", row.id, flat.office.boss)
    await flat.tell(answer)
    assert [text[:5] for text in flat.wall.texts("asker")] == ["Which"]


async def test_many_workers_say_it_once(flat: Flat) -> None:
    answer = await ready_to_tell(flat)
    await asyncio.gather(*(flat.tell(answer, f"w{n % 3}") for n in range(9)))
    await flat.office.recover()

    assert len(flat.wall.texts("asker")) == len(flat.wall.made) == 1


async def test_what_another_has_touched_since_it_was_read_is_not_said(flat: Flat) -> None:
    answer = await ready_to_tell(flat)
    organisation_id = flat.office.organisation.id
    assert answer.task_id is not None
    await route(flat.office.house, organisation_id, answer.task_id)
    row = await flat.office.row("select id from threads where platform = 'flat'", {})
    taken = await take(flat.office.house, organisation_id, row.id, "late")
    assert taken is not None
    await flat.office.execute("update deliveries set attempts = attempts + 1")

    versions = Versions(flat.office.house, organisation_id, answer.task_id)
    with pytest.raises(LostLease):
        await saying.say_what_is_due(versions, taken, flat.wall)
    assert flat.wall.made == []


# Where it can't be said now, or never


async def test_an_outage_of_ten_minutes_delays_what_counts_and_drops_what_does_not(
    flat: Flat,
) -> None:
    flat.wall.troubles = [TryLater("503")] * 40
    flat.wall.tokens = {"asker": 9, "boss": 9}
    answer = await flat.asked()
    for _ in range(10):
        await flat.tell_in_time(answer)
    assert flat.wall.said == []
    assert {again for _, again in flat.wall.made} == {False}
    async with unit(flat.office.house) as work:
        await _tell_asker(flat, work, answer, 2)
    await flat.tell(answer)
    flat.wall.troubles = []
    await flat.office.execute(
        "update deliveries set created_at = created_at - interval '10 minutes'"
    )
    for _ in range(2):
        await flat.tell_in_time(answer)

    assert flat.wall.texts("asker") == ["word 0", "word 1"]
    assert [text.split(":")[0] for text in flat.wall.texts("boss")] == [CARD]
    assert await flat.states("card:%", "asker") == ["unsaid"]


async def test_nothing_overtakes_what_waits_after_a_failure(flat: Flat) -> None:
    answer = await ready_to_tell(flat)
    flat.wall.troubles = [TryLater("429", timedelta(seconds=5))]
    await flat.tell(answer)
    await flat.say(f"cancel #{answer.reference}")
    await flat.tell(answer)
    assert len(flat.wall.made) == 1

    await flat.tell_in_time(answer)
    assert flat.wall.texts("asker") == []  # it is over, and who cancelled knows


async def test_nothing_of_another_task_overtakes_it_in_the_same_chat(flat: Flat) -> None:
    first, second = await ready_to_tell(flat), await ready_to_tell(flat)
    flat.wall.troubles = [TryLater("503")]
    await flat.tell(first)
    await flat.tell(second)
    assert len(flat.wall.made) == 1

    await flat.tell_in_time(first)
    await flat.tell_in_time(second)
    assert (len(flat.wall.made), len(flat.wall.texts("asker"))) == (3, 2)


async def test_one_message_that_can_never_be_said_does_not_take_the_others_along(
    flat: Flat,
) -> None:
    answer = await ready_to_tell(flat)
    async with unit(flat.office.house) as work:
        await _tell_asker(flat, work, answer, 3)
    flat.wall.refused = "word 1"
    await flat.tell(answer)

    assert sorted(flat.wall.texts("asker"))[1:] == ["word 0", "word 2"]
    assert await flat.states("word:%") == ["sent", "failed", "sent"]


async def test_words_are_of_the_moment_in_which_they_are_said(
    flat: Flat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task moves on while its messages are made: they are made anew."""
    answer = await ready_to_tell(flat)
    render, moved = planning.render, []

    async def slow(*args: Any) -> Message | None:
        made = await render(*args)
        if not moved:
            moved.append(await flat.say(f"cancel #{answer.reference}"))
        return made

    monkeypatch.setattr(planning, "render", slow)
    await flat.tell(answer)

    assert flat.wall.made == []


# In a group


async def test_a_group_sees_the_card_only_where_amounts_may_be_shown(flat: Flat) -> None:
    await flat.say("letter hello", group="g1")
    await flat.office.work()
    assert flat.wall.texts("g1") == []

    await flat.office.execute(
        "insert into chats (organisation_id, platform, workspace, channel, amounts)"
        " select id, 'flat', 'f1', 'g1', true from organisations"
    )
    await flat.say("letter again", group="g1")
    await flat.office.work()
    [(_, card)] = [each for each in flat.wall.said if each[0] == "g1"]
    assert (card.weight, card.code) == ("must", "")
    assert card.message.buttons
