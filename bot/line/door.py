"""What every handler of LINE's events has at hand, and how it answers people."""

from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from bot.line.outbound import LineOutbound
from core.acquaintances import meet, met
from core.arrivals import Arrival
from core.errors import MiyabiError, TryLater
from core.house import House
from core.inbound import Sender, Spot
from core.messages import Message
from core.people import Person
from core.platform import Opening
from core.words import Language, Words

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Door:
    """The ways in of one process."""

    house: House
    outbound: LineOutbound
    opening: Opening

    async def person(self, arrival: Arrival) -> Person | None:
        """Who it is, as far as is known; None for a stranger."""
        return await met(self.house, sender_of(arrival))

    async def person_now(self, arrival: Arrival) -> Person | None:
        """The same at this moment: what is shown to somebody is only theirs who they are now. Their
        account may have been cut, or they may have left, since this process met them."""
        return await meet(self.house, sender_of(arrival))

    async def language(self, arrival: Arrival) -> Language:
        """The language to answer somebody in."""
        person = await self.person(arrival)
        return person.language if person is not None else "ja"

    async def say(
        self, arrival: Arrival, message: Message, *, quick: int = 0, task_id: UUID | None = None
    ) -> None:
        """Answer; in a group with the name of whom it is for. `task_id` is what it is about. Raises
        TryLater."""
        await self._say(arrival, message, only_free=False, quick=quick, task_id=task_id)

    async def mention(self, arrival: Arrival, message: Message) -> None:
        """Answer with what is worth no push: by the event's own token, or not at all."""
        await self._say(arrival, message, only_free=True)

    async def tell(self, arrival: Arrival, words: Words) -> None:
        """Answer with these words. Raises TryLater."""
        language = await self.language(arrival)
        await self.say(arrival, Message(words.to(language), language=language))

    async def show_menu(self, arrival: Arrival, language: Language) -> None:
        """Show somebody who has just become known, or is back, the menu of their language."""
        await self.outbound.menu_for(arrival.workspace, arrival.account, language)

    async def _say(
        self,
        arrival: Arrival,
        message: Message,
        *,
        only_free: bool,
        quick: int = 0,
        task_id: UUID | None = None,
    ) -> None:
        if not is_alone(arrival):
            person = await self.person(arrival)
            message = message if person is None else _for(person, message)
        try:
            await self.outbound.answer(
                arrival, [message], only_free=only_free, quick=quick, task_id=task_id
            )
        except TryLater:
            raise
        except MiyabiError as error:
            # Whoever asked has blocked us, or the month's messages are gone: what was done stays.
            log.error("line.not_answered", arrival=str(arrival.id), why=str(error))


def _for(person: Person, message: Message) -> Message:
    """A message that says whom it answers: in a group several ask at once."""
    to = f"{person.name}: "
    if message.title:
        body = f"{to}{message.body}" if message.body else f"→ {person.name}"
        return replace(message, text=f"{to}{message.text}", body=body)
    body = f"{to}{message.body}" if message.body else ""
    return replace(message, text=f"{to}{message.text}", body=body)


def sender_of(arrival: Arrival) -> Sender:
    """Whose account did it."""
    return Sender(arrival.platform, arrival.workspace, arrival.account)


def spot_of(arrival: Arrival, quotes: str | None = None) -> Spot:
    """Where it was done: a chat of LINE has no threads."""
    return Spot(arrival.chat, arrival.chat, flat=True, quotes=quotes)


def is_alone(arrival: Arrival) -> bool:
    """Whether it is a one-to-one chat, which is called by the person's account."""
    return arrival.chat == arrival.account
