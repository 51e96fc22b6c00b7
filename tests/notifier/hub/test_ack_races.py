"""An acknowledgement and senders at the same moment: nothing is begun after it."""

import asyncio
import random
from uuid import UUID

from core.acknowledging import acknowledge
from core.db import fetch_all
from core.ids import new_id
from core.notices import Notice, Recipient, publish
from core.people import Person
from core.settings import Settings
from core.unit import unit
from notifier.hub.fanning import fan_out_due
from notifier.hub.lanes import Lane
from notifier.hub.sending import Ways
from tests.core.house import Office


async def _tell(office: Office, *people: Person) -> UUID:
    everyone = (office.asker, office.boss, office.other_boss)
    to = tuple(Recipient("person", str(each.id)) for each in people or everyone)
    async with unit(office.house) as work:
        notice_id = await publish(
            work, office.organisation.id, Notice("alert.disk", to, importance="critical")
        )
    await fan_out_due(office.house)
    return notice_id


async def _acknowledge(office: Office, notice_id: UUID) -> None:
    async with unit(office.house) as work:
        await acknowledge(work, office.organisation.id, notice_id, office.boss.id, "pressed")


def _lane(office: Office) -> Lane:
    return Lane(Ways(office.house, Settings(secret_key=None)), "wall", new_id().hex)


async def _send(lane: Lane) -> None:
    while await lane.take():
        await lane.rest()


async def _told(office: Office, notice_id: UUID) -> list[str]:
    """The events of a notice, without edits of what stands somewhere."""
    async with office.house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select body ->> 'tag' as tag from audit_events where stream = :id"
            " and coalesce((body -> 'data' ->> 'revision')::int, 1) = 1 order by seq",
            {"id": notice_id},
        )
    return [row.tag.removeprefix("notifier:") for row in rows]


async def test_what_is_on_its_way_meanwhile_loses_its_button_once_it_stands(
    office: Office,
) -> None:
    notice_id = await _tell(office, office.boss)
    office.wall.meanwhile = lambda: _acknowledge(office, notice_id)
    lane = _lane(office)
    await _send(lane)
    await office.execute("update dispatches set edit_at = now() where edit_at is not null")
    await _send(lane)
    [message] = office.wall.posted.values()
    assert "Boss has it" in message.note
    row = await office.row("select state, shown from dispatches", {})
    assert row == ("sent", 2)


async def test_however_they_meet_nothing_is_sent_after_an_acknowledgement(office: Office) -> None:
    chance = random.Random(9)
    for _ in range(12):
        notice_id = await _tell(office)

        async def press(pause: float, notice_id: UUID = notice_id) -> None:
            await asyncio.sleep(pause)
            await _acknowledge(office, notice_id)

        lanes = [_lane(office) for _ in range(2)]
        await asyncio.gather(press(chance.random() / 30), *(_send(lane) for lane in lanes))
        told = await _told(office, notice_id)
        after = told[told.index("notice:acknowledged") :]
        assert "dispatch:sending" not in after, told
        row = await office.row(
            "select count(*) as n from dispatches where notice_id = :id"
            " and state not in ('sent', 'dropped')",
            {"id": notice_id},
        )
        assert row.n == 0
