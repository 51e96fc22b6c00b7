"""Messages in words alone, for what LINE does not take as it was drawn."""

from collections.abc import Sequence

from bot.line.flex import Json
from bot.line.limits import TEXT
from bot.line.text import cut


def texts(objects: Sequence[Json]) -> list[Json]:
    """Each as a text: of a bubble what notifications show of it, of anything else its words."""
    words = [str(made.get("altText") or made.get("text") or "…") for made in objects]
    return [{"type": "text", "text": cut(each, TEXT)} for each in words]
