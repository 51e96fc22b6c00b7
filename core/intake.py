"""The one door: a delivery comes in, one transaction makes it durable, the person is answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import Actor
from core import begin, changes, phrases, replies, tasks
from core.acquaintances import meet, met, remember
from core.approvals import acts, changing
from core.codec import dump, load
from core.commands import Command, read_command, without_command_word
from core.db import Named, execute, fetch_quickly, from_json, is_outage, to_json, was_not_done
from core.errors import Refused
from core.house import House
from core.ids import new_id
from core.in_time import within
from core.inbound import IGNORED, Answer, Click, Inbound
from core.linking import read_code, take_code
from core.linking_words import HOW_TO_LINK, TOLD_ONCE
from core.messages import Message
from core.people import Person, as_person, spell
from core.reading.language import detect_language
from core.request import Request
from core.target import talked_of
from core.unit import Unit, unit
from core.words import Language, as_language, lines

log = structlog.get_logger()

PATIENCE = 1.5
"""Seconds the database has to answer before the sender is told that nothing was taken in."""

CLICK_PATIENCE = 0.75
"""The same for a press: whoever presses sees an answer within a second."""

LATE_PATIENCE = 8.0
"""The same for a press that was told within CLICK_PATIENCE that its answer will follow."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Who speaks, and what this delivery was answered the first time."""

    person: Person | None
    answered: Answer | None = None


@dataclass(slots=True)
class _Attempt:
    """What is known of a try that was cut off. `surely_nothing`: nothing can have been done;
    `again`: it was tried before on a connection that was lost."""

    surely_nothing: bool = False
    again: bool = False

    @asynccontextmanager
    async def until_the_end(self) -> AsyncIterator[None]:
        """Whoever leaves this block without an error goes on to commit."""
        yield
        self.surely_nothing = False


async def accept(house: House, inbound: Inbound, click_patience: float | None = None) -> Answer:
    """Take one verified delivery. A redelivery finds the first answer. Never raises Refused.

    `click_patience`: seconds for a press, where its platform can say meanwhile that it is at it.

    Raises nothing for a database that is away either: the answer says that nothing was taken in,
    or that this is not known; its outcome `unavailable` lets adapters ask their platform to deliver
    again.
    """
    attempt = _Attempt()
    try:
        if inbound.click is not None:
            patience = click_patience or _patience(inbound.click)
            return await within(patience, _tried(house, inbound, attempt))
        async with asyncio.timeout(PATIENCE):
            return await _tried(house, inbound, attempt)
    except Exception as error:
        if not is_outage(error):
            raise
        log.error("intake.database_away", key=inbound.key, error=repr(error))
        not_done = attempt.surely_nothing or (not attempt.again and was_not_done(error))
        words = phrases.NOT_TAKEN if not_done else phrases.PERHAPS_TAKEN
        known = house.met.get(inbound.sender)
        language = known.language if known is not None else detect_language(inbound.text)
        return Answer("unavailable", Message(words.to(language), language=language))


def _patience(click: Click) -> float:
    """Several decisions at once may take as long as a text."""
    return CLICK_PATIENCE if click.action != "approve_all" else PATIENCE


async def _tried(house: House, inbound: Inbound, attempt: _Attempt) -> Answer:
    try:
        return await _accept(house, inbound, attempt)
    except DBAPIError as error:
        # A connection from before a restart of the database. The delivery's key makes it safe to
        # ask again, even if the first statement did arrive.
        if not error.connection_invalidated:
            raise
        attempt.again = True
        return await _accept(house, inbound, attempt)


async def _accept(house: House, inbound: Inbound, attempt: _Attempt) -> Answer:
    if inbound.held:
        return await _hold(house, inbound)
    if inbound.click is not None:
        return await _accept_click(house, inbound, inbound.click, attempt)
    code = read_code(inbound.text) if inbound.addressed and inbound.form is None else None
    if code is not None and await met(house, inbound.sender) is None:
        answer = await _take_code(house, inbound, code)
        if answer is not None:
            return answer
    command = _command(house, inbound)
    if command is not None and _may_begin(inbound, command):
        answer = await _begin(house, inbound, command)
        if answer is not None:
            return answer
    return await _reply(house, inbound, command)


async def _hold(house: House, inbound: Inbound) -> Answer:
    """Whoever may be somebody else decides nothing, answers nothing and asks for nothing that is
    there: only what they ask for anew is taken, and held."""
    says_more = inbound.click is not None or read_code(inbound.text) is not None
    command = None if says_more else _command(house, inbound)
    if command is None or not command.is_agent or not _may_begin(inbound, command):
        return IGNORED
    return await _begin(house, inbound, command) or IGNORED


async def _take_code(house: House, inbound: Inbound, code: str) -> Answer | None:
    """What a stranger's code comes to. None where they are known by now, or their workspace is
    not."""
    try:
        async with unit(house) as work:
            taken = await take_code(work, house, inbound, code)
            if taken is None or taken.person is None:
                return taken.answer if taken is not None else None
            # Kept: the same delivery once more is no request of somebody who is known now.
            request = _request(house, inbound, taken.person, None)
            inbound_id = await _write_inbound(work, request)
            if inbound_id is not None:
                await _write_answer(work, request, inbound_id, taken.answer)
            return taken.answer
    except Refused:  # linked by somebody else at this moment
        return None


async def _accept_click(house: House, inbound: Inbound, click: Click, attempt: _Attempt) -> Answer:
    """A click begins no task: one connection from the first look to the answer.

    So that of fifty who click at once the first has decided before the others have come in. All is
    one transaction: until its end nothing has been done.
    """
    attempt.surely_nothing = True
    async with unit(house) as work, attempt.until_the_end():
        known = await _know(work.connection, house, inbound)
        if known.person is None:
            return _unknown_person(inbound)
        if known.answered is not None:
            return _again(known.answered)
        remember(house, inbound.sender, known.person)
        request = _request(house, inbound, known.person, None)
        try:
            await replies.look_ahead(work.connection, click, known.person)
        except Refused as refused:
            return await _refuse(work.connection, request, refused)
        inbound_id = await _write_inbound(work, request)
        if inbound_id is None:
            return _again((await _know(work.connection, house, inbound)).answered)
        try:
            async with work.connection.begin_nested():
                answer = await replies.reply(work, request, None)
        except Refused as refused:
            work.events.clear()
            work.jobs.clear()
            answer = _refused(request, refused)
            await _write_answer(work, request, inbound_id, answer)
            return await _with_newest(work.connection, request, refused, answer)
        await _write_answer(work, request, inbound_id, answer)
        return answer


async def _heard(
    connection: AsyncConnection, request: Request, command: Command | None
) -> Command | None:
    """The command, unless in a thread that waits for this person's words they are the answer."""
    spot, person = request.inbound.spot, request.person
    if command is None or not command.is_agent or request.inbound.form or spot.thread is None:
        return command
    task_id = await talked_of(connection, request)
    if task_id is None:
        return command
    if spot.flat and spot.quotes is None:
        # It asks something. Whoever begins with the agent's own word asks for something else.
        named = command.rest.strip() != request.inbound.text.strip() and not command.guessed
        return command if named else Command(None, rest=command.rest)
    organisation_id = person.organisation_id
    asked = await tasks.open_question(connection, task_id, person.id, organisation_id)
    if asked is None and command.guessed:
        open_one = await changing.open_question(connection, organisation_id, task_id, person.id)
        return command if open_one is None else Command(None, rest=command.rest)
    # What was sent back is written anew as a whole, so it may well begin with the agent's word.
    if asked is None or not (command.guessed or asked == "revise"):
        return command
    return Command(None, rest=command.rest)


def _again(answer: Answer | None) -> Answer:
    return replace(answer, repeated=True) if answer is not None else IGNORED


async def _begin(house: House, inbound: Inbound, command: Command) -> Answer | None:
    """Take in a new task. None where the delivery turns out to begin none.

    It goes by what this process remembers of the person; the statement that writes the task
    confirms it, and a refusal is said only to who they are now.
    """
    while True:  # until a person stays the same between two questions; PATIENCE ends it
        person = await met(house, inbound.sender)
        if person is None:
            return _unknown_person(inbound) if inbound.addressed else IGNORED
        request = _request(house, inbound, person, command)
        try:
            new = await _new_task(request, command)
            if new is None:
                return None
            begun = await begin.store(request, new)
        except begin.PersonChanged:
            await meet(house, inbound.sender)
            continue
        except Refused as refused:
            if await meet(house, inbound.sender) != person:
                continue
            return await _refuse_alone(request, refused)
        if begun is None:
            return await _first_answer(house, inbound)
        await house.doorbell.ring(begun.jobs, begun.events)
        return begun.answer


async def _new_task(request: Request, command: Command) -> begin.NewTask | None:
    """The task that this delivery begins, if it does. Raises Refused."""
    house, inbound = request.house, request.inbound
    revises, agent_name = None, command.name
    if command.name == "revise" or inbound.spot.thread is not None:
        async with house.engine.connect() as connection:
            heard = await _heard(connection, request, command)
            if heard is None or heard.name is None:
                return None
            if command.name == "revise":
                origin = await changes.issued_task(connection, request, command)
                if origin is None:
                    return None
                revises, agent_name = origin.id, origin.agent
    request.need_role("requester")
    agent = house.agent(agent_name or "")
    text = without_command_word(command.rest, agent)
    form = inbound.form
    ask = agent.begin(text, form.values if form else None, request.today)
    return begin.NewTask(agent, ask, text, revises)


def _request(house: House, inbound: Inbound, person: Person, command: Command | None) -> Request:
    language = _language(inbound, person, command)
    today = inbound.today or person.today()
    actor = Actor(
        person.id,
        spell(inbound.sender),
        channel=inbound.sender.platform,
        on_behalf_of=person.id if inbound.by_program else None,
        ip=inbound.ip,
        user_agent=inbound.user_agent,
    )
    return Request(house, inbound, person, language, today, actor)


def _language(inbound: Inbound, person: Person, command: Command | None) -> Language:
    """The language of the text where it is clearly one, else the person's.

    A command's own word says nothing: people of every language type `status #1042`.
    """
    builtin = command is not None and command.name is not None and not command.is_agent
    text = command.rest if command is not None and builtin else inbound.text
    if not text.strip():
        return person.language
    spoken = detect_language(text)
    return person.language if spoken == "ja" else spoken


def _command(house: House, inbound: Inbound) -> Command | None:
    if inbound.form is not None and inbound.form.task_id is None:
        return Command(inbound.form.agent, is_agent=True)
    if inbound.click is not None or inbound.form is not None or not inbound.addressed:
        return None
    if inbound.files and not inbound.text.strip():
        return None  # nothing was said: not even help is asked for
    return read_command(inbound.text, house.agents.values())


async def _reply(house: House, inbound: Inbound, command: Command | None) -> Answer:
    """Everything that is not a new task: one unit, in which the delivery itself is written."""
    try:
        async with unit(house) as work:
            known = await _know(work.connection, house, inbound)
            if known.person is None:
                return _unknown_person(inbound) if inbound.addressed else IGNORED
            if known.answered is not None:
                return _again(known.answered)
            request = _request(house, inbound, known.person, command)
            command = await _heard(work.connection, request, command)
            inbound_id = await _write_inbound(work, request)
            if inbound_id is None:
                return _again((await _know(work.connection, house, inbound)).answered)
            answer = await replies.reply(work, request, command)
            await _write_answer(work, request, inbound_id, answer)
            return answer
    except Refused as refused:
        return await _refuse_alone(request, refused)


async def _refuse_alone(request: Request, refused: Refused) -> Answer:
    async with request.house.engine.connect() as raw:
        connection = await raw.execution_options(isolation_level="AUTOCOMMIT")
        return await _refuse(connection, request, refused)


async def _first_answer(house: House, inbound: Inbound) -> Answer:
    async with house.engine.connect() as connection:
        return _again((await _know(connection, house, inbound)).answered)


async def _refuse(connection: AsyncConnection, request: Request, refused: Refused) -> Answer:
    """Nothing was done. The refusal is kept, so that a redelivery is not refused a second time."""
    answer = _refused(request, refused)
    kept = await fetch_quickly(
        connection,
        "insert into inbound (id, organisation_id, platform, workspace, key, person_id, answer)"
        " values (:id, :organisation_id, :platform, :workspace, :key, :person_id,"
        " cast(:answer as jsonb)) on conflict (platform, workspace, key) do nothing returning id",
        _inbound_row(request, answer),
    )
    if kept:
        return await _with_newest(connection, request, refused, answer)
    return _again((await _know(connection, request.house, request.inbound)).answered)


async def _with_newest(
    connection: AsyncConnection, request: Request, refused: Refused, answer: Answer
) -> Answer:
    """Where the content has changed, the newest card comes with the answer. It is not kept: what is
    shown later is what is newest then."""
    message = await acts.newest_card(
        connection, request.house, request.person, request.language, refused
    )
    return answer if message is None else replace(answer, message=message)


def _refused(request: Request, refused: Refused) -> Answer:
    log.info("intake.refused", key=request.inbound.key, why=refused.words.en)
    return replace(request.say(refused.words, "refused"), refusal=refused.refusal)


async def _write_inbound(work: Unit, request: Request) -> UUID | None:
    row = _inbound_row(request, None)
    written = await execute(
        work.connection,
        "insert into inbound (id, organisation_id, platform, workspace, key, person_id, answer)"
        " values (:id, :organisation_id, :platform, :workspace, :key, :person_id,"
        " cast(:answer as jsonb)) on conflict (platform, workspace, key) do nothing",
        row,
    )
    return row["id"] if written else None


def _inbound_row(request: Request, answer: Answer | None) -> dict[str, Any]:
    return {
        "id": new_id(),
        "organisation_id": request.person.organisation_id,
        "platform": request.inbound.sender.platform,
        "workspace": request.inbound.sender.workspace,
        "key": request.inbound.key,
        "person_id": request.person.id,
        "answer": to_json(dump(answer)) if answer is not None else "{}",
    }


async def _write_answer(work: Unit, request: Request, inbound_id: UUID, answer: Answer) -> None:
    if answer.private:
        answer = replace(request.say(TOLD_ONCE, "told"), private=True)
    await execute(
        work.connection,
        "update inbound set answer = cast(:answer as jsonb), task_id = :task_id"
        " where organisation_id = :organisation_id and id = :id",
        {
            "answer": to_json(dump(answer)),
            "task_id": answer.task_id,
            "organisation_id": request.person.organisation_id,
            "id": inbound_id,
        },
    )


_KNOW = """
    select p.id, p.organisation_id, p.handle, p.name, p.roles, p.language, p.time_zone,
        first.answer, t.id as task_id, t.reference, t.agent, t.turn, t.language as task_language
    from accounts a join people p on p.id = a.person_id
    left join inbound first on first.organisation_id = p.organisation_id
        and first.platform = :platform and first.workspace = :workspace and first.key = :key
    left join tasks t on t.organisation_id = p.organisation_id and t.id = first.task_id
    where a.platform = :platform and a.workspace = :workspace and a.external_id = :account
        and p.active
"""


def _may_begin(inbound: Inbound, command: Command) -> bool:
    """Whether a task may come of it."""
    if not command.is_agent and command.name != "revise":
        return False
    return inbound.form is not None or bool(command.rest.strip())


async def _know(connection: AsyncConnection, house: House, inbound: Inbound) -> _Known:
    """One question to the database for all that is needed before a delivery can be written."""
    row = await fetch_quickly(
        connection,
        _KNOW,  # across organisations: an account belongs to exactly one, and says which
        {
            "platform": inbound.sender.platform,
            "workspace": inbound.sender.workspace,
            "account": inbound.sender.account,
            "key": inbound.key,
        },
    )
    if row is None:
        return _Known(None)
    return _Known(as_person(row), _answered(house, row, flat=inbound.spot.flat))


def _answered(house: House, row: Named, *, flat: bool) -> Answer | None:
    """The first answer; that of a task which began with it is made anew from the task."""
    if row.answer is None:
        return None
    answer = from_json(row.answer)
    if answer:
        said: Answer = load(Answer, answer)
        return said
    return begin.taken(
        house,
        row.task_id,
        row.reference,
        row.agent,
        row.turn,
        as_language(row.task_language),
        flat=flat,
    )


def _unknown_person(inbound: Inbound) -> Answer:
    log.warning("intake.unknown_person", account=spell(inbound.sender))
    language = detect_language(inbound.text)
    words = lines([phrases.UNKNOWN_PERSON.fill(account=spell(inbound.sender)), HOW_TO_LINK])
    return Answer("unknown_person", Message(words.to(language), language=language))
