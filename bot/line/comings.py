"""People who add Miyabi as a friend, and who block it."""

from bot.line import wording
from bot.line.door import Door, sender_of
from bot.line.talk import hints
from core.accounts import reachable, unreachable
from core.arrivals import Arrival
from core.messages import Message
from core.unit import unit


async def on_follow(door: Door, arrival: Arrival) -> None:
    """Added, or no longer blocked: a greeting, for strangers with how to link their account."""
    async with unit(door.house) as work:
        await reachable(work, sender_of(arrival))
    person = await door.person(arrival)
    if person is None:
        await door.mention(arrival, Message(wording.WELCOME.ja))
        return
    language = person.language
    examples = "\n".join(f"・{agent.example.to(language)}" for agent in door.house.agents.values())
    words = wording.HELLO.fill(name=person.name, examples=examples).to(language)
    message = Message(words, buttons=await hints(door, arrival), language=language)
    await door.say(arrival, message)
    await door.show_menu(arrival, language)


async def on_unfollow(door: Door, arrival: Arrival) -> None:
    """Blocked: nothing is pushed any more, and what waits for them goes to their other accounts."""
    async with unit(door.house) as work:
        await unreachable(work, sender_of(arrival))
