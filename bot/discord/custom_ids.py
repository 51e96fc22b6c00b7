"""What a button carries, in the hundred characters that Discord has for it.

An action and an opaque value. Where both together are too long, an id of theirs that is the same
each time, so that rendering needs no store; it is stored (table `presses`) before it is shown.
Nothing is kept in a process: a card of last month is pressed as one of today.
"""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from bot.discord.limits import CUSTOM_ID
from core import presses
from core.house import House
from core.messages import Message
from core.unit import unit

_STORED = "~"


def custom_id(action: str, value: str) -> str:
    """What a button carries for an action."""
    told = f"{action}:{value}"
    if len(told) <= CUSTOM_ID and not told.startswith(_STORED):
        return told
    return _STORED + hashlib.blake2b(told.encode(), digest_size=24).hexdigest()


def too_long(message: Message) -> list[tuple[str, str]]:
    """What of a message has to be stored before it is shown."""
    pairs = [(button.action, button.value) for button in message.buttons]
    return [pair for pair in dict.fromkeys(pairs) if custom_id(*pair).startswith(_STORED)]


async def store(house: House, organisation_id: UUID, pairs: Iterable[tuple[str, str]]) -> None:
    """Keep what is behind ids; nothing is done where there are none."""
    rows = [(custom_id(*pair), *pair) for pair in pairs]
    if rows:
        async with unit(house) as work:
            await presses.keep(work, organisation_id, rows)


async def read(house: House, organisation_id: UUID | None, told: str) -> tuple[str, str]:
    """Action and value of what was pressed; ("", "") for what nobody knows."""
    if not told.startswith(_STORED):
        action, _, value = told.partition(":")
        return action, value
    if organisation_id is None:
        return "", ""
    return await presses.behind(house.engine, organisation_id, told) or ("", "")
