"""A provider that fails is left alone for one company, probed by one, and open to all again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from core.db import fetch_all
from core.errors import NotNow, OutcomeUnknown, Permanent, SlowDown, TryLater
from core.gate import Paces, Passage
from core.ids import new_id
from core.settings import Settings
from core.words import same
from miyabi.queue import connect
from notifier.hub.circuit import Circuits
from notifier.hub.fanning import fan_out_due
from notifier.hub.gate import HubGate
from notifier.hub.lanes import Lane
from notifier.hub.limiter import Limiter
from notifier.hub.sending import Ways
from tests.core.house import Office

COOLS = timedelta(seconds=25)
"""Longer than any test: when it is over, a test says (`cooled`)."""


@pytest.fixture
async def workers(office: Office, redis_url: str) -> AsyncIterator[list[HubGate]]:
    redis = connect(redis_url)
    found = [
        HubGate(Limiter(redis, office.house.engine), Circuits(office.house, COOLS))
        for _ in range(2)
    ]
    yield found
    for gate in found:
        await gate.close()
    await redis.aclose(close_connection_pool=True)


def passage(office: Office, conversation: str = "C1", bot: str = "T1") -> Passage:
    return Passage(office.organisation.id, "slack", bot, "send", conversation, Paces())


async def call(gate: HubGate, through: Passage, error: Exception | None = None) -> str:
    """How a call ended that the provider answers with this."""
    try:
        async with gate.through(through):
            if error is not None:
                raise error
    except NotNow:
        return "not now"
    except Exception as raised:
        return type(raised).__name__
    return "done"


async def fail(gate: HubGate, office: Office, times: int = 5) -> None:
    for number in range(times):
        await call(gate, passage(office, f"C{number % 2}"), TryLater(same("HTTP 503")))


async def told(office: Office, sql: str) -> list[Any]:
    async with office.house.engine.connect() as connection:
        return [
            row[0] if len(row) == 1 else tuple(row)
            for row in await fetch_all(connection, sql, {"o": office.organisation.id})
        ]


async def cooled(office: Office, *workers: HubGate) -> None:
    """The provider was left alone for long enough."""
    await office.execute("update circuits set probe_at = now()")
    for gate in workers:
        gate.circuits._shut.clear()
        gate.circuits._looked = float("-inf")


STATE = "select state from circuits where organisation_id = :o"
EVENTS = (
    "select body -> 'data' ->> 'state' from audit_events where organisation_id = :o"
    " and body ->> 'tag' = 'notifier:circuit:changed' order by id"
)
NOTICES = (
    "select resolved from notices where organisation_id = :o and topic = 'system.circuit'"
    " order by id"
)


async def test_it_opens_is_probed_by_one_and_closes(office: Office, workers: list[HubGate]) -> None:
    one, other = workers
    await fail(one, office)
    assert await call(one, passage(office)) == "not now"
    other.circuits._looked = float("-inf")
    assert await call(other, passage(office)) == "not now"
    assert await call(one, passage(office, bot="T2")) == "done"  # another workspace's
    assert await call(one, replace(passage(office), organisation_id=new_id())) == "done"
    assert await told(office, STATE) == ["open"]

    await cooled(office, one, other)
    probing, go = asyncio.Event(), asyncio.Event()

    async def probe() -> None:
        async with one.through(passage(office)):
            probing.set()
            await go.wait()

    trying = asyncio.create_task(probe())
    await probing.wait()
    assert await told(office, STATE) == ["half_open"]
    assert await call(one, passage(office)) == "not now"
    assert await call(other, passage(office)) == "not now"
    go.set()
    await trying
    assert await call(one, passage(office)) == "done"
    other.circuits._looked = float("-inf")
    assert await call(other, passage(office)) == "done"
    assert await told(office, EVENTS) == ["open", "half_open", "closed"]
    assert await told(office, NOTICES) == [False, True]


async def test_a_probe_that_fails_waits_longer(office: Office, workers: list[HubGate]) -> None:
    gate = workers[0]
    await fail(gate, office)
    await cooled(office, gate)
    assert await call(gate, passage(office), OutcomeUnknown(same("lost"))) == "OutcomeUnknown"
    [wait] = await told(
        office, "select extract(epoch from probe_at - now()) from circuits where failures = 2"
    )
    assert float(wait) > COOLS.total_seconds()
    assert await call(gate, passage(office)) == "not now"


async def test_one_bad_recipient_opens_nothing_and_an_answer_begins_the_count_anew(
    office: Office, workers: list[HubGate]
) -> None:
    gate = workers[0]
    for _ in range(20):
        assert await call(gate, passage(office), TryLater(same("grey"))) == "TryLater"
    await call(gate, passage(office), Permanent(same("no such user")))  # it answers
    await fail(gate, office, 4)
    assert await call(gate, passage(office)) == "done"
    assert await told(office, STATE) == []


async def test_a_retry_after_is_waited_for_by_all_and_opens_nothing(
    office: Office, workers: list[HubGate]
) -> None:
    one, other = workers
    slow = SlowDown(same("slow down"), timedelta(seconds=30))
    assert await call(one, passage(office), slow) == "SlowDown"
    assert await call(other, passage(office, "C2")) == "not now"
    assert await call(other, replace(passage(office), method="edit")) == "done"
    assert await told(office, STATE) == []


async def test_what_is_left_alone_is_not_even_taken_in_hand(
    office: Office, workers: list[HubGate], sending_to_boss: UUID
) -> None:
    house = office.house = replace(office.house, gate=workers[0])
    await office.execute(
        "insert into circuits (organisation_id, provider, state, failures, probe_at)"
        f" values ('{office.organisation.id}', 'wall:w1', 'open', 1, now() + interval '9 s')"
    )
    lane = Lane(Ways(house, Settings(secret_key=None)), "wall", "w1")
    assert not await lane.take()
    await office.execute("update circuits set probe_at = now()")
    workers[0].circuits._looked = float("-inf")
    assert await lane.take()
    await lane.rest()
    assert await told(office, "select state from dispatches where organisation_id = :o") == ["sent"]
    assert await told(office, STATE) == ["closed"]


@pytest.fixture
async def sending_to_boss(office: Office) -> UUID:
    from core.notices import Notice, Recipient, publish
    from core.unit import unit

    async with unit(office.house) as work:
        boss = Recipient("person", str(office.boss.id))
        notice = Notice("alert.disk", (boss,), {"title": "Disk"})
        made = await publish(work, office.organisation.id, notice)
    await fan_out_due(office.house)
    return made
