"""Presses: buttons, quick replies and the calendar. However old, each is answered."""

from bot.line import asking, prompts, wording
from bot.line.door import Door, sender_of, spot_of
from bot.line.talk import reply
from core import phrases, presses
from core.approvals.asking import ASKS
from core.arrivals import Arrival
from core.codec import load
from core.commands import WORDS
from core.db import fetch_one_alone, from_json
from core.inbound import Click, Inbound
from core.intake import LATE_PATIENCE, accept
from core.messages import Message
from core.people import Person

_CHOICES = frozenset({"reason", "back_to", "whom"})


async def on_press(door: Door, arrival: Arrival) -> None:
    """Do what was pressed, as whoever pressed it. Raises TryLater."""
    postback = arrival.body.get("postback") or {}
    pressed = await presses.behind(
        door.house.engine, arrival.organisation_id, str(postback.get("data") or "")
    )
    if not arrival.account:
        return
    person = await door.person_now(arrival)
    if pressed is None:
        language = person.language if person is not None else "ja"
        words = wording.NO_SUCH_BUTTON.to(language)
        await door.mention(arrival, Message(words, language=language))
        return
    action, value = pressed
    day = str((postback.get("params") or {}).get("date") or "")
    if person is None:
        await _click(door, arrival, Click(action, value))  # which says what strangers are told
    else:
        await _press(door, arrival, person, action, value, day)


async def _press(
    door: Door, arrival: Arrival, person: Person, action: str, value: str, day: str
) -> None:
    if action in ASKS:
        await asking.ask(door, arrival, person, action, value)
    elif action in _CHOICES:
        await asking.chosen(door, arrival, person, action, value)
    elif action == "command":
        await _say(door, arrival, _spoken(value))
    elif action == "agent":
        await _chose_agent(door, arrival, value)
    elif action == "drop":
        await prompts.forget(door.house, arrival)
        words = wording.DROPPED.to(person.language)
        await door.mention(arrival, Message(words, language=person.language))
    elif action == "page":
        await _turn(door, arrival, person, value)
    else:
        await _click(door, arrival, Click(action, value, day))


async def _click(door: Door, arrival: Arrival, click: Click) -> None:
    inbound = Inbound(sender_of(arrival), spot_of(arrival), arrival.key, click=click)
    await reply(door, arrival, await accept(door.house, inbound, LATE_PATIENCE))


async def _say(door: Door, arrival: Arrival, text: str) -> None:
    """As if it had been written."""
    inbound = Inbound(sender_of(arrival), spot_of(arrival), arrival.key, text)
    await reply(door, arrival, await accept(door.house, inbound))


def _spoken(name: str) -> str:
    """The word of a builtin, by its name."""
    return next((words[0] for known, words in WORDS.items() if known == name), name)


async def _chose_agent(door: Door, arrival: Arrival, name: str) -> None:
    """What files, or words, are for: they are the request, or wait for the words."""
    agent = door.house.agents.get(name)
    if agent is None:
        await door.tell(arrival, wording.NO_SUCH_BUTTON)
        return
    prompt = await prompts.asked_for(door.house.engine, arrival)
    text = str(prompt.facts.get("text") or "") if prompt is not None else ""
    files = asking.files_of(prompt)
    if not text and not arrival.attempts:
        await asking.how_to_ask(door, arrival, name, files)
        return
    inbound = Inbound(
        sender_of(arrival), spot_of(arrival), arrival.key, f"{agent.words[0]} {text}", files=files
    )
    answer = await accept(door.house, inbound)
    await reply(door, arrival, answer)
    if prompt is not None and answer.outcome != "unavailable":
        await prompts.forget(door.house, arrival, prompt)


async def _turn(door: Door, arrival: Arrival, person: Person, value: str) -> None:
    """Another page of what can be chosen: of people, or of a question's answers."""
    of, _, first = value.rpartition(".")
    action, _, stage = of.partition(".")
    if action in ASKS:
        await asking.ask(door, arrival, person, action, stage, quick=int(first))
        return
    message = await _question(door, arrival, of)
    if message is None:
        await door.tell(arrival, phrases.QUESTION_OVER)
    else:
        await door.say(arrival, message, quick=int(first))


async def _question(door: Door, arrival: Arrival, question: str) -> Message | None:
    """An open question as it was asked in this chat."""
    row = await fetch_one_alone(
        door.house.engine,
        "select m.body from messages m join threads h on h.id = m.thread_id"
        " join tasks t on t.id = m.task_id where m.organisation_id = :organisation_id"
        " and h.platform = :platform and h.workspace = :workspace and h.channel = :chat"
        " and m.slot = 'question:' || cast(:question as text)"
        " and t.question ->> 'id' = :question limit 1",
        {
            "organisation_id": arrival.organisation_id,
            "platform": arrival.platform,
            "workspace": arrival.workspace,
            "chat": arrival.chat,
            "question": question,
        },
    )
    found: Message | None = load(Message, from_json(row.body)) if row is not None else None
    return found
