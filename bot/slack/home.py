"""The home tab: what waits for me, my tasks, who decides for me, and how I am notified."""

from slack_bolt.context.ack.async_ack import AsyncAck
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.slack.api import ask
from bot.slack.door import Act, Door
from bot.slack.render import Json, blocks, button, cut, section
from core import phrases
from core.approvals import bulk
from core.approvals.acts import SHOW
from core.approvals.card import LABELS
from core.approvals.delegating import standing
from core.delegates import listed
from core.desk import Desk, DeskLine, desk
from core.house import House
from core.linking_words import HOW_TO_LINK
from core.messages import Button, Line, Message
from core.notify_shown import shown
from core.notify_shown import standing as standing_of
from core.people import Person, spell, who
from core.words import Language, Words, lines

NEW = Words(ja="{title}を作る", en="New {title}", zh="新建{title}")
DELEGATES = Words(ja="代理", en="Delegates", zh="代理")
HOW = Words(
    ja="チャンネルでは「/miyabi quote …」か「@Miyabi …」、ここではメッセージでも依頼できます。",
    en="In channels write “/miyabi quote …” or “@Miyabi …”; here a message will do.",
    zh="在频道中可使用“/miyabi quote …”或“@Miyabi …”，在这里也可直接发消息。",
)


async def on_home_opened(door: Door, body: Json, ack: AsyncAck, act: Act) -> None:
    """Show the tab as it is now; it is not kept up to date while it stands open."""
    if body["event"].get("tab") == "home":
        door.later(publish(door, act))


async def publish(door: Door, act: Act) -> None:
    """Put the tab as it is now in the place of what somebody sees there."""
    client = await door.client(act.team)
    view = {"type": "home", "blocks": await _shown(door, act)}
    await ask(client.views_publish(user_id=act.user, view=view))


async def _shown(door: Door, act: Act) -> list[Json]:
    try:
        async with door.house.engine.connect() as connection:
            person = await who(connection, act.sender)
            if person is not None:
                listing = await desk(connection, door.house, person)
                found = home_blocks(door.house, person, listing)
                found += await _delegates(connection, door.house, person)
                told = await standing_of(connection, person.organisation_id, person.id)
                return found + blocks(shown(told))
    except (SQLAlchemyError, OSError, TimeoutError):
        return blocks(_in_every_language(phrases.NOT_TAKEN))
    words = lines([phrases.UNKNOWN_PERSON.fill(account=spell(act.sender)), HOW_TO_LINK])
    return blocks(_in_every_language(words))


async def _delegates(connection: AsyncConnection, house: House, person: Person) -> list[Json]:
    """Who decides for this person, and for whom they do."""
    every = await standing(connection, person.organisation_id)
    mine = [each for each in every if person.id in {each.person_id, each.delegate_id}]
    if not mine:
        return []
    title, words = DELEGATES.to(person.language), listed(house, mine).to(person.language)
    return blocks(Message(f"{title}\n{words}", title=title, body=words, language=person.language))


def _in_every_language(words: Words) -> Message:
    """For somebody whose language is not known."""
    return Message("\n\n".join((words.ja, words.en, words.zh)))


def home_blocks(house: House, person: Person, listing: Desk) -> list[Json]:
    """Somebody's desk: what waits for them first."""
    language = person.language
    buttons = tuple(
        Button("open", NEW.fill(title=agent.title).to(language), agent.name, "primary")
        for agent in house.agents.values()
        if agent.form is not None and person.may("requester")
    )
    found = blocks(Message("Miyabi", body=HOW.to(language), buttons=buttons, language=language))
    if not listing.waiting and not listing.mine:
        found += blocks(Message(phrases.NOTHING_OPEN.to(language), language=language))
    if listing.waiting:
        found += _waiting(house, person, listing)
    if listing.mine:
        found += blocks(_list(phrases.MY_TASKS.to(language), listing.mine, language))
    return found


def _waiting(house: House, person: Person, listing: Desk) -> list[Json]:
    """What waits for a decision: each can be approved here, or looked at first; the small ones
    together."""
    language = person.language
    small = bulk.small(house.approval_small, listing.waiting)
    together = bulk.small_button(house.approval_small, small, language)
    title = phrases.WAITS_FOR_ME.to(language)
    buttons = (together,) if len(small) > 1 else ()
    found = blocks(Message(title, title=title, buttons=buttons, language=language))
    for waiting in listing.waiting:
        line = bulk.line(waiting, language, person.time_zone)
        found.append(home_line(line))
        approve = LABELS["approve"].to(language), SHOW.fill(reference=waiting.spoken).to(language)
        found.append(_choices(str(waiting.stage), *approve))
    return found


def home_line(line: Line) -> Json:
    """One that waits, in words."""
    name, amount = cut(line.name, 200), cut(line.amount, 60)
    detail = f"\n{cut(line.detail, 300)}" if line.detail else ""
    return section(f"*{name}*　{amount}{detail}")


def _choices(stage: str, approve: str, show: str) -> Json:
    """The buttons beneath it."""
    return {
        "type": "actions",
        "elements": [
            button(Button("approve", approve, stage, "primary"), "approve"),
            button(Button("show", show, stage), "show"),
        ],
    }


def _list(title: str, lines: tuple[DeskLine, ...], language: Language) -> Message:
    rows = tuple(
        Line(f"#{line.reference} {line.title}", f"{line.state.to(language)}　{line.text}", "")
        for line in lines
    )
    return Message(title, title=title, lines=rows, language=language)
