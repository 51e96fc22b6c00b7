"""The opaque ids that buttons carry, and what of a message can be pressed."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from bot.line.quick_replies import choices, pages
from core.messages import Message


def press_id(organisation_id: UUID, action: str, value: str) -> str:
    """What a button carries for an action: the same each time, so that rendering needs no store.

    It says nothing by itself and permits nothing: who may press is asked when somebody does.
    """
    told = f"{action}\n{value}".encode()
    return hashlib.blake2b(told, digest_size=16, key=organisation_id.bytes).hexdigest()


def presses_of(message: Message) -> Sequence[tuple[str, str]]:
    """Action and value of all that can be pressed on a message, those of its pages included."""
    found = [(button.action, button.value) for button in message.buttons]
    offered = choices(message)
    found += [(choice.action, choice.value) for choice in offered]
    found += [(page.action, page.value) for page in pages(offered)]
    if message.dates is not None:
        found.append((message.dates.action, message.dates.value))
    return tuple(dict.fromkeys(found))
