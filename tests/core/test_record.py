"""A step that writes into our own database: with its result, or not at all."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from core.agent import Agent, Record, WiringError
from core.db import execute
from core.errors import Permanent
from core.tasks import Task
from core.unit import Unit
from core.wiring import check
from core.words import same
from tests.core.house import Letter, Office, Trouble, letter_agent


@dataclass(frozen=True, slots=True)
class Entered:
    said: str


async def _insert(work: Unit, task: Task) -> None:
    await execute(
        work.connection,
        "insert into counters (organisation_id, name, year, value)"
        " values (:organisation_id, 'letters', 2026, 1)",
        {"organisation_id": task.organisation_id},
    )


async def enter(work: Unit, task: Task, letter: Letter) -> Entered:
    await _insert(work, task)
    return Entered(f"{task.spoken} {letter.text}")


async def enter_in_vain(work: Unit, task: Task, letter: Letter) -> Entered:
    await _insert(work, task)
    raise Permanent("no ink")


async def without_a_unit(letter: Letter) -> Entered:
    return Entered(letter.text)


def agent_with(work: Callable[..., Awaitable[Entered]]) -> Agent:
    """The letter agent, which enters what was written after it is written."""
    write, *_ = letter_agent.steps
    labels = {**letter_agent.labels, work.__name__: same("enter")}  # type: ignore[attr-defined]
    return replace(letter_agent, steps=(write, Record(work)), labels=labels)


async def entered(office: Office, work: Callable[..., Awaitable[Entered]]) -> tuple[str, int]:
    """What became of a task with such a step, and how many rows it left."""
    office.house = replace(office.house, agents={"letter": agent_with(work)})
    answer = await office.say("letter Hello")
    await office.work()
    row = await office.row("select count(*) as n from counters where name = 'letters'", {})
    return await office.state(answer.task_id), row.n


async def test_what_it_writes_is_there_with_its_result(office: Office) -> None:
    assert await entered(office, enter) == ("done", 1)
    row = await office.row("select result ->> 'said' as said from steps where name = 'enter'", {})
    assert row.said == "#1001 hello"


async def test_what_it_raises_undoes_what_it_wrote(office: Office) -> None:
    assert await entered(office, enter_in_vain) == ("failed", 0)


def test_one_that_could_not_write_with_its_step_is_refused_at_the_start() -> None:
    with pytest.raises(WiringError, match="takes the Unit and the Task first"):
        check(agent_with(without_a_unit), {Trouble})
