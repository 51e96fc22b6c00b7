"""Acknowledging: nothing more leaves, whoever else is at it at the same moment."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from core.acknowledging import ACK, MUTE, acknowledge, seen
from core.ids import new_id
from core.preferences import read
from core.unit import unit
from notifier.hub.climbing import climb_due
from tests.core.house import Office
from tests.notifier.hub.climber import Hub


@pytest.fixture
def hub(office: Office) -> Hub:
    return Hub(office)


async def test_what_an_acknowledgement_finds_queued_does_not_leave_and_it_climbs_no_more(
    hub: Hub,
) -> None:
    office = hub.office
    notice_id = await hub.notice(office.asker, office.boss)
    held = await hub.dispatch(notice_id, office.boss, "held")
    await hub.dispatch(notice_id, office.boss, "sent")
    answer = await office.click(ACK, notice_id, office.boss)
    assert answer.outcome == "done"
    assert answer.message is not None
    assert "you have it" in answer.message.text
    assert await hub.states(notice_id) == ["dropped", "dropped", "dropped", "sent"]
    await hub.after(60)
    assert hub.told == []
    assert await hub.state(notice_id) == "acknowledged"
    row = await office.row(
        "select d.reason, n.revision, n.acknowledged_by from dispatches d join notices n"
        " on n.id = d.notice_id where d.id = :id",
        {"id": held},
    )
    assert (row.reason, row.revision) == ("acknowledged", 2)
    assert row.acknowledged_by == office.boss.id
    tags = await hub.tags(notice_id)
    assert tags.count("notifier:dispatch:dropped") == 3
    assert tags.count("notifier:notice:acknowledged") == 1
    # whoever presses next hears who has it
    again = await office.click(ACK, notice_id, office.asker)
    assert again.message is not None
    assert "Boss has it already" in again.message.text
    assert (await hub.tags(notice_id)).count("notifier:notice:acknowledged") == 1


async def test_only_whoever_was_told_may_acknowledge(hub: Hub) -> None:
    office = hub.office
    notice_id = await hub.notice(office.asker)
    answer = await office.click(ACK, notice_id, office.other_boss)
    assert answer.outcome == "refused"
    unknown = await office.click(ACK, new_id(), office.asker)
    assert unknown.outcome == "refused"
    assert await hub.state(notice_id) == "climbing"


async def test_muted_it_is_until_the_end_of_the_day(hub: Hub) -> None:
    office = hub.office
    notice_id = await hub.notice(office.asker)
    for _ in range(2):
        answer = await office.click(MUTE, notice_id, office.asker)
        assert answer.outcome == "done"
    async with office.house.engine.connect() as connection:
        chosen = await read(connection, office.organisation.id, office.asker.id)
    [mute] = chosen.mutes
    assert mute.pattern == "alert.disk"
    assert mute.until is not None
    assert timedelta(0) < mute.until - datetime.now(UTC) <= timedelta(days=1)


@pytest.mark.parametrize("state", ["delivered", "read"])
async def test_read_stops_the_ladder_and_delivered_does_not(hub: Hub, state: str) -> None:
    office = hub.office
    notice_id = await hub.notice(office.asker)
    dispatch_id = await hub.dispatch(notice_id, office.boss, "sent")
    async with unit(office.house) as work:
        assert await seen(work, office.organisation.id, dispatch_id, state)  # type: ignore[arg-type]
        assert not await seen(work, office.organisation.id, dispatch_id, state)  # type: ignore[arg-type]
    await hub.after(15)
    assert len(hub.told) == (1 if state == "delivered" else 0)


@pytest.mark.parametrize("rung_first", [True, False])
async def test_of_an_acknowledgement_and_a_rung_at_once_nothing_is_left_queued(
    hub: Hub, rung_first: bool
) -> None:
    """Whichever comes first, what the rung queued is dropped or was never made."""
    office = hub.office
    notice_id = await hub.notice(office.asker)
    await office.execute("update escalations set next_at = now()")
    reached = asyncio.Event()

    async def slowly(*given: object) -> Sequence[UUID]:
        people = await hub.tell(*given)  # type: ignore[arg-type]
        reached.set()
        await asyncio.sleep(0.05)
        return people

    async def press() -> None:
        if rung_first:
            await reached.wait()
        async with unit(office.house) as work:
            await acknowledge(work, office.organisation.id, notice_id, office.asker.id, "pressed")

    both = [climb_due(office.house, slowly), press()]
    await asyncio.gather(*(both if rung_first else reversed(both)))
    await climb_due(office.house, hub.tell)
    assert set(await hub.states(notice_id)) == {"dropped"}
    assert await hub.state(notice_id) == "acknowledged"


async def test_what_a_sender_has_only_claimed_is_taken_back_and_what_is_on_its_way_is_not(
    hub: Hub,
) -> None:
    office = hub.office
    notice_id = await hub.notice(office.boss)
    claimed = await hub.dispatch(notice_id, office.asker, "sending")
    leaving = await hub.dispatch(notice_id, office.other_boss, "sending")
    await office.execute("update dispatches set lease_owner = 'w1' where state = 'sending'")
    await office.execute(f"update dispatches set sending_revision = 1 where id = '{leaving}'")
    presses = [office.click(ACK, notice_id, office.boss) for _ in range(5)]
    answers = await asyncio.gather(*presses)

    assert all("you have it" in answer.message.text for answer in answers if answer.message)
    assert (await hub.tags(notice_id)).count("notifier:notice:acknowledged") == 1
    row = "select state, lease_owner from dispatches where id = :id"
    assert await office.row(row, {"id": claimed}) == ("dropped", None)
    assert await office.row(row, {"id": leaving}) == ("sending", "w1")
