"""What is counted with what: where somebody had to answer, it is not lost in an old message."""

from typing import Any
from uuid import UUID

import pytest

from core.acknowledging import acknowledge
from core.notices import Ladder, Recipient
from core.unit import unit
from notifier.hub import fanning
from tests.core.house import Office
from tests.notifier.hub.fanner import Hub, to

LADDER = Ladder(5, ((Recipient("role", "admin"),),))


@pytest.fixture
async def hub(office: Office) -> Hub:
    return Hub(office)


async def fires(hub: Hub, **more: Any) -> UUID:
    notice_id = await hub.tell("alert.disk", to(hub.office.boss), group="db", **more)
    await hub.fan_out()
    return notice_id


@pytest.mark.parametrize("anew", ["acknowledged", "ladder", "critical"])
async def test_what_happens_again_after_it_was_over_is_told_anew(hub: Hub, anew: str) -> None:
    more: dict[str, Any] = {}
    if anew == "ladder":
        more["ladder"] = LADDER
    if anew == "critical":
        more["importance"] = "critical"
    first = await fires(hub, **more)
    if anew == "acknowledged":
        async with unit(hub.house) as work:
            await acknowledge(work, hub.organisation, first, hub.office.boss.id, "pressed")
    over = await fires(hub, resolved=True, **more)
    again = await fires(hub, **more)
    once_more = await fires(hub, **more)

    assert await hub.handles(over) == []
    assert await hub.handles(again) == ["boss"]
    assert await hub.handles(once_more) == []
    climbing = await hub.rows("select notice_id from escalations where state = 'climbing'")
    assert {row.notice_id for row in climbing} == ({first, again} if anew == "ladder" else set())


async def test_what_nobody_had_to_answer_is_one_message_still(hub: Hub) -> None:
    first = await fires(hub)
    await fires(hub, resolved=True)
    again = await fires(hub)

    assert await hub.handles(again) == []
    [head] = await hub.rows("select resolved, count as times from notices where id = :id", id=first)
    assert (head.resolved, head.times) == (False, 2)


async def storm(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """More than one batch takes."""
    monkeypatch.setattr(fanning, "NOTICES_AT_ONCE", 3)
    await hub.tell("alert.cpu", to(hub.office.boss))
    first = await hub.tell("alert.disk", to(hub.office.boss), group="db")
    for _ in range(4):
        await hub.tell("alert.disk", to(hub.office.boss), group="db")
    return first


async def test_a_storm_longer_than_a_batch_is_one_message_with_its_count(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await storm(hub, monkeypatch)
    await hub.tell("alert.disk", to(hub.office.boss), group="db", resolved=True)
    await hub.fan_out()

    [head] = await hub.rows(
        "select id, resolved, count as times from notices where topic = 'alert.disk'"
        " and head_id is null"
    )
    assert head == (first, True, 5)
    assert await hub.handles(first) == ["boss"]


async def test_what_was_counted_before_anybody_was_told_counts(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch may leave the first of a group to the next one, when it has counted with it."""
    monkeypatch.setattr(fanning, "READERS_AT_ONCE", 1)
    first = await storm(hub, monkeypatch)
    await hub.fan_out()

    [head] = await hub.rows("select count as times from notices where id = :id", id=first)
    assert head.times == 5
