"""Dead letters: listed with their reason, sent once more under the same key, or dropped."""

from uuid import UUID

import pytest

from core.errors import OutcomeUnknown, Permanent, Refused, Unknown
from core.ids import new_id
from core.settings import Settings
from core.unit import unit
from core.words import same
from notifier.hub.dead import Dead, by_beginning, dead, drop, replay
from tests.core.house import Office
from tests.notifier.hub.test_sending import Sending


@pytest.fixture
async def sending(office: Office) -> Sending:
    return Sending(office, Settings(secret_key=None))


async def listed(sending: Sending, **only: str) -> list[Dead]:
    async with sending.house.engine.connect() as connection:
        return list(await dead(connection, sending.organisation, **only))  # type: ignore[arg-type]


async def again(sending: Sending, *ids: UUID, to: str | None = None) -> int:
    async with unit(sending.house) as work:
        return await replay(work, sending.organisation, ids, to=to)


async def test_what_was_blocked_is_replayed_under_its_key(sending: Sending) -> None:
    wall = sending.office.wall
    wall.unreachable["boss"] = same("blocked")
    await sending.tell()
    await sending.send()
    [letter] = await listed(sending)
    assert (letter.state, letter.reason, letter.title) == ("failed", "blocked", "Disk")
    assert letter.person == "Boss"
    assert await listed(sending, topic="log.*") == []
    assert await listed(sending, topic="alert.*", channel="wall") == [letter]

    wall.unreachable.clear()
    assert await again(sending, letter.id) == 1
    assert await again(sending, letter.id) == 0  # it is under way
    await sending.send()
    assert wall.sends == [str(letter.id)]
    assert await listed(sending) == []
    said = await sending.tags()
    assert said[-3:] == ["dispatch:replayed", "dispatch:sending", "dispatch:sent"]
    row = await sending.office.row(
        "select unreachable_since from accounts where organisation_id = :o"
        " and external_id = 'boss'", {"o": sending.organisation},
    )  # fmt: skip
    assert row.unreachable_since is None


async def test_one_goes_to_a_corrected_address_and_another_is_dropped(sending: Sending) -> None:
    wall = sending.office.wall
    for title in ("one", "two"):
        wall.troubles = [Permanent(same("no such room"))]
        await sending.tell(facts={"title": title})
        await sending.send()
    one, two = await listed(sending)
    assert await again(sending, one.id, to="room-2") == 1
    async with unit(sending.house) as work:
        assert await drop(work, sending.organisation, [two.id]) == 1
        assert await drop(work, sending.organisation, [two.id, one.id]) == 0
    await sending.send()
    assert wall.rooms == {str(one.id): "room-2"}
    assert await sending.rows("state, reason") == [("sent", None), ("dropped", "by_hand")]


async def test_what_may_have_arrived_is_looked_for_and_not_sent_twice(sending: Sending) -> None:
    wall = sending.office.wall
    wall.lose_answer, wall.deaf = True, OutcomeUnknown("no history")
    await sending.tell()
    await sending.send()
    await sending.due()
    await sending.send()
    [letter] = await listed(sending)
    assert letter.state == "unknown"
    wall.deaf = None
    assert await again(sending, letter.id) == 1
    await sending.send()
    assert len(wall.sends) == 1
    assert await sending.rows() == ["sent"]


async def test_a_beginning_says_which_only_where_it_is_one_of_ours(sending: Sending) -> None:
    sending.office.wall.unreachable["boss"] = same("blocked")
    for _ in range(2):
        await sending.tell()
    await sending.send()
    one, _ = await listed(sending)
    async with sending.house.engine.connect() as connection:
        assert await by_beginning(connection, sending.organisation, str(one.id)) == one
        with pytest.raises(Refused):
            await by_beginning(connection, sending.organisation, str(one.id)[:3])
        for wrong in ("", "%", "zz"):
            with pytest.raises(Unknown):
                await by_beginning(connection, sending.organisation, wrong)
        with pytest.raises(Unknown):
            await by_beginning(connection, new_id(), str(one.id))
