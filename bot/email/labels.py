"""A button's label, typed in an answer to the letter that shows it, is a press of it.

A letter has no buttons. What would be one elsewhere stands there in quotes (bot/email/render.py),
and counts as it stands there only: the whole first line, for the letter that it answers.
"""

import unicodedata
from uuid import UUID

from bot.email.render import typed
from core.codec import load
from core.db import fetch_all, from_json
from core.house import House
from core.inbound import Click
from core.messages import Message

_AROUND = " 　「」『』“”\"'。．.!！"


async def click_for(
    house: House, organisation_id: UUID, letter_id: UUID, first_line: str
) -> Click | None:
    """The press that the first line of an answer to a letter of ours is; None for anything else,
    and where two buttons of it are called the same. Decisions on an approval are never among them,
    they have their own way (bot/email/deciding.py)."""
    said = _folded(first_line)
    if not said:
        return None
    async with house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select body from deliveries where organisation_id = :organisation_id"
            " and call = :call and state in ('sent', 'unknown') and body is not null",
            {"organisation_id": organisation_id, "call": letter_id},
        )
    found = {
        (button.action, button.value)
        for row in rows
        for button in typed(_message(from_json(row.body)))
        if _folded(button.label) == said
    }
    if len(found) != 1:
        return None
    [(action, value)] = found
    return Click(action, value)


def _message(body: dict[str, object]) -> Message:
    """As it was said, or as it was about to be (notifier/call.py)."""
    found: Message = load(Message, body.get("message", body))
    return found


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip(_AROUND).casefold()
