"""Replies and pushes, the quota, and the loading animation."""

from uuid import UUID

from tests.fakes.line.description import Json
from tests.fakes.line.limits import QUOTA_USED_UP, RETRY_LIFE
from tests.fakes.line.messages_check import check_messages
from tests.fakes.line.state import Accepted, Said
from tests.fakes.line.world import Answer, Ask, LineError, Operation

LOADING_SECONDS = range(5, 61, 5)


def _checked(ask: Ask) -> list[Json]:
    """The messages of a call, after LINE's own rules. Raises LineError."""
    messages: list[Json] = ask.body["messages"]
    problems = check_messages(messages)
    for number, message in enumerate(messages):
        quoted = message.get("quoteToken")
        if quoted is not None and not _known_quote(ask, quoted):
            problems.append(f"messages[{number}].quoteToken: unknown")
    ask.refuse(problems)
    return messages


def _known_quote(ask: Ask, token: str) -> bool:
    chats = ask.channel.chats.values()
    return any(said.quote_token == token for chat in chats for said in chat.messages)


def _sent(said: list[Said]) -> list[Json]:
    return [{"id": each.id, "quoteToken": each.quote_token} for each in said]


def reply(ask: Ask) -> Answer:
    if ask.call.retry_key is not None:
        ask.refuse(["X-Line-Retry-Key: not supported by this endpoint"])
    messages = _checked(ask)
    token = ask.channel.replies.get(ask.body["replyToken"])
    if (
        token is None
        or token.used_by is not None
        or ask.world.now() - token.at > ask.world.reply_life
    ):
        raise LineError(400, "Invalid reply token")
    token.used_by = ask.call.id
    return Answer({"sentMessages": _sent(ask.say(token.chat, messages, "reply"))})


def push(ask: Ask) -> Answer:
    return Answer({"sentMessages": _pushed(ask, [ask.body["to"]])})


def multicast(ask: Ask) -> Answer:
    receivers: list[str] = ask.body["to"]
    if any(receiver[:1] != "U" for receiver in receivers):
        ask.refuse(["to: only people can be sent to"])
    _pushed(ask, receivers)
    return Answer({})


def _pushed(ask: Ask, receivers: list[str]) -> list[Json]:
    """Push once per retry key, within the quota; gives what was sent."""
    channel, world = ask.channel, ask.world
    known = _already(ask)
    if known is not None:
        headers = {"x-line-accepted-request-id": known.request}
        conflict = LineError(409, "The retry key is already accepted", headers=headers)
        if known.sent:
            conflict.answer["sentMessages"] = known.sent
        raise conflict
    messages = _checked(ask)
    reach = [channel.people_in(receiver) for receiver in receivers]
    if len(receivers) == 1 and reach[0] is None:
        raise LineError(400, "Failed to send messages")
    # LINE counts each person that a push reaches once, however many messages the call has.
    counted = sum(user.reached for users in reach for user in users or ())
    if channel.quota is not None and channel.used + counted > channel.quota:
        raise LineError(429, QUOTA_USED_UP)
    channel.used += counted
    said = [each for receiver in receivers for each in ask.say(receiver, messages, "push")]
    sent = _sent(said)
    if ask.call.retry_key is not None:
        channel.accepted[ask.call.retry_key] = Accepted(
            ask.call.id, ask.body, sent if len(receivers) == 1 else [], world.now()
        )
    return sent


def _already(ask: Ask) -> Accepted | None:
    """The request that was accepted with this retry key within 24 hours."""
    key = ask.call.retry_key
    if key is None:
        return None
    try:
        UUID(key)
    except ValueError:
        ask.refuse([f"X-Line-Retry-Key: {key!r} is no UUID"])
    known = ask.channel.accepted.get(key)
    if known is None or ask.world.now() - known.at > RETRY_LIFE:
        return None
    if known.body != ask.body:
        ask.wrong("a retry key used again for another request")
    return known


def validate(ask: Ask) -> Answer:
    _checked(ask)
    return Answer({})


def quota(ask: Ask) -> Answer:
    if ask.channel.quota is None:
        return Answer({"type": "none"})
    return Answer({"type": "limited", "value": ask.channel.quota})


def consumption(ask: Ask) -> Answer:
    return Answer({"totalUsage": ask.channel.used})


def loading(ask: Ask) -> Answer:
    chat, seconds = ask.body["chatId"], ask.body.get("loadingSeconds", 20)
    problems = []
    if chat[:1] != "U":
        problems.append("chatId: only a one-to-one chat shows the animation")
    if seconds not in LOADING_SECONDS:
        problems.append(f"loadingSeconds: {seconds} is no multiple of 5 from 5 to 60")
    ask.refuse(problems)
    user = ask.channel.users.get(chat)
    if user is not None and user.reached:
        ask.channel.chat(chat).loading_until = ask.world.now() + seconds
    return Answer({}, 202)


OPERATIONS: dict[str, Operation] = {
    "replyMessage": reply,
    "pushMessage": push,
    "multicast": multicast,
    "validateReply": validate,
    "validatePush": validate,
    "getMessageQuota": quota,
    "getMessageQuotaConsumption": consumption,
    "showLoadingAnimation": loading,
}
