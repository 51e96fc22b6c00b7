"""What is handled twice: the same effect once, the same messages together, one answer."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.line import events
from bot.line.door import Door
from bot.line.outbound import LineOutbound
from core.arrivals import Arrival, Delivered, store
from tests.bot.line.conftest import Office
from tests.fakes.line.state import id_of


@pytest.fixture
def line_settings() -> dict[str, Any]:
    return {"gather_seconds": 2.0, "first_answer_seconds": 0}


@pytest.fixture
def door(quiet_office: Office) -> Door:
    outbound = quiet_office.house.outbounds["line"]
    assert isinstance(outbound, LineOutbound)
    return Door(quiet_office.house, outbound, quiet_office.built.opening)


async def arrived(office: Office, key: str, text: str, who: str = "花子") -> Arrival:
    """A message that is kept, and left to this test to deal with."""
    body = {"type": "message", "message": {"type": "text", "id": key, "text": text}}
    chat, now = id_of(who), datetime.now(UTC)
    workspace = office.line.home.destination
    event = Delivered(
        office.organisation.id, "line", workspace, key, chat, chat, "message", body, now,
        ignored=True,
    )  # fmt: skip
    await store(office.house.engine, [event])
    return Arrival(
        event.id, event.organisation_id, "line", workspace, key, chat, chat, "message", body, now
    )


async def again(office: Office, arrival: Arrival) -> Arrival:
    """The same, as whoever goes on after a crash reads it."""
    [row] = await office.rows("select body from arrivals where key = :key", key=arrival.key)
    return replace(arrival, body={**arrival.body, **row.body}, attempts=1)


async def test_what_was_read_as_one_is_read_as_one_after_a_crash(
    quiet_office: Office, door: Door
) -> None:
    office = quiet_office
    first = await arrived(office, "k1", "見積 株式会社ABC商事")
    second = await arrived(office, "k2", "モニター5台")
    assert (await events.patience(door, [first, second])).total_seconds() > 1
    assert await events.handle(door, [first, second]) == [first, second]
    [task] = await office.rows("select text from tasks")
    assert task.text == "株式会社ABC商事\nモニター5台"
    third = await arrived(office, "k3", "キーボード10個")
    a, b = await again(office, first), await again(office, second)
    assert not await events.patience(door, [a, b, third])
    assert await events.handle(door, [a, b, third]) == [a, b]
    assert await events.handle(door, [third]) == [third]
    texts = [row.text for row in await office.rows("select text from tasks order by reference")]
    assert texts == ["株式会社ABC商事\nモニター5台", "キーボード10個"]


async def test_what_went_in_alone_takes_nothing_in_after_a_crash(
    quiet_office: Office, door: Door
) -> None:
    office = quiet_office
    first = await arrived(office, "k1", "見積 株式会社ABC商事 モニター5台")
    await events.handle(door, [first])
    later = await arrived(office, "k2", "見積 株式会社ABC商事 マウス3個")
    extra = await arrived(office, "k3", "キーボード1個")
    assert len(await events.handle(door, [await again(office, first), extra, later])) == 1
    assert len(await events.handle(door, [extra, later])) == 1, "it begins with the agent's word"
    await events.handle(door, [later])
    assert await office.count("tasks") == 3


async def test_an_answer_that_line_did_not_take_is_given_once_later(office: Office) -> None:
    office.line.fail_next("replyMessage", status=500)
    await office.people.say("ヘルプ", "花子")
    await office.said("花子", "見積")
    office.line.fail_next("replyMessage", after=True, reset=True)
    await office.people.say("一覧", "花子")
    await office.until("select 1 from arrivals having count(*) filter (where state = 'done') = 2")
    assert len(office.line.said("花子")) == 2
