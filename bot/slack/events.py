"""Messages: mentions, direct messages, and what is said in a task's thread."""

import re
from dataclasses import replace

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.response import BoltResponse
from sqlalchemy.exc import SQLAlchemyError

from bot.slack import typed
from bot.slack.commands import how_to_ask
from bot.slack.door import Act, Door
from bot.slack.files import sent_files
from bot.slack.render import Json
from core.inbound import Answer, Inbound, Spot
from core.intake import accept
from core.messages import Message
from core.reading.language import detect_language
from core.tasks import is_conversation
from core.words import Words

log = structlog.get_logger()

COMES_AGAIN = Words(
    ja=(
        "いまデータベースの応答がありません。"
        "このメッセージは Slack が数分以内に自動で届け直すので、"
        "送り直しは不要です。10 分たっても返事がなければ、もう一度送ってください。"
    ),
    en=(
        "The database does not answer at the moment. Slack will deliver your message again by "
        "itself within minutes: no need to send it again, unless nothing has come in 10 minutes."
    ),
    zh=(
        "数据库暂时没有响应。Slack 会在几分钟内自动重新投递这条消息，无需重发；"
        "如果 10 分钟后仍无回复，请重新发送。"
    ),
)
"""Slack repeats a delivery at once, after a minute and after five (docs.slack.dev, Events API)."""

_SPOKEN_TO = re.compile(r"^\s*[!！]\s*miyabi(?=\s|$)", re.IGNORECASE)
_SAID = frozenset({None, "file_share", "thread_broadcast"})
"""Subtypes of what a person says; the others tell of edits, deletions, joins, or are bots'."""


async def on_message(door: Door, body: Json, ack: AsyncAck, act: Act) -> BoltResponse | None:
    """A mention or a message. The two events of one mention carry the same channel and ts."""
    event = body["event"]
    if event.get("subtype") not in _SAID or event.get("bot_id") or not event.get("user"):
        return None
    bot = _bot_user(body)
    raw = str(event.get("text") or "")
    mentioned = event["type"] == "app_mention" or typed.mentions(raw, bot)
    addressed = mentioned or event.get("channel_type") == "im" or bool(_SPOKEN_TO.match(raw))
    root = event.get("thread_ts")
    if not addressed and (root is None or not await _ours(door, act, root)):
        return None
    act = replace(act, spot=Spot(act.spot.channel, root or event["ts"]))
    key = f"{act.spot.channel}:{event['ts']}"
    text = typed.words(raw, bot)
    inbound = Inbound(act.sender, act.spot, key, text, addressed=addressed, files=sent_files(event))
    answer = await accept(door.house, inbound)
    return _answer(door, act, answer, key, text, addressed=addressed)


def _answer(
    door: Door, act: Act, answer: Answer, key: str, text: str, *, addressed: bool
) -> BoltResponse | None:
    """What is said in return. Nothing where a task began: its thread opens with its own words."""
    fresh = not answer.repeated
    if answer.outcome in {"unavailable", "unknown_person"}:
        fresh = door.first_times.take(f"{answer.outcome}:{key}")
    if fresh and answer.opens is not None:
        door.later(door.say(act, how_to_ask(door.house, answer.opens, detect_language(text))))
    elif answer.outcome == "unavailable":
        if fresh:
            language = detect_language(text)
            words = Message(COMES_AGAIN.to(language), language=language)
            door.later(door.whisper(act, words))
        return BoltResponse(status=503)  # so that Slack delivers it again
    elif fresh and answer.message is not None and answer.outcome != "taken":
        tell = door.say if addressed and not answer.private else door.whisper
        door.later(tell(act, answer.message))
    return None


async def _ours(door: Door, act: Act, root: str) -> bool:
    """Whether a thread that is only overheard is a task's. If not, nothing is kept of it."""
    try:
        async with door.house.engine.connect() as connection:
            return await is_conversation(connection, "slack", act.team, act.spot.channel, root)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.error("slack.database_away", error=repr(error))
        return False


def _bot_user(body: Json) -> str | None:
    """Our own user id, which every event names."""
    authorizations = body.get("authorizations") or [{}]
    found = authorizations[0].get("user_id")
    return str(found) if found else None
