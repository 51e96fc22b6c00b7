"""Which task a delivery is about, and whether it is the sender's own."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core import flat_chats, phrases, tasks
from core.approvals.codes import coded
from core.commands import WORDS, Command, Target
from core.errors import NotAllowed, Refused, Unknown
from core.inbound import Answer
from core.people import Role, everyone
from core.request import Request
from core.tasks import Task
from core.words import Words, same


async def task_of_thread(connection: AsyncConnection, request: Request) -> Task | None:
    """The task that is talked of where this was said, locked."""
    task_id = await talked_of(connection, request)
    return await _locked(connection, request, task_id)


async def task_for_files(connection: AsyncConnection, request: Request) -> Task | None:
    """The task that files are for which come without words, locked."""
    if not request.inbound.spot.flat:
        return await task_of_thread(connection, request)
    return await _locked(connection, request, await flat_chats.for_files(connection, request))


async def talked_of(connection: AsyncConnection, request: Request) -> UUID | None:
    """The task whose thread it is; without threads, the one that free words are about."""
    spot = request.inbound.spot
    if spot.flat:
        return await flat_chats.answered(connection, request)
    if spot.thread is None:
        return None
    return await tasks.in_thread(
        connection,
        request.person.organisation_id,
        request.inbound.sender.platform,
        spot.channel,
        spot.thread,
    )


async def _locked(
    connection: AsyncConnection, request: Request, task_id: UUID | None
) -> Task | None:
    if task_id is None:
        return None
    return await tasks.lock(connection, request.person.organisation_id, task_id)


async def target(connection: AsyncConnection, request: Request, command: Command) -> Task:
    """The task a command names, or that of the thread it is said in. Raises Refused."""
    organisation_id = request.person.organisation_id
    if command.target is not None:
        task_id = await _named(connection, request, command.target)
        return await tasks.lock(connection, organisation_id, task_id)
    if request.inbound.spot.flat:
        task = await _locked(
            connection, request, await flat_chats.meant(connection, request, command)
        )
    else:
        task = await task_of_thread(connection, request)
    if task is None:
        spoken = WORDS[command.name][0] if command.name in WORDS else command.name
        raise Refused(phrases.WHICH_TASK.fill(command=spoken))
    return task


async def _named(connection: AsyncConnection, request: Request, named: Target) -> UUID:
    if named.code is not None:
        meant = await coded(connection, request.person, named.code)
        if meant is not None:
            return meant.task_id
    try:
        return await tasks.find(connection, request.person.organisation_id, named)
    except Unknown as error:
        if named.code is None:
            raise
        raise Unknown(phrases.UNKNOWN_TASK.fill(target=named.code)) from error


async def only_requester(
    connection: AsyncConnection, request: Request, task: Task, *or_who: Role
) -> None:
    """Raises NotAllowed unless it is the requester who asks, or somebody of one of these roles."""
    person = request.person
    if task.person_id == person.id or any(person.may(role) for role in or_who):
        return
    people = await everyone(connection, task.organisation_id)
    names = [person.name for person in people if person.id == task.person_id]
    who: Words = same(names[0]) if names else phrases.NOBODY
    raise NotAllowed(phrases.NOT_YOURS.fill(who=who))


def about(task: Task, answer: Answer) -> Answer:
    return Answer(answer.outcome, answer.message, task.id, task.reference, answer.opens)
