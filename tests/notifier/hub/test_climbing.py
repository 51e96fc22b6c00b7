"""Ladders: the next person where nobody acknowledges, and nobody any more once somebody has."""

from datetime import UTC, datetime, time, timedelta
from functools import partial

import pytest

from core.db import fetch_all
from core.notices import Ladder, Notice, Recipient, publish
from core.unit import unit
from notifier.hub import on_call
from notifier.hub.climbing import climb_due
from notifier.hub.fanning import fan_more, fan_out_due
from notifier.hub.ladders import Step, step
from tests.core.house import Office
from tests.notifier.hub.climber import RUNGS, Hub

NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)
LADDER = Ladder(15, RUNGS, expires_minutes=60)
MINUTES = timedelta(minutes=1)


def test_each_rung_is_told_so_many_minutes_after_the_one_before_until_the_last() -> None:
    ends = NOW + 60 * MINUTES
    first = step(LADDER, ends, 0, NOW)
    assert first == Step("climbing", 1, RUNGS[0], NOW + 15 * MINUTES)
    second = step(LADDER, ends, 1, NOW + 15 * MINUTES)
    assert second == Step("climbing", 2, RUNGS[1], NOW + 30 * MINUTES)
    assert step(LADDER, ends, 2, NOW + 30 * MINUTES) == Step("exhausted", 2)


def test_a_rung_that_comes_late_pushes_the_next_and_its_end_is_the_end() -> None:
    ends = NOW + 60 * MINUTES
    late = step(LADDER, ends, 0, NOW + 50 * MINUTES)
    assert (late.rung, late.next_at) == (1, ends)
    assert step(LADDER, ends, 1, ends) == Step("expired", 1)


@pytest.fixture
def hub(office: Office) -> Hub:
    return Hub(office)


async def test_nobody_acknowledges_and_it_climbs_to_its_end(hub: Hub) -> None:
    notice_id = await hub.notice(hub.office.asker, rungs=1)
    await hub.after(14)
    assert hub.told == []
    await hub.after(1)
    assert hub.told == [RUNGS[0]]
    await hub.after(15)
    assert await hub.state(notice_id) == "exhausted"
    # the admins hear that nobody has it, and of that there is no ladder
    found = await hub.office.row(
        "select topic, facts, ladder from notices where topic like 'system.%'", {}
    )
    assert found.topic == "system.unacknowledged"
    assert found.ladder is None


async def test_it_expires(hub: Hub) -> None:
    notice_id = await hub.notice(hub.office.asker, expires=20)
    await hub.after(15)
    await hub.after(5)
    assert await hub.state(notice_id) == "expired"
    assert await hub.states(notice_id) == ["dropped", "dropped"]
    assert (await hub.tags(notice_id)).count("notifier:notice:expired") == 1


async def test_a_rung_that_fails_holds_up_no_other_ladder(hub: Hub) -> None:
    broken = await hub.notice(hub.office.asker)
    whole = await hub.notice(hub.office.asker)
    await hub.office.execute(
        f"update notices set ladder = '{{\"minutes\": \"x\"}}' where id = '{broken}'"
    )
    await hub.after(15)
    assert len(hub.told) == 1
    row = await hub.office.row("select rung from escalations where notice_id = :id", {"id": whole})
    assert row.rung == 1
    assert await hub.state(broken) == "climbing"


async def test_what_was_decided_elsewhere_climbs_no_further(hub: Hub) -> None:
    office = hub.office
    answer = await office.say("letter hello")
    await office.work()
    approval = await office.approval_id(answer.task_id)
    notice_id = await hub.notice(office.boss)
    await office.execute(f"update notices set approval_id = '{approval}' where id = '{notice_id}'")
    await hub.after(15)
    assert len(hub.told) == 1
    await office.click("approve", approval, office.other_boss)
    await hub.after(15)
    assert len(hub.told) == 1
    assert await hub.state(notice_id) == "acknowledged"
    assert await hub.states(notice_id) == ["dropped", "dropped"]
    row = await office.row("select distinct reason from dispatches", {})
    assert row.reason == "decided"


async def test_the_next_rung_is_who_is_on_call_by_the_rota_and_hears_why(hub: Hub) -> None:
    """With the fan-out itself, and by each one's own ways."""
    office = hub.office
    organisation = office.organisation.id
    rungs = ((Recipient("on_call", "ops"),),)
    async with unit(office.house) as work:
        today = datetime.now(UTC).date()
        await on_call.add(
            work, organisation, "ops", [office.other_boss, office.asker], zone="UTC",
            weekday=today.weekday(), time_of_day=time(), starts_on=today,
        )  # fmt: skip
        to = (Recipient("person", str(office.boss.id)),)
        notice = Notice("alert.disk", to, importance="critical", ladder=Ladder(15, rungs))
        notice_id = await publish(work, organisation, notice)
    await fan_out_due(office.house)
    await office.execute("update escalations set next_at = now()")
    assert await climb_due(office.house, partial(fan_more, house=office.house)) == 1

    async with office.house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select person_id, instead ->> 'en' as why from dispatches where notice_id = :id"
            " order by created_at",
            {"id": notice_id},
        )
    assert [row.person_id for row in rows] == [office.boss.id, office.other_boss.id]
    assert rows[0].why is None
    assert "nobody acknowledged this within 15 minutes" in rows[1].why
    assert (await hub.tags(notice_id))[-1] == "notifier:notice:escalated"
