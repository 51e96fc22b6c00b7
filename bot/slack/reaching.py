"""Conversations that are closed to us, and the direct one with a person."""

from collections.abc import Iterator
from contextlib import contextmanager

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.api import SlackRefused, ask
from core.errors import Unreachable
from core.words import Words

UNREACHABLE = frozenset(
    {
        "cannot_reply_to_message",
        "channel_is_limited_access",
        "channel_not_found",
        "is_archived",
        "is_inactive",
        "not_in_channel",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "user_not_in_channel",
    }
)
"""What chat.postMessage answers where the bot can't speak (docs.slack.dev, its errors)."""

GONE = frozenset({"cannot_dm_bot", "user_disabled", "user_not_found", "user_not_visible"})
"""What conversations.open answers of a person who can't be written to."""

NOT_REACHED = Words(
    ja="Slack で送れない（{code}）ため、こちらにお知らせします。",
    en="You are told here because it can't be posted on Slack ({code}).",
    zh="由于无法在 Slack 上发送（{code}），改在此处通知您。",
)


@contextmanager
def reaching() -> Iterator[None]:
    """Tell what Slack says of a conversation that is closed to us from what is wrong otherwise."""
    try:
        yield
    except SlackRefused as refused:
        if refused.code not in UNREACHABLE | GONE:
            raise
        raise Unreachable(NOT_REACHED.fill(code=refused.code)) from refused


async def open_direct(client: AsyncWebClient, user: str) -> str:
    """The direct conversation with a person. Raises Permanent or TryLater."""
    said = await ask(client.conversations_open(users=user))
    return str(said["channel"]["id"])
