"""A person's mail becomes what it asks for: a new task, an answer, a decision, a command."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.email import answers, deciding, labels, loops, taking_in, threads
from bot.email.answers import Said, language_of, say
from bot.email.case import Case, Found, refused
from bot.email.reading.mail import File
from bot.email.requests import (
    begins,
    command_of,
    goes_beyond,
    is_meant,
    own_text,
    reply_text,
)
from bot.email.said import text_of
from bot.email.threads import Conversation
from bot.email.verdicts import Outcome, Reason
from core import tasks
from core.documents import Files
from core.errors import Refused, TryLater
from core.holding import check_room
from core.inbound import Answer, Inbound, Spot
from core.intake import accept
from core.people import Person
from core.words import Words, same

BY_TOKEN = "token"  # noqa: S105  # a word of the log
"""What made a sender believed who only answers what they alone were sent: enough to go on with
their own task, not to decide one."""

_DECIDES = frozenset({"approve", "reject", "return"})
"""Commands that decide: by mail they are said nowhere but in a reply to what asks for it."""

_AWAY = same("the database does not answer")
_AGAIN = timedelta(seconds=5)
_PATIENCE = 8.0
"""Seconds for a press: nobody looks at a screen meanwhile."""


async def ask(case: Case, person: Person | None, by: str | None) -> Found:
    """What becomes of it. `by` is what made its sender believed; None: nothing did. `person` is
    None for somebody who says a linking code. Raises TryLater."""
    conversation, left = await _conversation(case, person)
    files = taking_in.worth_keeping(case.mail)
    text = await text_of(case, person, conversation, files)
    if by == BY_TOKEN and not _is_theirs_alone(case, conversation, text):
        by = None
    found = Found(Outcome("accepted", "answered"), by, person, conversation, left=left)
    nothing = await _nothing(case, found, text, files)
    if nothing is not None:
        return nothing
    if conversation is not None and not conversation.theirs:
        found = replace(found, conversation=None)
    decided = await _decided(case, found) or await _pressed(case, found)
    if decided is not None:
        return decided
    if command_of(text, case.house.agents) in _DECIDES or _decides_alone(case, found, files):
        if found.verified_by is None:
            return _not_believed(case, found)  # told so once a day at most: it may not be them
        return _told(case, found, answers.DECIDE_THERE)
    store = Files(case.house, case.box.organisation_id)
    inbound = _inbound(case, found, text)
    inbound = replace(inbound, files=await taking_in.keep(store, files))
    return await _made_of(case, found, await _accepted(case, inbound))


async def _nothing(case: Case, found: Found, text: str, files: Sequence[File]) -> Found | None:
    """Why nothing is made of it, if so."""
    person, by = found.person, found.verified_by
    if not text and not files:
        return replace(refused("empty", _hint(case, person, answers.EMPTY), person), verified_by=by)
    if found.conversation is not None and await _too_many(case):
        return replace(refused("loop", None, person), verified_by=by)
    if by is None and not await _may_be_held(case, found, text):
        return _not_believed(case, found)
    others = found.conversation is not None and not found.conversation.theirs
    if others and not is_meant(text, case.house.agents):
        # Somebody put them in copy: it asks us for nothing.
        said = _hint(case, person, answers.NOT_YOURS)
        return replace(refused("not_allowed", said, person), verified_by=by)
    return None


async def _conversation(
    case: Case, person: Person | None
) -> tuple[Conversation | None, Conversation | None]:
    """What it goes on with, and what it comes from but leaves for something new."""
    if person is None:
        return None, None
    found = await threads.find(case.house, case.box, case.mail, person, case.marks)
    if found is None:
        return None, None
    if await threads.is_new_subject(case.house, case.box, found, case.mail.subject):
        return None, found if found.theirs else None
    return found, None


def _is_theirs_alone(case: Case, conversation: Conversation | None, text: str) -> bool:
    """Whether all that is said is about the task that the token is of. It proves no more: whoever
    was handed a letter has it too."""
    if conversation is None or not conversation.token:
        return False
    return not goes_beyond(text, case.house.agents, conversation.reference)


async def _too_many(case: Case) -> bool:
    async with case.house.engine.connect() as connection:
        return await loops.too_many(connection, case.box, case.sender.account)


async def _may_be_held(case: Case, found: Found, text: str) -> bool:
    """Whether it is something new that can wait until somebody says whose it is. Nothing of it is
    stored where as much waits already: anybody can write in anybody's name."""
    if found.conversation is not None or found.person is None:
        return False
    if not begins(text, case.house.agents):
        return False
    try:
        await check_room(case.house, found.person)
    except Refused:
        return False
    return True


def _not_believed(case: Case, found: Found) -> Found:
    """Nothing is done for it; whoever it is from is told so, as it may well be them."""
    person_id = found.person.id if found.person is not None else None
    outcome = Outcome("held", "unverified", person_id=person_id)
    return replace(found, outcome=outcome, said=_hint(case, found.person, answers.NOT_BELIEVED))


def _hint(case: Case, person: Person | None, words: Words) -> Said:
    return say(words, language_of(person, case.mail))


def _told(case: Case, found: Found, words: Words) -> Found:
    """They get an answer, and nothing else comes of it."""
    said = say(words, language_of(found.person, case.mail), automatic=False)
    return replace(found, outcome=_outcome(found, "answered"), said=said)


# Decisions


async def _decided(case: Case, found: Found) -> Found | None:
    """What a reply decides, if it is one to what asks this person for a decision."""
    person, conversation = found.person, found.conversation
    decision = deciding.read_reply(reply_text(case.mail))
    if decision is None or conversation is None or person is None:
        return None
    letter = next(iter(conversation.letters), None)
    if not conversation.token or found.verified_by == BY_TOKEN:
        async with case.house.engine.connect() as connection:
            meant = await deciding.stage_meant(connection, person, conversation.task_id, letter)
        return None if meant is None else _told(case, found, answers.DECIDE_THERE)
    inbound = _inbound(case, found, "")
    answer = await deciding.by_reply(
        case.house,
        decision,
        inbound.sender,
        inbound.spot,
        inbound.key,
        conversation.task_id,
        person.id,
        letter,
        code_from_yen=case.door.settings.code_from_yen,
    )
    if answer is None:
        return None
    _look(answer)
    outcome = _outcome(found, "decided" if answer.outcome == "done" else "answered")
    said = Said(answer.message, automatic=False) if answer.message is not None else None
    return replace(found, outcome=outcome, said=said)


def _decides_alone(case: Case, found: Found, files: Sequence[File]) -> bool:
    """Whether a mail that answers nothing says "approve" and nothing else: no request for work."""
    said = reply_text(case.mail)
    alone = found.conversation is None and not files and "\n" not in said
    return alone and deciding.read_decision(said) is not None


async def _pressed(case: Case, found: Found) -> Found | None:
    """What comes of a label that a letter of ours shows, typed in an answer to it. It takes what a
    decision takes: the token, and a sender who is sure."""
    conversation = found.conversation
    if conversation is None or not conversation.token or not conversation.letters:
        return None
    if found.verified_by == BY_TOKEN:
        return None
    first = reply_text(case.mail).partition("\n")[0]
    letter, organisation_id = conversation.letters[0], case.box.organisation_id
    click = await labels.click_for(case.house, organisation_id, letter, first)
    if click is None:
        return None
    inbound = replace(_inbound(case, found, ""), click=click)
    return await _made_of(case, found, await _accepted(case, inbound))


# Taking it in


def _inbound(case: Case, found: Found, text: str) -> Inbound:
    conversation, came = found.conversation, case.came
    if conversation is not None:
        spot = Spot(conversation.channel, conversation.root)
    else:
        # Anybody can give a mail the id that another has: what is held goes by none.
        message_id = case.message_id if found.verified_by is not None else None
        root = threads.root_of(case.box, message_id, came.sha256)
        spot = Spot(case.sender.account, root)
    return Inbound(
        sender=case.sender,
        spot=spot,
        key=case.key(held=found.verified_by is None),
        text=text,
        # In a conversation, talk that asks for nothing by its first word only answers questions.
        addressed=conversation is None or is_meant(text, case.house.agents),
        held=found.verified_by is None,
        organisation_id=case.box.organisation_id,
    )


async def _accepted(case: Case, inbound: Inbound) -> Answer:
    answer = await accept(case.house, inbound, _PATIENCE)
    _look(answer)
    return answer


def _look(answer: Answer) -> None:
    """Raises TryLater where nothing was taken in, or nobody knows: the key makes it one."""
    if answer.outcome == "unavailable":
        raise TryLater(_AWAY, _AGAIN)


async def _made_of(case: Case, found: Found, answer: Answer) -> Found:
    conversation = found.conversation
    if answer.outcome == "unknown_person":
        said = Said(answer.message) if answer.message is not None else None
        return replace(refused("unknown_sender", said), verified_by=found.verified_by)
    begun = answer.outcome == "taken" and answer.task_id is not None
    of_old = conversation is not None and answer.task_id == conversation.task_id
    if found.verified_by is None:
        return _held(found, answer)
    if begun and not of_old:
        return _begun(case, found, answer)
    outcome = _outcome(found, "answered", answer)
    if of_old and answer.outcome in {"taken", "done"}:
        outcome = replace(outcome, reason="continued")
    return replace(found, outcome=outcome, left=None, said=await _said(case, found, answer))


def _held(found: Found, answer: Answer) -> Found:
    """It is told by other ways than mail; here nobody is answered."""
    person_id = found.person.id if found.person is not None else None
    outcome = Outcome("held", "unverified", answer.task_id, answer.reference, person_id)
    return replace(found, outcome=outcome, left=None)


def _begun(case: Case, found: Found, answer: Answer) -> Found:
    outcome = _outcome(found, "begun", answer)
    if found.left is None:
        return replace(found, outcome=outcome)
    words = answers.NEW_SUBJECT.fill(
        reference=f"#{answer.reference}", origin=f"#{found.left.reference}"
    )
    said = say(words, language_of(found.person, case.mail), automatic=False)
    return replace(found, outcome=outcome, said=said)


async def _said(case: Case, found: Found, answer: Answer) -> Said | None:
    """What they are told by a mail of its own. That something was received is not worth one."""
    if answer.opens is not None:
        agent = case.house.agent(answer.opens)
        words = answers.HOW_TO_ASK.fill(title=agent.title, example=agent.example)
        return say(words, language_of(found.person, case.mail), automatic=False)
    if answer.message is not None:
        return None if answer.follows else Said(answer.message, automatic=False)
    conversation = found.conversation
    if conversation is None or found.person is None:
        return None
    async with case.house.engine.connect() as connection:
        known = await tasks.read(connection, found.person.organisation_id, [conversation.task_id])
    task = known[conversation.task_id]
    if task.state in tasks.FINAL or not own_text(case.mail):
        return None  # thanks
    return _hint(case, found.person, answers.NOT_UNDERSTOOD.fill(reference=task.spoken))


def _outcome(found: Found, reason: Reason, answer: Answer | None = None) -> Outcome:
    """What it is about: what was answered for, else the conversation it is in."""
    person_id = found.person.id if found.person is not None else None
    if answer is not None and answer.task_id is not None:
        return Outcome("accepted", reason, answer.task_id, answer.reference, person_id)
    if found.conversation is not None:
        task_id, reference = found.conversation.task_id, found.conversation.reference
        return Outcome("accepted", reason, task_id, reference, person_id)
    return Outcome("accepted", reason, person_id=person_id)
