"""People who add Miyabi as a friend, and who block it."""

from bot.line import wording
from bot.line.door import Door, sender_of
from bot.line.talk import hints
from core.accounts import reachable, unreachable
from core.arrivals import Arrival, chat_of, place_of
from core.chat_events import joined
from core.db import fetch_one_alone
from core.messages import Message
from core.unit import unit


async def on_follow(door: Door, arrival: Arrival) -> None:
    """Added, or no longer blocked: a greeting, for strangers with how to link their account."""
    async with unit(door.house) as work:
        await reachable(work, sender_of(arrival))
    person = await door.person_now(arrival)
    if person is None:
        await door.mention(arrival, Message(wording.WELCOME_ALL))
        return
    language = person.language
    examples = "\n".join(f"・{agent.example.to(language)}" for agent in door.house.agents.values())
    words = wording.HELLO.fill(name=person.name, examples=examples).to(language)
    message = Message(words, buttons=await hints(door, arrival), language=language)
    await door.say(arrival, message)
    await door.show_menu(arrival, language)


async def heard(door: Door, arrival: Arrival) -> None:
    """Whoever speaks to us has not blocked us, and where somebody speaks we are: the event that
    said so may have come while nobody listened, and LINE delivers it once."""
    row = await fetch_one_alone(
        door.house.engine,
        "select exists (select from accounts where organisation_id = :organisation_id"
        " and platform = :platform and workspace = :workspace and external_id = :account"
        " and external_id = :chat and unreachable_since < :said_at) as back,"
        " exists (select from chats where organisation_id = :organisation_id"
        " and platform = :platform and workspace = :workspace and channel = :chat"
        " and left_at < :said_at) as again",
        {**place_of(chat_of(arrival)), "account": arrival.account, "said_at": arrival.said_at},
    )
    if row is None or not (row.back or row.again):
        return
    async with unit(door.house) as work:
        if row.back:
            await reachable(work, sender_of(arrival))
        else:
            await joined(work, arrival)


async def on_unfollow(door: Door, arrival: Arrival) -> None:
    """Blocked: nothing is pushed any more, and what waits for them goes to their other accounts."""
    async with unit(door.house) as work:
        await unreachable(work, sender_of(arrival))
