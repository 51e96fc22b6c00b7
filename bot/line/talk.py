"""Messages: what somebody says or sends, alone with Miyabi or in a group."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.line import asking, gathering, groups, prompts, wording
from bot.line.door import Door, is_alone, sender_of, spot_of
from bot.line.prompts import REQUEST
from bot.line.said import Said, said_in
from core import phrases
from core.agent import Agent
from core.arrivals import Arrival
from core.commands import Command, read_command
from core.db import fetch_one_alone
from core.errors import TryLater
from core.inbound import Answer, Inbound, SentFile
from core.intake import accept
from core.linking import read_code
from core.messages import Button, Message
from core.words import Words

log = structlog.get_logger()

_SMALL_TALK = {
    "sticker": wording.STICKER,
    "audio": wording.VOICE,
    "video": wording.VIDEO,
    "location": wording.LOCATION,
}


@dataclass(frozen=True, slots=True)
class _Told:
    """A run of messages as one: all words and files, said to Miyabi or merely overheard."""

    arrival: Arrival
    last: Arrival
    text: str
    files: tuple[SentFile, ...]
    quotes: str | None
    addressed: bool

    def inbound(self, text: str, files: Sequence[SentFile]) -> Inbound:
        arrival = self.arrival
        spot = spot_of(arrival, self.quotes)
        return Inbound(
            sender_of(arrival),
            spot,
            arrival.key,
            text,
            addressed=self.addressed,
            files=tuple(files),
        )


async def on_messages(door: Door, run: Sequence[Arrival]) -> None:
    """Take in what was said. Raises TryLater."""
    head = run[0]
    said = [each for each in map(said_in, run) if each is not None]
    if not head.account or not said:
        return  # LINE tells nobody of whom it does not name (webhook, "source")
    if len(said) == 1 and _is_nothing(said[0]):
        await _small_talk(door, head, said[0].kind, away=said[0].away)
        return
    text = "\n".join(each.text for each in said if each.text)
    files = [file for each in said for file in each.files]
    if not is_alone(head) and files:
        return  # what people show one another: nobody can be mentioned beside a file
    addressed = is_alone(head) or groups.speaks_to_us(door.house, said[0])
    told = _Told(head, run[-1], text, tuple(files), said[0].quotes, addressed)
    if text and await _prompted(door, told):
        return
    if addressed or told.quotes:
        await _take_in(door, told, text, told.files)


def _is_nothing(said: Said) -> bool:
    """Whether nothing can be made of it. Whoever merely mentions Miyabi asks for help."""
    return said.away or not (said.text or said.files or said.mentioned)


async def _small_talk(door: Door, arrival: Arrival, kind: str, *, away: bool) -> None:
    """A short answer to what nothing can be made of; worth no push, and not said in groups."""
    if not is_alone(arrival):
        return
    if await door.person(arrival) is None:
        await door.mention(arrival, Message(wording.WELCOME_ALL))
        return
    words = wording.FILE_AWAY if away else _SMALL_TALK.get(kind, wording.UNREADABLE)
    language = await door.language(arrival)
    message = Message(words.to(language), buttons=await hints(door, arrival), language=language)
    await door.mention(arrival, message)


async def hints(door: Door, arrival: Arrival) -> tuple[Button, ...]:
    """What somebody who does not know what to say can press."""
    person = await door.person(arrival)
    if person is None:
        return ()
    offered = [("help", wording.HELP), ("mine", wording.MINE)]
    if person.may("approver"):
        offered.append(("approvals", wording.APPROVALS))
    return tuple(
        Button("command", words.to(person.language), name, "quiet") for name, words in offered
    )


# What was asked for


async def _prompted(door: Door, told: _Told) -> bool:
    """Whether it is what this person was asked for, and was dealt with as that."""
    prompt = await prompts.asked_for(door.house.engine, told.arrival)
    if prompt is None or told.quotes or not told.addressed:
        return False  # in a group, what is said to others is no reason to reject something
    command = read_command(told.text, door.house.agents.values())
    builtin = command.name is not None and not command.is_agent
    overtaken = await prompts.is_overtaken(door.house.engine, told.arrival)
    if overtaken and prompt.action == REQUEST:
        return False  # its files are for what comes after the answer
    named = prompt.action != REQUEST and gathering.is_named(command, told.text)
    if overtaken or builtin or named:
        await prompts.forget(door.house, told.arrival, prompt)
        return False
    if prompt.action != REQUEST:
        await asking.complete(door, told.arrival, prompt, told.text)
        return True
    files = (*asking.files_of(prompt), *told.files)
    text = told.text
    if gathering.is_named(command, text):
        takes = door.house.agent(command.name or "").attach is not None
        files = files if takes else told.files  # what was kept is for something else
    else:
        agent = door.house.agents.get(str(prompt.facts.get("agent") or ""))
        if agent is None:
            before = str(prompt.facts.get("text") or "")
            return await _which_agent(door, told, f"{before}\n{text}".strip(), files)
        text = f"{agent.words[0]} {text}"
    await _take_in(door, told, text, files)
    await prompts.forget(door.house, told.arrival, prompt)
    return True


async def _which_agent(door: Door, told: _Told, text: str, files: Sequence[SentFile]) -> bool:
    """Files are there, and words that name no kind of request: which one it is is asked, with what
    was said kept until then."""
    await prompts.ask_for(door.house, told.arrival, asking.request(None, files, text))
    await door.say(told.arrival, await what_for(door, told.arrival, len(files)))
    return True


async def what_for(door: Door, arrival: Arrival, files: int) -> Message:
    """Asks what files are for: for which of the agents that take any."""
    language = await door.language(arrival)
    takers = [agent for agent in door.house.agents.values() if agent.attach is not None]
    buttons = [Button("agent", a.title.to(language), a.name, "quiet") for a in takers]
    buttons.append(Button("drop", wording.NEVER_MIND.to(language), "files", "quiet"))
    words = wording.WHAT_FOR.fill(files=files).to(language)
    return Message(words, buttons=tuple(buttons), language=language)


# Into the house


async def _take_in(door: Door, told: _Told, text: str, files: Sequence[SentFile]) -> None:
    if files and text and told.quotes is None and _is_guessed(door, text):
        person = await door.person(told.arrival)
        if person is not None and not await gathering.answers(door, told.arrival, person):
            await _which_agent(door, told, text, files)
            return
    if files and not text and await _held(door, told, files, only_more=True):
        return
    answer = await accept(door.house, told.inbound(text, files))
    if files and not text and _are_for_nothing(answer):
        await _held(door, told, files, only_more=False)
        return
    await reply(door, told.arrival, answer, last=told.last)
    if read_code(text) is not None and answer.outcome == "done":
        person = await door.person(told.arrival)
        if person is not None:  # since a moment ago
            await door.show_menu(told.arrival, person.language)


async def _held(door: Door, told: _Told, files: Sequence[SentFile], *, only_more: bool) -> bool:
    """Keep files for the request that is about to come. `only_more`: where one is awaited."""
    prompt = await prompts.asked_for(door.house.engine, told.arrival)
    awaited = prompt is not None and prompt.action == REQUEST
    if only_more and not awaited:
        return False
    facts = prompt.facts if prompt is not None and awaited else {}
    held = list(dict.fromkeys((*asking.files_of(prompt), *files)))
    agent, text = str(facts.get("agent") or "") or None, str(facts.get("text") or "")
    if agent is not None:
        await asking.how_to_ask(door, told.arrival, agent, held)
        return True
    await prompts.ask_for(door.house, told.arrival, asking.request(None, held, text))
    await door.say(told.arrival, await what_for(door, told.arrival, len(held)))
    return True


def _is_guessed(door: Door, text: str) -> bool:
    command: Command = read_command(text, door.house.agents.values())
    agent: Agent | None = door.house.agents.get(command.name or "") if command.is_agent else None
    return command.guessed and agent is not None and agent.attach is None


def _are_for_nothing(answer: Answer) -> bool:
    """Whether files that came alone found no task that takes them."""
    return answer.outcome == "refused" and answer.task_id is None and answer.refusal == "wrong"


async def reply(
    door: Door, arrival: Arrival, answer: Answer, *, last: Arrival | None = None
) -> None:
    """Say what came of it. Raises TryLater where it is not known, or was not said."""
    if answer.outcome == "unavailable":
        raise TryLater(phrases.NOT_TAKEN)
    if answer.outcome == "unknown_person" and answer.message is not None:
        await door.mention(arrival, answer.message)  # strangers are worth no push
    elif answer.opens is not None:
        await asking.how_to_ask(door, arrival, answer.opens, ())
    elif answer.message is not None and answer.follows and is_alone(arrival):
        await _receipt(door, last or arrival, answer, answer.message)
    elif answer.message is not None:
        await door.say(arrival, answer.message, task_id=answer.task_id)


async def _receipt(door: Door, arrival: Arrival, answer: Answer, message: Message) -> None:
    """That it was taken in: at once, or where nothing better to say has come after a moment."""
    wait = door.opening.settings.line.first_answer_seconds
    if wait:
        door.outbound.chores.begin(_receipt_later(door, arrival, answer, message, wait))
    else:
        await door.mention(arrival, message)


async def _receipt_later(
    door: Door, arrival: Arrival, answer: Answer, message: Message, wait: float
) -> None:
    await asyncio.sleep(wait)
    try:
        if not await _is_told(door, arrival, answer):
            await door.mention(arrival, message)
    except (TryLater, SQLAlchemyError, OSError) as error:
        log.warning("line.receipt_not_said", arrival=str(arrival.id), error=repr(error))


async def _is_told(door: Door, arrival: Arrival, answer: Answer) -> bool:
    """Whether something was said in this chat of the task since."""
    row = await fetch_one_alone(
        door.house.engine,
        "select 1 as found from deliveries d join threads h on h.id = d.thread_id"
        " join arrivals a on a.id = :arrival where d.organisation_id = :organisation_id"
        " and d.task_id = :task_id and h.channel = :chat and d.call is not null"
        " and d.state in ('sending', 'sent', 'unknown') and d.created_at >= a.received_at limit 1",
        {
            "organisation_id": arrival.organisation_id,
            "task_id": answer.task_id,
            "chat": arrival.chat,
            "arrival": arrival.id,
        },
    )
    return row is not None


async def gave_up(door: Door, arrivals: Sequence[Arrival], error_id: str) -> None:
    """Tell whoever sent it that nothing could be made of it."""
    head = arrivals[0]
    if head.account and (is_alone(head) or head.kind == "postback"):
        words: Words = wording.GAVE_UP.fill(error=error_id)
        await door.tell(head, words)
