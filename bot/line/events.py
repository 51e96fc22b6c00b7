"""LINE's events, one chat at a time and in order: which belong together, and what they mean."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.line import comings, gathering, groups, pressing, talk
from bot.line.door import Door, is_alone
from bot.line.said import said_in
from core import phrases
from core.arrivals import Arrival
from core.chat_events import unsent
from core.commands import read_command
from core.db import is_outage
from core.errors import MiyabiError, TryLater
from core.unit import unit

log = structlog.get_logger()

LOADING = timedelta(seconds=20)
"""How long the animation shows, unless something is said before."""

_AGAIN = timedelta(seconds=1)


async def noticed(door: Door, arrival: Arrival) -> None:
    """Show at once that something is being done about an event; nothing depends on it."""
    if arrival.redelivered or not is_alone(arrival) or not await _takes_a_while(door, arrival):
        return
    try:
        await door.outbound.loading(arrival.workspace, arrival.chat, LOADING)
    except (MiyabiError, OSError, TimeoutError) as error:
        log.info("line.loading_not_shown", arrival=str(arrival.id), why=str(error))


async def _takes_a_while(door: Door, arrival: Arrival) -> bool:
    """Whether it is a request or an answer, rather than what is answered at once."""
    said = said_in(arrival)
    if said is None or said.away or not (said.text or said.files):
        return False
    try:
        if await door.person(arrival) is None:
            return False
    except (SQLAlchemyError, OSError):
        return False
    if said.files:
        return True
    command = read_command(said.text, door.house.agents.values())
    return command.is_agent and bool(command.rest.strip())


async def patience(door: Door, arrivals: Sequence[Arrival]) -> timedelta:
    """How long after the last of a chat's open arrivals, oldest first, to wait for more of them.

    Zero: deal with them now.
    """
    try:
        return await gathering.patience(door, arrivals)
    except Exception as error:
        raise _later(error) from error


async def handle(door: Door, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
    """Deal with the first of a chat's open arrivals, and those that are read as one with it.

    Gives those it dealt with: they are done. Handled again, an arrival has the same effect once and
    is answered once. Raises TryLater where it is to be tried again.
    """
    try:
        run = await gathering.first_run(door, arrivals)
        await gathering.mark(door.house, run)
        if run[0].kind in {"message", "postback"}:
            await comings.heard(door, run[0])
        if run[0].kind == "message":
            stands = await gathering.not_taken_back(door.house, run, arrivals)
            if stands:
                await talk.on_messages(door, stands)
        else:
            deal = _KINDS.get(run[0].kind)
            if deal is not None:
                await deal(door, run[0])
    except Exception as error:
        raise _later(error) from error
    return run


def _later(error: Exception) -> Exception:
    """What to raise for an error: a database that is away is only waited for."""
    if isinstance(error, MiyabiError) or not is_outage(error):
        return error
    return TryLater(phrases.NOT_TAKEN, after=_AGAIN)


async def gave_up(door: Door, arrivals: Sequence[Arrival], error_id: str) -> None:
    """The first of a chat's arrivals failed for good: tell whoever sent it."""
    await talk.gave_up(door, arrivals, error_id)


async def _unsent(door: Door, arrival: Arrival) -> None:
    """Somebody took a message back: that is kept, and what came of it stays."""
    async with unit(door.house) as work:
        await unsent(work, arrival, str((arrival.body.get("unsend") or {}).get("messageId")))


_KINDS: dict[str, Callable[[Door, Arrival], Awaitable[None]]] = {
    "postback": pressing.on_press,
    "follow": comings.on_follow,
    "unfollow": comings.on_unfollow,
    "join": groups.on_join,
    "leave": groups.on_leave,
    "memberLeft": groups.on_members_left,
    "unsend": _unsent,
}
"""What there is to do about events besides messages. Of all others it is kept that they came."""
