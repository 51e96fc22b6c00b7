"""Time: what takes too long is stopped and said, whatever it does about it."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from core import heartbeat, pace
from core.heartbeat import Heartbeat, Held
from core.house import House
from core.runner import advance
from tests.core.house import Office, letter_agent


def hurried(office: Office, **limits: timedelta) -> House:
    """The same house, where a step or a task may not take long."""
    agent: Any = replace(letter_agent, **limits)  # type: ignore[arg-type]
    return replace(office.house, agents={"letter": agent})


async def go(house: House, task_id: object) -> None:
    async with asyncio.timeout(10):
        await advance(house, (await _organisation(house)), task_id, "w")  # type: ignore[arg-type]


async def _organisation(house: House) -> Any:
    async with house.engine.connect() as connection:
        return (await connection.exec_driver_sql("select id from organisations")).scalar_one()


async def test_a_step_past_its_deadline_is_tried_again_and_then_stops_with_words(
    office: Office,
) -> None:
    house = hurried(office, step_deadline=timedelta(seconds=0.2))
    office.trouble.pause = asyncio.Event()  # never set
    answer = await office.say("letter hello")
    await go(house, answer.task_id)
    assert await office.state(answer.task_id) == "retrying"

    await office.execute("update tasks set retry_at = now()")
    await go(house, answer.task_id)
    await office.work()

    assert await office.state(answer.task_id) == "failed"
    assert office.trouble.ran == ["write", "write"]
    card = office.wall.showing("“write” was stopped: it took longer than 0.2 seconds")
    assert [button.action for button in card.buttons] == ["retry"]


async def test_a_task_past_its_time_stops_with_words_and_a_retry_gives_it_new_time(
    office: Office,
) -> None:
    house = hurried(office, task_deadline=timedelta(seconds=120))
    office.trouble.pause = asyncio.Event()
    answer = await office.say("letter hello")
    await office.execute("update tasks set due_by = now() + interval '0.3 s'")
    await go(house, answer.task_id)
    await office.work()

    assert await office.state(answer.task_id) == "failed"
    assert "longer than 2 minutes altogether" in office.wall.showing("altogether").text

    office.trouble.pause = None
    await office.click("retry", answer.task_id, office.asker)
    await office.work()
    assert await office.state(answer.task_id) == "waiting:approval"


@pytest.mark.parametrize(
    "left_by",
    [
        "state = 'running', lease_until = now() - interval '1 hour'",  # its worker died
        "state = 'running', lease_until = null, updated_at = now() - interval '1 hour'",
        "state = 'retrying', attempts = 1, tries = 5, updated_at = now() - interval '1 hour'",
    ],
)
async def test_the_time_in_which_nobody_had_the_task_is_not_its_own(
    office: Office, left_by: str
) -> None:
    answer = await office.say("letter hello")
    await office.execute(f"update tasks set due_by = now() - interval '59 minutes', {left_by}")
    await go(office.house, answer.task_id)

    assert await office.state(answer.task_id) == "waiting:approval"


async def test_a_step_that_swallows_the_cancel_is_left_and_its_result_is_kept_out(
    office: Office,
) -> None:
    house = hurried(office, step_deadline=timedelta(seconds=0.2))
    office.trouble.pause = asyncio.Event()
    office.trouble.deaf = True
    answer = await office.say("letter hello")
    await go(house, answer.task_id)

    assert await office.state(answer.task_id) == "retrying"
    office.trouble.pause.set()
    await asyncio.sleep(0.05)
    stored = await office.row("select count(*) as n from steps", {})
    assert stored.n == 0
    office.trouble.deaf = False
    await office.execute("update tasks set retry_at = now()")
    await go(house, answer.task_id)
    assert await office.state(answer.task_id) == "waiting:approval"


async def test_a_step_that_ends_as_cancelled_by_itself_is_a_fault_and_not_a_stop(
    office: Office,
) -> None:
    office.trouble.errors = [asyncio.CancelledError()]
    answer = await office.say("letter hello")
    await go(office.house, answer.task_id)

    assert await office.state(answer.task_id) == "retrying"


# The loop that is blocked


async def test_a_loop_blocked_past_the_deadline_ends_its_process(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "BLOCKED", 0.5)
    monkeypatch.setattr(pace, "GRACE", timedelta(seconds=0.1))
    ended: list[str] = []
    url = office.house.engine.url.render_as_string()
    watching = Heartbeat(url, timedelta(seconds=0.9), give_up=ended.append)
    house = replace(hurried(office, step_deadline=timedelta(seconds=0.2)), heartbeat=watching)
    answer = await office.say("letter hello")
    office.trouble.block = 3
    await go(house, answer.task_id)
    watching.stop()

    assert ended
    assert str(answer.task_id) in ended[0]


@pytest.mark.parametrize("answers", [True, False])
async def test_only_a_loop_that_does_not_answer_is_taken_for_blocked(
    monkeypatch: pytest.MonkeyPatch, *, answers: bool
) -> None:
    monkeypatch.setattr(heartbeat, "BLOCKED", 0.2)
    nowhere = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"  # a lease is not lost by that
    ended: list[str] = []

    def ask() -> None:
        if answers:
            held.due = None

    watching = Heartbeat(nowhere, timedelta(seconds=0.3), give_up=ended.append)
    held = Held(uuid4(), uuid4(), 1, lambda news: None, ask, due=time.monotonic() - 1)
    watching.hold(held)
    await asyncio.sleep(1.5)
    watching.stop()

    assert bool(ended) != answers
