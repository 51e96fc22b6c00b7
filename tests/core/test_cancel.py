"""Cancelling and retrying: who works on the task stops, the thread says so, and it happens once."""

import asyncio
import time
from uuid import UUID

import pytest

from core.errors import Permanent
from core.runner import advance
from tests.core.house import Office
from tests.core.test_walk import events


async def begun(office: Office) -> tuple[UUID, "asyncio.Task[None]"]:
    """A task whose first step is under way and would never end."""
    office.trouble.pause = asyncio.Event()
    answer = await office.say("letter hello", thread="t")
    assert answer.task_id is not None
    walking = asyncio.create_task(
        advance(office.house, office.organisation.id, answer.task_id, "owner")
    )
    await office.trouble.reached.wait()
    return answer.task_id, walking


async def test_whoever_works_on_the_task_stops_within_a_second_and_says_so(
    office: Office,
) -> None:
    task_id, walking = await begun(office)
    before = await office.row("select fence, lease_owner from tasks", {})
    told = await office.say("cancel #1001")
    after = await office.row("select fence, lease_owner, state from tasks", {})

    assert told.message is not None
    assert "being cancelled" in told.message.text
    assert (after.fence, after.lease_owner) == (before.fence, "owner")
    assert after.state == "cancelling"

    async with asyncio.timeout(5):
        await walking
    await office.work()

    assert await office.state(task_id) == "cancelled"
    assert office.trouble.ran == ["write"]
    assert "cancelled" in office.wall.showing("write").text
    heard = [tag for tag in await events(office, task_id) if not tag.startswith("notifier:")]
    assert heard == [
        "intake:task:received",
        "worker:task:started",
        "intake:task:cancelled",
        "worker:task:stopped",
    ]


async def test_the_thread_says_cancelling_until_it_is_so(office: Office) -> None:
    _, walking = await begun(office)
    office.house.heartbeat.stop()  # nobody looks
    office.bell.jobs = [job for job in office.bell.jobs if job.kind == "announce"]
    await office.say("cancel #1001")
    await office.work()

    assert "being cancelled" in office.wall.showing("write").text
    walking.cancel()
    await asyncio.gather(walking, return_exceptions=True)
    await office.work()
    assert "#1001 cancelled" in office.wall.showing("write").text


async def test_a_cancel_pressed_twice_happens_once(office: Office) -> None:
    task_id, walking = await begun(office)
    answers = await asyncio.gather(
        *(office.click("cancel", task_id, office.asker) for _ in range(4))
    )
    await walking

    assert {answer.outcome for answer in answers} == {"done"}
    assert (await events(office, task_id)).count("intake:task:cancelled") == 1
    assert (await events(office, task_id)).count("worker:task:stopped") == 1


async def test_the_cancelled_task_of_a_dead_worker_is_stopped_by_the_next(office: Office) -> None:
    office.trouble.errors = [_Died()]
    answer = await office.say("letter hello")
    with pytest.raises(_Died):
        await advance(office.house, office.organisation.id, answer.task_id, "dead")  # type: ignore[arg-type]
    await office.say("cancel #1001")
    await office.work()
    assert await office.state(answer.task_id) == "cancelling"  # its lease is not over yet

    await office.execute("update tasks set lease_until = now() - interval '1 s'")
    await office.recover()

    assert await office.state(answer.task_id) == "cancelled"
    assert office.trouble.ran == ["write"]


class _Died(BaseException):
    """What ends a worker without a word: nothing catches it."""


async def test_a_result_that_comes_after_the_cancel_is_not_gone_on_with(office: Office) -> None:
    task_id, walking = await begun(office)
    office.house.heartbeat.stop()  # the commit itself has to notice
    await office.say("cancel #1001")
    assert office.trouble.pause is not None
    office.trouble.pause.set()
    await walking

    assert await office.state(task_id) == "cancelled"
    stored = await office.row("select count(*) as n from steps", {})
    assert stored.n == 0


async def test_a_task_that_nobody_has_yet_is_cancelled_at_once(office: Office) -> None:
    answer = await office.say("letter hello")
    told = await office.say("cancel #1001")
    await office.work()

    assert told.message is not None
    assert "is cancelled" in told.message.text
    assert await office.state(answer.task_id) == "cancelled"
    assert office.trouble.ran == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "The number L-2026-0001 stays taken; void it with “void L-2026-0001 reason”."),
        ("ja", "番号 L-2026-0001 は使用済みのままです。"),
        ("zh", "编号 L-2026-0001 已被占用"),
    ],
)
async def test_after_a_number_was_issued_it_is_said_that_it_stays(
    office: Office, language: str, words: str
) -> None:
    await office.execute(f"update people set language = '{language}'")
    answer = await office.say("letter hello")
    await office.execute(f"update tasks set language = '{language}'")
    await office.work()
    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    office.trouble.sealing = [Permanent("out of wax")]
    await office.work()
    assert await office.state(answer.task_id) == "failed"

    told = await office.say("cancel #1001")
    await office.work()
    status = await office.say("status #1001")

    assert told.message is not None
    assert status.message is not None
    assert words in told.message.text
    assert words in status.message.text
    assert words in office.wall.showing("write").note
    number = await office.row("select number, voided_at from documents", {})
    assert (number.number, number.voided_at) == ("L-2026-0001", None)


async def test_a_cancel_between_the_number_and_the_document_leaves_the_number(
    office: Office,
) -> None:
    answer = await office.say("letter hello")
    await office.work()
    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    office.trouble.reached.clear()
    office.trouble.pause_sealing = asyncio.Event()
    walking = asyncio.create_task(
        advance(office.house, office.organisation.id, answer.task_id, "owner")  # type: ignore[arg-type]
    )
    await office.trouble.reached.wait()
    await office.say("cancel #1001")
    async with asyncio.timeout(5):
        await walking
    await office.work()

    assert "stays taken" in office.wall.showing("#1001 cancelled").note
    again = await office.say("letter again")
    await office.work()
    await office.click("approve", await office.approval_id(again.task_id), office.boss)
    office.trouble.pause_sealing = None
    await office.work()
    numbers = await office.row("select array_agg(number order by number) as all from documents", {})
    assert numbers.all == ["L-2026-0001", "L-2026-0002"]


async def test_a_step_that_does_not_listen_is_left_to_itself(office: Office) -> None:
    task_id, walking = await begun(office)
    office.trouble.deaf = True
    await office.say("cancel #1001")
    started = time.monotonic()
    async with asyncio.timeout(8):
        await walking

    assert await office.state(task_id) == "cancelled"
    assert time.monotonic() - started < 8
    assert office.trouble.pause is not None
    office.trouble.pause.set()
    await asyncio.sleep(0)
    stored = await office.row("select count(*) as n from steps", {})
    assert stored.n == 0


# One clear sentence each


async def test_cancel_of_what_is_done_says_so(office: Office) -> None:
    answer = await office.say("letter hello")
    await office.work()
    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    await office.work()

    told = await office.say("cancel #1001")

    assert told.outcome == "refused"
    assert told.message is not None
    assert told.message.text == "#1001 can't be cancelled: it is done."


async def test_retry_of_what_runs_says_so(office: Office) -> None:
    _, walking = await begun(office)

    told = await office.say("retry #1001")

    assert told.outcome == "refused"
    assert told.message is not None
    assert told.message.text == "#1001 can't be retried: it is running."
    walking.cancel()
    await asyncio.gather(walking, return_exceptions=True)


@pytest.mark.parametrize("command", ["cancel", "retry", "status"])
async def test_an_unknown_number_is_said_to_be_unknown(office: Office, command: str) -> None:
    told = await office.say(f"{command} #999999")

    assert told.outcome == "refused"
    assert told.message is not None
    assert told.message.text == "There is no task with that number: #999999"


async def test_a_retry_pressed_twice_happens_once(office: Office) -> None:
    office.trouble.errors = [Permanent("row 3: the price is text")]
    answer = await office.say("letter hello")
    await office.work()

    answers = [await office.click("retry", answer.task_id, office.asker) for _ in range(2)]
    await office.work()

    assert [answer.outcome for answer in answers] == ["done", "refused"]
    assert (await events(office, answer.task_id)).count("intake:task:retried") == 1
    assert office.trouble.ran.count("write") == 2
