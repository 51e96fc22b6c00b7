"""What goes wrong in a step decides what becomes of the task: asked again, tried again, stopped."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NeedsInput, Permanent, Question, TryLater
from core.patience import TRIES, WITHIN, next_wait
from core.runner import advance
from core.words import same
from tests.core.house import Office

FRACTION = st.floats(min_value=0, max_value=1, exclude_max=True)


@given(tried=st.integers(1, TRIES - 1), chance=FRACTION)
def test_each_wait_is_longer_than_the_one_before_and_all_fit_in_the_time(
    tried: int, chance: float
) -> None:
    assert next_wait(tried, None, chance) > next_wait(tried - 1, None, 0.999) or tried == 1
    assert sum((next_wait(n, None, 0.999) for n in range(1, TRIES)), timedelta(0)) < WITHIN


@given(tried=st.integers(1, TRIES), asked=st.integers(0, 900), chance=FRACTION)
def test_what_the_other_side_asks_for_is_the_least(tried: int, asked: int, chance: float) -> None:
    after = timedelta(seconds=asked)

    assert after <= next_wait(tried, after, chance)
    assert next_wait(tried, after, chance) <= max(after * 1.1, next_wait(tried, None, chance))


def test_tasks_that_failed_together_do_not_come_back_together() -> None:
    waits = {next_wait(1, timedelta(seconds=30), chance / 10) for chance in range(10)}
    assert len(waits) == 10


async def step(office: Office, task_id: UUID | None) -> None:
    """One go at the task, whenever it would be due."""
    await office.execute("update tasks set retry_at = now() where state = 'retrying'")
    await advance(office.house, office.organisation.id, task_id, "w")  # type: ignore[arg-type]


async def row(office: Office) -> Any:
    return await office.row(
        "select state, step, attempts, tries, crashes, trying_since is not null as since,"
        " extract(epoch from retry_at - now()) as wait from tasks",
        {},
    )


async def test_it_is_seen_when_which_try_comes_and_why(office: Office) -> None:
    office.trouble.errors = [TryLater("the price list is busy")]
    answer = await office.say("letter hello")
    await step(office, answer.task_id)
    await office.work()
    now = await row(office)

    assert (now.state, now.step, now.attempts, now.tries) == ("retrying", "write", 1, 5)
    status = await office.say("status #1001")
    assert status.message is not None
    for shown in (office.wall.showing("retrying").note, status.message.text):
        assert "Try 2 of 5 at " in shown
        assert "the price list is busy" in shown


@pytest.mark.parametrize(
    ("language", "words"), [("ja", "5 回中 2 回目"), ("zh", "第 2 次，共 5 次")]
)
async def test_the_next_try_is_told_in_the_language_of_the_task(
    office: Office, language: str, words: str
) -> None:
    office.trouble.errors = [TryLater("busy")]
    await office.say("letter hello")
    await office.execute(f"update tasks set language = '{language}'")
    await office.work()

    assert any(words in message.note for message in office.wall.posted.values())


async def test_the_other_side_is_given_the_time_it_asks_for(office: Office) -> None:
    office.trouble.errors = [TryLater("busy", timedelta(minutes=5))]
    answer = await office.say("letter hello")
    await step(office, answer.task_id)

    now = await row(office)
    assert 290 < now.wait <= 330


async def test_who_asks_for_more_time_than_there_is_stops_the_task_with_words(
    office: Office,
) -> None:
    office.trouble.errors = [TryLater("busy until tomorrow", timedelta(hours=12))]
    answer = await office.say("letter hello")
    await office.work()

    assert await office.state(answer.task_id) == "failed"
    card = office.wall.showing("busy until tomorrow")
    assert "to wait 720 minutes" in card.text
    assert [button.action for button in card.buttons] == ["retry"]


async def test_a_busy_source_is_tried_five_times_in_all(office: Office) -> None:
    office.trouble.errors = [TryLater("busy")] * 9
    answer = await office.say("letter hello")
    for _ in range(7):
        await step(office, answer.task_id)
    await office.work()

    assert await office.state(answer.task_id) == "failed"
    assert office.trouble.ran == ["write"] * 5
    assert "Gave up after 5 tries: busy" in office.wall.showing("Gave up").text


async def test_nothing_is_tried_beyond_the_time_for_it(office: Office) -> None:
    office.trouble.errors = [TryLater("busy")] * 3
    answer = await office.say("letter hello")
    await step(office, answer.task_id)
    await office.execute("update tasks set trying_since = now() - interval '899 s'")
    await step(office, answer.task_id)

    assert await office.state(answer.task_id) == "failed"
    assert len(office.trouble.ran) == 2


async def test_what_nobody_foresaw_is_tried_twice_more(office: Office) -> None:
    office.trouble.errors = [RuntimeError("boom")] * 9
    answer = await office.say("letter hello")
    for _ in range(5):
        await step(office, answer.task_id)

    assert await office.state(answer.task_id) == "failed"
    assert office.trouble.ran == ["write"] * 3


async def test_a_finished_step_leaves_nothing_of_its_tries(office: Office) -> None:
    office.trouble.errors = [TryLater("busy")] * 4
    office.trouble.sealing = [TryLater("busy")] * 4
    answer = await office.say("letter hello")
    for _ in range(5):
        await step(office, answer.task_id)
    assert await office.state(answer.task_id) == "waiting:approval"
    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    for _ in range(5):
        await step(office, answer.task_id)

    assert await office.state(answer.task_id) == "done"
    now = await row(office)
    assert (now.step, now.attempts, now.tries, now.since) == (None, 0, None, False)


async def test_within_one_walk_too(office: Office) -> None:
    """The step after one that was tried again begins at its own first try."""
    office.trouble.sealing = [TryLater("busy")]
    answer = await office.say("letter hello")
    await office.work()
    await office.execute("update tasks set attempts = 3, tries = 5, trying_since = now()")
    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    await office.execute("update tasks set attempts = 3, tries = 5, trying_since = now()")
    await step(office, answer.task_id)

    now = await row(office)
    assert (now.state, now.step, now.attempts) == ("retrying", "seal", 1)


async def test_a_retry_by_a_person_begins_anew(office: Office) -> None:
    office.trouble.errors = [TryLater("busy")] * 3
    answer = await office.say("letter hello")
    await step(office, answer.task_id)
    await step(office, answer.task_id)
    assert (await row(office)).attempts == 2

    await office.say("retry #1001")

    now = await row(office)
    assert (now.state, now.attempts, now.since) == ("received", 0, False)
    await step(office, answer.task_id)
    assert (await row(office)).attempts == 1


async def test_a_question_is_asked_and_a_fault_of_ours_is_not_tried_again(office: Office) -> None:
    office.trouble.errors = [NeedsInput(Question("tone", same("Which tone?"))), Permanent("no")]
    answer = await office.say("letter hello", thread="t")
    await office.work()
    assert await office.state(answer.task_id) == "waiting:answer"

    await office.say("warm", thread="t")
    await office.work()

    assert await office.state(answer.task_id) == "failed"
    assert office.trouble.ran == ["write", "write"]
