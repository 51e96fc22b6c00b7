"""Which messages are read as one: those that somebody sends in a row, alone with Miyabi."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.line import prompts
from bot.line.door import Door, is_alone, sender_of, spot_of
from bot.line.said import Said, said_in
from core import flat_chats
from core.arrivals import Arrival
from core.commands import Command, read_command
from core.db import fetch_alone, fetch_one_alone
from core.house import House
from core.people import Person

MARK = "gathered"
"""What the events of one request carry in their body: the key of the first. Whoever goes on after a
crash reads the same ones as one, whatever has come meanwhile."""

ALBUM = timedelta(seconds=1)
"""How long at least the images of one set are waited for: each is an event of its own."""

IN_ALL = 4
"""So many times the quiet that ends a request is waited for in all."""


def is_named(command: Command, text: str) -> bool:
    """Whether a text begins with the agent's own word."""
    return command.is_agent and not command.guessed and command.rest.strip() != text.strip()


async def first_run(door: Door, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
    """The first of a chat's open arrivals, and those that are read as one with it."""
    head = arrivals[0]
    marked = head.body.get(MARK)
    if marked is not None:
        return [each for each in arrivals if each.body.get(MARK) == marked]
    if not await _gathers(door, head):
        return [head]
    if await _is_taken(door.house, head):
        return [head]  # it went in alone, and this is one more try
    run = [head]
    has_words = bool(_words(head))
    for each in arrivals[1:]:
        if each.account != head.account or not await _goes_on(door, each, has_words=has_words):
            break
        has_words = has_words or bool(_words(each))
        run.append(each)
    return run


async def patience(door: Door, arrivals: Sequence[Arrival]) -> timedelta:
    """How long to wait for more, once so many have come."""
    head, last = arrivals[0], arrivals[-1]
    quiet = timedelta(seconds=door.opening.settings.line.gather_seconds)
    if _is_incomplete(arrivals):
        quiet = max(quiet, ALBUM)
    if not quiet or not is_alone(head) or MARK in head.body:
        return timedelta(0)
    run = await first_run(door, arrivals)
    if len(run) < len(arrivals) or not await _gathers(door, head):
        return timedelta(0)
    return max(min(quiet, IN_ALL * quiet - (last.said_at - head.said_at)), timedelta(0))


def _is_incomplete(arrivals: Sequence[Arrival]) -> bool:
    """Whether images are still to come that were sent together with the last one."""
    albums = [said.album for said in map(said_in, arrivals) if said is not None]
    last = albums[-1] if albums else None
    return last is not None and albums.count(last) < last[1]


async def mark(house: House, run: Sequence[Arrival]) -> None:
    """Keep which events are read as one, before anything comes of it."""
    if len(run) < 2 or MARK in run[0].body:
        return
    await fetch_alone(
        house.engine,
        "update arrivals set body = body || jsonb_build_object(cast(:mark as text),"
        " cast(:key as text)) where organisation_id = :organisation_id and id = any(:ids)"
        " returning id",
        {
            "mark": MARK,
            "key": run[0].key,
            "organisation_id": run[0].organisation_id,
            "ids": [each.id for each in run],
        },
    )


async def not_taken_back(
    house: House, run: Sequence[Arrival], arrivals: Sequence[Arrival]
) -> Sequence[Arrival]:
    """Those of a run whose message nobody has taken back before it was dealt with: what comes after
    it says so. All of it once it was taken in."""
    back = {_message_id(each, "unsend", "messageId") for each in arrivals if each.kind == "unsend"}
    left = [each for each in run if _message_id(each, "message", "id") not in back]
    return run if len(left) == len(run) or await _is_taken(house, run[0]) else left


def _message_id(arrival: Arrival, part: str, name: str) -> str | None:
    found = arrival.body.get(part)
    return str(found.get(name)) if isinstance(found, Mapping) else None


async def _gathers(door: Door, arrival: Arrival) -> bool:
    """Whether it begins what may go on: a request, or a file. Never what answers something."""
    said = said_in(arrival)
    if said is None or not is_alone(arrival) or said.away or said.quotes:
        return False
    person = await door.person(arrival)
    if person is None or not (said.files or said.text):
        return False
    if said.files:
        return True
    command = read_command(said.text, door.house.agents.values())
    if command.nearest is not None or (command.name is not None and not command.is_agent):
        return False
    named = is_named(command, said.text)
    return bool(command.rest.strip()) if named else not await answers(door, arrival, person)


async def answers(door: Door, arrival: Arrival, person: Person) -> bool:
    """Whether free words of this person are awaited here."""
    prompt = await prompts.asked_for(door.house.engine, arrival)
    if prompt is not None:
        return prompt.action != prompts.REQUEST
    async with door.house.engine.connect() as connection:
        asked = await flat_chats.asked(
            connection, person.organisation_id, person.id, sender_of(arrival), spot_of(arrival)
        )
    return asked is not None


async def _goes_on(door: Door, arrival: Arrival, *, has_words: bool) -> bool:
    """Whether it is more of the same request: not where it begins with an agent's word anew."""
    if not await _gathers(door, arrival):
        return False
    text = _words(arrival)
    command = read_command(text, door.house.agents.values()) if text else None
    return not (has_words and command is not None and is_named(command, text))


def _words(arrival: Arrival) -> str:
    said: Said | None = said_in(arrival)
    return said.text if said is not None else ""


async def _is_taken(house: House, arrival: Arrival) -> bool:
    """Whether it was taken in before, by whoever was at it then."""
    row = await fetch_one_alone(
        house.engine,
        "select 1 as found from inbound where organisation_id = :organisation_id"
        " and platform = :platform and workspace = :workspace and key = :key",
        {
            "organisation_id": arrival.organisation_id,
            "platform": arrival.platform,
            "workspace": arrival.workspace,
            "key": arrival.key,
        },
    )
    return row is not None
