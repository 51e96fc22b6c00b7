"""Acts as the people in Discord towards the app: what they say, type, press and send.

Over the gateway, or, with an address, by requests signed as Discord signs them. Every act gives a
`Reply`; wait for what the app answers with `answered()`.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.fakes.discord import interactions
from tests.fakes.discord.checks import every
from tests.fakes.discord.limits import Json
from tests.fakes.discord.messages import attachment
from tests.fakes.discord.state import Attachment, Channel, Interaction, Message, User
from tests.fakes.discord.world import Ask, Call, DiscordError

if TYPE_CHECKING:
    from tests.fakes.discord.server import FakeDiscord

PATH = "/discord/interactions"


class NoSuchComponent(Exception):
    """There is nothing like this to press, choose or type into."""


@dataclass(slots=True)
class Reply:
    """What the app did with an act. `status`, `body`: of the request, where there was one."""

    discord: "FakeDiscord"
    interaction: Interaction
    status: int = 0
    body: str = ""
    elapsed: float = 0.0
    raw: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def modal(self) -> Json | None:
        return self.interaction.modal

    @property
    def messages(self) -> list[Message]:
        return self.interaction.messages

    async def answered(self, timeout: float = 3.0) -> Interaction:
        """Wait until the app has answered in any way."""
        await self.discord.wait_for(lambda: self.interaction.answered, timeout)
        return self.interaction

    async def message(self, words: str = "", timeout: float = 5.0) -> Message:
        """Wait for a message by this interaction's token that says this."""

        def said() -> Message | None:
            shown = [m for m in self.messages if not m.loading and not m.deleted]
            return next((m for m in shown if words in m.text), None)

        found = await self.discord.wait_for(said, timeout)
        assert found is not None
        return found


class Driver:
    """People using one bot in one guild (`home`), by the gateway or over HTTP."""

    def __init__(
        self, discord: "FakeDiscord", url: str | None = None, *, path: str = PATH, age: float = 0.0
    ) -> None:
        self.discord = discord
        self.world = discord.world
        self.url = None if url is None else url.rstrip("/") + path
        self.age = age

    # -- sending -----------------------------------------------------------------------------------

    async def deliver(self, interaction: Interaction) -> Reply:
        """Hand an interaction to the app."""
        reply = Reply(self.discord, interaction)
        if self.url is None:
            self.world.dispatch("INTERACTION_CREATE", interaction.payload, interaction.channel)
            await asyncio.sleep(0)
            return reply
        reply.raw = json.dumps(interaction.payload, ensure_ascii=False).encode()
        reply.headers = self.signed(reply.raw)
        await self._post(reply)
        return reply

    async def redeliver(self, reply: Reply) -> Reply:
        """Hand the very same to the app once more."""
        again = Reply(self.discord, reply.interaction, raw=reply.raw, headers=reply.headers)
        if self.url is None:
            self.world.dispatch(
                "INTERACTION_CREATE", reply.interaction.payload, reply.interaction.channel
            )
            await asyncio.sleep(0)
        else:
            await self._post(again)
        return again

    async def ping(self) -> tuple[int, Json | None]:
        """What Discord asks of an address before it takes it (and now and then wrongly signed)."""
        raw = json.dumps({"type": 1, "id": self.world.next_id(), "application_id": "1"}).encode()
        status, body = await self.raw(raw, self.signed(raw))
        return status, json.loads(body) if body.startswith("{") else None

    def signed(self, raw: bytes) -> dict[str, str]:
        """The headers of a request with this body: Ed25519 over the moment and the raw bytes."""
        moment = str(int(time.time() - self.age))
        signature = self.discord.key.sign(moment.encode() + raw).hex()
        return {
            "Content-Type": "application/json",
            "X-Signature-Ed25519": signature,
            "X-Signature-Timestamp": moment,
        }

    async def raw(self, raw: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """Send raw bytes with raw headers: also what Discord would never send."""
        session = self.discord.session
        assert session is not None, "needs a running fake"
        assert self.url is not None
        limit = aiohttp.ClientTimeout(total=5)
        try:
            async with session.post(self.url, data=raw, headers=headers, timeout=limit) as answer:
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError):
            return 0, ""

    async def _post(self, reply: Reply) -> None:
        began = time.monotonic()
        reply.status, reply.body = await self.raw(reply.raw, reply.headers)
        reply.elapsed = time.monotonic() - began
        if reply.status != 200 or not reply.body.startswith("{"):
            return
        ask = Ask(self.world, Call(began, "create_interaction_response", {}, {}, {}))
        ask.call.body = json.loads(reply.body)
        try:
            interactions.take(ask, reply.interaction, ask.json)
        except DiscordError as error:
            ask.wrong(f"the answer to the request is refused: {error.answer}")

    # -- words -------------------------------------------------------------------------------------

    async def say(
        self,
        text: str,
        user: User,
        place: Channel | None = None,
        *,
        mention: bool = False,
        files: Sequence[tuple[str, bytes]] = (),
        reply_to: Message | None = None,
    ) -> Message:
        """Write something, in a channel or (without one) to the bot alone."""
        channel = place or self.world.direct(user)
        words = f"<@{self.world.bot.id}> {text}" if mention else text
        body: Json = {"content": words}
        message = Message(self.world.next_id(), channel.id, user, body, self.world.moment())
        ask = Ask(self.world, Call(0, "say", {}, {}, {}))
        message.files = [attachment(ask, channel, name, data) for name, data in files]
        if f"<@{self.world.bot.id}>" in words:
            message.mentions = [self.world.bot]
        channel.messages[message.id] = message
        await self.echo(message, reply_to)
        return message

    async def echo(self, message: Message, reply_to: Message | None = None) -> None:
        """Tell the app of a message, also once more."""
        channel = self.world.channels[message.channel]
        guild = self.world.guild_of(channel)
        told = message.shown() | {"channel_type": channel.kind}
        if guild is not None:
            member = self.world.member_shown(guild, message.author)
            told |= {
                "guild_id": guild.id,
                "member": {k: v for k, v in member.items() if k != "user"},
            }
        if reply_to is not None:
            reference = {"message_id": reply_to.id, "channel_id": reply_to.channel}
            told |= {"type": 19, "message_reference": reference}
            told["referenced_message"] = reply_to.shown()
        self.world.dispatch("MESSAGE_CREATE", told, channel)
        await asyncio.sleep(0)

    # -- commands ----------------------------------------------------------------------------------

    async def slash(
        self,
        command: str,
        user: User,
        place: Channel | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        files: Sequence[tuple[str, str, bytes]] = (),
    ) -> Reply:
        """`/miyabi quote`, with options by name; files are (option, name, bytes)."""
        channel = place or self.world.direct(user)
        data = self._command_data(command, dict(options or {}))
        ask = Ask(self.world, Call(0, "slash", {}, {}, {}))
        found: dict[str, Json] = {}
        for option, name, content in files:
            made: Attachment = attachment(ask, channel, name, content)
            found[made.id] = made.shown() | {"ephemeral": True}
            _innermost(data).append({"name": option, "type": 11, "value": made.id})
        if found:
            data["resolved"] = {"attachments": found}
        return await self.deliver(self.world.interaction(2, user, channel, data))

    async def autocomplete(
        self,
        command: str,
        option: str,
        typed: str,
        user: User,
        place: Channel | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> list[Json]:
        """What the app offers for what was typed into an option so far."""
        channel = place or self.world.direct(user)
        data = self._command_data(command, {**(options or {}), option: typed})
        for each in _innermost(data):
            if each["name"] == option:
                each["focused"] = True
        reply = await self.deliver(self.world.interaction(4, user, channel, data))
        return (await reply.answered()).choices or []

    async def message_command(self, name: str, message: Message, user: User) -> Reply:
        """Use a command of the menu of a message."""
        command = self._registered(name, 3)
        resolved = {"messages": {message.id: message.shown()}}
        data = {"id": command["id"], "name": name, "type": 3, "target_id": message.id}
        channel = self.world.channels[message.channel]
        made = self.world.interaction(2, user, channel, data | {"resolved": resolved})
        return await self.deliver(made)

    def _registered(self, name: str, kind: int) -> Json:
        for scope in (self.discord.home.id, None):
            for command in self.world.commands.get(scope, []):
                if command["name"] == name and command["type"] == kind:
                    return command
        raise NoSuchComponent(f"no command {name!r} of type {kind} is registered")

    def _command_data(self, command: str, given: dict[str, Any]) -> Json:
        """The `data` of a command as typed: its names one after another, its options by name."""
        first, *rest = command.strip("/").split()
        known = self._registered(first, 1)
        data: Json = {"id": known["id"], "name": first, "type": 1}
        inner, level = data, known
        for name in rest:
            found = [o for o in level.get("options", ()) if o["name"] == name and o["type"] < 3]
            if not found:
                raise NoSuchComponent(f"{first} has no {name!r}")
            level = found[0]
            inner["options"] = [{"name": name, "type": level["type"]}]
            inner = inner["options"][0]
        kinds = {option["name"]: option for option in level.get("options", ())}
        missing = set(given) - set(kinds)
        if missing:
            raise NoSuchComponent(f"{command} has no option {missing}")
        needed = [n for n, option in kinds.items() if option.get("required") and n not in given]
        if needed:
            raise NoSuchComponent(f"{command} needs {needed}")
        options = [{"name": n, "type": kinds[n]["type"], "value": v} for n, v in given.items()]
        inner["options"] = options
        return data

    # -- pressing ----------------------------------------------------------------------------------

    async def click(self, message: Message, label: str, user: User) -> Reply:
        """Press the button of this label (or custom_id), however old the message is."""
        parts = list(every(message.body.get("components") or []))
        for part in parts:
            if part["type"] == 2 and label in (part.get("label"), part.get("custom_id")):
                return await self._component(message, part, user, {})
        shown = [part.get("label") for part in parts if part["type"] == 2]
        raise NoSuchComponent(f"no {label!r} here; there are {shown}")

    async def choose(self, message: Message, label: str, user: User) -> Reply:
        """Choose the option of this label (or value) in a message's menu."""
        for part in every(message.body.get("components") or []):
            for option in part.get("options", ()):
                if label in (option["label"], option["value"]):
                    return await self._component(message, part, user, {"values": [option["value"]]})
        raise NoSuchComponent(f"no {label!r} to choose")

    async def _component(self, message: Message, part: Json, user: User, more: Json) -> Reply:
        if part.get("disabled") or not part.get("custom_id"):
            raise NoSuchComponent(f"{part.get('label')!r} can't be pressed")
        data = {"component_type": part["type"], "id": 2, "custom_id": part["custom_id"], **more}
        channel = self.world.channels[message.channel]
        return await self.deliver(self.world.interaction(3, user, channel, data, message))

    async def submit(self, opened: Reply, values: Mapping[str, str], user: User) -> Reply:
        """Send the form that an answer opened, with texts (or values) by label or custom_id."""
        modal = opened.modal
        assert modal is not None, "no form was opened"
        left, rows = dict(values), []
        for number, row in enumerate(modal["components"]):
            inner = row.get("component") or (row.get("components") or [None])[0]
            if inner is None or row["type"] == 10:
                continue
            label = row.get("label") or inner.get("label")
            name = next((n for n in (label, inner["custom_id"]) if n in left), None)
            value = left.pop(name) if name is not None else inner.get("value", "")
            _check_typed(inner, value)
            kept = {"type": inner["type"], "id": 2 * number + 2, "custom_id": inner["custom_id"]}
            kept |= {"value": value} if inner["type"] == 4 else {"values": [value] * bool(value)}
            inside = {"component": kept} if row["type"] == 18 else {"components": [kept]}
            rows.append({"type": row["type"], "id": 2 * number + 1, **inside})
        if left:
            raise NoSuchComponent(f"the form has nothing named {list(left)}")
        data = {"custom_id": modal["custom_id"], "components": rows}
        before = opened.interaction
        made = self.world.interaction(5, user, before.channel, data, before.source)
        return await self.deliver(made)


def _innermost(data: Json) -> list[Json]:
    """The options that were typed, below all names of subcommands."""
    options: list[Json] = data.setdefault("options", [])
    while options and options[0]["type"] < 3:
        options = options[0].setdefault("options", [])
    return options


def _check_typed(field: Json, value: str) -> None:
    """What Discord itself would not let a person send."""
    if field["type"] == 4:
        low = field.get("min_length", 1 if field.get("required", True) else 0)
        if not low <= len(value) <= field.get("max_length", 4000):
            raise NoSuchComponent(f"{field['custom_id']}: {len(value)} characters can't be sent")
    elif field["type"] != 3:
        return
    elif value and value not in [option["value"] for option in field.get("options", ())]:
        raise NoSuchComponent(f"{field['custom_id']}: no {value!r} to choose")
