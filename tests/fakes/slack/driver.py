"""Acts as Slack and the people in it towards the app: commands, messages, clicks, forms.

Every act gives a `Reply`. Over HTTP the requests are signed as Slack signs them; without an
address they go through the app's Socket Mode connection.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tests.fakes.slack import chat, payloads, views
from tests.fakes.slack.blocks_check import check_suggestions, elements
from tests.fakes.slack.delivery import Delivery, Reply, Retry, Sender
from tests.fakes.slack.limits import Json
from tests.fakes.slack.state import Channel, Message, UploadedFile, Version, View, Workspace
from tests.fakes.slack.view_state import CannotSubmit, check_complete, choice, fill
from tests.fakes.slack.wire import as_typed, with_ids
from tests.fakes.slack.world import Ask, SlackError

if TYPE_CHECKING:
    from tests.fakes.slack.server import FakeSlack

SIGNING_SECRET = "fake-signing-secret"


class NoSuchElement(Exception):
    """There is nothing like this to click, choose or type into."""


class Driver:
    """People using the app in one workspace (the first, unless told otherwise)."""

    def __init__(
        self,
        slack: "FakeSlack",
        url: str | None = None,
        *,
        path: str = "/slack/events",
        signing_secret: str = SIGNING_SECRET,
        age: float = 0.0,
        workspace: Workspace | None = None,
        timeout: float = 10.0,
    ) -> None:
        self.slack = slack
        address = None if url is None else url.rstrip("/") + path
        self.sender = Sender(slack, address, signing_secret, age, timeout)
        self.workspace = workspace or slack.home
        self.suggested: dict[str, list[Json]] = {}  # by action id, as last offered

    # -- sending -----------------------------------------------------------------------------------

    async def deliver(self, delivery: Delivery, retry: Retry | None = None) -> Reply:
        """Send one delivery, as a retry if told so."""
        return await self.sender.deliver(delivery, retry)

    async def redeliver(
        self, reply: Reply, number: int = 1, reason: str = "http_timeout", *, again_id: bool = True
    ) -> Reply:
        """Send the same once more as a retry; `again_id=False`: under another event id."""
        body = dict(reply.sent.body)
        if not again_id:
            body["event_id"] = self.workspace.next("Ev")
        return await self.deliver(Delivery(reply.sent.kind, body), (number, reason))

    # -- words -------------------------------------------------------------------------------------

    async def slash(self, text: str, user: str, channel: str, command: str = "/miyabi") -> Reply:
        """A slash command. What the app answers at once is shown to the person."""
        where = self._place(channel)
        said = {"command": command, "text": as_typed(text)}
        form = payloads.slash(self.slack.world, self.workspace, user, where, **said)
        reply = await self.deliver(Delivery("slash_commands", form))
        if reply.status == 200 and reply.body:
            ask = self._ask("slash command's answer", reply.json or {"text": reply.body})
            # What Slack would not show is already among the violations.
            with contextlib.suppress(SlackError):
                chat.respond(ask, user, where, None)
        return reply

    async def message(
        self,
        text: str,
        user: str,
        channel: str,
        thread_ts: str | None = None,
        retry: Retry | None = None,
        files: Sequence[UploadedFile] = (),
    ) -> Reply:
        """A person writes in a channel (or, with their own id as channel, to the bot)."""
        where = self._place(channel)
        message = self._written(text, user, where, thread_ts)
        message.files = list(files)
        body = payloads.message_event(self.workspace, where, message)
        reply = await self.deliver(Delivery("events_api", body), retry)
        reply.message = message
        return reply

    def file(self, name: str, data: bytes, declared: str | None = None) -> UploadedFile:
        """A file that a person has put into Slack, to be sent with a message."""
        world, team = self.slack.world, self.workspace.team_id
        file = UploadedFile(self.workspace.next("F"), name, len(data), data=data, complete=True)
        file.home, file.declared = f"{world.base_url}/{team}", declared
        self.workspace.files[file.id] = file
        return file

    async def mention(
        self,
        text: str,
        user: str,
        channel: str,
        thread_ts: str | None = None,
        *,
        also_message: bool = False,
        files: Sequence[UploadedFile] = (),
        retry: Retry | None = None,
    ) -> Reply:
        """A person mentions the bot. `also_message`: the event `message` comes at the same time,
        under another event id, as it does where the app listens to both."""
        where = self._place(channel)
        bot = f"<@{self.workspace.bot_user}>"
        words = text if bot in text else f"{bot} {text}"
        message = self._written(words, user, where, thread_ts)
        message.files = list(files)
        bodies = [payloads.mention_event(self.workspace, where, message)]
        if also_message:
            bodies.append(payloads.message_event(self.workspace, where, message))
        sent = [self.deliver(Delivery("events_api", body), retry) for body in bodies]
        reply, *others = await asyncio.gather(*sent)
        reply.message, reply.others = message, others
        return reply

    async def echo(self, message: Message) -> Reply:
        """The event by which the app hears its own (or any) message."""
        where = self.workspace.channels[message.channel]
        body = payloads.message_event(self.workspace, where, message)
        return await self.deliver(Delivery("events_api", body))

    async def event(self, **inner: Any) -> Reply:
        """Any other event, e.g. `type="app_uninstalled"`."""
        body = payloads.event(self.workspace, {"event_ts": self.workspace.next_ts(), **inner})
        return await self.deliver(Delivery("events_api", body))

    async def open_home(self, user: str, tab: str = "home") -> Reply:
        self.workspace.user(user)
        dm = self.workspace.dm(user).id
        return await self.event(type="app_home_opened", user=user, channel=dm, tab=tab)

    def _place(self, channel: str) -> Channel:
        if channel in self.workspace.users or channel not in self.workspace.channels:
            return self.workspace.dm(channel)
        return self.workspace.channels[channel]

    def _written(self, text: str, user: str, where: Channel, thread_ts: str | None) -> Message:
        self.workspace.user(user)
        words = as_typed(text)
        message = Message(where.id, self.workspace.next_ts(), user, words, thread_ts=thread_ts)
        message.history.append(Version(words, [], time.monotonic()))
        where.messages[message.ts] = message
        return message

    # -- buttons, menus, forms ---------------------------------------------------------------------

    async def click(
        self, where: Message | View, which: str, user: str, values: Mapping[str, Any] | None = None
    ) -> Reply:
        """Press the button with this action id, label or value. In a view, `values` are typed
        first. Raises NoSuchElement."""
        self._type(where, values)
        block, button = _find(where, which, lambda element: element["type"] == "button")
        return await self._act(where, user, payloads.action(block, button))

    async def select(self, where: Message | View, action_id: str, wanted: Any, user: str) -> Reply:
        """Choose in a menu, by value or label (an external menu: of what was last suggested)."""
        block, menu = _find(where, action_id, lambda element: element["type"] != "button")
        chosen = choice(menu, wanted, self.suggested.get(action_id, []))
        if isinstance(where, View):
            kept = {"type": menu["type"], "selected_option": chosen}
            where.typed.setdefault(block["block_id"], {})[action_id] = kept
        return await self._act(where, user, payloads.action(block, menu, chosen))

    async def suggest(self, where: Message | View, action_id: str, value: str, user: str) -> Reply:
        """Type into an external menu; what the app offers is checked and kept for choosing."""
        block, _ = _find(where, action_id, lambda element: "external_select" in element["type"])
        body = self._interaction("block_suggestion", user, where)
        del body["trigger_id"]  # a suggestion gives no right to open a modal
        body |= {"action_id": action_id, "block_id": block["block_id"], "value": value}
        reply = await self.deliver(Delivery("interactive", body))
        for problem in check_suggestions(reply.json) if reply.status == 200 else ():
            self._ask("block_suggestion's answer").wrong(problem)
        groups = reply.json.get("option_groups", [])
        offered = reply.json.get("options", [])
        self.suggested[action_id] = offered + [o for group in groups for o in group["options"]]
        return reply

    async def submit_view(self, view: View, values: Mapping[str, Any], user: str) -> Reply:
        """Type values and send the form; the app's answer (errors, update, push, clear) is checked
        and carried out. Raises CannotSubmit where Slack would not let the person send it."""
        self._type(view, values)
        check_complete(view.blocks, view.typed)
        body = self._interaction("view_submission", user, view)
        del body["container"]
        body["response_urls"] = []
        reply = await self.deliver(Delivery("interactive", body))
        if reply.status == 200:
            self._after_submit(view, reply.json)
        return reply

    async def close_view(self, view: View, user: str) -> Reply | None:
        """Close a modal. The app is told only if it asked to be (notify_on_close)."""
        view.open = False
        if not view.body.get("notify_on_close"):
            return None
        body = self._interaction("view_closed", user, view)
        del body["container"], body["trigger_id"]
        return await self.deliver(Delivery("interactive", body | {"is_cleared": False}))

    async def shortcut(self, message: Message, callback_id: str, user: str) -> Reply:
        """A message shortcut."""
        body = self._interaction("message_action", user, message)
        del body["container"], body["state"]
        body |= {"callback_id": callback_id, "message_ts": message.ts}
        body["action_ts"] = f"{time.time():.6f}"
        return await self.deliver(Delivery("interactive", body))

    def _interaction(self, kind: str, user: str, where: Message | View) -> Json:
        world = self.slack.world
        shared = payloads.interaction(world, self.workspace, kind, user)
        return shared | payloads.place(world, self.workspace, where, user)

    async def _act(self, where: Message | View, user: str, action: Json) -> Reply:
        body = self._interaction("block_actions", user, where) | {"actions": [action]}
        return await self.deliver(Delivery("interactive", body))

    def _type(self, where: Message | View, values: Mapping[str, Any] | None) -> None:
        if not values:
            return
        if not isinstance(where, View):
            raise CannotSubmit("only a view can be typed into")
        offered = [option for options in self.suggested.values() for option in options]
        fill(where.blocks, where.typed, values, offered)

    def _ask(self, method: str, args: Json | None = None) -> Ask:
        return Ask(self.slack.world, self.workspace, method, args or {})

    def _after_submit(self, view: View, answer: Json) -> None:
        ask = self._ask("view_submission's answer")
        what = answer.get("response_action")
        if what == "errors":
            fields = {block["block_id"] for block in view.blocks if block["type"] == "input"}
            for name in answer.get("errors", {}).keys() - fields:
                ask.wrong(f"an error for {name}, which is no input block of the view")
            return
        try:
            if what == "update":
                views.change(ask, view, views.checked(ask, answer["view"], "modal"))
                return
            if what == "push":
                views.check_depth(ask, view)
                views.show(ask, views.checked(ask, answer["view"], "modal"), view.user, view)
                return
        except SlackError as error:
            ask.wrong(f"refused: {error.code}")
            return
        if what == "clear":
            for each in self.workspace.views.values():
                each.open = each.open and each.root_id != view.root_id
        elif what is not None:
            ask.wrong(f"unknown response_action: {what}")
        view.open = False


def _find(where: Message | View, which: str, fits: Callable[[Json], bool]) -> tuple[Json, Json]:
    """The block and the element with this action id, label or value."""
    seen = []
    for block in with_ids(where.blocks):
        for element in elements([block]):
            label = element.get("text", {}).get("text", "")
            names = (element.get("action_id"), label, element.get("value"))
            if fits(element) and which in names:
                return block, element
            seen.append(f"{element.get('action_id')} {label}".strip())
    raise NoSuchElement(f"no {which!r} here; there are {seen}")
