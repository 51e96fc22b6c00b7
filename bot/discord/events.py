"""Messages: mentions, direct messages, and what is said in a task's thread."""

import re
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.discord.act import Act, Json, roles_of
from bot.discord.blocked import back
from bot.discord.door import Door
from bot.discord.files import sent_files
from core import phrases
from core.errors import MiyabiError
from core.inbound import Answer, Inbound, Spot
from core.intake import accept
from core.messages import Button, Message
from core.reading.language import detect_language
from core.tasks import is_conversation

log = structlog.get_logger()

_SPOKEN_TO = re.compile(r"^\s*[!！]\s*miyabi(?=\s|$)", re.IGNORECASE)
_SAID = frozenset({0, 19})
"""Kinds of messages that people write: a message, and a reply (docs.discord.com, message types)."""
_MENTION = re.compile(r"<@!?(\d+)>")
_CHANNEL = re.compile(r"<#(\d+)>")
_EMOJI = re.compile(r"<a?:(\w+):\d+>")

ParentOf = Callable[[str, str], Awaitable[str | None]]
"""Guild and channel to the channel that it is a thread of; None where it is no thread."""


async def on_message(door: Door, body: Json, me: str, parent_of: ParentOf) -> None:
    """A message. Never raises."""
    try:
        await _on_message(door, body, me, parent_of)
    except Exception:
        log.exception("discord.message_failed", message=body.get("id"))


async def _on_message(door: Door, body: Json, me: str, parent_of: ParentOf) -> None:
    author = body.get("author") or {}
    if author.get("bot") or body.get("webhook_id") or body.get("type") not in _SAID:
        return
    user, guild = str(author.get("id") or ""), str(body.get("guild_id") or "")
    raw, channel = str(body.get("content") or ""), str(body["channel_id"])
    mentioned = any(str(each.get("id")) == me for each in body.get("mentions") or ())
    quotes = str((body.get("message_reference") or {}).get("message_id") or "") or None
    addressed = not guild or mentioned or bool(_SPOKEN_TO.match(raw))
    if not guild:
        spot = Spot(user, user, flat=True, quotes=quotes)
        guild = await door.guild_of(user)
    else:
        parent = await parent_of(guild, channel)
        if not addressed and (parent is None or not await _ours(door, guild, parent, channel)):
            return
        spot = Spot(parent, channel) if parent is not None else Spot(channel, str(body["id"]))
    act = Act(guild, user, spot, roles_of(body), detect_language(raw))
    try:
        await door.roles.follow(act)
    except (MiyabiError, SQLAlchemyError, OSError) as error:
        log.warning("discord.roles_not_followed", why=repr(error))
    if act.direct:
        door.later(back(door.house, act.sender))
    key, text = f"message:{body['id']}", words(raw, me, body)
    files = sent_files(channel, str(body["id"]), body.get("attachments") or ())
    inbound = Inbound(act.sender, spot, key, text, addressed=addressed, files=files)
    await _answer(door, act, await accept(door.house, inbound), key, text)


async def _answer(door: Door, act: Act, answer: Answer, key: str, text: str) -> None:
    """What is said in return. Nothing where a task began: its thread opens with its own words."""
    fresh = not answer.repeated
    if answer.outcome in {"unavailable", "unknown_person"}:
        fresh = door.first_times.take(f"{answer.outcome}:{key}")
    if not fresh:
        return
    message = answer.message
    if answer.opens is not None:
        message = how_to_ask(door, answer.opens, text)
    if message is None or (answer.outcome == "taken" and answer.opens is None):
        return
    if answer.private and not act.direct:
        # Only an interaction can be answered for one person's eyes; else it is said to them.
        act = Act(act.guild, act.user, Spot(act.user, act.user, flat=True), None, act.language)
    await door.say(act, message, key)


def how_to_ask(door: Door, agent: str, text: str) -> Message:
    """How to ask an agent in words, with a button that opens its form."""
    language = detect_language(text)
    said = phrases.HOW_TO_ASK.fill(example=door.house.agent(agent).example).to(language)
    button = Button("open", phrases.OPEN_FORM.to(language), agent, "primary")
    return Message(said, body=said, buttons=(button,), language=language)


async def _ours(door: Door, guild: str, channel: str, thread: str) -> bool:
    """Whether a thread that is only overheard is a task's. If not, nothing is kept of it."""
    try:
        async with door.house.engine.connect() as connection:
            return await is_conversation(connection, "discord", guild, channel, thread)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.error("discord.database_away", error=repr(error))
        return False


def words(raw: str, me: str, body: Json) -> str:
    """What was typed, in plain words: without the mention of the bot, names for ids."""
    names = {
        str(each.get("id")): str(each.get("global_name") or each.get("username") or each.get("id"))
        for each in body.get("mentions") or ()
    }
    plain = _MENTION.sub(
        lambda mark: "" if mark[1] == me else f"@{names.get(mark[1], mark[1])}", raw
    )
    plain = _CHANNEL.sub(lambda mark: f"#{mark[1]}", plain)
    return _EMOJI.sub(lambda mark: f":{mark[1]}:", plain).strip()
