"""The walk of a task through the heart: from a message to an issued document, once."""

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from audit.verifier.chains import verify_streams
from core.db import create_engine, fetch_all
from core.errors import Permanent, TryLater
from core.heartbeat import Heartbeat
from core.reconcile import reconcile
from core.runner import advance
from tests.core.house import Office


async def events(office: Office, task_id: object) -> list[str]:
    async with office.house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select tag from audit_events where stream = :id order by seq",
            {"id": task_id},
        )
    return [row.tag for row in rows]


async def test_a_request_becomes_an_approved_document_in_its_thread(office: Office) -> None:
    answer = await office.say("letter hello")
    await office.work()

    assert answer.outcome == "taken"
    assert answer.reference == 1001
    assert await office.state(answer.task_id) == "waiting:approval"

    approval = await office.approval_id(answer.task_id)
    decided = await office.click("approve", approval, office.boss)
    await office.work()

    assert decided.outcome == "done"
    assert await office.state(answer.task_id) == "done"
    assert office.trouble.ran == ["write", "draw", "seal"]
    assert "L-2026-0001" in office.wall.showing("is issued").text
    async with office.house.engine.connect() as connection:
        verdict = await verify_streams(connection)
    assert verdict.verified, verdict.faults


async def test_every_step_leaves_its_event_in_order(office: Office) -> None:
    answer = await office.say("letter hello")
    await advance(office.house, office.organisation.id, answer.task_id, "w")

    tags = await events(office, answer.task_id)

    assert tags == [
        "intake:task:received",
        "worker:task:started",
        "worker:step:finished",
        "worker:step:finished",
        "worker:approval:requested",
    ]


async def test_a_redelivery_finds_the_first_answer_and_makes_no_second_task(
    office: Office,
) -> None:
    answers = await asyncio.gather(*(office.say("letter hi", key="same") for _ in range(8)))

    assert len({answer.task_id for answer in answers}) == 1
    count = await office.row("select count(*) as n from tasks", {})
    assert count.n == 1


async def test_a_question_waits_and_the_answer_goes_on(office: Office) -> None:
    answer = await office.say("letter ?", thread="t1")
    await office.work()

    assert await office.state(answer.task_id) == "waiting:answer"
    assert [button.label for button in office.wall.showing("Which tone?").buttons] == [
        "warm",
        "cool",
    ]

    button = office.wall.showing("Which tone?").buttons[1]
    await office.click(button.action, button.value, office.asker)
    await office.work()

    assert await office.state(answer.task_id) == "waiting:approval"
    assert office.wall.showing("Which tone?").buttons == ()
    again = await office.click(button.action, button.value, office.asker)
    assert again.outcome == "refused"


async def test_a_question_is_answered_by_words_in_its_thread_by_the_requester_only(
    office: Office,
) -> None:
    answer = await office.say("letter ?", thread="t1")
    await office.work()

    overheard = await office.say("warm", office.boss, thread="t1", addressed=False)
    assert overheard.outcome == "ignored"
    elsewhere = await office.say("warm", thread="t2", addressed=False)
    assert elsewhere.outcome == "ignored"
    told = await office.say("warm", thread="t1", addressed=False)
    await office.work()

    assert told.outcome == "done"
    assert await office.state(answer.task_id) == "waiting:approval"


async def test_a_step_with_a_result_is_never_done_again(office: Office) -> None:
    answer = await office.say("letter hello")
    await office.work()
    office.trouble.ran.clear()

    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    await office.work()

    assert office.trouble.ran == ["seal"]


async def test_a_lost_nudge_is_found_by_the_reconciler(office: Office) -> None:
    answer = await office.say("letter hello")
    office.bell.jobs.clear()  # Redis was wiped

    await office.recover()

    assert await office.state(answer.task_id) == "waiting:approval"


async def test_two_workers_never_have_one_task(office: Office) -> None:
    answer = await office.say("letter hello")

    await asyncio.gather(
        *(advance(office.house, office.organisation.id, answer.task_id, f"w{n}") for n in range(5))
    )

    assert office.trouble.ran == ["write", "draw"]


async def test_who_lost_the_lease_writes_nothing_more(office: Office) -> None:
    answer = await office.say("letter hello")
    office.trouble.pause = asyncio.Event()
    walking = asyncio.create_task(
        advance(office.house, office.organisation.id, answer.task_id, "zombie")
    )
    await office.trouble.reached.wait()
    # The zombie's step hangs; its lease is given to another worker meanwhile.
    await office.execute("update tasks set fence = fence + 1, lease_until = now()")
    office.trouble.pause.set()
    await walking

    stored = await office.row("select count(*) as n from steps", {})
    assert stored.n == 0
    assert "worker:step:finished" not in await events(office, answer.task_id)

    office.trouble.pause = None
    await advance(office.house, office.organisation.id, answer.task_id, "heir")

    assert await office.state(answer.task_id) == "waiting:approval"


async def test_a_busy_source_is_tried_again_later(office: Office) -> None:
    office.trouble.errors = [TryLater("the price list is busy")]
    answer = await office.say("letter hello")
    await advance(office.house, office.organisation.id, answer.task_id, "w")

    assert await office.state(answer.task_id) == "retrying"

    await office.execute("update tasks set retry_at = now()")
    await office.recover()

    assert await office.state(answer.task_id) == "waiting:approval"


async def test_a_permanent_fault_says_why_and_can_be_retried_from_the_card(
    office: Office,
) -> None:
    office.trouble.errors = [Permanent("row 3: the price is text")]
    answer = await office.say("letter hello")
    await office.work()

    card = office.wall.showing("row 3: the price is text")
    assert await office.state(answer.task_id) == "failed"
    assert [button.action for button in card.buttons] == ["retry"]

    await office.click("retry", card.buttons[0].value, office.asker)
    await office.work()

    assert await office.state(answer.task_id) == "waiting:approval"
    assert office.wall.showing("row 3: the price is text").buttons == ()


async def test_an_unexpected_error_is_tried_thrice_and_then_has_an_id(office: Office) -> None:
    office.trouble.errors = [RuntimeError("boom")] * 3
    answer = await office.say("letter hello")
    for _ in range(3):
        await advance(office.house, office.organisation.id, answer.task_id, "w")
        await office.execute("update tasks set retry_at = null")
    await office.work()

    assert await office.state(answer.task_id) == "failed"
    shown = office.wall.showing("unexpected error")
    assert "boom" not in shown.text


async def test_cancel_stops_a_waiting_task_and_its_approval(office: Office) -> None:
    answer = await office.say("letter hello")
    await office.work()
    approval = await office.approval_id(answer.task_id)

    told = await office.say(f"cancel #{answer.reference}")
    clicked = await office.click("approve", approval, office.boss)
    await office.work()

    assert told.outcome == "done"
    assert clicked.outcome == "refused"
    assert await office.state(answer.task_id) == "cancelled"
    cards = [m for m in office.wall.posted.values() if "Approval wanted" in m.text]
    assert cards
    assert all(card.buttons == () and "withdrawn" in card.text for card in cards)
    again = await office.say(f"cancel #{answer.reference}")
    assert again.outcome == "refused"


@pytest.mark.parametrize("text", ["status #1001", "status", "mine", "help", "lettre hi", "xyz"])
async def test_looking_changes_nothing(office: Office, text: str) -> None:
    answer = await office.say("letter hello", thread="t")
    await office.work()
    before = await events(office, answer.task_id)

    told = await office.say(text, thread="t")

    assert told.outcome == "told"
    assert told.message is not None
    assert await events(office, answer.task_id) == before


async def test_an_unknown_command_offers_the_nearest(office: Office) -> None:
    told = await office.say("statsu #1001")
    assert told.message is not None
    assert "status" in told.message.text


async def nudges(office: Office) -> int:
    row = await office.row("select count(*) as n from outbox", {})
    return int(row.n)


async def test_a_nudge_is_used_up_even_when_it_had_to_be_handed_again(office: Office) -> None:
    await office.say("letter hello")
    for _ in range(3):  # three times nobody hears the bell
        office.bell.jobs.clear()
        await office.execute("update outbox set next_at = now()")
        await reconcile(office.house)

    await office.work()

    assert await nudges(office) == 0


async def test_a_long_queue_is_not_made_longer_by_reconciling(office: Office) -> None:
    for n in range(10):
        await office.say(f"letter {n}")
    await office.execute("update outbox set next_at = now()")
    await office.execute("update tasks set updated_at = now() - interval '1 minute'")
    office.bell.jobs.clear()

    passes = [await reconcile(office.house) for _ in range(5)]

    handed = [len(found.jobs) for found in passes]
    assert handed == [20, 0, 0, 0, 0]  # to advance and to announce, once until they are due again


async def test_what_has_no_nudge_left_is_found(office: Office) -> None:
    answer = await office.say("letter hello")
    office.bell.jobs.clear()
    await office.execute("delete from outbox")
    await office.execute("update tasks set updated_at = now() - interval '1 minute'")
    await office.execute("update notifications set created_at = now() - interval '1 minute'")

    await reconcile(office.house)
    await office.work()

    assert await office.state(answer.task_id) == "waiting:approval"
    assert office.wall.texts()


async def test_a_step_that_blocks_the_loop_keeps_its_lease(office: Office) -> None:
    short = Heartbeat(office.house.engine.url.render_as_string(), timedelta(seconds=0.9))
    house = replace(office.house, heartbeat=short, lease=timedelta(seconds=0.9))
    answer = await office.say("letter hello")
    office.trouble.block = 2.5
    thief = threading.Thread(
        target=lambda: asyncio.run(_try_to_take(office, answer.task_id)), daemon=True
    )
    thief.start()

    await advance(house, office.organisation.id, answer.task_id, "slow")
    thief.join()
    short.stop()

    assert office.trouble.ran == ["write", "draw"]
    assert await office.state(answer.task_id) == "waiting:approval"


async def _try_to_take(office: Office, task_id: object) -> None:
    """Another worker, in a loop of its own, that would take the task as soon as it may."""
    engine = create_engine(office.house.engine.url.render_as_string(), pool_size=2)
    house = replace(office.house, engine=engine)
    await asyncio.sleep(0.3)
    for _ in range(10):
        await advance(house, office.organisation.id, task_id, "thief")  # type: ignore[arg-type]
        await asyncio.sleep(0.2)
    await engine.dispose()


async def test_a_walk_ends_by_itself_when_its_lease_is_gone(office: Office) -> None:
    short = Heartbeat(office.house.engine.url.render_as_string(), timedelta(seconds=0.6))
    house = replace(office.house, heartbeat=short, lease=timedelta(seconds=0.6))
    answer = await office.say("letter hello")
    office.trouble.pause = asyncio.Event()  # never set: the step would wait for ever
    walking = asyncio.create_task(advance(house, office.organisation.id, answer.task_id, "zombie"))
    await office.trouble.reached.wait()
    await office.execute("update tasks set fence = fence + 1")

    async with asyncio.timeout(5):
        await walking
    short.stop()

    stored = await office.row("select count(*) as n from steps", {})
    assert stored.n == 0


async def test_the_end_of_a_walk_is_not_taken_for_a_theft(office: Office) -> None:
    """Many walks that end while the heartbeat renews: none is cancelled at its commit."""
    busy = Heartbeat(office.house.engine.url.render_as_string(), timedelta(milliseconds=15))
    house = replace(office.house, heartbeat=busy, lease=timedelta(seconds=5))
    answers = [await office.say(f"letter {n}") for n in range(10)]
    office.bell.events.clear()
    office.bell.slow = 0.05  # time enough to be cancelled between the commit and the bell

    await asyncio.gather(
        *(advance(house, office.organisation.id, answer.task_id, "w") for answer in answers)
    )
    busy.stop()

    rung = [event for event in office.bell.events if event.tag == "worker:approval:requested"]
    assert len(rung) == 10


async def test_a_task_that_somebody_has_locked_holds_up_no_other_lease(office: Office) -> None:
    short = Heartbeat(office.house.engine.url.render_as_string(), timedelta(seconds=0.9))
    house = replace(office.house, heartbeat=short, lease=timedelta(seconds=0.9))
    office.trouble.pause = asyncio.Event()
    answers = [await office.say(f"letter {n}") for n in range(2)]
    walking = [
        asyncio.create_task(advance(house, office.organisation.id, answer.task_id, "w"))
        for answer in answers
    ]
    await asyncio.sleep(0.3)
    async with office.house.engine.begin() as connection:
        await fetch_all(
            connection,
            "select id from tasks where id = :id for update",
            {"id": answers[0].task_id},
        )
        await asyncio.sleep(2)
        kept = await office.row(
            "select lease_until > now() as kept from tasks where id = :id",
            {"id": answers[1].task_id},
        )
    office.trouble.pause.set()
    await asyncio.gather(*walking)
    short.stop()

    assert kept.kept
