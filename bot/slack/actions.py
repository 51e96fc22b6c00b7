"""Buttons, menus and the message shortcut. Everyone who clicks is answered, within a second."""

from collections.abc import Awaitable
from dataclasses import replace

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack import typed
from bot.slack.api import SlackRefused, ask
from bot.slack.door import Act, DatabaseAway, Door
from bot.slack.modal import open_edit, open_form
from bot.slack.outbound import UNREACHABLE, open_direct
from bot.slack.reason import open_reason
from bot.slack.render import Json
from core.errors import MiyabiError, Refused
from core.inbound import Answer, Click, Inbound, Spot
from core.intake import accept
from core.messages import Message
from core.people import Person

log = structlog.get_logger()

OPENS_A_VIEW = frozenset({"open", "edit", "reject", "return"})


async def on_click(door: Door, body: Json, ack: AsyncAck, act: Act) -> None:
    """A button pressed or an option picked. What opens a modal does so before anything else."""
    action = body["actions"][0]
    name = str(action["action_id"]).partition(":")[0]
    chosen = action.get("selected_option") or action
    value = str(chosen.get("value") or "")
    act = replace(act, spot=_place(body))
    if name in OPENS_A_VIEW and await _opened(door, act, body["trigger_id"], name, value):
        await ack()
        return
    key = f"click:{body['trigger_id']}"
    answer = await accept(door.house, Inbound(act.sender, act.spot, key, click=Click(name, value)))
    await ack()
    if answer.message is not None:
        door.later(door.whisper(act, answer.message))


async def _opened(door: Door, act: Act, trigger: str, name: str, value: str) -> bool:
    """Whether this person was given a view, or told why not; strangers are left to `accept`."""
    try:
        person = await door.person(act)
    except DatabaseAway as away:
        door.later(door.whisper(act, Message(away.words.ja)))
        return True
    if person is not None:
        await _open(door, act, person, trigger, name, value)
    return person is not None


async def _open(door: Door, act: Act, person: Person, trigger: str, name: str, value: str) -> None:
    opening: Awaitable[None]
    if name == "open":
        opening = open_form(door, act, person, trigger, value)
    elif name == "edit":
        opening = open_edit(door, act, person, trigger, value)
    else:
        opening = open_reason(door, act, person, trigger, name, value)
    try:
        await opening
    except MiyabiError as error:
        if not isinstance(error, Refused):
            log.warning("slack.view_not_opened", action=name, why=str(error))
        words = Message(error.words.to(person.language), language=person.language)
        door.later(door.whisper(act, words))


def _place(body: Json) -> Spot:
    """Where the clicked message is; nowhere for the home tab.

    A message of a thread that is also shown in its conversation is answered in the conversation.
    """
    container = body.get("container") or {}
    channel = container.get("channel_id") or (body.get("channel") or {}).get("id") or ""
    message = body.get("message") or {}
    thread = message.get("thread_ts") or container.get("thread_ts")
    if message.get("subtype") == "thread_broadcast":
        thread = None
    return Spot(channel, thread)


async def on_shortcut(door: Door, body: Json, ack: AsyncAck, act: Act) -> None:
    """ "Make a quote from this": the message's words as a request, in the message's thread."""
    agent = door.house.agent(str(body["callback_id"]).removesuffix("_from_message"))
    message, channel = body["message"], body["channel"]["id"]
    spot = await _where(door, act, channel, message.get("thread_ts") or body["message_ts"])
    # The agent's own word in front: whatever the message says, it is read as a request.
    text = f"{agent.words[0]} {typed.words(str(message.get('text') or ''))}".strip()
    key = f"shortcut:{body['trigger_id']}"
    answer = await accept(door.house, Inbound(act.sender, spot, key, text))
    act = replace(act, spot=Spot(channel))
    if answer.opens is not None:
        await _opened(door, act, body["trigger_id"], "open", answer.opens)
    await ack()
    _tell(door, act, answer)


def _tell(door: Door, act: Act, answer: Answer) -> None:
    if answer.message is not None and not answer.repeated:
        door.later(door.whisper(act, answer.message))


async def _where(door: Door, act: Act, channel: str, root: str) -> Spot:
    """The message's thread, or where we can't write there a conversation with whoever asks."""
    try:
        client = await door.client(act.team)
        try:
            await ask(client.conversations_replies(channel=channel, ts=root, limit=1))
        except SlackRefused as refused:
            if refused.code in UNREACHABLE:
                return Spot(await open_direct(client, act.user))
    except MiyabiError as error:  # the request itself is taken in all the same
        log.warning("slack.place_unknown", channel=channel, why=str(error))
    return Spot(channel, root)
