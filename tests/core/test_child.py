"""Plain steps run in child processes: they hold up nobody, and can be stopped whatever they do."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psutil
import pytest

from core import child
from core.agent import Agent, WiringError, step_name
from core.child import Limits
from core.documents import Files
from core.errors import Permanent, TryLater
from core.house import House
from core.runner import advance
from core.words import same
from tests.core import plain
from tests.core.house import Letter, LetterAsk, Office, letter_agent

LIMITS = Limits(timedelta(seconds=30), timedelta(seconds=30), 512)


def with_plain(office: Office, step: Callable[..., object], **limits: Any) -> House:
    """The office with one more agent, whose only step is this."""
    labels = {step_name(step): same(step_name(step))}
    agent: Agent = replace(
        letter_agent, name="plain", words=("plain",), steps=(step,), labels=labels, **limits
    )
    return replace(office.house, agents={**office.house.agents, "plain": agent})


async def ask(office: Office, house: House, text: str) -> Any:
    office.house = house
    return (await office.say(f"plain {text}")).task_id


async def go(office: Office, task_id: Any) -> None:
    async with asyncio.timeout(30):
        await advance(office.house, office.organisation.id, task_id, "w")


async def test_a_plain_step_runs_in_another_process_that_is_no_fork_of_ours(
    office: Office,
) -> None:
    place = await child.run(plain.where, {}, LIMITS)

    assert place.pid != os.getpid()
    assert place.parent != os.getpid()


async def test_its_result_is_stored_as_any_other(office: Office) -> None:
    task_id = await ask(office, with_plain(office, plain.copy), "hello")
    await go(office, task_id)

    assert await office.state(task_id) == "done"
    stored = await office.row("select result from steps", {})
    assert "hello" in str(stored.result)


async def test_those_who_sleep_delay_nobody_and_are_killed_at_their_deadline(
    office: Office,
) -> None:
    house = with_plain(office, plain.sleep_long, step_deadline=timedelta(seconds=3))
    sleepers = [await ask(office, house, "z") for _ in range(5)]
    sleeping = [asyncio.create_task(go(office, task_id)) for task_id in sleepers]
    await asyncio.sleep(0)
    quick = (await office.say("letter hello")).task_id
    await go(office, quick)

    assert await office.state(quick) == "waiting:approval"
    assert not any(task.done() for task in sleeping)
    children = steps_of_ours()
    await asyncio.gather(*sleeping)
    assert {await office.state(task_id) for task_id in sleepers} == {"retrying"}
    await all_gone(children)


def steps_of_ours() -> list[psutil.Process]:
    """The children in which steps run: those of our fork server."""
    ours = psutil.Process().children()
    servers = [each for each in ours if any("forkserver" in word for word in each.cmdline())]
    return [process for server in servers for process in server.children()]


async def until(is_so: Callable[[], object]) -> None:
    for _ in range(400):
        if is_so():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to it")


async def all_gone(processes: list[psutil.Process]) -> None:
    await until(lambda: not any(process.is_running() for process in processes))


async def test_a_cancel_kills_the_child(office: Office) -> None:
    task_id = await ask(office, with_plain(office, plain.sleep_long), "z")
    walking = asyncio.create_task(go(office, task_id))
    await until(steps_of_ours)
    children = steps_of_ours()
    await office.say("cancel #1001")
    await walking

    assert await office.state(task_id) == "cancelled"
    await all_gone(children)


async def test_a_child_that_refuses_to_end_is_killed(office: Office) -> None:
    house = with_plain(office, plain.misbehave, step_deadline=timedelta(seconds=2))
    task_id = await ask(office, house, "deaf")
    walking = asyncio.create_task(go(office, task_id))
    await until(steps_of_ours)
    children = steps_of_ours()
    await walking

    assert await office.state(task_id) == "retrying"
    await all_gone(children)


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ("compute", Permanent, "more than the 1 seconds of computing"),
        ("eat", Permanent, "more than the 512 MiB of memory"),
        ("fall", TryLater, "died (SIGSEGV)"),
    ],
)
async def test_what_a_child_dies_of_is_said(how: str, kind: type[Exception], words: str) -> None:
    limits = replace(LIMITS, cpu=timedelta(seconds=1))

    with pytest.raises(kind) as raised:
        await child.run(plain.misbehave, {"ask": LetterAsk(how)}, limits)

    assert words in str(raised.value)


async def test_who_is_left_alone_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_LINGERS", timedelta(0))  # this process's; the child has its own
    limits = replace(LIMITS, time=timedelta(seconds=-4))

    with pytest.raises(TryLater, match="SIGALRM"):
        await child.run(plain.sleep_long, {"ask": LetterAsk("z")}, limits)


@pytest.mark.parametrize(
    ("how", "state"),
    [
        ("ask", "waiting:answer"),
        ("busy", "retrying"),
        ("wrong", "failed"),
        ("unforeseen", "retrying"),
        ("exit", "retrying"),
    ],
)
async def test_what_a_plain_step_raises_decides_as_from_any_other(
    office: Office, how: str, state: str
) -> None:
    task_id = await ask(office, with_plain(office, plain.misbehave), how)
    await go(office, task_id)

    assert await office.state(task_id) == state
    if how == "wrong":
        row = await office.row("select failure from tasks", {})
        assert "row 3: the price is text" in str(row.failure)


# Wiring


def hoard(ask: LetterAsk, files: Files) -> Letter:
    return Letter(ask.text)


def test_a_plain_step_that_needs_more_than_data_stops_the_start(office: Office) -> None:
    with pytest.raises(WiringError, match=r"plain\.hoard: .*Files is more than that"):
        with_plain(office, hoard)


def test_a_plain_step_that_a_child_could_not_find_stops_the_start(office: Office) -> None:
    def inside(ask: LetterAsk) -> Letter:
        return Letter(ask.text)

    with pytest.raises(WiringError, match=r"plain\.inside: .*under its own name"):
        with_plain(office, inside)
