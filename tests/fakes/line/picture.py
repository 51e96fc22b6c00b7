"""What a chat of the fake shows, as a web page (bot/line/picture.py)."""

from collections.abc import Iterable

from bot.line import picture
from tests.fakes.line.state import Said


def page(chat: Iterable[Said], width: int = 375, *, dark: bool = False) -> str:
    """A chat on a phone of that width in CSS pixels."""
    drawn = (
        picture.Drawn(
            said.body if said.by == "bot" else {"text": said.text}, said.how, said.by != "bot"
        )
        for said in chat
    )
    return picture.page(drawn, width, dark=dark)
