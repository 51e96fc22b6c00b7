"""The command with which people choose who decides in their place (代理), and admins for others."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import Actor
from core.approvals import delegate_words as words
from core.approvals.delegate_reading import forms_in, people_in, read_period
from core.approvals.delegating import Delegation, make, revoke, standing
from core.approvals.people_named import find_person
from core.commands import Command
from core.errors import NotAllowed, Refused
from core.house import House
from core.inbound import Answer
from core.people import Person
from core.phrases import NO_ROLE
from core.request import Request
from core.unit import Unit
from core.words import LANGUAGES, Words, lines

_LIST = frozenset({"list", "一覧", "列表", "確認"})
_REVOKE = frozenset({"revoke", "取消", "取り消し", "取消し", "解除", "撤销"})


async def handle_delegate(work: Unit, request: Request, command: Command) -> Answer:
    """`@sato 12/1-12/5 quote`, `list`, `revoke @sato`; where two people are named, the first one's
    decisions are meant, for which it takes an admin."""
    text = command.rest.strip()
    word, _, rest = text.partition(" ")
    if not text or word.lower() in _LIST:
        return request.say(await _listed(work.connection, request), "told")
    if word.lower() in _REVOKE:
        named, _ = await _people(work.connection, request, rest)
        person, delegate = _whose(request, named)
        return request.say(told_revoked(await revoke(work, person, delegate, request.actor)))
    named, rest = await _people(work.connection, request, text)
    person, delegate = _whose(request, named)
    if delegate is None:
        raise Refused(words.USAGE)
    return request.say(
        await make_by_text(
            work, request.house, person, delegate, rest, request.today, request.actor
        )
    )


async def make_by_text(
    work: Unit,
    house: House,
    person: Person,
    delegate: Person,
    text: str,
    today: date,
    actor: Actor,
) -> Words:
    """Make the delegation that a text names the days and forms of, and say what was understood.
    Raises Refused."""
    forms = forms_in(text, house.agents.values())
    period = read_period(text, today)
    if period is None:
        raise Refused(words.USAGE)
    made = await make(work, person, delegate, period.since, period.until, forms, actor)
    return words.MADE.fill(
        since=made.since,
        until=made.until,
        zone=made.zone,
        person=made.person,
        delegate=made.delegate,
        forms=spoken_forms(house, made),
    )


def told_revoked(found: Sequence[Delegation]) -> Words:
    """What was taken back, a line each."""
    return lines([words.REVOKED.fill(person=d.person, delegate=d.delegate) for d in found])


def spoken_forms(house: House, each: Delegation) -> Words:
    """The forms of a delegation by their titles."""
    if not each.forms:
        return words.ALL_FORMS
    titles = [house.agent(form).title for form in sorted(each.forms)]
    joined = [", ".join(title.to(language) for title in titles) for language in LANGUAGES]
    return Words(*joined)


def listed(house: House, found: Sequence[Delegation]) -> Words:
    """Delegations, a line each."""
    if not found:
        return words.NONE
    return lines(
        [
            words.LINE.fill(
                person=each.person,
                delegate=each.delegate,
                since=each.since,
                until=each.until,
                forms=spoken_forms(house, each),
            )
            for each in found
        ]
    )


async def _listed(connection: AsyncConnection, request: Request) -> Words:
    """Those that concern whoever asks; all of them for an admin."""
    person = request.person
    found = [
        each
        for each in await standing(connection, person.organisation_id)
        if person.may("admin") or person.id in {each.person_id, each.delegate_id}
    ]
    return listed(request.house, found)


def _whose(request: Request, named: Sequence[Person]) -> tuple[Person, Person | None]:
    """Whose decisions are meant, and to whom they are to go. Raises Refused."""
    match list(named):
        case [delegate]:
            return request.person, delegate
        case [person, delegate]:
            if person.id != request.person.id and not request.person.may("admin"):
                raise NotAllowed(NO_ROLE.fill(role="admin"))
            return person, delegate
        case []:
            return request.person, None
        case _:
            raise Refused(words.USAGE)


async def _people(
    connection: AsyncConnection, request: Request, text: str
) -> tuple[list[Person], str]:
    """Those who are named in a text, and the rest of it. Raises Refused for somebody unknown."""
    spoken, rest = people_in(text)
    return [await find_person(connection, request, _account(each)) for each in spoken], rest


def _account(spoken: str) -> str:
    """`<@U0456|sato>`, as a platform writes a mention of an account, without its marks."""
    return spoken.strip("<@>").partition("|")[0] if spoken.startswith("<") else spoken
