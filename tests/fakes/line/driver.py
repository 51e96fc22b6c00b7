"""Acts as the people in LINE towards the app: what they say, press and send, signed and delivered.

People, groups and channels are named by a name or an id. Every act gives a `Reply`.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.fakes.line.description import Json, description
from tests.fakes.line.events import Events
from tests.fakes.line.menus import menu_of
from tests.fakes.line.reading import Button, buttons, find, quick_replies
from tests.fakes.line.signing import signed_headers
from tests.fakes.line.state import Channel, Said, id_of

if TYPE_CHECKING:
    from tests.fakes.line.server import FakeLine

PATH = "/line/webhook"


class NoSuchButton(Exception):
    """There is nothing like this to press."""


@dataclass(slots=True)
class Reply:
    """What the app answered. `status` 0: it did not answer in time, or hung up."""

    status: int
    body: str
    elapsed: float
    events: list[Json] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Answered 200 within the 2 seconds that LINE waits."""
        return self.status == 200 and self.elapsed < 2.0


class Driver:
    """People using one channel (`home`, unless told otherwise)."""

    def __init__(
        self,
        line: "FakeLine",
        url: str,
        *,
        path: str = PATH,
        channel: Channel | None = None,
        timeout: float = 10.0,
    ) -> None:
        self.line = line
        self.url = url.rstrip("/") + path
        self.channel = channel or line.home
        self.timeout = timeout
        self.make = Events(line.world, self.channel)  # events that are not sent yet

    # -- sending -----------------------------------------------------------------------------------

    async def deliver(self, *events: Json) -> Reply:
        """Send events, all in one body (none: as the console's Verify does)."""
        body = {"destination": self.channel.destination, "events": list(events)}
        _check_events(body)
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        reply = await self.raw(raw, signed_headers(self.channel.secret, raw))
        reply.events = list(events)
        return reply

    async def redeliver(self, *events: Json) -> Reply:
        """Send the same events once more, as LINE does that had no 200 for them."""
        again = [event | {"deliveryContext": {"isRedelivery": True}} for event in events]
        return await self.deliver(*again)

    async def raw(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send raw bytes with raw headers: for requests that LINE would never make."""
        session = self.line.session
        assert session is not None, "needs a running fake"
        began = time.monotonic()
        limit = aiohttp.ClientTimeout(total=self.timeout)
        try:
            async with session.post(self.url, data=body, headers=headers, timeout=limit) as answer:
                text = await answer.text()
                return Reply(answer.status, text, time.monotonic() - began)
        except (aiohttp.ClientError, TimeoutError):
            return Reply(0, "", time.monotonic() - began)

    # -- what people do ----------------------------------------------------------------------------

    async def say(self, text: str, user: str, chat: str | None = None, **how: Any) -> Reply:
        """Write something, to the bot alone or in a group; `mention=True`, `quote=message`."""
        return await self.deliver(self.make.text(text, user, chat, **how))

    async def image(self, data: bytes, user: str, chat: str | None = None) -> Reply:
        return await self.deliver(self.make.image(data, user, chat))

    async def file(self, name: str, data: bytes, user: str, chat: str | None = None) -> Reply:
        return await self.deliver(self.make.file(name, data, user, chat))

    async def audio(self, user: str, chat: str | None = None) -> Reply:
        return await self.deliver(self.make.audio(user, chat))

    async def video(self, user: str, chat: str | None = None) -> Reply:
        return await self.deliver(self.make.video(user, chat))

    async def sticker(self, user: str, chat: str | None = None) -> Reply:
        return await self.deliver(self.make.sticker(user, chat))

    async def location(self, user: str, chat: str | None = None) -> Reply:
        return await self.deliver(self.make.location(user, chat))

    async def follow(self, user: str) -> Reply:
        """Add the account as a friend, or unblock it."""
        return await self.deliver(self.make.follow(user))

    async def unfollow(self, user: str) -> Reply:
        """Block the account."""
        return await self.deliver(self.make.unfollow(user))

    async def join(self, group: str) -> Reply:
        """Invite the bot into a group."""
        return await self.deliver(self.make.join(group))

    async def leave(self, group: str) -> Reply:
        """Remove the bot from a group."""
        return await self.deliver(self.make.leave(group))

    async def member_joined(self, user: str, group: str) -> Reply:
        return await self.deliver(self.make.member_joined(user, group))

    async def member_left(self, user: str, group: str) -> Reply:
        return await self.deliver(self.make.member_left(user, group))

    async def unsend(self, said: Said) -> Reply:
        return await self.deliver(self.make.unsend(said))

    # -- pressing ----------------------------------------------------------------------------------

    async def press(
        self, said: Said, label: str, user: str | None = None, date: str | None = None
    ) -> Reply:
        """Press what has (or begins with) this label, however old; `date` for a date picker.

        `user` is needed in a group. Raises NoSuchButton, also for what opens an address or asks
        the phone for something: the app is not told of those.
        """
        return await self.press_button(
            _named(buttons(said), label), user or said.chat, said.chat, date
        )

    async def quick(
        self, label: str, user: str, chat: str | None = None, date: str | None = None
    ) -> Reply:
        """Press a quick reply: only those under the latest message of a chat are shown."""
        messages = self.channel.chat(chat or user).messages
        shown = quick_replies(messages[-1]) if messages else []
        return await self.press_button(_named(shown, label), user, chat or user, date)

    async def menu(self, number: int, user: str) -> Reply:
        """Press an area of the rich menu that the person sees, counted from 0."""
        shown = menu_of(self.channel, id_of(user))
        areas = shown.body["areas"] if shown is not None else []
        if number >= len(areas):
            raise NoSuchButton(f"{user} sees a menu of {len(areas)} areas")
        return await self.press_button(Button("", areas[number]["action"], "menu"), user, user)

    async def press_button(
        self, button: Button, user: str, chat: str, date: str | None = None
    ) -> Reply:
        """Press this button. Raises NoSuchButton for what the app is not told of."""
        action = button.action
        if button.kind == "message":
            return await self.say(action["text"], user, chat)
        if button.kind == "datetimepicker":
            params = {action["mode"]: date or action.get("initial") or action.get("max")}
            return await self.deliver(self.make.postback(action["data"], user, chat, params))
        if button.kind != "postback":
            raise NoSuchButton(f"{button.label!r} is a {button.kind}: LINE tells nobody of it")
        event = self.make.postback(action["data"], user, chat)
        if "displayText" in action:  # shown as what the person said; there is no event for it
            place, world = self.channel.chat(chat), self.line.world
            body = {"type": "text", "text": action["displayText"]}
            number = self.channel.next_message()
            said = Said(number, place.id, id_of(user), "person", body, world.now())
            place.messages.append(said)
        return await self.deliver(event)


def _named(shown: list[Button], label: str) -> Button:
    if (button := find(shown, label)) is not None:
        return button
    raise NoSuchButton(f"no {label!r} here; there are {[button.label for button in shown]}")


def _check_events(body: Json) -> None:
    """What the driver sends has itself to be as LINE's description says."""
    known = description("webhook")
    if known is not None:
        schema = {"$ref": "#/components/schemas/CallbackRequest"}
        wrong = known.problems(schema, body, unknown_types=True)
        assert not wrong, f"LINE would not send this: {wrong}"
