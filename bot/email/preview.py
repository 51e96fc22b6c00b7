"""A message as a letter would show it, without sending it."""

from bot.email.render import Look, show
from core.messages import Message
from core.platform import Preview


def preview(message: Message) -> Preview:
    """Its text, and its HTML as the page."""
    text, html = show([(message, False)], Look(answered=False, decides=False))
    return Preview(text, html)
