"""Interactions: what each kind of them comes to. The gateway and HTTP hand them in alike.

What can be said at once is the answer; what takes longer is deferred first, and said when it is
known. Nothing is taken in by the answer itself: that `accept` has committed.
"""

import asyncio
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.discord import commands, custom_ids, limits
from bot.discord.act import Act, Json
from bot.discord.door import Door
from bot.discord.files import sent_files
from bot.discord.modals import ACT, ASK, EDIT, typed
from bot.discord.opening import OPENS_A_MODAL, open_form, opened
from bot.discord.render import CHOOSE, MORE
from bot.discord.turn import COMMAND, ON_A_MESSAGE, PRESS, SUBMIT, TYPING, Turn
from core.errors import MiyabiError
from core.forms import FormSpec, FormValues
from core.inbound import Answer, Click, Form, Inbound, Spot
from core.intake import LATE_PATIENCE, PATIENCE, accept
from core.messages import Message
from core.reading.order import search_customers, search_items
from core.words import Words

log = structlog.get_logger()

Result = TypeVar("Result")

WRONG = Words(ja="{field}: {why}", en="{field}: {why}", zh="{field}: {why}")
NOT_UNDERSTOOD = Words(
    ja="この操作はもう使えません。", en="This can't be pressed any more.", zh="此操作已不可用。"
)


async def on_interaction(door: Door, turn: Turn) -> None:
    """One interaction, from the first look to its answer. Never raises."""
    try:
        act = await door.act(turn.body)
        await _followed(door, act)
        data = turn.body.get("data") or {}
        if turn.kind == COMMAND and data.get("type") == ON_A_MESSAGE:
            await _on_message_command(door, turn, act, data)
        elif turn.kind == COMMAND:
            await _on_slash(door, turn, act, data)
        elif turn.kind == PRESS:
            await _on_press(door, turn, act, data)
        elif turn.kind == TYPING:
            await _on_typing(door, turn, act, data)
        elif turn.kind == SUBMIT:
            await _on_submit(door, turn, act, data)
        else:
            log.info("discord.interaction_unknown", kind=turn.kind)
    except Exception:
        log.exception("discord.interaction_failed", interaction=turn.id)
        await turn.done()


async def _followed(door: Door, act: Act) -> None:
    """Roles of the guild come first: what is done now is done with them."""
    try:
        async with asyncio.timeout(PATIENCE):
            await door.roles.follow(act)
    except (MiyabiError, SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("discord.roles_not_followed", why=repr(error))


# Commands


async def _on_slash(door: Door, turn: Turn, act: Act, data: Json) -> None:
    sub, options = commands.chosen(data)
    given = {name: value for name, value in options.items() if value.strip()}
    agent = door.house.agents.get(sub)
    if agent is None:
        await _taken(door, turn, act, _said(turn, act, commands.words_of(sub, given)))
    elif not given:
        await open_form(door, turn, act, sub)
    elif set(given) == {commands.TEXT} or agent.form is None:
        # The agent's own word in front: whatever it says, it is read as a request.
        text = f"{agent.words[0]} {given.get(commands.TEXT, '')}".strip()
        await _taken(door, turn, act, _said(turn, act, text))
    else:
        await _taken_form(door, turn, act, sub, agent.form, given)


def _said(turn: Turn, act: Act, text: str) -> Inbound:
    return Inbound(act.sender, act.spot, turn.key, text)


async def _taken_form(
    door: Door, turn: Turn, act: Act, agent: str, spec: FormSpec, given: dict[str, str]
) -> None:
    """A request by options: checked first, so that what is wrong is said beside its name."""
    asking = asyncio.create_task(_checked(door, act, spec, given))
    values, wrong = await _in_time(turn, asking)
    language = door.language(act)
    if wrong:
        text = "\n".join(wrong)
        await door.whisper(turn, act, Message(text, language=language))
        return
    inbound = Inbound(act.sender, act.spot, turn.key, form=Form(agent, values))
    await _taken(door, turn, act, inbound)


async def _checked(
    door: Door, act: Act, spec: FormSpec, given: dict[str, str]
) -> tuple[FormValues, list[str]]:
    """The values, and what is wrong with them. A stranger's are not looked at: `accept` refuses
    whoever it is."""
    try:
        person = await door.person(act)
        if person is None:
            return commands.form_values(spec, given, datetime.now(UTC).date()), []
        catalogue = await door.house.catalogue(person.organisation_id)
    except MiyabiError as error:
        return {}, [error.words.to(door.language(act))]
    found = dict(given)
    for field in commands.fields_of(spec):
        if field.kind == "customer" and field.name in found:
            search, known = search_customers, catalogue.customer
            if field.name == "item":
                search, known = search_items, catalogue.item  # type: ignore[assignment]
            if known(found[field.name]) is None:  # typed, and not chosen of what was offered
                nearest = search(found[field.name], catalogue, 2)
                if len(nearest) == 1:
                    found[field.name] = nearest[0].code
    values = commands.form_values(spec, found, person.today())
    language = person.language
    labels = {field.name: field.label for field in (*spec.fields, *commands.fields_of(spec))}
    wrong = []
    for name, words in spec.errors(values, catalogue, person.today()).items():
        field_name = next((part for part in reversed(name.split(":")) if part in labels), name)
        label = labels[field_name].to(language) if field_name in labels else field_name
        wrong.append(WRONG.fill(field=label, why=words).to(language))
    return values, wrong


async def _on_message_command(door: Door, turn: Turn, act: Act, data: Json) -> None:
    """ "Ask from this": a message's words as a request, in a thread at that message."""
    name, target = str(data.get("name") or ""), str(data.get("target_id") or "")
    message = ((data.get("resolved") or {}).get("messages") or {}).get(target) or {}
    agent = next(
        (
            each
            for each in door.house.agents.values()
            if name in {commands.message_command(each, told) for told in ("ja", "en", "zh")}
        ),
        None,
    )
    if agent is None:
        await _sorry(door, turn, act)
        return
    text = f"{agent.words[0]} {message.get('content') or ''}".strip()
    channel = str(message.get("channel_id") or turn.body.get("channel_id") or "")
    files = sent_files(channel, target, message.get("attachments") or ())
    spot = act.spot
    if not act.direct and spot.thread is None:
        spot = Spot(spot.channel, target)
    await _taken(door, turn, act, Inbound(act.sender, spot, turn.key, text, files=files))


# Buttons and menus


async def _on_press(door: Door, turn: Turn, act: Act, data: Json) -> None:
    name, value = await _pressed(door, act, data)
    if not name:
        await _sorry(door, turn, act)
    elif name in OPENS_A_MODAL and await opened(door, turn, act, name, value):
        return
    else:
        click = Inbound(act.sender, act.spot, turn.key, click=Click(name, value))
        await _taken(door, turn, act, click, LATE_PATIENCE)


async def _pressed(door: Door, act: Act, data: Json) -> tuple[str, str]:
    """Action and value. Of a menu, the option says what is pressed, or for what."""
    told = str(data.get("custom_id") or "")
    picked = str((data.get("values") or [""])[0])
    if told.startswith(f"{CHOOSE}:"):
        return told.partition(":")[2], picked
    told = picked if told == MORE else told
    if not told.startswith("~"):
        return await custom_ids.read(door.house, None, told)
    person = await door.person(act)
    of = person.organisation_id if person is not None else None
    return await custom_ids.read(door.house, of, told)


async def _sorry(door: Door, turn: Turn, act: Act) -> None:
    language = door.language(act)
    await door.whisper(turn, act, Message(NOT_UNDERSTOOD.to(language), language=language))


# Forms


async def _on_submit(door: Door, turn: Turn, act: Act, data: Json) -> None:
    told = str(data.get("custom_id") or "")
    kind, about = await _pressed(door, act, {"custom_id": told})
    fields = typed(data)
    if kind == ASK and about in door.house.agents:
        agent = door.house.agent(about)
        text = f"{agent.words[0]} {fields.get('words', '')}".strip()
        await _taken(door, turn, act, _said(turn, act, text))
    elif kind == EDIT:
        await _taken(door, turn, act, _said(turn, act, fields.get("words", "")))
    elif kind == ACT:
        action, _, value = about.partition(":")
        words, person = fields.get("reason", ""), fields.get("person", "")
        reason = f"@{person} {words}".strip() if person else words
        place = fields.get("to", "")
        click = Click(action, value, reason, (int(place) or None) if place.isdecimal() else None)
        inbound = Inbound(act.sender, act.spot, turn.key, click=click)
        await _taken(door, turn, act, inbound, LATE_PATIENCE)
    else:
        await _sorry(door, turn, act)


# What is being typed


async def _on_typing(door: Door, turn: Turn, act: Act, data: Json) -> None:
    """The customers or items that fit what was typed so far; nothing for strangers."""
    name, query = commands.focused(data)
    try:
        async with asyncio.timeout(limits.OPENS_WITHIN):
            person = await door.person(act)
            catalogue = await door.house.catalogue(person.organisation_id) if person else None
    except (MiyabiError, TimeoutError) as error:
        log.warning("discord.no_suggestions", why=repr(error))
        catalogue = None
    search = search_items if name == "item" else search_customers
    found = search(query, catalogue, limits.CHOICES) if catalogue is not None else ()
    await turn.choices(
        [
            {"name": each.name[: limits.CHOICE_TEXT], "value": each.code}
            for each in found
            if each.name.strip() and len(each.code) <= limits.CHOICE_TEXT
        ][: limits.CHOICES]
    )


# Taking in


async def _taken(
    door: Door, turn: Turn, act: Act, inbound: Inbound, patience: float | None = None
) -> None:
    """Take it in, and say what came of it: at once, or after it was deferred."""
    answer = await _in_time(turn, asyncio.create_task(accept(door.house, inbound, patience)))
    if answer.opens is not None and not answer.repeated:
        if not turn.answered:
            await open_form(door, turn, act, answer.opens)
            return
        language = door.language(act)
        example = door.house.agent(answer.opens).example.to(language)
        await door.whisper(turn, act, Message(example, language=language))
    elif answer.message is not None and _is_new(door, answer, turn.key):
        # That a task was begun or moved all may read, and do in its thread; lists are personal.
        door.first_times.take(turn.key)
        shared = answer.outcome in {"taken", "done"} and not answer.private
        await door.whisper(turn, act, answer.message, open_to_all=shared)
    elif answer.message is not None and answer.repeated and door.first_times.take(turn.key):
        # Another process took it in. Where that has answered, Discord takes no second answer.
        await turn.tell(answer.message, door.outbound.ours)
    elif not answer.repeated:
        await turn.done()


def _is_new(door: Door, answer: Answer, key: str) -> bool:
    """Whether this has not been said. Of what leaves no trace in the database, this process
    knows."""
    if answer.outcome in {"unavailable", "unknown_person"}:
        return door.first_times.take(f"{answer.outcome}:{key}")
    return not answer.repeated


async def _in_time(turn: Turn, doing: asyncio.Task[Result]) -> Result:
    """Wait for something; where it takes longer than a moment, the interaction is deferred."""
    await asyncio.wait({doing}, timeout=limits.AT_ONCE)
    if not doing.done():
        await turn.defer()
    return await doing
