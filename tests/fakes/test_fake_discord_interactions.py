"""Commands, buttons, forms and their tokens at the fake, and what it refuses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
import pytest
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from discord import app_commands

from tests.fakes.discord import limits
from tests.fakes.discord.app import App, running
from tests.fakes.discord.driver import NoSuchComponent
from tests.fakes.discord.server import FakeDiscord


class Reason(discord.ui.Modal, title="差戻し"):
    """Asks why."""

    reason: "discord.ui.TextInput[Reason]" = discord.ui.TextInput(label="理由", custom_id="reason")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"why: {self.reason.value}", ephemeral=True)


class Decider(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"do:(?P<a>.+)"):
    """Buttons without a state of their own."""

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[discord.ui.View], match: object
    ) -> "Decider":
        assert isinstance(item, discord.ui.Button)
        return cls(item)

    async def callback(self, interaction: discord.Interaction) -> None:
        if self.custom_id == "do:reject":
            await interaction.response.send_modal(Reason())
        else:
            await interaction.response.edit_message(content=f"{self.custom_id} done", view=None)


def commands(app: App) -> None:
    """What the app under test offers."""

    @app.tree.command(name="quote", description="d")
    async def quote(interaction: discord.Interaction, customer: str) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.followup.send(f"quote for {customer}")
        await interaction.followup.send("and more", ephemeral=True)

    @quote.autocomplete("customer")
    async def customers(
        interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{typed}商事", value="C001")]

    @app.tree.context_menu(name="Make a quote from this")
    async def from_message(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"from {message.content}")

    app.add_dynamic_items(Decider)


@asynccontextmanager
async def deciding() -> AsyncIterator[tuple[FakeDiscord, App]]:
    async with FakeDiscord() as fake:
        fake.world.check_answers = True
        app = App()
        commands(app)
        async with running(fake, app):
            await app.tree.sync()
            yield fake, app
        assert [str(each) for each in fake.violations] == []


async def test_commands_with_what_is_offered_while_typing() -> None:
    async with deciding() as (fake, _):
        taro, people = fake.person("taro"), fake.driver()
        offered = await people.autocomplete("/quote", "customer", "山", taro, fake.general)
        reply = await people.slash("/quote", taro, fake.general, {"customer": "C001"})
        await reply.message("and more")
        wish = await people.say("見積 10個", taro, fake.general)
        other = await people.message_command("Make a quote from this", wish, taro)
        await other.message("from 見積 10個")
        with pytest.raises(NoSuchComponent, match="needs"):
            await people.slash("/quote", taro, fake.general)

    assert offered == [{"name": "山商事", "value": "C001"}]
    assert [m.content for m in reply.messages] == ["quote for C001", "and more"]
    assert {m.only_for for m in reply.messages} == {taro.id}


async def test_a_button_of_a_month_ago_and_the_form_it_opens() -> None:
    async with deciding() as (fake, app):
        taro, people = fake.person("taro"), fake.driver()
        view = discord.ui.View(timeout=None)
        for label, name in (("承認", "do:approve"), ("差戻し", "do:reject")):
            view.add_item(discord.ui.Button(label=label, custom_id=name))
        await app.get_partial_messageable(int(fake.general.id)).send("card", view=view)
        [card] = fake.said(fake.general, "card")
        fake.pass_time(31 * 86_400)
        opened = await people.click(card, "差戻し", taro)
        await opened.answered()
        why = await people.submit(opened, {"理由": "高い"}, taro)
        await why.message("why: 高い")
        done = await people.click(card, "承認", taro)
        await done.answered()
        with pytest.raises(NoSuchComponent):
            await people.click(card, "承認", taro)

    assert card.text == "do:approve done"


async def test_tokens_die_and_answers_are_given_once() -> None:
    async with deciding() as (fake, app):
        taro = fake.person("taro")
        http, webhook = app.http, int(fake.world.application_id)

        async def answer(kind: int, made: object) -> None:
            interaction = made
            route = discord.http.Route(
                "POST",
                f"/interactions/{interaction.id}/{interaction.token}/callback",  # type: ignore[attr-defined]
            )
            await http.request(route, json={"type": kind, "data": {"content": "x"}})

        made = fake.world.interaction(2, taro, fake.general, {"id": "1", "name": "n", "type": 1})
        await answer(4, made)
        with pytest.raises(discord.HTTPException) as twice:
            await answer(4, made)
        late = fake.world.interaction(2, taro, fake.general, {"id": "1", "name": "n", "type": 1})
        fake.pass_time(3.5)
        with pytest.raises(discord.NotFound) as over:
            await answer(4, late)
        fake.pass_time(15 * 60)
        route = discord.http.Route("POST", f"/webhooks/{webhook}/{made.token}")
        with pytest.raises(discord.HTTPException) as dead:
            await http.request(route, json={"content": "late"})

    assert [each.value.code for each in (twice, over, dead)] == [40060, 10062, 50027]


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        (limits.VIEW_CHANNEL, 50001),
        (limits.SEND_MESSAGES, 50013),
        (limits.EMBED_LINKS, 50013),
        (limits.CREATE_PUBLIC_THREADS, 50013),
    ],
)
async def test_what_the_bot_may_not_do_is_refused(missing: int, code: int) -> None:
    async with deciding() as (fake, app):
        fake.general.bot_may &= ~missing
        place = app.get_partial_messageable(int(fake.general.id))

        async def do_all() -> None:
            said = await place.send("x", embed=discord.Embed(title="t"))
            route = discord.http.Route("POST", f"/channels/{place.id}/messages/{said.id}/threads")
            await app.http.request(route, json={"name": "t"})

        with pytest.raises(discord.Forbidden) as raised:
            await do_all()

    assert raised.value.code == code
    assert fake.world.invalid == 1


@pytest.mark.parametrize(
    "body",
    [
        {"content": "x" * 2001},
        {"embeds": [{"description": "x" * 4000}, {"description": "x" * 2001}]},
        {"embeds": [{"title": "x" * 257}]},
        {"content": "x", "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "a"}]},
        {"content": "x", "flags": 1 << 15, "components": [{"type": 10, "content": "y"}]},
        {"components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "c" * 101}]}]},  # noqa: E501
        {"components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "c"}] * 2}]},  # noqa: E501
        {"content": "@everyone"},
        {"content": ""},
        {"content": "x", "colour": 1},
    ],
)  # fmt: skip
async def test_what_discord_would_not_take_is_refused_or_reported(body: limits.Json) -> None:
    async with FakeDiscord() as fake:
        assert fake.session is not None
        answer = await fake.session.post(
            f"{fake.api_url}/channels/{fake.general.id}/messages",
            json=body,
            headers={"Authorization": f"Bot {fake.world.bot_token}"},
        )

    assert fake.violations or answer.status == 400


async def test_requests_are_signed_over_the_raw_bytes_and_answered_in_the_body() -> None:
    async with FakeDiscord() as fake:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(fake.public_key))

        async def serve(request: web.Request) -> web.Response:
            raw, moment = await request.read(), request.headers["X-Signature-Timestamp"]
            try:
                key.verify(
                    bytes.fromhex(request.headers["X-Signature-Ed25519"]), moment.encode() + raw
                )
            except InvalidSignature:
                return web.Response(status=401)
            body = await request.json()
            if body["type"] == 1:
                return web.json_response({"type": 1})
            return web.json_response({"type": 4, "data": {"content": "hi", "flags": 64}})

        app = web.Application()
        app.router.add_post("/discord/interactions", serve)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        people = fake.driver(f"http://127.0.0.1:{runner.addresses[0][1]}")
        pinged = await people.ping()
        forged = await people.raw(b'{"type":1}', people.signed(b"{}"))
        taro = fake.person("taro")
        made = fake.world.interaction(2, taro, fake.general, {"id": "1", "name": "n", "type": 1})
        reply = await people.deliver(made)
        await runner.cleanup()

    assert (pinged, forged[0]) == ((200, {"type": 1}), 401)
    assert [(m.text, m.only_for) for m in reply.messages] == [("hi", taro.id)]
