"""A message as LINE would be given it, without sending it."""

import json

from bot.line.picture import Drawn, page
from bot.line.render import Look, render
from core.messages import Message
from core.platform import Preview

_LOOK = Look(press=lambda action, value: "0" * 32, link=lambda file: None)


def preview(message: Message) -> Preview:
    """The messages of a push."""
    shown = render(message, _LOOK)
    sent = json.dumps(shown, ensure_ascii=False, indent=2)
    return Preview(sent, page(Drawn(each) for each in shown))
