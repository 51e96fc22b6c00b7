"""Places: sealed at rest, off when they are gone, and their owner told once."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from core.db import from_json
from core.errors import Permanent, Refused
from core.messages import Message
from core.settings import Settings
from core.tags import Tag
from core.unit import unit
from core.words import same
from miyabi.plugins import all_channels
from notifier.hub import places
from notifier.hub.place_checks import checked, renewed
from notifier.hub.places import NoticePlace
from notifier.hub.plain import plain
from notifier.hub.told import Told
from tests.core.conftest import office
from tests.core.house import Office
from tests.fakes.webhooks.receiver import Receiver
from tests.notifier.channels.posts import NOTICE, OPEN

__all__ = ["office"]

CHANNELS = all_channels()
URL = "https://hooks.example.com/x"


async def _added(office: Office, **more: object) -> NoticePlace:
    bare = places.made(
        office.organisation.id, "ops", "webhook", URL, secrets={"authorization": "hush"}, **more
    )
    place = checked(office.house, Settings(), CHANNELS, bare)
    async with unit(office.house) as work:
        await places.add(work, office.house, place)
    return place


async def _events(office: Office, tag: Tag) -> int:
    row = await office.row("select count(*) as n from audit_events where tag = :t", {"t": str(tag)})
    return int(row.n)


async def test_what_opens_it_is_sealed_and_bound_to_its_row(office: Office) -> None:
    place = await _added(office)
    other = places.made(office.organisation.id, "other", "webhook", URL, secrets={"secret": "x"})
    async with unit(office.house) as work:
        await places.add(work, office.house, other)
    row = await office.row("select * from notice_places where id = :id", {"id": place.id})
    async with office.house.engine.connect() as connection:
        found = await places.by_id(connection, office.house, office.organisation.id, place.id)
        nobodys = await places.by_id(connection, office.house, UUID(int=1), place.id)

    assert found == place
    assert nobodys is None
    assert b"hush" not in bytes(row.secrets)
    assert "hush" not in repr(place)
    await office.execute(
        "update notice_places set secrets = (select secrets from notice_places where name = 'ops')"
    )
    async with office.house.engine.connect() as connection:
        with pytest.raises(Permanent):
            await places.by_id(connection, office.house, office.organisation.id, other.id)


async def test_one_that_is_gone_is_off_and_its_owner_hears_of_it_once(office: Office) -> None:
    place = await _added(office, owner_id=office.boss.id)

    async def found_out() -> bool:
        async with unit(office.house) as work:
            return await places.turn_off(work, place, same("HTTP 410"))

    told = await asyncio.gather(*(found_out() for _ in range(4)))
    row = await office.row("select * from notices where topic = 'system.place_off'", {})
    async with unit(office.house) as work:
        again = [await places.turn_on(work, place) for _ in range(2)]

    assert sorted(told) == [False, False, False, True]
    assert from_json(row.recipients) == [{"kind": "person", "of": str(office.boss.id)}]
    assert from_json(row.facts)["name"] == "ops"
    assert again == [True, False]
    assert [await _events(office, tag) for tag in (Tag.PLACE_OFF, Tag.PLACE_ON)] == [1, 1]


@pytest.mark.parametrize("left", [True, False])
async def test_without_an_owner_the_admins_hear_of_it(office: Office, left: bool) -> None:
    """As well where the owner has left."""
    place = await _added(office, owner_id=office.boss.id if left else None)
    await office.execute("update people set active = false where handle = 'boss'")
    async with unit(office.house) as work:
        await places.turn_off(work, place, same("gone"))
    row = await office.row("select recipients from notices", {})

    assert from_json(row.recipients) == [{"kind": "role", "of": "admin"}]


async def test_a_name_is_taken_until_its_place_is_removed(office: Office) -> None:
    place = await _added(office)
    with pytest.raises(Refused):
        await _added(office)
    async with unit(office.house) as work:
        await places.remove(work, place)
    await _added(office)
    row = await office.row("select secrets from notice_places where id = :id", {"id": place.id})
    async with office.house.engine.connect() as connection:
        named = await places.every(connection, office.house, office.organisation.id)

    assert row.secrets is None
    assert [each.name for each in named] == ["ops"]


def _given(office: Office, **more: object) -> NoticePlace:
    bare = places.made(office.organisation.id, "ops", "webhook", URL)
    return replace(bare, **more)  # type: ignore[arg-type]


async def test_what_is_wrong_with_a_place_is_told_before_it_is_kept(office: Office) -> None:
    for wrong in (
        {"name": "a b"}, {"channel": "fax"}, {"settings": {"x": "1"}}, {"secrets": {"x": "1"}},
        {"address": "https://10.0.0.1/"}, {"secrets": {"secret": "whsec_short"}},
        {"channel": "wall", "secrets": {"url": "x"}},
    ):  # fmt: skip
        with pytest.raises(Refused):
            checked(office.house, Settings(), CHANNELS, _given(office, **wrong))


async def test_a_secret_is_renewed_and_the_one_before_counts_as_well(office: Office) -> None:
    place = await _added(office)
    once = replace(place, secrets=renewed(CHANNELS, place))
    twice = replace(once, secrets=renewed(CHANNELS, once))
    wall = _given(office, channel="wall")

    assert once.secrets["old_secret"] == place.secrets["secret"] != once.secrets["secret"]
    assert twice.secrets["old_secret"] == once.secrets["secret"]
    assert twice.secrets["authorization"] == "hush"
    assert renewed(CHANNELS, wall) == {}


async def test_a_program_is_told_the_notice_as_data(office: Office) -> None:
    """Through to what arrives, signed."""
    at = datetime(2026, 11, 27, 3, tzinfo=UTC)
    told = Told(UUID(int=7), office.organisation.id, "alert.disk", "high", {"host": "db1"}, at)
    message = plain(told, "en", "Asia/Tokyo")
    async with Receiver() as hook:
        given = _given(office, address=hook.url)
        place = checked(office.house, OPEN, CHANNELS, given)
        hook.secret = place.secrets["secret"]
        for _ in range(2):
            await CHANNELS["webhook"].send(
                OPEN, places.posting(place, message, places.as_data(told), "key-1")
            )

    [content] = hook.bodies.values()
    assert (content["type"], content["timestamp"]) == ("alert.disk", "2026-11-27T03:00:00+00:00")
    assert (content["data"]["facts"], content["data"]["count"]) == ({"host": "db1"}, 1)
    assert "db1" in content["data"]["text"]


async def test_a_channel_of_a_chat_is_a_place_as_well(office: Office) -> None:
    """What is said there goes by the platform's own way out."""
    given = _given(office, channel="wall", workspace="w1", address="room-7")
    place = checked(office.house, OPEN, CHANNELS, given)
    await places.tell(office.house, OPEN, CHANNELS, place, Message("hello"), NOTICE)

    assert office.wall.texts("room-7") == ["hello"]
