"""What becomes of one mail, from its bytes to its end state: the whole way, in order.

Everything before `accept` only looks; `accept` has its effect once by its key; and the end state is
written with its event and its answer in one transaction, by whoever has the mail in hand. So a
process may end anywhere: whoever takes the mail next finds the same and goes on.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import structlog

from audit.event import JSON, SYSTEM, Actor, Event
from bot.email import (
    addresses_kept,
    answers,
    boxes,
    claims,
    letters,
    loops,
    reports_taken,
    taking_in,
    threads,
)
from bot.email.answers import Answering, language_of, say
from bot.email.asking import BY_TOKEN, ask
from bot.email.believing import verify
from bot.email.case import Case, Found, refused
from bot.email.claims import Came
from bot.email.door import Door
from bot.email.reading.mail import Kind
from bot.email.recipients import meant, names
from bot.email.requests import linking_code
from bot.email.verdicts import Outcome, Reason
from core import joining, tasks
from core.documents import Files
from core.errors import Refused, TryLater
from core.people import Person, spell, who
from core.tags import Tag
from core.unit import Unit, unit
from core.words import same

log = structlog.get_logger()

_REASONS: dict[Kind, Reason] = {
    "bulk": "list",
    "list": "list",
    "auto_reply": "automatic",
    "auto": "automatic",
    "bounce": "bounce",
    "dsn_success": "receipt",
    "mdn": "receipt",
    "arf": "complaint",
}
"""Kinds of mail that make nothing, whoever they are from."""

_EARLIER = same("a mail that it answers is dealt with first")
_SOON = timedelta(milliseconds=300)


async def deal(door: Door, came: Came) -> Outcome:
    """Deal with a mail that was claimed, and write what became of it.

    Raises Poison where it can't be read, TryLater, LostLease where somebody else has it, and
    whatever else goes wrong: then it is as it was.
    """
    raw = await claims.content_of(door.house.engine, came)
    case = await _opened(door, came, raw)
    if await claims.answers_one_that_waits(door.house.engine, came, list(case.mail.references)):
        raise TryLater(_EARLIER, _SOON)
    found = await _at_once(case) or await _from_somebody(case)
    await _settle(case, found)
    log.info(
        "mail.dealt_with",
        mail=str(came.id),
        verdict=found.outcome.verdict,
        reason=found.outcome.reason,
        reference=found.outcome.reference,
    )
    return found.outcome


async def _opened(door: Door, came: Came, raw: bytes) -> Case:
    mail = await door.readers.read(raw)
    lay_in = await boxes.by_id(door.house, came.mailbox_id)
    if lay_in is None:
        raise LookupError(f"no mailbox {came.mailbox_id}")
    recipients = [*(each.lower() for each in came.envelope_to), *mail.recipients]
    box = lay_in
    if not names(lay_in, recipients):
        others = await boxes.of_organisation(door.house, came.organisation_id)
        box = meant(others, lay_in, recipients)
    marks = await threads.marks_of(door.house, box, mail, recipients)
    return Case(door, came, box, lay_in, raw, mail, recipients, marks)


async def _at_once(case: Case) -> Found | None:
    """What is refused by what it is, whoever it is from; nobody is told."""
    mail = case.mail
    if (reason := _REASONS.get(mail.kind)) is not None:
        return refused(reason)
    if loops.has_gone_round(mail) or await loops.is_ours(case.house, mail):
        return refused("loop")
    if mail.sender is None:
        return refused("forged")
    if reports_taken.letter_of_return_path(case) is not None:
        return refused("automatic")  # only programs write there
    return None


async def _from_somebody(case: Case) -> Found:
    """What becomes of a mail that one person says they have written."""
    async with case.house.engine.connect() as connection:
        person = await who(connection, case.sender)
    by, forged = await _believed(case, person)
    if forged:
        return refused("forged", None, person)
    await claims.note(case.house.engine, case.came, case.known(by))
    # A copy that nobody could believe is none of one that can be.
    keys = [case.key(held=False), *([case.key(held=True)] if by is None else [])]
    copy = await claims.first_copy(
        case.house.engine, case.came, case.message_id, case.sender.account, keys
    )
    if copy is not None:
        return Found(copy, by, person)
    unreadable = _not_taken(case, person, by)
    if unreadable is not None:
        return unreadable
    if person is None and not (by is not None and linking_code(case.mail)):
        joined = await _joined(case, by)
        if not isinstance(joined, Person):
            return _stranger(case, joined, by)
        person = joined
    return await ask(case, person, by)


async def _believed(case: Case, person: Person | None) -> tuple[str | None, bool]:
    """What makes us believe the sender (None: nothing), and whether somebody pretends to be them.

    What was found before stays: another try acts on the same, whatever a DNS server says now.
    """
    if case.came.kind is not None:
        return case.came.verified_by, False
    resolve = case.door.resolve if _matters(case, person) else _no_key
    verified = await verify(case.lay_in, case.mail, case.raw, resolve, came_by=case.came.came_by)
    if verified.refused is not None:
        log.info("mail.forged", mail=str(case.came.id), why=verified.why)
        return None, True
    if verified.by is None and case.marks.is_of(person):
        return BY_TOKEN, False
    return verified.by, False


def _matters(case: Case, person: Person | None) -> bool:
    """Whether anything depends on the signature of the sender's domain. Of strangers nothing does,
    and their DNS servers may take as long as they like."""
    domain = case.sender.account.rpartition("@")[2]
    return (
        person is not None
        or domain in case.box.trust.domains
        or linking_code(case.mail) is not None
    )


async def _no_key(name: str) -> bytes | None:
    return None


def _not_taken(case: Case, person: Person | None, by: str | None) -> Found | None:
    """Mails that can't be read. Whoever may hear of it is told: people we know, and whoever
    surely wrote."""
    reason: Reason
    if not case.is_whole:
        most = case.door.settings.most_bytes // (1024 * 1024)
        reason, words = "too_large", answers.TOO_LARGE.fill(most=most)
    elif case.mail.kind == "encrypted":
        reason, words = "encrypted", answers.ENCRYPTED
    else:
        return None
    heard = person is not None or by is not None
    said = say(words, language_of(person, case.mail)) if heard else None
    return replace(refused(reason, said, person), verified_by=by)


# People we don't know yet


async def _joined(case: Case, by: str | None) -> Person | Literal["unknown_sender", "not_allowed"]:
    """Somebody new from a domain whose people may ask; or why they are nobody."""
    sender = case.mail.sender
    domain = case.sender.account.rpartition("@")[2]
    if sender is None or domain not in case.box.trust.domains:
        return "unknown_sender"
    if by is None:
        return "not_allowed"
    language = language_of(None, case.mail)
    try:
        async with unit(case.house) as work:
            return await joining.join(
                work, case.box.organisation_id, case.sender, sender.name, language
            )
    except Refused:  # they have left
        return "not_allowed"


def _stranger(case: Case, reason: Reason, by: str | None) -> Found:
    """Only who surely wrote is answered: anybody else's address may be in From."""
    said = None
    if by is not None:
        said = say(answers.UNKNOWN_SENDER, language_of(None, case.mail))
    return replace(refused(reason, said), verified_by=by)


# The end


async def _settle(case: Case, found: Found) -> None:
    """Write what became of it, with its event, its answer, and what it says of letters of ours."""
    organisation_id, said = case.box.organisation_id, found.said
    outcome = found.outcome
    taken = outcome.verdict in ("accepted", "held") and outcome.task_id is not None
    keeps = taken and case.is_whole
    if keeps:
        await taking_in.keep_mail(Files(case.house, organisation_id), case.raw)
    enclosed: dict[str, bytes] = {}
    if said is not None:
        enclosed = await letters.enclosed(case.house, organisation_id, [said.message])
    async with unit(case.house) as work:
        await claims.settle(work, case.came, case.known(found.verified_by), outcome)
        work.record(_event(case, found))
        await _learn(work, case, found)
        if found.left is not None:
            await _relate(work, case, found, found.left)
        if said is not None:
            to = Answering(
                case.house, case.box, case.came, case.mail, found.person, outcome.task_id
            )
            await answers.queue(work, to, said, enclosed)
        if keeps:
            await claims.forget_bytes(work, case.came)


def _event(case: Case, found: Found) -> Event:
    outcome = found.outcome
    data: dict[str, JSON] = {
        "verdict": outcome.verdict,
        "reason": outcome.reason,
        "kind": case.mail.kind,
        "verified_by": found.verified_by,
        "task": str(outcome.task_id) if outcome.task_id is not None else None,
        "person": str(outcome.person_id) if outcome.person_id is not None else None,
    }
    return Event(
        case.came.organisation_id, case.came.id, Tag.MAIL_SETTLED, data, _actor(case, found)
    )


def _actor(case: Case, found: Found) -> Actor:
    if found.person is None:
        return SYSTEM
    return Actor(found.person.id, spell(case.sender), channel=case.sender.platform)


async def _learn(work: Unit, case: Case, found: Found) -> None:
    if found.person is None or found.verified_by is None:
        await reports_taken.learn(work, case)
        return
    await addresses_kept.alive(work, case.sender)
    for letter in case.marks.letters[:1]:
        await letters.arrived(work, case.box.organisation_id, letter)


async def _relate(work: Unit, case: Case, found: Found, left: threads.Conversation) -> None:
    """Write that the new task comes from the conversation of another."""
    task_id = found.outcome.task_id
    if task_id is None:
        return
    known = await tasks.read(work.connection, case.box.organisation_id, [task_id])
    data: dict[str, JSON] = {"to": str(left.task_id)}
    work.record(tasks.event(known[task_id], Tag.TASK_RELATED, data, _actor(case, found)))
