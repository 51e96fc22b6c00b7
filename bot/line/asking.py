"""What a press needs besides itself: a reason, words, a person, a step. Asked for in the chat.

Each is a choice to press, or the next message; whoever thinks better of it sends any command.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from bot.line import prompts, wording
from bot.line.door import Door, is_alone, sender_of, spot_of
from bot.line.prompts import REQUEST, Prompt
from core.approvals.acts import newest_card
from core.approvals.asking import ASKS, Subject, places, subject
from core.approvals.card import LABELS
from core.arrivals import Arrival
from core.errors import Refused, TryLater
from core.inbound import Click, Inbound, SentFile
from core.intake import LATE_PATIENCE, accept
from core.messages import Button, Message
from core.people import Person, by_id, everyone
from core.phrases import NOT_TAKEN
from core.words import Language, Words

_WITH_REASONS = frozenset({"reject", "return"})

# Acts on an approval


async def ask(
    door: Door,
    arrival: Arrival,
    person: Person,
    action: str,
    stage: str,
    *,
    to: int | None = None,
    whom: str | None = None,
    quick: int = 0,
) -> None:
    """Ask for the next thing that an act lacks, or say why this person may not do it."""
    try:
        async with door.house.engine.connect() as connection:
            of = await subject(connection, person, action, stage)
            people = await everyone(connection, person.organisation_id)
    except Refused as refused:
        await _refuse(door, arrival, person, refused)
        return
    asks = ASKS[action]
    facts: dict[str, Any] = {"stage": stage, "to": to, "whom": whom}
    if asks.step and to is None and len(places(of)) > 1:
        message = _steps(of, action, stage, person.language)
        await prompts.ask_for(door.house, arrival, Prompt(action, facts | {"step": True}))
    elif asks.person and whom is None:
        others = [each for each in people if each.id != person.id]
        message = _people(of, action, stage, others, person.language)
        await prompts.ask_for(door.house, arrival, Prompt(action, facts))
    else:
        message = _words(of, action, f"{stage}/{to or 0}", person.language)
        await prompts.ask_for(door.house, arrival, Prompt(action, facts))
    if not is_alone(arrival):
        message = replace(message, text=f"{message.text}\n{wording.IN_A_GROUP.to(person.language)}")
    await door.say(arrival, message, quick=quick)


async def _refuse(door: Door, arrival: Arrival, person: Person, refused: Refused) -> None:
    """Why not; where the content has changed meanwhile, with the newest card."""
    language = person.language
    async with door.house.engine.connect() as connection:
        newest = await newest_card(connection, door.house, person, language, refused)
    await door.say(arrival, newest or Message(refused.words.to(language), language=language))


def _steps(of: Subject, action: str, stage: str, language: Language) -> Message:
    buttons = [
        Button("back_to", who.to(language), f"{action}.{stage}.{place}", "quiet")
        for place, who in places(of)
    ]
    # Not everywhere are the choices shown (LINE for PC): the number of one can be sent as well.
    rows = "\n".join(f"{place}: {who.to(language)}" for place, who in places(of))
    asked = wording.ASK_STEP.fill(reference=of.reference, places=rows)
    return _asking(asked, buttons, language)


def _people(
    of: Subject, action: str, stage: str, people: Sequence[Person], language: Language
) -> Message:
    buttons = [
        Button("whom", each.name, f"{action}.{stage}.{each.id}", "quiet")
        for each in sorted(people, key=lambda each: (not each.may("approver"), each.name))
    ]
    words = wording.ASK_WHOM.fill(reference=of.reference, label=LABELS[action])
    return _asking(words, buttons, language)


def _words(of: Subject, action: str, where: str, language: Language) -> Message:
    """Asks for the reason, or for what is to be said; `where` is the step and whom it goes back to
    (0: who asked)."""
    buttons = []
    words = wording.ASK_WORDS
    if action in _WITH_REASONS:
        words = wording.ASK_REASON
        buttons = [
            Button("reason", reason.to(language), f"{action}.{where}.{key}", "quiet")
            for key, reason in wording.REASONS.items()
        ]
    filled = words.fill(reference=of.reference, label=LABELS[action])
    return _asking(filled, buttons, language)


def _asking(words: Words, buttons: Sequence[Button], language: Language) -> Message:
    drop = Button("drop", wording.NEVER_MIND.to(language), "act", "quiet")
    return Message(words.to(language), buttons=(*buttons, drop), language=language)


async def chosen(door: Door, arrival: Arrival, person: Person, action: str, value: str) -> None:
    """A choice that completes an act, or is one more part of it: `value` is the act, the step with
    what is known so far, and what was chosen."""
    act, _, rest = value.partition(".")
    where, _, choice = rest.rpartition(".")
    stage, _, place = where.partition("/")
    if action == "reason":
        reason = wording.REASONS[choice].to(person.language)
        await _do(door, arrival, Click(act, stage, reason, int(place or 0) or None))
    elif action == "back_to":
        await ask(door, arrival, person, act, stage, to=int(choice))
    else:
        await _chose_person(door, arrival, person, act, stage, choice)


async def _chose_person(
    door: Door, arrival: Arrival, person: Person, act: str, stage: str, choice: str
) -> None:
    async with door.house.engine.connect() as connection:
        other = await by_id(connection, person.organisation_id, UUID(choice))
    handle = other.handle if other is not None else choice
    if ASKS[act].words:
        await ask(door, arrival, person, act, stage, whom=handle)
    else:
        await _do(door, arrival, Click(act, stage, f"@{handle}"))


async def complete(door: Door, arrival: Arrival, prompt: Prompt, text: str) -> None:
    """The next message of whoever was asked: the words, or the name of a person."""
    facts: Mapping[str, Any] = prompt.facts
    stage, whom = str(facts["stage"]), facts.get("whom")
    person = await door.person_now(arrival)
    if facts.get("step") and person is not None:
        number = unicodedata.normalize("NFKC", text).strip()
        to = int(number) if re.fullmatch(r"\d{1,3}", number) else None
        await ask(door, arrival, person, prompt.action, stage, to=to)
        return
    if ASKS[prompt.action].person and whom is None and person is not None:
        handle = await _handle_of(door, person, text)
        if handle is not None and ASKS[prompt.action].words:
            await ask(door, arrival, person, prompt.action, stage, whom=handle)
            return
        text = f"@{handle}" if handle is not None else text
    elif whom is not None:
        text = f"@{whom} {text}"
    to = facts.get("to")
    await _do(door, arrival, Click(prompt.action, stage, text, to or None), prompt)


async def _handle_of(door: Door, person: Person, text: str) -> str | None:
    """Whom a name means, where it can mean only one."""
    name = "".join(text.removeprefix("@").removesuffix("さん").split())
    async with door.house.engine.connect() as connection:
        people = await everyone(connection, person.organisation_id)
    found = [p.handle for p in people if name and name in ("".join(p.name.split()), p.handle)]
    found = found or [p.handle for p in people if name and name in "".join(p.name.split())]
    return found[0] if len(found) == 1 else None


async def _do(door: Door, arrival: Arrival, click: Click, prompt: Prompt | None = None) -> None:
    """Do it, with all it needs, and say what came of it."""
    inbound = Inbound(sender_of(arrival), spot_of(arrival), arrival.key, click=click)
    answer = await accept(door.house, inbound, LATE_PATIENCE)
    if answer.outcome == "unavailable":
        raise TryLater(NOT_TAKEN)
    # Whom it is for may be written once more; of all else, a second try is as good as the first.
    mistyped = answer.outcome == "refused" and ASKS[click.action].person and prompt is not None
    if not mistyped:
        await prompts.forget(door.house, arrival, prompt)
    if answer.message is not None:
        await door.say(arrival, answer.message, task_id=answer.task_id)


# Requests


async def how_to_ask(
    door: Door, arrival: Arrival, agent_name: str, files: Sequence[SentFile]
) -> None:
    """Only an agent's word was said: the next message is what it is about."""
    agent = door.house.agent(agent_name)
    await prompts.ask_for(door.house, arrival, request(agent_name, files))
    language = await door.language(arrival)
    words = wording.HOW_TO_ASK.fill(title=agent.title, example=agent.example)
    buttons = (
        Button("command", wording.HELP.to(language), "help", "quiet"),
        Button("drop", wording.NEVER_MIND.to(language), "request", "quiet"),
    )
    await door.say(arrival, Message(words.to(language), buttons=buttons, language=language))


def request(agent: str | None, files: Sequence[SentFile], text: str = "") -> Prompt:
    """Takes the next message for a request: of that agent, with these files and words."""
    kept = [[file.reference, file.name, file.media_type, file.size] for file in files]
    return Prompt(REQUEST, {"agent": agent, "files": kept, "text": text})


def files_of(prompt: Prompt | None) -> tuple[SentFile, ...]:
    """The files that wait for a request."""
    if prompt is None or prompt.action != REQUEST:
        return ()
    return tuple(SentFile(*each) for each in prompt.facts.get("files") or ())
