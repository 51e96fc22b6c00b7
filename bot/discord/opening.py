"""What opens a modal. It has to be the first answer, within three seconds, and can't be deferred:
so whoever may not do the act is told why instead, and what is slow is told to be."""

import asyncio
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.discord import limits
from bot.discord.act import Act, Json
from bot.discord.custom_ids import custom_id
from bot.discord.door import Door
from bot.discord.modals import ASK, EDIT, act_modal, request_modal
from bot.discord.turn import Turn
from core import phrases
from core.acquaintances import remember
from core.approvals.acts import newest_card
from core.approvals.asking import ASKS, places, subject
from core.approvals.standing import Changed
from core.errors import NotAllowed, Refused
from core.first_times import DatabaseAway
from core.in_time import within
from core.messages import Message
from core.people import Person
from core.views import task_view
from core.words import same

log = structlog.get_logger()

OPENS_A_MODAL = ASKS.keys() | {"open", "edit"}


async def open_form(door: Door, turn: Turn, act: Act, agent: str) -> None:
    """The form of an agent, empty: what is needed, in words."""
    found = door.house.agent(agent)
    modal = request_modal(found, door.language(act), custom_id(ASK, agent))
    if not await turn.modal(modal):
        example = found.example.to(door.language(act))
        await door.whisper(turn, act, Message(example, language=door.language(act)))


async def opened(door: Door, turn: Turn, act: Act, name: str, value: str) -> bool:
    """Whether this person was given a modal, or told why not; strangers are left to `accept`."""
    if name == "open":
        if value not in door.house.agents:
            return False
        await open_form(door, turn, act, value)
        return True
    try:
        modal = await within(limits.OPENS_WITHIN, _modal(door, act, name, value))
        if modal is None:
            return False
        if await turn.modal(modal):
            return True
        message = Message(phrases.NOT_TAKEN.to(door.language(act)), language=door.language(act))
    except (TimeoutError, OSError, SQLAlchemyError, DatabaseAway) as error:
        log.error("discord.database_away", action=name, error=repr(error))
        message = Message(phrases.NOT_TAKEN.to(door.language(act)), language=door.language(act))
    except Refused as refused:
        message = await _refusal(door, act, refused)
    await door.whisper(turn, act, message)
    return True


async def _modal(door: Door, act: Act, name: str, value: str) -> Json | None:
    person = await door.person(act)
    if person is None:
        return None
    remember(door.house, act.sender, person)
    if name == "edit":
        return await _edit(door, person, value)
    async with door.house.engine.connect() as connection:
        of = await subject(connection, person, name, value)
    return act_modal(name, value, of.reference, person.language, places(of))


async def _edit(door: Door, person: Person, task_id: str) -> Json:
    """What was asked for, to be written anew. Raises Refused for who may not."""
    try:
        async with door.house.engine.connect() as connection:
            view = await task_view(connection, door.house, person.organisation_id, UUID(task_id))
    except (ValueError, LookupError) as error:
        raise Refused(phrases.UNKNOWN_TASK.fill(target="?")) from error
    if view.requester_id != person.id:
        raise NotAllowed(phrases.NOT_YOURS.fill(who=same(view.requester)))
    about = custom_id(EDIT, str(view.id))
    return request_modal(view.agent, person.language, about, view.text)


async def _refusal(door: Door, act: Act, refused: Refused) -> Message:
    """Why not; where the content has changed meanwhile, the newest card."""
    language = door.language(act)
    person = door.house.met.get(act.sender)
    if person is not None and isinstance(refused, Changed):
        try:
            async with (
                asyncio.timeout(limits.OPENS_WITHIN),
                door.house.engine.connect() as connection,
            ):
                newest = await newest_card(connection, door.house, person, language, refused)
            if newest is not None:
                return newest
        except (TimeoutError, OSError, SQLAlchemyError) as error:
            log.warning("discord.newest_not_read", error=repr(error))
    return Message(refused.words.to(language), language=language)
