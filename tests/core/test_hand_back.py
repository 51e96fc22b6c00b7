"""A worker that stops gives its tasks back; one that dies is counted, and not for ever."""

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from core.db import create_engine, fetch_alone, fetch_one
from core.house import House
from core.patience import CRASHES
from core.runner import advance
from tests.core.house import Office, letter_agent
from tests.core.test_walk import events
from tests.core.wire import Wire


class _Died(BaseException):
    """What ends a worker without a word: nothing catches it."""


async def test_a_worker_that_stops_gives_the_task_back_at_once_and_no_try_is_burned(
    office: Office,
) -> None:
    office.trouble.pause = asyncio.Event()
    answer = await office.say("letter hello")
    office.bell.jobs.clear()
    walking = asyncio.create_task(
        advance(office.house, office.organisation.id, answer.task_id, "w")  # type: ignore[arg-type]
    )
    await office.trouble.reached.wait()

    walking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await walking

    row = await office.row(
        "select state, lease_owner, lease_until, attempts, crashes, retry_at from tasks", {}
    )
    assert tuple(row) == ("running", None, None, 0, 0, None)
    assert [job.kind for job in office.bell.jobs] == ["advance"]
    office.trouble.pause = None
    await office.work()
    assert await office.state(answer.task_id) == "waiting:approval"
    assert office.trouble.ran == ["write", "write", "draw"]


async def test_a_task_given_back_is_found_even_if_nobody_hears_the_nudge(office: Office) -> None:
    office.trouble.pause = asyncio.Event()
    answer = await office.say("letter hello")
    walking = asyncio.create_task(
        advance(office.house, office.organisation.id, answer.task_id, "w")  # type: ignore[arg-type]
    )
    await office.trouble.reached.wait()
    walking.cancel()
    await asyncio.gather(walking, return_exceptions=True)
    office.bell.jobs.clear()
    office.trouble.pause = None

    await office.recover()

    assert await office.state(answer.task_id) == "waiting:approval"


async def test_stopped_while_it_takes_the_task_a_worker_gives_it_back(office: Office) -> None:
    for n in range(12):  # wherever in the taking it is stopped
        answer = await office.say("letter hello")
        office.bell.jobs.clear()
        walking = asyncio.create_task(
            advance(office.house, office.organisation.id, answer.task_id, "w")  # type: ignore[arg-type]
        )
        await asyncio.sleep(n / 2000)
        walking.cancel()
        await asyncio.gather(walking, return_exceptions=True)
        row = await office.row(
            "select state, lease_until, crashes from tasks where id = :id", {"id": answer.task_id}
        )
        assert row.lease_until is None
        assert row.crashes == 0


async def die(office: Office, task_id: UUID | None) -> None:
    """A worker takes the task and dies at its next step; later its lease is over."""
    with pytest.raises(_Died):
        await advance(office.house, office.organisation.id, task_id, "dead")  # type: ignore[arg-type]
    await office.execute("update tasks set lease_until = now() - interval '1 s'")


async def test_a_task_that_kills_its_workers_stops_with_an_id_and_a_button(
    office: Office,
) -> None:
    office.trouble.errors = [_Died() for _ in range(CRASHES)]
    answer = await office.say("letter hello")
    for _ in range(CRASHES):
        await die(office, answer.task_id)
    await office.recover()

    assert await office.state(answer.task_id) == "failed"
    assert office.trouble.ran == ["write"] * CRASHES
    card = office.wall.showing(f"died {CRASHES} times in a row")
    assert [button.action for button in card.buttons] == ["retry"]

    await office.click("retry", answer.task_id, office.asker)
    await office.work()
    assert await office.state(answer.task_id) == "waiting:approval"


async def test_a_finished_step_is_a_new_start_of_the_count(office: Office) -> None:
    survived = CRASHES - 1
    office.trouble.errors = [_Died() for _ in range(survived)]
    office.trouble.sealing = [_Died() for _ in range(survived)]
    answer = await office.say("letter hello")
    for _ in range(survived):
        await die(office, answer.task_id)
    await office.recover()
    await office.click("approve", await office.approval_id(answer.task_id), office.boss)
    for _ in range(survived):
        await die(office, answer.task_id)
    await office.recover()

    assert await office.state(answer.task_id) == "done"


# Newer versions


def newer(office: Office) -> House:
    return replace(office.house, agents={"letter": replace(letter_agent, version=2)})


async def test_a_task_for_a_newer_worker_is_left_alone(office: Office) -> None:
    answer = await office.say("letter hello")
    await office.execute("update tasks set agent_version = 2")
    for _ in range(3):
        await office.recover()

    assert await office.state(answer.task_id) == "received"
    assert office.trouble.ran == []
    assert "worker:task:started" not in await events(office, answer.task_id)
    left = await office.row("select attempts from outbox where kind = 'advance'", {})
    assert left.attempts == 3  # it goes on being handed

    await advance(newer(office), office.organisation.id, answer.task_id, "newer")  # type: ignore[arg-type]

    assert await office.state(answer.task_id) == "waiting:approval"


async def test_an_older_task_is_done_by_a_newer_worker(office: Office) -> None:
    answer = await office.say("letter hello")

    await advance(newer(office), office.organisation.id, answer.task_id, "newer")  # type: ignore[arg-type]

    assert await office.state(answer.task_id) == "waiting:approval"


async def test_a_task_for_an_agent_that_is_not_here_is_left_alone(office: Office) -> None:
    answer = await office.say("letter hello")
    house = replace(office.house, agents={})

    await advance(house, office.organisation.id, answer.task_id, "w")  # type: ignore[arg-type]

    assert await office.state(answer.task_id) == "received"


async def test_what_does_not_fit_this_version_stops_with_an_id(office: Office) -> None:
    answer = await office.say("letter hello")
    await office.execute("""update revisions set ask = '{"nothing": "of ours"}'""")
    for _ in range(3):
        await advance(office.house, office.organisation.id, answer.task_id, "w")  # type: ignore[arg-type]
        await office.execute("update tasks set retry_at = now() where state = 'retrying'")

    assert await office.state(answer.task_id) == "failed"


# The database away


async def test_a_connection_that_is_cut_burns_no_try(office: Office) -> None:
    async def cut() -> None:
        async with office.house.engine.begin() as connection:
            row = await fetch_one(connection, "select pg_backend_pid() as pid", {})
            assert row is not None
            await office.execute_as_owner(f"select pg_terminate_backend({row.pid})")
            await fetch_one(connection, "select 1", {})

    office.trouble.within = cut
    answer = await office.say("letter hello")
    with pytest.raises(DBAPIError):
        await advance(office.house, office.organisation.id, answer.task_id, "w")  # type: ignore[arg-type]

    row = await office.row("select state, lease_until, attempts, crashes from tasks", {})
    assert tuple(row) == ("running", None, 0, 0)
    office.trouble.within = None
    await office.work()
    assert await office.state(answer.task_id) == "waiting:approval"


async def test_a_task_is_given_back_as_soon_as_the_database_is_back(
    office: Office, database_url: str, tmp_path: Path
) -> None:
    """Its step is not blamed, and its lease not waited for."""
    async with Wire(database_url, tmp_path) as wire:
        engine = create_engine(wire.url)

        async def mend() -> None:
            await asyncio.sleep(0.6)
            await wire.mend()

        async def cut() -> None:
            wire.cut()
            mending.append(asyncio.create_task(mend()))
            await fetch_alone(engine, "select 1", {})

        mending: list[asyncio.Task[None]] = []
        office.trouble.within = cut
        answer = await office.say("letter hello")
        office.bell.jobs.clear()
        house = replace(office.house, engine=engine)
        with pytest.raises(DBAPIError):
            await advance(house, office.organisation.id, answer.task_id, "w")  # type: ignore[arg-type]
        await engine.dispose()

    row = await office.row("select state, lease_until, attempts, crashes from tasks", {})
    assert tuple(row) == ("running", None, 0, 0)
    assert office.bell.jobs[-1].kind == "advance"
