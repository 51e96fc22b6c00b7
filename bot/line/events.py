"""LINE's events, one chat at a time and in order: which belong together, and what they mean."""

from collections.abc import Sequence
from datetime import timedelta

from bot.line.door import Door
from core.arrivals import Arrival
from core.messages import Message
from core.words import Words

GAVE_UP = Words(
    ja="処理できませんでした（エラー番号 {error_id}）。管理者に番号を伝えてください。",
    en="This could not be done (error {error_id}). Please tell your administrator the id.",
    zh="未能处理（错误编号 {error_id}）。请将编号告知管理员。",
)


async def noticed(door: Door, arrival: Arrival) -> None:
    """Show at once that something is being done about an event; nothing depends on it."""


async def patience(door: Door, arrivals: Sequence[Arrival]) -> timedelta:
    """How long after the last of a chat's open arrivals, oldest first, to wait for more of them.

    Zero: deal with them now.
    """
    return timedelta(0)


async def handle(door: Door, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
    """Deal with the first of a chat's open arrivals, and those that are read as one with it.

    Gives those it dealt with: they are done. Handled again, an arrival has the same effect once and
    is answered once. Raises TryLater where it is to be tried again.
    """
    return arrivals[:1]


async def gave_up(door: Door, arrivals: Sequence[Arrival], error_id: str) -> None:
    """The first of them is not tried again: say so."""
    words = GAVE_UP.fill(error_id=error_id)
    await door.outbound.answer(arrivals[0], [Message(words.ja, language="ja")])
