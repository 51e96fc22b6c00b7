"""Groups: when Miyabi is spoken to there, and coming into one and going."""

from bot.line import wording
from bot.line.door import Door
from bot.line.gathering import is_named
from bot.line.said import Said
from core.arrivals import Arrival
from core.chat_events import joined, left, member_left
from core.commands import read_command
from core.house import House
from core.messages import Message
from core.unit import unit
from core.words import LANGUAGES


def speaks_to_us(house: House, said: Said) -> bool:
    """Whether something in a group is said to Miyabi: it is mentioned, or the first word is one of
    a command or of an agent. A mere question mark is what people say to one another."""
    if said.mentioned:
        return True
    if not said.text.strip("?？!！ "):
        return False
    command = read_command(said.text, house.agents.values())
    builtin = command.name is not None and not command.is_agent
    return builtin or is_named(command, said.text)


async def on_join(door: Door, arrival: Arrival) -> None:
    """Miyabi was invited: say in a few words what it does here."""
    async with unit(door.house) as work:
        await joined(work, arrival)
    words = wording.INTRODUCTION
    text = "\n\n".join(words.to(language) for language in LANGUAGES)
    await door.mention(arrival, Message(text))


async def on_members_left(door: Door, arrival: Arrival) -> None:
    """Some people left: what they have open there is for them alone from now on."""
    members = (arrival.body.get("left") or {}).get("members") or ()
    accounts = {str(each["userId"]) for each in members if each.get("userId")}
    async with unit(door.house) as work:
        for account in sorted(accounts):
            await member_left(work, arrival, account)


async def on_leave(door: Door, arrival: Arrival) -> None:
    """Miyabi was removed from the group."""
    async with unit(door.house) as work:
        await left(work, arrival)
