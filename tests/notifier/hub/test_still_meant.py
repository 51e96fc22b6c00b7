"""Just before sending it is asked once more whom a notice is for."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core import people
from core.errors import Permanent
from core.inbound import Sender
from core.notices import Recipient
from core.unit import unit
from core.words import same
from notifier.hub.fanning import fan_more
from tests.core.house import Office
from tests.notifier.hub.fanner import Hub


@pytest.fixture
async def hub(office: Office) -> AsyncIterator[Hub]:
    return Hub(office)


async def test_who_is_told_by_a_rung_has_the_right_though_the_notice_was_for_a_role(
    hub: Hub,
) -> None:
    notice_id = await hub.tell("alert.disk", Recipient("role", "approver"))
    await hub.fan_out()
    async with unit(hub.house) as work:
        rung = [Recipient("person", "asker")]
        why = same("nobody answered")
        await fan_more(
            work, hub.organisation, notice_id, rung, why, datetime.now(UTC), house=hub.house
        )
    await hub.send()

    assert await hub.told(notice_id) == [
        ("asker", "wall", "sent"),
        ("boss", "wall", "sent"),
        ("other", "wall", "sent"),
    ]


async def test_what_admins_hear_in_the_place_of_nobody_is_sent_to_them(hub: Hub) -> None:
    async with unit(hub.house) as work:
        admin = await people.add(work, hub.organisation, "admin", "Admin", frozenset({"admin"}))
        await people.link(work, admin, Sender("wall", "w1", "admin"))
    notice_id = await hub.tell("alert.disk", Recipient("role", "accountant"), importance="high")
    await hub.fan_out()
    await hub.send()

    assert await hub.told(notice_id) == [("admin", "wall", "sent")]


@pytest.mark.parametrize(("failures", "state"), [(1, "dropped"), (2, "sent")])
async def test_a_failure_that_is_over_is_not_told_any_more(
    office: Office, failures: int, state: str
) -> None:
    async with unit(office.house) as work:
        await people.link(work, office.asker, Sender("email", "", "asker@example.com"))
    for _ in range(failures):
        office.trouble.errors = [Permanent(same("broken"))]
        await office.say("letter hello")
        await office.work()
    office.house = replace(office.house, outbounds={"wall": office.wall, "email": office.wall})
    hub = Hub(office)
    await hub.fan_out()
    [first, *_] = await hub.rows("select id from tasks where organisation_id = :o order by id")
    await office.click("retry", first.id, office.asker)
    await office.work()
    await hub.send("email")

    [head] = await hub.rows(
        "select id from notices where topic = 'task.failed' and head_id is null"
    )
    assert await hub.told(head.id) == [("asker", "email", state)]
