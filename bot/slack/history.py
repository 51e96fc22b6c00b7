"""Looking for a message of ours that may have been posted: by delivery id, or by its file."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.api import SlackRefused, ask
from bot.slack.render import Json
from core.errors import OutcomeUnknown
from core.ports import Sent
from core.words import Words

log = structlog.get_logger()

_PAGES = 10
_PAGE = 200  # messages; docs.slack.dev advises no more
_CLOCKS_APART = 600
"""Seconds by which our clock may be ahead of Slack's."""

NOT_READABLE = Words(
    ja="Slackの会話を読めません: {code}",
    en="Slack does not let me read the conversation: {code}",
    zh="无法读取 Slack 会话: {code}",
)
TOO_MANY = Words(
    ja="Slackの会話が長すぎて探しきれません",
    en="the conversation in Slack is too long to be searched",
    zh="Slack 会话过长，无法完整查找",
)


async def find_message(
    client: AsyncWebClient, channel: str, thread: str | None, key: str
) -> Sent | None:
    """The message whose metadata carries the delivery's id.

    Raises OutcomeUnknown where that can't be told, TryLater where Slack can't be asked now.
    """
    async for message in _messages(client, channel, thread, _begun(key)):
        metadata = message.get("metadata") or {}
        if (metadata.get("event_payload") or {}).get("key") == key:
            return Sent(channel, message["ts"], {}, thread or message["ts"])
    return None


async def find_file(
    client: AsyncWebClient, channel: str, thread: str | None, file_id: str
) -> Sent | None:
    """The message that a file was posted with. Raises as `find_message`."""
    async for message in _messages(client, channel, thread):
        if any(file["id"] == file_id for file in message.get("files") or ()):
            return Sent(channel, message["ts"], {"file": file_id}, thread or message["ts"])
    return None


async def find_named_file(
    client: AsyncWebClient, channel: str, thread: str | None, name: str, author: str, key: str
) -> Sent | None:
    """The message in which the author posted a file of this name since the delivery of this id was
    begun. Raises as `find_message`.
    """
    async for message in _messages(client, channel, thread, _begun(key)):
        for file in message.get("files") or ():
            if file.get("name") == name and message.get("user") == author:
                return Sent(channel, message["ts"], {"file": file["id"]}, thread or message["ts"])
    return None


def _begun(key: str) -> float:
    """When a delivery was written, in seconds since 1970: its id (a UUIDv7) begins with that."""
    return (UUID(key).int >> 80) / 1000


async def _messages(
    client: AsyncWebClient, channel: str, thread: str | None, since: float | None = None
) -> AsyncIterator[Json]:
    """What stands in a thread, or lately in a channel. Raises OutcomeUnknown where it can't all be
    read, for whoever looks to the end.
    """
    page: dict[str, Any] = {"limit": _PAGE, "include_all_metadata": True}
    if since is not None:
        page["oldest"] = f"{since - _CLOCKS_APART:.6f}"
    for _ in range(_PAGES):
        try:
            if thread is None:
                said = await ask(client.conversations_history(channel=channel, **page))
            else:
                said = await ask(client.conversations_replies(channel=channel, ts=thread, **page))
        except SlackRefused as refused:
            if refused.code == "thread_not_found":
                return  # it is gone, and what was in it
            log.info("slack.not_readable", channel=channel, why=refused.code)
            raise OutcomeUnknown(NOT_READABLE.fill(code=refused.code)) from refused
        for message in said["messages"]:
            yield message
        page["cursor"] = (said.get("response_metadata") or {}).get("next_cursor") or ""
        if not page["cursor"]:
            return
    raise OutcomeUnknown(TOO_MANY)
