"""Interactions whose time runs out: said once, by another way where the token is no good."""

import asyncio
from typing import Any

import pytest

from bot.discord import interactions, limits
from bot.discord.act import Act, Json
from bot.discord.gateway import door_of
from bot.discord.turn import DEFERRED, Turn, by_call
from core.inbound import Spot
from core.messages import Message
from tests.bot.discord.conftest import Office

pytestmark = pytest.mark.timeout(120)


async def _turn(office: Office) -> tuple[Any, Turn, Act]:
    """An interaction of which the house was not told: to be answered by hand."""
    world, hanako = office.discord.world, office.users["hanako"]
    data: Json = {"id": "1", "name": "miyabi", "type": 1, "options": []}
    made = world.interaction(2, hanako, office.channel, data)
    door = door_of(office.built.opening)
    assert door is not None
    turn = Turn(door.outbound.api, made.payload, by_call(door.outbound.api, made.payload))
    act = Act(office.discord.home.id, hanako.id, Spot(office.channel.id))
    return door, turn, act


async def _all_done(office: Office) -> None:
    """Whatever was begun for deliveries has come to its end."""
    door = door_of(office.built.opening)
    assert door is not None
    await asyncio.sleep(0.05)  # the gateway's frame is on its way through a socket
    while running := door.outbound.chores._running:
        await asyncio.wait(running)


async def test_what_takes_a_while_is_deferred_and_its_answer_takes_the_same_place(
    quiet_office: Office,
) -> None:
    door, turn, act = await _turn(quiet_office)
    await turn.defer()
    await door.whisper(turn, act, Message("できました"))
    made = quiet_office.discord.world.interactions[turn.id]
    assert [each["type"] for each in made.callbacks] == [DEFERRED]
    [said] = [m for m in made.messages if not m.deleted]
    assert "できました" in said.text
    assert not said.loading
    assert said.only_for == act.user


async def test_after_minute_14_the_bot_says_it_by_itself_and_once(quiet_office: Office) -> None:
    office = quiet_office
    door, turn, act = await _turn(office)
    await turn.defer()
    turn.began -= limits.TOKEN_MINUTES * 60
    before = len(office.discord.calls)
    await door.whisper(turn, act, Message("四十分かかりました"), open_to_all=True)
    [said] = office.discord.said(office.channel, "四十分かかりました")
    assert said.only_for is None
    assert not any("webhook" in call.operation for call in office.discord.calls[before:])


async def test_a_token_that_ended_all_the_same_is_given_up_for_a_message(
    quiet_office: Office,
) -> None:
    office = quiet_office
    door, turn, act = await _turn(office)
    await turn.defer()
    office.discord.pass_time(16 * 60)
    await door.whisper(turn, act, Message("番号 1234"))
    assert office.discord.said(office.users["hanako"], "番号 1234")
    assert not office.discord.said(office.channel, "番号 1234")


async def test_an_interaction_that_discord_does_not_know_any_more_is_answered_in_the_channel(
    quiet_office: Office,
) -> None:
    office = quiet_office
    office.discord.fail_next("create_interaction_response", status=404, code=10062)
    options = {"text": "株式会社ABC商事 モニター5台"}
    hanako = office.users["hanako"]
    reply = await office.driver.slash("miyabi quote", hanako, office.channel, options)
    said = await office.said("受け付けました")
    assert said.channel == office.channel.id
    await office.driver.redeliver(reply)
    await _all_done(office)
    assert len(office.saying("受け付けました")) == 1
    assert (await office.rows("select count(*) as n from tasks"))[0].n == 1


async def test_an_answer_that_got_lost_on_its_way_back_is_not_said_twice(
    quiet_office: Office,
) -> None:
    office = quiet_office
    door, turn, act = await _turn(office)
    office.discord.fail_next("create_interaction_response", reset=True, after=True)
    await door.whisper(turn, act, Message("一度だけ"))
    assert len(office.saying("一度だけ")) == 1


async def test_slow_work_is_deferred_within_the_three_seconds(
    quiet_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "AT_ONCE", 0.0)
    office = quiet_office
    reply = await office.driver.slash("miyabi help", office.users["hanako"], office.channel)
    said = await reply.message()
    assert [each["type"] for each in reply.interaction.callbacks] == [DEFERRED]
    assert said.text


async def test_what_raises_leaves_nobody_waiting(
    quiet_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(interactions.commands, "chosen", breaks)
    door, turn, _ = await _turn(quiet_office)
    await turn.defer()
    await interactions.on_interaction(door, turn)
    made = quiet_office.discord.world.interactions[turn.id]
    assert all(message.deleted for message in made.messages)
