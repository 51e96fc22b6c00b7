"""Three worker processes under load, each told to end and replaced: nobody notices."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from core import organisations, people
from core.company import Company
from core.db import fetch_all, fetch_one
from core.ids import new_id
from core.inbound import Inbound, Sender, Spot
from core.intake import accept
from core.unit import unit
from miyabi.build import Built, open_house
from tests.miyabi.yard import STARTED, open_yard, settings_of, until

REQUEST = "見積 株式会社ABC商事 モニター5台 キーボード10個 納期12/25"
TASKS = 30


@pytest.mark.long
async def test_a_rolling_restart_loses_doubles_and_burns_nothing() -> None:
    async with AsyncExitStack() as stack:
        yard = await stack.enter_async_context(open_yard())
        settings = settings_of(yard.services, yard.home)
        built = await stack.enter_async_context(open_house(settings, yard.services))
        await _company(built)
        old = [await stack.enter_async_context(yard.process("worker")) for _ in range(3)]
        asking = asyncio.create_task(_ask(built))

        def said() -> str:
            return "".join(worker.said() for worker in old)

        await until(lambda: _count(built, "waiting", 3), STARTED, said)

        for worker in old:
            began = time.monotonic()
            assert await worker.stop() == 0, worker.said()
            assert time.monotonic() - began < 20
            await stack.enter_async_context(yard.process("worker"))
        await asking
        await until(lambda: _count(built, "waiting", TASKS), STARTED, said)

        assert not any("Traceback" in worker.said() for worker in old)
        await _nothing_lost_doubled_or_burnt(built)


async def _company(built: Built) -> None:
    async with unit(built.house) as work:
        company = Company("株式会社みやび商事", registration_number="T7000012050002")
        organisation = await organisations.add(work, "default", company)
        tanaka = await people.add(work, organisation.id, "tanaka", "田中", frozenset({"requester"}))
        await people.link(work, tanaka, Sender("console", "local", "tanaka"))
        await people.add(work, organisation.id, "suzuki", "鈴木", frozenset({"approver"}))


async def _ask(built: Built) -> None:
    """All through the restart."""
    for number in range(TASKS):
        sender = Sender("console", "local", "tanaka")
        inbound = Inbound(sender, Spot(f"t{number}"), new_id().hex, REQUEST)
        assert (await accept(built.house, inbound)).outcome == "taken"
        await asyncio.sleep(0.2)


async def _count(built: Built, state: str, wanted: int) -> bool:
    async with built.house.engine.connect() as connection:
        row = await fetch_one(
            connection, "select count(*) as n from tasks where state = :state", {"state": state}
        )
    return row is not None and row.n >= wanted


async def _nothing_lost_doubled_or_burnt(built: Built) -> None:
    async with built.house.engine.connect() as connection:
        tasks = await fetch_one(
            connection,
            "select count(*) as n, max(attempts) as tries, max(crashes) as died from tasks",
            {},
        )
        approvals = await fetch_one(
            connection, "select count(*) as n, count(distinct task_id) as tasks from approvals", {}
        )
        failed = await fetch_all(
            connection,
            "select tag from audit_events"
            " where tag like '%retrying%' or tag like '%failed%' or tag like '%crash%'",
            {},
        )
    assert tasks is not None
    assert approvals is not None
    assert (tasks.n, tasks.tries, tasks.died) == (TASKS, 0, 0)
    assert (approvals.n, approvals.tasks) == (TASKS, TASKS)
    assert failed == []
