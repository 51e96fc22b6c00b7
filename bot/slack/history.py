"""Looking for a message of ours that may have been posted: by delivery id, or by its file."""

from collections.abc import AsyncIterator
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.api import SlackRefused, ask
from bot.slack.render import Json
from core.ports import Sent

log = structlog.get_logger()

_PAGES = 10
_PAGE = 200  # messages; docs.slack.dev advises no more


async def find_message(
    client: AsyncWebClient, channel: str, thread: str | None, key: str
) -> Sent | None:
    """The message whose metadata carries the delivery's id. Raises Permanent or TryLater."""
    async for message in _messages(client, channel, thread):
        metadata = message.get("metadata") or {}
        if (metadata.get("event_payload") or {}).get("key") == key:
            return Sent(channel, message["ts"], {}, thread or message["ts"])
    return None


async def find_file(
    client: AsyncWebClient, channel: str, thread: str | None, file_id: str
) -> Sent | None:
    """The message that a file was posted with. Raises Permanent or TryLater."""
    async for message in _messages(client, channel, thread):
        if any(file["id"] == file_id for file in message.get("files") or ()):
            return Sent(channel, message["ts"], {"file": file_id}, thread or message["ts"])
    return None


async def find_named_file(
    client: AsyncWebClient, channel: str, thread: str | None, name: str, author: str
) -> Sent | None:
    """The message in which the author posted a file of this name."""
    async for message in _messages(client, channel, thread):
        for file in message.get("files") or ():
            if file.get("name") == name and message.get("user") == author:
                return Sent(channel, message["ts"], {"file": file["id"]}, thread or message["ts"])
    return None


async def _messages(
    client: AsyncWebClient, channel: str, thread: str | None
) -> AsyncIterator[Json]:
    """What stands in a thread, or lately in a channel; nothing where it can't be read."""
    cursor = ""
    for _ in range(_PAGES):
        page: dict[str, Any] = {"limit": _PAGE, "include_all_metadata": True}
        if cursor:
            page["cursor"] = cursor
        try:
            if thread is None:
                said = await ask(client.conversations_history(channel=channel, **page))
            else:
                said = await ask(client.conversations_replies(channel=channel, ts=thread, **page))
        except SlackRefused as refused:
            log.info("slack.not_readable", channel=channel, why=refused.code)
            return
        for message in said["messages"]:
            yield message
        cursor = (said.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor or thread is None:
            return
