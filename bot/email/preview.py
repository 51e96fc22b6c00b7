"""A message as a letter would show it, without sending it."""

from bot.email.render import Look, show
from core.ack_links import PATH
from core.acknowledging import ACK
from core.messages import Message
from core.platform import Preview

_PAGE = f"https://miyabi.example{PATH}…"
"""Of a letter each person has their own."""


def preview(message: Message) -> Preview:
    """Its text, and its HTML as the page."""
    pages = {button.value: _PAGE for button in message.buttons if button.action == ACK}
    text, html = show([(message, False)], Look(pages, answered=False, decides=False))
    return Preview(text, html)
