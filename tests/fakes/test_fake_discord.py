"""The fake of Discord, driven by discord.py over real sockets."""

import asyncio
import io
from collections.abc import AsyncIterator

import discord
import pytest

from tests.fakes.discord import sample
from tests.fakes.discord.app import App, running
from tests.fakes.discord.limits import MESSAGE_CONTENT
from tests.fakes.discord.server import FakeDiscord

needs_sample = pytest.mark.skipif(not sample.SESSION.is_file(), reason="the samples are not here")


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as running_fake:
        running_fake.world.check_answers = True
        yield running_fake
        assert [str(each) for each in running_fake.violations] == []


@needs_sample
async def test_the_sample_session_is_played_and_nothing_is_lost_where_it_breaks_off(
    fake: FakeDiscord,
) -> None:
    async with running(fake) as app:
        await sample.play(fake, 0, 2)
        await fake.wait_for(lambda: len(app.heard) == 2)
        await fake.gateway.drop()
        await sample.play(fake, 2)  # while nobody is connected
        await fake.wait_for(lambda: len(app.heard) == 4 and app.resumes == 1, 10)

    assert app.heard == [
        "interaction 2 900000000000000070",
        "interaction 3 900000000000000080",
        "interaction 5 900000000000000090",
        "message <@900000000000000001> 見積 10個",
    ]
    assert len(fake.gateway.seen.identified) == 1


async def test_a_client_comes_again_when_asked_and_resumes(fake: FakeDiscord) -> None:
    taro = fake.person("taro")
    async with running(fake) as app:
        await fake.gateway.reconnect()
        await fake.wait_for(lambda: fake.gateway.seen.resumed and fake.gateway.open, 10)
        await fake.driver().say("見積", taro, fake.general)
        await fake.wait_for(lambda: app.heard == ["message 見積"])

    assert fake.gateway.seen.resumed[0]["seq"] >= 2


async def test_a_session_that_is_over_is_begun_anew(fake: FakeDiscord) -> None:
    taro = fake.person("taro")
    async with running(fake) as app:
        await fake.gateway.invalidate()
        await fake.wait_for(lambda: len(fake.gateway.seen.identified) == 2)
        await fake.connected()
        await fake.driver().say("見積", taro, fake.general)
        await fake.wait_for(lambda: app.heard == ["message 見積"])


async def test_heartbeats_that_nobody_acknowledges_end_the_connection(fake: FakeDiscord) -> None:
    fake.gateway.heartbeat_ms = 100
    app = App()
    app._connection.heartbeat_timeout = 0.3
    async with running(fake, app):
        await fake.wait_for(lambda: fake.gateway.seen.heartbeats)
        fake.gateway.deaf = True
        await fake.wait_for(lambda: fake.gateway.seen.closed, 10)
        fake.gateway.deaf = False
        await fake.wait_for(lambda: fake.gateway.seen.resumed, 10)


async def test_an_intent_that_is_not_granted_is_refused_by_name(fake: FakeDiscord) -> None:
    fake.world.granted_intents &= ~MESSAGE_CONTENT
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with running(fake):
            await asyncio.sleep(5)


async def test_without_the_intent_only_what_calls_the_bot_has_its_words(fake: FakeDiscord) -> None:
    taro = fake.person("taro")
    async with running(fake, App(content=False)) as app:
        people = fake.driver()
        await people.say("secret", taro, fake.general)
        await people.say("見積", taro, fake.general, mention=True)
        await people.say("direct", taro)
        await fake.wait_for(lambda: len(app.heard) == 3)

    assert app.heard == ["message ", f"message <@{fake.world.bot.id}> 見積", "message direct"]


async def test_messages_threads_files_and_edits(fake: FakeDiscord) -> None:
    taro = fake.person("taro")
    async with running(fake) as app:
        channel = await app.fetch_channel(int(fake.general.id))
        assert isinstance(channel, discord.TextChannel)
        view = discord.ui.View(timeout=None)
        view.add_item(discord.ui.Button(label="承認", custom_id="a:1"))
        embed = discord.Embed(title="見積", description="d").add_field(name="n", value="v")
        said = await channel.send("見積", embed=embed, view=view)
        thread = await said.create_thread(name="#1042")
        file = discord.File(io.BytesIO(b"%PDF-1"), "見積.pdf")
        await thread.send("file", file=file, reference=said)
        await said.edit(content="承認済み", view=None)
        assert [m.content async for m in channel.history(limit=5)] == ["承認済み"]
        user = await app.fetch_user(int(taro.id))
        await user.send("direct")

    [shown] = fake.said(fake.general)
    assert (shown.text, len(shown.versions)) == ("承認済み\n見積\nd\nn\nv", 2)
    attached = fake.said(fake.world.channels[shown.id], "file")[0].files[0]
    assert (attached.name, attached.data) == ("見積.pdf", b"%PDF-1")
    assert [m.content for m in fake.said(taro)] == ["direct"]


async def test_a_429_is_waited_out_and_counted(fake: FakeDiscord) -> None:
    fake.fail_next("create_message", status=429, retry_after=0.05, times=2)
    fake.world.paces["create_message"] = (1, 0.2)
    async with running(fake) as app:
        channel = await app.fetch_channel(int(fake.general.id))
        assert isinstance(channel, discord.TextChannel)
        for number in range(2):
            await channel.send(str(number))

    assert [m.content for m in fake.said(fake.general)] == ["0", "1"]
    assert fake.world.invalid == 2


async def test_a_429_without_via_is_no_pace(fake: FakeDiscord) -> None:
    fake.fail_next("create_message", status=429, via=False)
    async with running(fake) as app:
        channel = app.get_partial_messageable(int(fake.general.id))
        with pytest.raises(discord.HTTPException) as raised:
            await channel.send("x")

    assert raised.value.status == 429
