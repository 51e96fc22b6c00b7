"""Buttons, menus and the message shortcut. Everyone who clicks is answered, within a second."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck
from sqlalchemy.exc import SQLAlchemyError

from bot.slack import typed
from bot.slack.api import SlackRefused, ask
from bot.slack.asking import prepare
from bot.slack.door import Act, Door
from bot.slack.files import sent_files
from bot.slack.home import publish
from bot.slack.modal import open_form, open_sheet, sheet_of
from bot.slack.reaching import UNREACHABLE, open_direct
from bot.slack.render import MORE, Json
from core import phrases
from core.acquaintances import remember
from core.approvals.acts import newest_card
from core.approvals.asking import ASKS
from core.approvals.standing import Changed
from core.errors import MiyabiError, Refused
from core.first_times import DatabaseAway
from core.in_time import within
from core.inbound import Answer, Click, Inbound, Spot
from core.intake import CLICK_PATIENCE, LATE_PATIENCE, accept
from core.messages import Message
from core.words import Language, Words

log = structlog.get_logger()

OPENS_A_VIEW = ASKS.keys() | {"open", "edit"}

Opening = Callable[[], Awaitable[None]]


async def on_click(door: Door, body: Json, ack: AsyncAck, act: Act) -> None:
    """A button pressed or an option picked. What opens a modal does so before anything else."""
    action = body["actions"][0]
    name = str(action["action_id"]).partition(":")[0]
    chosen = action.get("selected_option") or action
    value = str(chosen.get("value") or "")
    if name == MORE:
        name, _, value = value.partition(":")
    act = replace(act, spot=_place(body))
    if name in OPENS_A_VIEW and await _opened(door, act, body["trigger_id"], name, value):
        await ack()
        return
    key = f"click:{body['trigger_id']}"
    inbound = Inbound(act.sender, act.spot, key, click=Click(name, value))
    doing = asyncio.create_task(accept(door.house, inbound, LATE_PATIENCE))
    await asyncio.wait({doing}, timeout=CLICK_PATIENCE)
    await ack()
    door.later(_answer(door, act, doing))
    if (body.get("view") or {}).get("type") == "home":
        door.later(publish(door, act))


async def _answer(door: Door, act: Act, doing: asyncio.Task[Answer]) -> None:
    """Say what came of a press; where that takes long, that it is being seen to first."""
    if not doing.done():
        language = door.language(act)
        await door.whisper(act, Message(phrases.STILL_AT_IT.to(language), language=language))
    answer = await doing
    if answer.message is not None:
        await door.whisper(act, answer.message)


async def _opened(door: Door, act: Act, trigger: str, name: str, value: str) -> bool:
    """Whether this person was given a view, or told why not; strangers are left to `accept`.

    All looks into the database together have the time in which a press is answered.
    """
    try:
        opening = await within(CLICK_PATIENCE, _opening(door, act, trigger, name, value))
        if opening is None:
            return False
        await opening()
    except (TimeoutError, OSError, SQLAlchemyError, DatabaseAway) as error:
        log.error("slack.database_away", action=name, error=repr(error))
        _say(door, act, phrases.NOT_TAKEN, door.language(act))
    except Refused as refused:
        door.later(_refuse(door, act, refused))
    except MiyabiError as error:
        log.warning("slack.view_not_opened", action=name, why=str(error))
        _say(door, act, error.words, door.language(act))
    return True


async def _opening(door: Door, act: Act, trigger: str, name: str, value: str) -> Opening | None:
    """What is to be opened, with all that has to be read for it; None for a stranger."""
    person = await door.person(act)
    if person is None:
        return None
    remember(door.house, act.sender, person)
    if name == "open":
        return partial(open_form, door, act, person, trigger, value)
    if name == "edit":
        sheet = await sheet_of(door, act, person, value)
        return partial(open_sheet, door, act, person, trigger, sheet)
    async with door.house.engine.connect() as connection:
        view = await prepare(connection, act, person, name, value)
    return partial(_open_view, door, act, trigger, view)


async def _open_view(door: Door, act: Act, trigger: str, view: Json) -> None:
    client = await door.client(act.team)
    await ask(client.views_open(trigger_id=trigger, view=view))


async def _refuse(door: Door, act: Act, refused: Refused) -> None:
    """Say why not; where the content has changed meanwhile, with the newest card."""
    person = door.house.met[act.sender]
    language = person.language
    message = Message(refused.words.to(language), language=language)
    if isinstance(refused, Changed):
        try:
            async with asyncio.timeout(CLICK_PATIENCE), door.house.engine.connect() as connection:
                newest = await newest_card(connection, door.house, person, language, refused)
            message = newest or message
        except (TimeoutError, OSError, SQLAlchemyError) as error:
            log.warning("slack.newest_not_read", error=repr(error))
    await door.whisper(act, message)


def _say(door: Door, act: Act, words: Words, language: Language) -> None:
    door.later(door.whisper(act, Message(words.to(language), language=language)))


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
    inbound = Inbound(act.sender, spot, key, text, files=sent_files(message))
    answer = await accept(door.house, inbound)
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
