"""Whom a person means by the handles they typed."""

import re

from sqlalchemy.ext.asyncio import AsyncConnection

from core.approvals import wording
from core.errors import Refused
from core.inbound import Sender
from core.people import Person, by_handle, who
from core.request import Request

_HANDLE = re.compile(r"[@＠]([^\s@＠、,，:：]{1,80})[\s、,，:：]*")
_BARE = re.compile(r"([^\s@＠、,，:：]{1,80})[\s、,，:：]*")


async def first_person(
    connection: AsyncConnection, request: Request, text: str
) -> tuple[Person, str]:
    """The person named at the start of a text, and what follows. Raises Refused."""
    match = _HANDLE.match(text) or _BARE.match(text)
    if match is None:
        raise Refused(wording.WHO_IS.fill(who=text[:40] or "@"))
    return await find_person(connection, request, match[1]), text[match.end() :].strip()


async def people_in(
    connection: AsyncConnection, request: Request, text: str
) -> tuple[list[Person], str]:
    """All who are named at the start of a text, each once, and what follows. Raises Refused."""
    found: dict[str, Person] = {}
    text = text.strip()
    while (match := _HANDLE.match(text)) is not None:
        found.setdefault(match[1], await find_person(connection, request, match[1]))
        text = text[match.end() :]
    if not found:
        raise Refused(wording.WHO_IS.fill(who=text[:40] or "@"))
    return list({person.id: person for person in found.values()}.values()), text.strip()


async def find_person(connection: AsyncConnection, request: Request, name: str) -> Person:
    """By their handle, or as the platform calls their account. Raises Refused."""
    organisation_id = request.person.organisation_id
    found = await by_handle(connection, organisation_id, name)
    if found is None:
        sender = request.inbound.sender
        found = await who(connection, Sender(sender.platform, sender.workspace, name))
    if found is None or found.organisation_id != organisation_id:
        raise Refused(wording.WHO_IS.fill(who=name[:40]))
    return found
