"""What a button carries, in the hundred characters that Discord has for it.

An action and an opaque value. Where both together are too long, an id of theirs that is the same
each time, so that rendering needs no store; it is stored (table `presses`) before it is shown.
Nothing is kept in a process: a card of last month is pressed as one of today.
"""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from bot.discord.limits import CUSTOM_ID
from core.db import execute, fetch_one, to_json
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
    rows = [{"id": custom_id(*pair), "action": pair[0], "value": pair[1]} for pair in pairs]
    if not rows:
        return
    async with unit(house) as work:
        await execute(
            work.connection,
            "insert into presses (organisation_id, id, action, value)"
            " select :organisation_id, id, action, value"
            " from jsonb_to_recordset(cast(:presses as jsonb)) as press"
            " (id text, action text, value text) on conflict do nothing",
            {"organisation_id": organisation_id, "presses": to_json(rows)},
        )


async def read(house: House, organisation_id: UUID | None, told: str) -> tuple[str, str]:
    """Action and value of what was pressed; ("", "") for what nobody knows."""
    if not told.startswith(_STORED):
        action, _, value = told.partition(":")
        return action, value
    if organisation_id is None:
        return "", ""
    async with house.engine.connect() as connection:
        row = await fetch_one(
            connection,
            "select action, value from presses"
            " where organisation_id = :organisation_id and id = :id",
            {"organisation_id": organisation_id, "id": told},
        )
    return (row.action, row.value) if row else ("", "")
