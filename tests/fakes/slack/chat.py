"""The methods that write messages: chat.*, reactions.add, and answers by response_url."""

import time

from tests.fakes.slack.blocks_check import (
    check_blocks,
    elements,
    slack_files,
    text_too_long,
    too_long,
)
from tests.fakes.slack.limits import LIMITS, Json
from tests.fakes.slack.state import Channel, Message, Version
from tests.fakes.slack.wire import message_json, with_ids
from tests.fakes.slack.world import Ask, Method, SlackError


def channel_of(ask: Ask, name: str, *, member: bool = True) -> Channel:
    """The conversation a call names, if the bot can see it and (for `member`) is in it."""
    channel = ask.workspace.channels.get(name)
    inside = channel is not None and ask.workspace.bot_user in channel.members
    if channel is None or (channel.private and not inside):
        raise SlackError("channel_not_found")
    if member and not inside:
        raise SlackError("not_in_channel")
    return channel


def check_content(ask: Ask, *, has_files: bool = False) -> None:
    """Check what a message says: text and blocks."""
    text, blocks = ask.args.get("text"), ask.args.get("blocks")
    markdown = ask.args.get("markdown_text")
    if markdown is not None:
        if text or blocks:
            ask.refuse("markdown_text_conflict", ["markdown_text beside text or blocks"])
        if len(markdown) > LIMITS["message.markdown_text.max_length"]:
            ask.refuse("msg_too_long", ["markdown_text is too long"])
    if text and text_too_long(text):
        ask.wrong("text would be cut off")
    if not (text or blocks or markdown or ask.args.get("attachments") or has_files):
        ask.refuse("no_text", ["neither text nor blocks"])
    if blocks:
        check_message_blocks(ask, blocks)
        if not text and not has_files:
            ask.wrong("no text beside the blocks: the notification would be empty")


def check_message_blocks(ask: Ask, blocks: list[Json]) -> None:
    """Check the blocks of a message, the files they show, and our own rule for button values."""
    ask.refuse("invalid_blocks", check_blocks(blocks, "message"))
    if too_long(blocks):
        ask.refuse("msg_blocks_too_long", ["the blocks' texts add up to too many characters"])
    for file_id in slack_files(blocks):
        file = ask.workspace.files.get(file_id)
        if file is None or file.data is None or not file.complete:
            ask.refuse("invalid_blocks", [f"[ERROR] slack_file not found: {file_id}"])
        elif not file.mimetype.startswith("image/"):
            ask.refuse("invalid_blocks", [f"[ERROR] slack_file is no image: {file_id}"])
        elif time.monotonic() < file.ready_at:  # no violation: the app can't know, it has to retry
            raise SlackError("invalid_blocks", [f"[ERROR] slack_file not ready: {file_id}"])
    most = ask.world.button_value_limit
    for element in elements(blocks):
        if most and len(element.get("value", "")) > most:
            ask.wrong(f"button value longer than our own {most}: {element['value'][:20]}…")


def write(
    ask: Ask, channel: Channel, *, thread_ts: str | None = None, only_for: str | None = None
) -> Message:
    """Keep a new message of the bot."""
    text = ask.args.get("text") or ask.args.get("markdown_text") or ""
    blocks = with_ids(ask.args.get("blocks"))
    message = Message(
        channel.id,
        ask.workspace.next_ts(),
        ask.workspace.bot_user,
        text,
        blocks,
        thread_ts,
        ask.workspace.bot_id,
        metadata=ask.args.get("metadata"),
        history=[Version(text, blocks, time.monotonic())],
        only_for=only_for,
    )
    if only_for is None:
        channel.messages[message.ts] = message
    else:
        ask.workspace.ephemerals.append(message)
    return message


def rewrite(ask: Ask, message: Message) -> None:
    """Change a message: new text without blocks takes the old blocks away."""
    args = ask.args
    text = args.get("text") or args.get("markdown_text")
    if text is not None or "blocks" in args:
        message.text = text if text is not None else message.text
        message.blocks = with_ids(args.get("blocks"))
    if "metadata" in args:
        message.metadata = args["metadata"] or None
    message.history.append(Version(message.text, message.blocks, time.monotonic()))


def thread_of(ask: Ask, channel: Channel, thread_ts: str | None) -> str | None:
    """The parent's ts. A reply's own ts is taken for its parent's, and reported."""
    if not thread_ts:
        return None
    parent = channel.messages.get(thread_ts)
    if parent is None:
        raise SlackError("thread_not_found")
    if parent.thread_ts and parent.thread_ts != parent.ts:
        ask.wrong("thread_ts is that of a reply, not of the thread's first message")
        return parent.thread_ts
    return thread_ts


def post(ask: Ask) -> Json:
    name: str = ask.args["channel"]
    if name in ask.workspace.users:  # a person: the direct conversation with them
        name = ask.workspace.dm(name).id
    channel = channel_of(ask, name, member="chat:write.public" not in ask.workspace.scopes)
    if channel.archived:
        raise SlackError("is_archived")
    check_content(ask)
    message = write(ask, channel, thread_ts=thread_of(ask, channel, ask.args.get("thread_ts")))
    shown = message_json(ask.workspace, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


def update(ask: Ask) -> Json:
    channel = channel_of(ask, ask.args["channel"])
    message = _own(ask, channel, ask.args["ts"], "cant_update_message")
    check_content(ask, has_files=bool(message.files))
    if message.blocks and "blocks" not in ask.args:
        ask.wrong("an update of a message with blocks must say what becomes of them")
    rewrite(ask, message)
    shown = message_json(ask.workspace, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def delete(ask: Ask) -> Json:
    channel = channel_of(ask, ask.args["channel"])
    message = _own(ask, channel, ask.args["ts"], "cant_delete_message")
    message.deleted = True
    return {"channel": channel.id, "ts": message.ts}


def _own(ask: Ask, channel: Channel, ts: str, otherwise: str) -> Message:
    message = channel.messages.get(ts)
    if message is None or message.deleted:
        raise SlackError("message_not_found")
    if message.user != ask.workspace.bot_user:
        raise SlackError(otherwise)
    return message


def post_ephemeral(ask: Ask) -> Json:
    channel = channel_of(ask, ask.args["channel"])
    if channel.archived:
        raise SlackError("is_archived")
    if ask.args["user"] not in channel.members:
        raise SlackError("user_not_in_channel")
    check_content(ask)
    thread_ts = thread_of(ask, channel, ask.args.get("thread_ts"))
    message = write(ask, channel, thread_ts=thread_ts, only_for=ask.args["user"])
    return {"message_ts": message.ts}


def permalink(ask: Ask) -> Json:
    channel = channel_of(ask, ask.args["channel"], member=False)
    message = channel.messages.get(ask.args["message_ts"])
    if message is None or message.deleted:
        raise SlackError("message_not_found")
    link = f"https://{ask.workspace.domain}.slack.com/archives/{channel.id}"
    link += f"/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def react(ask: Ask) -> Json:
    channel = channel_of(ask, ask.args["channel"])
    message = channel.messages.get(ask.args["timestamp"])
    if message is None or message.deleted:
        raise SlackError("message_not_found")
    who = message.reactions.setdefault(ask.args["name"], set())
    if ask.workspace.bot_user in who:
        raise SlackError("already_reacted")
    who.add(ask.workspace.bot_user)
    return {}


def respond(ask: Ask, user: str, channel: Channel, message_ts: str | None) -> None:
    """Do what an answer to a slash command or by a response_url says."""
    args = ask.args
    known = {"text", "blocks", "attachments", "response_type", "replace_original", "mrkdwn"}
    known |= {"delete_original", "thread_ts", "metadata", "unfurl_links", "unfurl_media"}
    for name in args.keys() - known:
        ask.wrong(f"unknown field: {name}")
    original = channel.messages.get(message_ts or "")
    if args.get("delete_original") and original:
        original.deleted = True
        return
    check_content(ask)
    if args.get("replace_original") and original:
        rewrite(ask, original)
        return
    public = args.get("response_type") == "in_channel"
    write(ask, channel, thread_ts=args.get("thread_ts"), only_for=None if public else user)


METHODS: dict[str, Method] = {
    "chat.postMessage": post,
    "chat.update": update,
    "chat.delete": delete,
    "chat.postEphemeral": post_ephemeral,
    "chat.getPermalink": permalink,
    "reactions.add": react,
}
