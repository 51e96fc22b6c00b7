"""Messages: writing, changing, reading, deleting them, in channels and by interactions' tokens."""

import mimetypes
import re

from tests.fakes.discord import checks, limits
from tests.fakes.discord.limits import Json
from tests.fakes.discord.state import Attachment, Channel, Message, User
from tests.fakes.discord.world import Answer, Ask, DiscordError, Operation


def write(
    ask: Ask, channel: Channel, body: Json, *, only_for: str | None = None, loading: bool = False
) -> Message:
    """Keep a new message of the bot, and tell by the gateway."""
    check(ask, channel, body)
    if checks.is_empty(body, len(ask.call.files)) and not loading:
        raise DiscordError(limits.EMPTY)
    world = ask.world
    message = Message(world.next_id(), channel.id, world.bot, body, world.moment())
    message.files, message.only_for, message.loading = _files(ask, channel), only_for, loading
    message.mentions = mentioned(ask, body)
    message.versions.append(body)
    channel.messages[message.id] = message
    if only_for is None:
        world.dispatch("MESSAGE_CREATE", message.shown() | _of_guild(channel), channel)
    return message


def rewrite(ask: Ask, channel: Channel, message: Message, body: Json) -> None:
    """Change a message: what is not named stays."""
    given = {name: value for name, value in body.items() if name not in ("nonce", "tts")}
    whole = {**message.body, **given}
    if not (message.body.get("flags") or 0) & limits.COMPONENTS_V2 and "flags" not in given:
        whole.pop("flags", None)
    check(ask, channel, whole if "attachments" in given else whole | {"attachments": []})
    kept = {str(part["id"]) for part in given["attachments"]} if "attachments" in given else None
    files = [each for each in message.files if kept is None or each.id in kept]
    if checks.is_empty(whole | {"attachments": []}, len(files) + len(ask.call.files)):
        raise DiscordError(limits.EMPTY)
    whole["flags"] = (whole.get("flags") or 0) | (
        (message.body.get("flags") or 0) & limits.EPHEMERAL
    )
    message.body, message.loading = whole, False
    message.files = files + _files(ask, channel)
    message.edited_at = ask.world.moment()
    message.versions.append(whole)
    if message.only_for is None:
        told = message.shown() | _of_guild(channel)
        ask.world.dispatch("MESSAGE_UPDATE", told, channel)


def _of_guild(channel: Channel) -> Json:
    return {"guild_id": channel.guild} if channel.guild else {}


def check(ask: Ask, channel: Channel, body: Json) -> None:
    """Refuse what Discord would refuse, and note what our own rules forbid."""
    guild = ask.world.guild_of(channel)
    most = guild.file_bytes if guild else limits.FILE_BYTES
    if sum(len(data) for _, _, data in ask.call.files.values()) > most:
        ask.wrong("files over the guild's limit")
        raise DiscordError(limits.TOO_LARGE)
    ask.refuse(checks.wrong_with(body, len(ask.call.files)))
    for problem in checks.wrong_mentions(body):
        ask.wrong(problem)


def mentioned(ask: Ask, body: Json) -> list[User]:
    """Whom a message calls, by what it allows."""
    allowed = body.get("allowed_mentions") or {}
    named = re.findall(r"<@!?(\d+)>", body.get("content") or "")
    may = "users" in allowed.get("parse", []) or "allowed_mentions" not in body
    users = [ask.world.users.get(each) for each in named]
    return [u for u in users if u and (may or u.id in allowed.get("users", []))]


def _files(ask: Ask, channel: Channel) -> list[Attachment]:
    files = []
    for _, (name, _, data) in sorted(ask.call.files.items()):
        files.append(attachment(ask, channel, name, data))
    return files


def attachment(ask: Ask, channel: Channel, name: str, data: bytes) -> Attachment:
    """A file of a message, with the address where its bytes are."""
    world = ask.world
    number = world.next_id()
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    path = f"/attachments/{channel.id}/{number}/{name}"
    world.attachments[f"{channel.id}/{number}"] = (data, kind)
    return Attachment(number, name, data, kind, f"{world.base_url}{path}?ex=1&is=1&hm=1")


def _need(channel: Channel, ask: Ask) -> int:
    need = limits.SEND_MESSAGES_IN_THREADS if channel.is_thread else limits.SEND_MESSAGES
    need |= limits.ATTACH_FILES if ask.call.files else 0
    return need | (limits.EMBED_LINKS if ask.json.get("embeds") else 0)


def create(ask: Ask) -> Answer:
    channel = ask.channel()
    ask.needs(channel, _need(channel, ask))
    if channel.recipient is not None and not channel.recipient.takes_dms:
        raise DiscordError(limits.NOT_TO_THIS_PERSON)
    nonce = ask.json.get("nonce")
    if nonce is not None and ask.json.get("enforce_nonce"):
        for known in channel.messages.values():
            if known.body.get("nonce") == nonce and known.author.bot:
                return Answer(known.shown())
    message = write(ask, channel, ask.json)
    if channel.archived:
        channel.archived = False  # a message opens it again
    return Answer(message.shown())


def _own(ask: Ask, channel: Channel) -> Message:
    message = _there(ask, channel)
    if message.author is not ask.world.bot:
        raise DiscordError(limits.NOT_YOURS)
    return message


def _there(ask: Ask, channel: Channel) -> Message:
    message = channel.messages.get(ask.call.values["message_id"])
    if message is None or message.deleted or message.only_for is not None:
        raise DiscordError(limits.UNKNOWN_MESSAGE)
    return message


def update(ask: Ask) -> Answer:
    channel = ask.channel()
    message = _own(ask, channel)
    if channel.archived:
        raise DiscordError(limits.ARCHIVED)
    rewrite(ask, channel, message, ask.json)
    return Answer(message.shown())


def delete(ask: Ask) -> Answer:
    channel = ask.channel()
    message = _own(ask, channel)
    message.deleted = True
    gone = {"id": message.id, "channel_id": channel.id} | _of_guild(channel)
    ask.world.dispatch("MESSAGE_DELETE", gone, channel)
    return Answer(None, 204)


def get(ask: Ask) -> Answer:
    return Answer(_there(ask, ask.channel(limits.READ_MESSAGE_HISTORY)).shown())


def listed(ask: Ask) -> Answer:
    """The newest first; `after`, `before` and `limit` as in the description."""
    channel = ask.channel(limits.READ_MESSAGE_HISTORY)
    query = ask.call.query
    low, high = int(query.get("after", 0)), int(query.get("before", 1 << 64))
    seen = [m for m in channel.messages.values() if not m.deleted and m.only_for is None]
    within = [m for m in seen if low < int(m.id) < high]
    most = int(query.get("limit", 50))
    if not 1 <= most <= 100:
        ask.refuse([f"limit: {most}"])
    part = within[:most] if "after" in query else within[-most:]
    return Answer([m.shown() for m in reversed(part)])


OPERATIONS: dict[str, Operation] = {
    "create_message": create,
    "update_message": update,
    "delete_message": delete,
    "get_message": get,
    "list_messages": listed,
}
