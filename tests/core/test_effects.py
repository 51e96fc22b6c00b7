"""Acts on the outside are done once, and where nobody knows, it is found out or asked."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from audit.event import Event
from core.agent import Effect, EffectKey, WiringError
from core.db import fetch_all
from core.errors import OutcomeUnknown, Permanent, TryLater
from core.inbound import Answer
from core.patience import CRASHES
from core.ports import Job
from core.runner import advance
from core.tags import Tag
from core.wiring import check
from tests.core.house import Bell, Letter, Office, Trouble
from tests.core.post import (
    BLIND,
    SEEING,
    Post,
    Receipt,
    assumed,
    die_at,
    find,
    open_post,
    post,
    post_agent,
)


async def effect_of(office: Office, task_id: object) -> Any:
    return await office.row("select * from effects where task_id = :id", {"id": task_id})


async def effect_events(office: Office, task_id: object) -> list[tuple[str, Any]]:
    async with office.house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select tag, body #>> '{data,how}' as how from audit_events"
            " where stream = :id and tag like '%:effect:%' order by seq",
            {"id": task_id},
        )
    return [(row.tag.split(":")[-1], row.how) for row in rows]


async def receipt(office: Office, task_id: object) -> str:
    row = await office.row(
        "select result ->> 'text' as text from steps where task_id = :id and name = 'post'",
        {"id": task_id},
    )
    return str(row.text)


async def go_on(office: Office, times: int = 1) -> None:
    """Whatever is put off is due now."""
    for _ in range(times):
        await office.execute("update tasks set retry_at = now() where state = 'retrying'")
        await office.recover()


async def die_after_the_act(office: Office, outside: Post, task_id: Any) -> "asyncio.Task[None]":
    """A worker that did the act and is heard of no more: its lease runs out."""
    outside.hang = asyncio.Event()
    walking = await die_at(office, outside.reached, task_id)
    outside.reached.clear()
    return walking


async def wake(outside: Post, walking: "asyncio.Task[None]") -> None:
    """The dead one was only frozen: its walk goes on, and ends."""
    assert outside.hang is not None
    outside.hang.set()
    await walking


async def test_an_act_is_done_once_with_its_intent_before_and_its_outcome_after(
    office: Office,
) -> None:
    outside = open_post(office, SEEING)
    answer = await office.say("parcel hello")
    await office.work()

    effect = await effect_of(office, answer.task_id)
    assert await office.state(answer.task_id) == "done"
    assert outside.parcels == [(str(effect.id), "hello")]
    assert outside.asked == []
    assert (effect.state, effect.kind, effect.target, effect.attempts) == (
        "done",
        "parcel",
        "post office for hello",
        1,
    )
    assert await effect_events(office, answer.task_id) == [("intended", None), ("done", "answered")]
    assert await receipt(office, answer.task_id) == "receipt 1"


async def test_the_intent_is_there_for_all_to_see_while_the_act_is_under_way(
    office: Office,
) -> None:
    outside = open_post(office, SEEING)
    outside.hang = asyncio.Event()
    answer = await office.say("parcel hello")
    walking = asyncio.create_task(office.work())
    await outside.reached.wait()

    assert (await effect_of(office, answer.task_id)).state == "intended"
    told = await office.say(f"status #{answer.reference}")
    assert told.message is not None
    assert [(f.label, f.value) for f in told.message.fields][-1] == (
        "Posting (post office for hello)",
        "under way",
    )
    outside.hang.set()
    await walking


async def test_a_worker_dies_between_act_and_outcome_and_the_provider_is_asked(
    office: Office,
) -> None:
    outside = open_post(office, SEEING)
    answer = await office.say("parcel hello")
    walking = await die_after_the_act(office, outside, answer.task_id)

    await advance(office.house, office.organisation.id, answer.task_id, "the heir")  # type: ignore[arg-type]

    assert await office.state(answer.task_id) == "done"
    assert len(outside.parcels) == 1
    assert await receipt(office, answer.task_id) == "found"
    assert await effect_events(office, answer.task_id) == [
        ("intended", None),
        ("unknown", "no outcome"),
        ("done", "found"),
    ]
    await wake(outside, walking)
    assert await receipt(office, answer.task_id) == "found"


async def test_a_worker_dies_before_the_act_and_it_is_done_with_the_same_key(
    office: Office,
) -> None:
    outside = open_post(office, SEEING)
    answer = await office.say("parcel hello")
    walking = await die_after_the_act(office, outside, answer.task_id)
    outside.parcels.clear()  # as if it had not come so far
    held, outside.hang = outside.hang, None  # the heir is not held up; the dead one sleeps on

    await advance(office.house, office.organisation.id, answer.task_id, "the heir")  # type: ignore[arg-type]
    outside.hang = held
    await wake(outside, walking)

    effect = await effect_of(office, answer.task_id)
    assert outside.asked == [str(effect.id)]
    assert outside.parcels == [(str(effect.id), "hello")]
    assert (effect.state, effect.attempts) == ("done", 2)


async def test_an_act_whose_workers_die_is_looked_after_before_its_task_stops(
    office: Office,
) -> None:
    """Of the last one it may be done: then there is nothing to stop for."""
    outside = open_post(office, SEEING)
    answer = await office.say("parcel hello")
    walking = await die_after_the_act(office, outside, answer.task_id)
    await office.execute(f"update tasks set crashes = {CRASHES - 1}")

    await advance(office.house, office.organisation.id, answer.task_id, "the heir")  # type: ignore[arg-type]

    assert await office.state(answer.task_id) == "done"
    assert len(outside.parcels) == 1
    await wake(outside, walking)


async def test_an_act_whose_workers_die_is_not_tried_for_ever(office: Office) -> None:
    outside = open_post(office, SEEING)
    answer = await office.say("parcel hello")
    walking = await die_after_the_act(office, outside, answer.task_id)
    outside.parcels.clear()  # it was what killed the worker
    frozen, outside.hang = outside.hang, None
    assert frozen is not None
    await office.execute(f"update tasks set crashes = {CRASHES - 1}")

    await advance(office.house, office.organisation.id, answer.task_id, "the heir")  # type: ignore[arg-type]
    frozen.set()  # it was not dead after all; too late
    await walking

    assert await office.state(answer.task_id) == "failed"
    assert outside.parcels == []
    assert (await effect_of(office, answer.task_id)).state == "failed"
    await office.recover()
    assert office.wall.showing(f"died {CRASHES} times in a row").buttons


async def test_looking_after_an_act_is_not_tried_for_ever_either(office: Office) -> None:
    outside = open_post(office, SEEING)
    answer = await office.say("parcel hello")
    walking = await die_after_the_act(office, outside, answer.task_id)
    await office.execute(f"update tasks set crashes = {2 * CRASHES - 1}")

    await advance(office.house, office.organisation.id, answer.task_id, "the heir")  # type: ignore[arg-type]

    assert await office.state(answer.task_id) == "failed"
    assert outside.asked == []
    await wake(outside, walking)


@dataclass
class FreezingBell:
    """Rings the office's bell; on an intent the process is frozen until its lease is another's."""

    office: Office
    bell: Bell

    async def ring(self, jobs: Sequence[Job], events: Sequence[Event]) -> None:
        await self.bell.ring(jobs, events)
        if any(event.tag == Tag.EFFECT_INTENDED for event in events):
            await self.office.execute("update tasks set fence = fence + 1")
            time.sleep(0.1)  # noqa: ASYNC251  # nothing of the process goes on


async def test_a_worker_that_was_frozen_after_its_intent_does_not_act(office: Office) -> None:
    outside = open_post(office, SEEING)
    answer = await office.say("parcel hello")
    assert answer.task_id is not None
    house = replace(
        office.house,
        doorbell=FreezingBell(office, office.bell),
        lease=timedelta(seconds=0.1),
    )

    await advance(house, office.organisation.id, answer.task_id, "the frozen")

    assert outside.parcels == []
    assert (await effect_of(office, answer.task_id)).state == "intended"


async def unknown(office: Office, outside: Post) -> Answer:
    """A task whose act nobody knows of, with its question put."""
    outside.after = [ConnectionResetError("the answer got lost")]
    answer = await office.say("parcel hello", thread="t1")
    await office.work()
    assert await office.state(answer.task_id) == "waiting:answer"
    return answer


async def test_where_nobody_can_be_asked_a_person_is_and_nothing_is_repeated(
    office: Office,
) -> None:
    outside = open_post(office, BLIND)
    answer = await unknown(office, outside)

    effect = await effect_of(office, answer.task_id)
    asked = office.wall.showing("Nobody knows whether “Posting (post office for hello)”")
    assert effect.state == "unknown"
    assert [button.label for button in asked.buttons] == ["It was sent", "Send again"]
    await office.recover()
    assert len(outside.parcels) == 1


async def test_a_person_says_it_was_sent_and_that_is_its_outcome(office: Office) -> None:
    outside = open_post(office, BLIND)
    answer = await unknown(office, outside)
    button = office.wall.showing("Nobody knows").buttons[0]

    first, second = [
        await office.click(button.action, button.value, office.asker) for _ in range(2)
    ]
    await office.work()

    assert (first.outcome, second.outcome) == ("done", "refused")
    effect = await effect_of(office, answer.task_id)
    assert (effect.state, effect.settled_by) == ("done", office.asker.id)
    assert len(outside.parcels) == 1
    assert await office.state(answer.task_id) == "done"
    assert await receipt(office, answer.task_id) == "as a person said"
    assert (await effect_events(office, answer.task_id))[-1] == ("settled", None)
    shown = office.wall.showing("Nobody knows")
    assert (shown.buttons, shown.note) == ((), "Answer: It was sent")


async def test_a_person_says_send_again_and_it_is_done_with_the_same_key(office: Office) -> None:
    outside = open_post(office, BLIND)
    answer = await unknown(office, outside)
    button = office.wall.showing("Nobody knows").buttons[1]

    await asyncio.gather(
        *(office.click(button.action, button.value, office.asker) for _ in range(5))
    )
    await office.work()

    effect = await effect_of(office, answer.task_id)
    assert [key for key, _ in outside.parcels] == [str(effect.id)] * 2
    assert (effect.state, effect.attempts) == ("done", 2)
    assert await receipt(office, answer.task_id) == "receipt 2"


async def test_the_answer_can_be_written_and_other_words_are_refused(office: Office) -> None:
    outside = open_post(office, BLIND)
    answer = await unknown(office, outside)

    vague = await office.say("perhaps?", thread="t1", addressed=False)
    assert vague.outcome == "refused"
    assert await office.state(answer.task_id) == "waiting:answer"
    told = await office.say("実行されていた", thread="t1", addressed=False)
    await office.work()

    assert told.outcome == "done"
    assert await office.state(answer.task_id) == "done"
    assert len(outside.parcels) == 1


async def test_the_requester_or_an_administrator_may_say(office: Office) -> None:
    outside = open_post(office, BLIND)
    answer = await unknown(office, outside)
    button = office.wall.showing("Nobody knows").buttons[0]

    refused = await office.click(button.action, button.value, office.boss)
    assert refused.outcome == "refused"
    await office.execute("update people set roles = array['admin'] where handle = 'other'")
    told = await office.click(button.action, button.value, office.other_boss)
    await office.work()

    assert told.outcome == "done"
    assert (await effect_of(office, answer.task_id)).settled_by == office.other_boss.id


async def test_a_refusal_was_not_done_and_a_retry_repeats_it_without_asking(
    office: Office,
) -> None:
    outside = open_post(office, BLIND)
    outside.before = [Permanent("no stamps left")]
    answer = await office.say("parcel hello")
    await office.work()

    assert await office.state(answer.task_id) == "failed"
    effect = await effect_of(office, answer.task_id)
    assert (effect.state, effect.error) == ("failed", "no stamps left")

    card = office.wall.showing("no stamps left")
    await office.click("retry", card.buttons[0].value, office.asker)
    await office.work()

    assert await office.state(answer.task_id) == "done"
    assert outside.parcels == [(str(effect.id), "hello")]


async def test_who_is_busy_did_not_do_it_and_is_asked_again_later(office: Office) -> None:
    outside = open_post(office, BLIND)
    outside.before = [TryLater("lunch break")]
    answer = await office.say("parcel hello")
    await office.work()

    assert await office.state(answer.task_id) == "retrying"
    assert (await effect_of(office, answer.task_id)).state == "failed"
    await go_on(office)

    assert await office.state(answer.task_id) == "done"
    assert len(outside.parcels) == 1


@pytest.mark.parametrize("lost", [OutcomeUnknown("line went dead"), ConnectionResetError()])
async def test_a_lost_answer_is_looked_up(office: Office, lost: Exception) -> None:
    outside = open_post(office, SEEING)
    outside.after = [lost]
    answer = await office.say("parcel hello")
    await office.work()

    assert await office.state(answer.task_id) == "done"
    assert len(outside.parcels) == 1
    assert await receipt(office, answer.task_id) == "found"


@pytest.mark.parametrize("lost", [OutcomeUnknown("line went dead"), ConnectionResetError()])
async def test_what_surely_did_not_happen_is_tried_again(office: Office, lost: Exception) -> None:
    outside = open_post(office, SEEING)
    outside.before = [lost]
    answer = await office.say("parcel hello")
    await office.work()

    assert await office.state(answer.task_id) == "retrying"
    assert (await effect_of(office, answer.task_id)).state == "failed"
    await go_on(office)

    assert await office.state(answer.task_id) == "done"
    assert len(outside.parcels) == 1


async def test_an_act_that_lands_after_its_answer_was_lost_is_waited_for(office: Office) -> None:
    outside = open_post(office, replace(SEEING, settles=timedelta(seconds=2)))
    outside.before, outside.late = [ConnectionResetError()], 0.3
    answer = await office.say("parcel hello")
    await office.work()

    assert await office.state(answer.task_id) == "done"
    assert len(outside.parcels) == 1
    assert await receipt(office, answer.task_id) == "found"


async def test_a_provider_that_cant_tell_leaves_it_to_a_person(office: Office) -> None:
    outside = open_post(office, SEEING)
    outside.after = [ConnectionResetError()]
    outside.asking = [OutcomeUnknown("the archive burnt")]
    answer = await office.say("parcel hello")
    await office.work()

    assert await office.state(answer.task_id) == "waiting:answer"
    assert office.wall.showing("the archive burnt").buttons


async def test_a_provider_that_is_away_is_asked_thrice_before_a_person(office: Office) -> None:
    outside = open_post(office, SEEING)
    outside.after = [ConnectionResetError()]
    outside.asking = [TryLater("closed"), RuntimeError("boom"), TryLater("closed")]
    answer = await office.say("parcel hello")
    await office.work()
    assert await office.state(answer.task_id) == "retrying"
    assert (await effect_of(office, answer.task_id)).state == "unknown"

    await go_on(office, 2)

    assert await office.state(answer.task_id) == "waiting:answer"
    assert len(outside.parcels) == 1
    assert len(outside.asked) == 3


@pytest.mark.parametrize(
    ("said", "state"), [("effect_sent", "done"), ("effect_not_sent", "failed")]
)
async def test_what_a_cancelled_task_left_in_the_dark_a_person_can_tell(
    office: Office, said: str, state: str
) -> None:
    outside = open_post(office, BLIND)
    outside.after = [ConnectionResetError()]
    answer = await office.say("parcel hello")
    await office.work()
    await office.say(f"cancel #{answer.reference}")
    await office.work()
    shown = office.wall.showing("cancelled")
    button = next(button for button in shown.buttons if button.action == said)

    other = await office.click(said, button.value, office.other_boss)
    first = await office.click(said, button.value, office.asker)
    again = await office.click(said, button.value, office.asker)
    await office.work()

    assert [each.outcome for each in (other, first, again)] == ["refused", "done", "refused"]
    effect = await effect_of(office, answer.task_id)
    assert (effect.state, effect.settled_by) == (state, office.asker.id)
    assert await office.state(answer.task_id) == "cancelled"
    assert office.wall.showing("cancelled").buttons == ()
    assert (await effect_events(office, answer.task_id))[-1][0] == "settled"
    assert len(outside.parcels) == 1


async def test_an_act_past_its_deadline_may_have_happened(office: Office) -> None:
    outside = open_post(office, replace(SEEING, deadline=timedelta(seconds=0.2)))
    outside.hang = asyncio.Event()  # never set
    answer = await office.say("parcel hello")
    await office.work()

    assert await office.state(answer.task_id) == "done"
    assert len(outside.parcels) == 1
    assert await receipt(office, answer.task_id) == "found"


async def test_a_walk_that_is_stopped_notes_how_its_act_ended(office: Office) -> None:
    outside = open_post(office, BLIND)
    outside.hang = asyncio.Event()
    answer = await office.say("parcel hello")
    assert answer.task_id is not None
    walking = asyncio.create_task(
        advance(office.house, office.organisation.id, answer.task_id, "w")
    )
    await outside.reached.wait()
    walking.cancel()
    await asyncio.sleep(0.1)
    outside.hang.set()
    with pytest.raises(asyncio.CancelledError):
        await walking

    assert (await effect_of(office, answer.task_id)).state == "done"
    await office.execute("update tasks set lease_until = now() - interval '1 second'")
    await office.recover()

    assert await office.state(answer.task_id) == "done"
    assert len(outside.parcels) == 1
    assert await receipt(office, answer.task_id) == "receipt 1"


async def test_a_task_that_is_withdrawn_keeps_what_may_have_happened(office: Office) -> None:
    outside = open_post(office, BLIND)
    answer = await unknown(office, outside)
    assert answer.task_id is not None

    await office.say(f"cancel #{answer.reference}")
    await office.work()

    assert await office.state(answer.task_id) == "cancelled"
    told = await office.say(f"status #{answer.reference}")
    assert told.message is not None
    left = "Can't be taken back: Posting (post office for hello) (outcome unknown)"
    assert left in told.message.text + told.message.note


async def test_whose_worker_died_while_it_was_withdrawn_is_found_out(office: Office) -> None:
    outside = open_post(office, SEEING)
    answer = await office.say("parcel hello")
    walking = await die_after_the_act(office, outside, answer.task_id)
    await office.say(f"cancel #{answer.reference}")
    await office.execute("update tasks set lease_until = null")

    await office.recover()

    assert await office.state(answer.task_id) == "cancelled"
    assert (await effect_of(office, answer.task_id)).state == "done"
    await wake(outside, walking)


async def test_a_retry_asks_before_it_repeats_what_may_have_been_done(office: Office) -> None:
    outside = open_post(office, BLIND)
    answer = await office.say("parcel hello")
    walking = await die_after_the_act(office, outside, answer.task_id)
    await office.execute("update tasks set state = 'failed', lease_until = null, fence = fence + 1")

    await office.say(f"retry #{answer.reference}")
    await office.recover()

    assert await office.state(answer.task_id) == "waiting:answer"
    assert len(outside.parcels) == 1
    await wake(outside, walking)


async def test_nothing_is_revised_while_nobody_knows(office: Office) -> None:
    outside = open_post(office, BLIND)
    answer = await unknown(office, outside)

    told = await office.say(f"revise #{answer.reference} goodbye")

    assert told.outcome == "refused"
    assert told.message is not None
    assert "post office for hello" in told.message.text
    assert len(outside.parcels) == 1


# How its parts fit together


async def without_key(letter: Letter, office: Post) -> Receipt:
    return Receipt("")


def not_async(letter: Letter, office: Post, key: EffectKey) -> Receipt:
    return Receipt("")


async def finds_text(key: EffectKey) -> str | None:
    return None


async def finds_by_number(number: int, key: EffectKey) -> Receipt | None:
    return None


def target_by_key(key: EffectKey) -> str:
    return str(key)


@pytest.mark.parametrize(
    ("effect", "why"),
    [
        (Effect(without_key, "x", assumed=assumed), "takes no EffectKey"),
        (Effect(not_async, "x", assumed=assumed), "not_async is no async function"),  # type: ignore[arg-type]
        (Effect(post, "x", find=find), "say with `assumed`"),
        (Effect(post, "x", find=finds_text, assumed=assumed), "has to return Receipt | None"),
        (Effect(post, "x", find=finds_by_number, assumed=assumed), "find needs int"),
        (
            Effect(post, "x", target=target_by_key, assumed=assumed),
            "target is asked before",
        ),
    ],
)
def test_an_effect_whose_parts_do_not_fit_stops_the_start(effect: Effect, why: str) -> None:
    agent = replace(
        post_agent(BLIND),
        steps=(*post_agent(BLIND).steps[:1], effect),
        labels=dict.fromkeys(
            ("write", "post", "without_key", "not_async"), post_agent(BLIND).title
        ),
    )
    with pytest.raises(WiringError, match=f"^parcel.*{why}"):
        check(agent, {Post, Trouble})


def test_an_effect_whose_parts_fit_is_taken() -> None:
    for effect in (BLIND, SEEING):
        check(post_agent(effect), {Post, Trouble})
