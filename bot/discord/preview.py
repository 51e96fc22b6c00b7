"""A message as Discord would be given it, without sending it."""

import json

from bot.discord.outbound import PICTURE
from bot.discord.picture import page
from bot.discord.render import NOBODY, V2, render
from core.messages import Message
from core.platform import Preview


def preview(message: Message) -> Preview:
    """The body of the request that posts it, and of those that go on after it."""
    shown = render(message, 1, PICTURE if message.picture is not None else None)
    sent = {"flags": V2, "components": shown.components, "allowed_mentions": NOBODY}
    every = [sent, *({"content": each, "allowed_mentions": NOBODY} for each in shown.more)]
    body = json.dumps(every[0] if len(every) == 1 else every, ensure_ascii=False, indent=2)
    return Preview(body, page(shown))
