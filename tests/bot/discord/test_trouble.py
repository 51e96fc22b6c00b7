"""What goes wrong at Discord: nothing is lost, nothing is said twice, and what lacks has a name."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from bot.discord import limits
from bot.discord.api import Api, DiscordRefused, Invalid
from bot.discord.doctor import INVITE, PERMISSIONS, check, missing
from bot.discord.gateway import Gateway, door_of
from bot.discord.outbound import SEND_MESSAGES, DiscordOutbound
from core import people
from core.errors import OutcomeUnknown, Permanent, SlowDown, TryLater, Unreachable
from core.inbound import Sender
from core.messages import Attachment, Button, Message
from core.ports import Place
from core.settings import DiscordSettings
from tests.bot.discord.conftest import Office

pytestmark = pytest.mark.timeout(120)


def _outbound(office: Office) -> DiscordOutbound:
    found = office.house.outbounds["discord"]
    assert isinstance(found, DiscordOutbound)
    return found


def _place(office: Office, **more: object) -> Place:
    given = {"channel": office.channel.id, "thread": None, "account": office.users["hanako"].id}
    return Place(office.organisation.id, office.discord.home.id, **(given | more))  # type: ignore[arg-type]


async def test_a_message_whose_answer_got_lost_is_found_and_is_not_posted_again(
    quiet_office: Office,
) -> None:
    office, outbound = quiet_office, _outbound(quiet_office)
    place, key = _place(office), str(uuid4())
    assert await outbound.find(place, key, None) is None
    office.discord.fail_next("create_message", reset=True, after=True)
    with pytest.raises((OutcomeUnknown, TryLater)):
        await outbound.send(place, Message("一度だけ"), key)
    found = await outbound.find(place, key, None)
    assert found is not None
    [there] = office.discord.said(office.channel, "一度だけ")
    assert found.id == there.id
    sent = await outbound.send(place, Message("一度だけ"), key)  # its nonce is known
    assert sent.id == there.id
    edited = await outbound.edit(place, found, Message("直しました"), key)
    assert edited.id == there.id
    assert "直しました" in there.text


async def test_a_channel_that_is_closed_is_told_by_name_and_the_person_hears_directly(
    quiet_office: Office,
) -> None:
    office, outbound = quiet_office, _outbound(quiet_office)
    office.channel.bot_may &= ~(1 << 11)
    sent = await outbound.send(_place(office), Message("お知らせ"), str(uuid4()))
    assert sent.channel == office.users["hanako"].id
    [said] = office.discord.said(office.users["hanako"], "お知らせ")
    assert "投稿できない" in said.text
    with pytest.raises(Unreachable):
        await outbound.send(_place(office, account=None), Message("お知らせ"), str(uuid4()))
    with pytest.raises(DiscordRefused, match=SEND_MESSAGES):
        await outbound.api.call(
            "POST",
            "/channels/{channel_id}/messages",
            {"content": "x", "allowed_mentions": {"parse": []}},
            needs=SEND_MESSAGES,
            channel_id=office.channel.id,
        )


async def test_a_file_that_is_too_large_goes_as_a_link_or_is_said_to_be(
    quiet_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, outbound = quiet_office, _outbound(quiet_office)

    async def read(organisation_id: object, sha256: str) -> bytes:
        return b"x" * 2_000

    monkeypatch.setattr(outbound, "_read_file", read)
    monkeypatch.setattr(limits, "UPLOAD", {0: 1_000})
    file = Attachment("0" * 64, "見積書.pdf", "application/pdf")
    sent = await outbound.upload(_place(office), file, Message("できました"), str(uuid4()))
    [said] = office.discord.said(office.channel, "できました")
    assert said.id == sent.id
    assert not said.files
    assert "大きすぎて" in said.text
    monkeypatch.setattr(limits, "UPLOAD", {0: 10_000})
    await outbound.upload(_place(office), file, Message("二つ目"), str(uuid4()))
    [said] = office.discord.said(office.channel, "二つ目")
    assert said.files[0].data == b"x" * 2_000


async def test_a_long_wait_is_told_to_all_workers_and_a_short_one_is_sat_out(
    quiet_office: Office,
) -> None:
    office, outbound = quiet_office, _outbound(quiet_office)
    office.discord.fail_next("create_message", status=429, retry_after=0.05)
    await outbound.send(_place(office), Message("すぐ"), str(uuid4()))
    office.discord.fail_next("create_message", status=429, retry_after=7.0)
    with pytest.raises(SlowDown) as slow:
        await outbound.send(_place(office), Message("あとで"), str(uuid4()))
    assert slow.value.after == timedelta(seconds=7)


async def test_a_button_that_is_longer_than_an_id_works_after_a_restart(
    quiet_office: Office,
) -> None:
    office, outbound = quiet_office, _outbound(quiet_office)
    value = ",".join(str(uuid4()) for _ in range(4))
    button = Button("approve_all", "まとめて承認", value, "primary")
    await outbound.send(_place(office), Message("承認待ち", buttons=(button,)), str(uuid4()))
    [row] = await office.rows("select action, value from presses")
    assert (row.action, row.value) == ("approve_all", value)
    [said] = office.discord.said(office.channel, "承認待ち")
    reply = await office.driver.click(said, "まとめて承認", office.users["ichiro"])
    assert (await reply.message()).text


async def test_what_happens_while_the_gateway_is_away_is_told_afterwards(
    quiet_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.discord.gateway._BETWEEN_SESSIONS", 0.0)
    office, hanako = quiet_office, quiet_office.users["hanako"]
    await office.discord.gateway.drop()
    await office.driver.say("help", hanako)
    await office.discord.wait_for(lambda: office.discord.said(hanako, "見積"), 10.0)
    before = office.discord.gateway.open
    await office.discord.gateway.invalidate(resumable=False)
    gateway = office.discord.gateway
    await office.discord.wait_for(
        lambda: [each for each in gateway.open if all(each is not old for old in before)], 10.0
    )
    await office.driver.say("status", hanako)
    await office.discord.wait_for(lambda: len(office.discord.said(hanako)) >= 2, 10.0)


async def test_two_processes_hear_the_same_and_answer_once(quiet_office: Office) -> None:
    office, hanako = quiet_office, quiet_office.users["hanako"]
    said = await office.driver.say("help", hanako)
    await office.driver.echo(said)
    await office.discord.wait_for(lambda: office.discord.said(hanako, "見積"))
    door = door_of(office.built.opening)
    assert door is not None
    while running := door.outbound.chores._running:
        await asyncio.wait(running)
    assert len(office.discord.said(hanako, "見積")) == 1


async def test_roles_of_the_guild_become_roles_here_and_no_others_are_touched(
    quiet_office: Office,
) -> None:
    office = quiet_office
    door = door_of(office.built.opening)
    assert door is not None
    door.roles._map.update({"777": "approver", "778": "accountant"})
    hanako = office.users["hanako"]

    async def roles() -> set[str]:
        async with office.house.engine.connect() as connection:
            sender = Sender("discord", office.discord.home.id, hanako.id)
            person = await people.who(connection, sender)
        assert person is not None
        return set(person.roles)

    body = {
        "guild_id": office.discord.home.id,
        "channel_id": office.channel.id,
        "channel": {"id": office.channel.id, "type": 0},
        "member": {"user": {"id": hanako.id}, "roles": ["777", "999"]},
    }
    await door.roles.follow(await door.act(body))
    assert await roles() == {"requester", "approver"}
    body["member"] = {"user": {"id": hanako.id}, "roles": []}
    await door.roles.follow(await door.act(body))
    assert await roles() == {"requester"}
    outside = {"user": {"id": hanako.id}, "channel_id": "1"}
    await door.roles.follow(await door.act(outside))
    assert await roles() == {"requester"}


async def test_the_doctor_names_the_intent_and_the_permissions_that_are_missing(
    quiet_office: Office,
) -> None:
    found = await check(quiet_office.built.opening)
    assert all(each.well for each in found), [each.what.en for each in found if not each.well]
    assert missing(INVITE) == []
    assert missing(1 << 3) == []
    assert missing(INVITE & ~PERMISSIONS["Attach Files"]) == ["Attach Files"]
    assert len(missing(0)) == len(PERMISSIONS)


async def test_a_guild_belongs_to_one_organisation_and_is_forgotten_when_we_are_put_out(
    quiet_office: Office,
) -> None:
    office = quiet_office
    guilds = _outbound(office).guilds

    async def rows() -> list[tuple[str, bool]]:
        async with office.house.engine.connect() as connection:
            said = await connection.execute(
                text("select workspace, removed_at is null as here from installations")
            )
            return [(row.workspace, row.here) for row in said]

    async def known() -> bool:
        return await rows() == [(office.discord.home.id, True)]

    for _ in range(100):
        if await known():
            break
        await asyncio.sleep(0.02)
    assert await known()
    await guilds.left(office.discord.home.id)
    assert await rows() == [(office.discord.home.id, False)]


def test_too_many_refusals_stop_the_calls_long_before_discord_does() -> None:
    invalid = Invalid(most=3)
    for _ in range(3):
        invalid.check()
        invalid.count(403)
    with pytest.raises(TryLater) as wait:
        invalid.check()
    assert wait.value.after is not None
    assert wait.value.after > timedelta(minutes=9)


async def test_a_token_that_is_wrong_is_said_to_be(quiet_office: Office) -> None:
    settings = DiscordSettings(bot_token="wrong", api_url=quiet_office.discord.api_url)  # type: ignore[arg-type]
    api = Api(settings)
    try:
        with pytest.raises(Permanent, match="DISCORD_BOT_TOKEN"):
            await api.me()
    finally:
        await api.close()


async def test_two_shards_are_two_sessions(
    quiet_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, before = quiet_office, set(map(id, quiet_office.discord.gateway.open))
    door = door_of(office.built.opening)
    assert door is not None
    monkeypatch.setattr("bot.discord.gateway._BETWEEN_SESSIONS", 0.0)
    client = Gateway(door, reads=True, shards=2)
    running = asyncio.create_task(client.start(office.discord.world.bot_token))
    try:
        await office.discord.wait_for(
            lambda: len([s for s in office.discord.gateway.open if id(s) not in before]) == 2, 10.0
        )
    finally:
        await client.close()
        running.cancel()
        await asyncio.wait([running])


async def test_who_takes_no_messages_is_told_elsewhere_until_they_write(
    quiet_office: Office,
) -> None:
    office, outbound = quiet_office, _outbound(quiet_office)
    hanako = office.users["hanako"]

    async def lost() -> bool:
        said = await office.rows(
            "select unreachable_since is not null as lost from accounts where external_id = :user",
            user=hanako.id,
        )
        return bool(said[0].lost)

    office.discord.fail_next("create_message", status=403, code=50007)
    place = _place(office, channel=hanako.id, direct=True)
    with pytest.raises(Unreachable):
        await outbound.send(place, Message("お知らせ"), str(uuid4()))
    assert await lost()
    await office.driver.say("help", hanako)
    for _ in range(200):
        if not await lost():
            break
        await asyncio.sleep(0.02)
    assert not await lost()
