"""A message as Slack would be given it, without sending it."""

import json

from bot.slack.picture import page
from bot.slack.render import blocks, fallback
from core.messages import Message
from core.platform import Preview


def preview(message: Message) -> Preview:
    """The arguments of chat.postMessage that show it."""
    shown = blocks(message)
    sent = {"text": fallback(message), "blocks": shown}
    return Preview(json.dumps(sent, ensure_ascii=False, indent=2), page(shown))
