"""Deliveries: in order, once, the last state always shown, whatever falls over in between."""

import asyncio
from datetime import timedelta

from core.errors import Permanent, TryLater
from core.runner import advance
from notifier.deliver import announce
from tests.core.house import Office


async def open_deliveries(office: Office) -> int:
    row = await office.row(
        "select count(*) as n from deliveries where state in ('pending', 'sending')", {}
    )
    return int(row.n)


async def test_a_thread_has_one_flash_message_however_often_the_task_moves(
    office: Office,
) -> None:
    answer = await office.say("letter hello")
    await office.work()
    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    await office.work()

    flashes = [text for text in office.wall.texts() if "● write" in text]
    assert len(flashes) == 1
    assert flashes[0].startswith("#1001 done")
    assert await open_deliveries(office) == 0


async def test_the_request_comes_first_then_progress_then_the_card(office: Office) -> None:
    await office.say("letter hello")
    await office.work()

    first, second, third = office.wall.texts("room")
    assert first.startswith("#1001 Letter")
    assert "write" in second
    assert third.startswith("Approval wanted")


async def test_edits_wait_their_interval_and_the_last_state_is_shown(office: Office) -> None:
    office.wall.edit_interval = timedelta(seconds=0.4)
    answer = await office.say("letter hello")
    await office.work()
    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    for _ in range(40):
        await office.work()
        if not await open_deliveries(office):
            break
        await asyncio.sleep(0.05)
        await announce(office.house, office.organisation.id, answer.task_id, "w")

    flash = next(text for text in office.wall.texts() if "● write" in text)
    assert flash.startswith("#1001 done")
    flash_key = next(key for key, m in office.wall.posted.items() if m.text == flash)
    assert office.wall.edits.count(flash_key) <= 4


async def test_a_busy_platform_is_tried_again_and_nothing_overtakes(office: Office) -> None:
    office.wall.troubles = [TryLater("429", timedelta(seconds=5))]
    answer = await office.say("letter hello")
    await announce(office.house, office.organisation.id, answer.task_id, "w")
    await office.work()
    # The thread waits as a whole; the bosses' own conversations do not.
    assert not [text for text in office.wall.texts() if text.startswith("#1001")]

    await asyncio.sleep(1.1)
    await office.execute(
        "update deliveries set next_at = now() - interval '3 s' where state <> 'sent'"
    )
    await office.recover()

    thread = [text for text in office.wall.texts() if not text.startswith("Approval")]
    assert thread[0].startswith("#1001 Letter")
    assert await open_deliveries(office) == 0


async def test_a_message_that_can_never_go_is_given_up_and_the_rest_goes_on(
    office: Office,
) -> None:
    office.wall.troubles = [Permanent("channel is gone")]
    answer = await office.say("letter hello")
    await announce(office.house, office.organisation.id, answer.task_id, "w")
    await office.work()

    row = await office.row(
        "select error from deliveries where state = 'failed'", {"id": answer.task_id}
    )
    assert row.error == "channel is gone"
    assert any("write" in text for text in office.wall.texts())


async def test_many_workers_at_one_thread_send_each_message_once(office: Office) -> None:
    answer = await office.say("letter hello")
    await advance(office.house, office.organisation.id, answer.task_id, "w")

    await asyncio.gather(
        *(
            announce(office.house, office.organisation.id, answer.task_id, f"w{n % 3}")
            for n in range(12)
        )
    )
    await office.recover()

    assert len(office.wall.sends) == len(set(office.wall.sends)) == 5  # root, flash, 3 cards
    assert await open_deliveries(office) == 0


async def test_who_may_decide_hears_it_where_they_are(office: Office) -> None:
    await office.say("letter hello", office.boss)
    await office.work()

    rows = await office.row(
        "select array_agg(p.handle) as who from threads t join people p on p.id = t.person_id", {}
    )
    assert rows.who == ["other"]  # the boss asked, so only the other one is asked to decide


async def test_what_could_not_be_sent_keeps_its_place_before_what_came_with_it(
    office: Office,
) -> None:
    answer = await office.say("letter hello")
    await advance(office.house, office.organisation.id, answer.task_id, "w")
    office.wall.hang_in = "room"
    first = asyncio.create_task(
        announce(office.house, office.organisation.id, answer.task_id, "dead")
    )
    await office.wall.hanging.wait()
    first.cancel()
    await asyncio.wait([first])
    await announce(office.house, office.organisation.id, answer.task_id, "heir")

    first_text, second, third = office.wall.texts("room")
    assert first_text.startswith("#1001 Letter")
    assert "write" in second
    assert third.startswith("Approval wanted")
