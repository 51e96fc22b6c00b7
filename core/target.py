"""Which task a delivery is about, and whether it is the sender's own."""

from sqlalchemy.ext.asyncio import AsyncConnection

from core import phrases, tasks
from core.commands import WORDS, Command
from core.errors import NotAllowed, Refused
from core.inbound import Answer
from core.people import Role, everyone
from core.request import Request
from core.tasks import Task
from core.words import Words, same


async def task_of_thread(connection: AsyncConnection, request: Request) -> Task | None:
    spot = request.inbound.spot
    if spot.thread is None:
        return None
    organisation_id = request.person.organisation_id
    task_id = await tasks.in_thread(
        connection, organisation_id, request.inbound.sender.platform, spot.channel, spot.thread
    )
    return await tasks.lock(connection, organisation_id, task_id) if task_id else None


async def target(connection: AsyncConnection, request: Request, command: Command) -> Task:
    """The task a command names, or that of the thread it is said in. Raises Refused."""
    organisation_id = request.person.organisation_id
    if command.target is not None:
        task_id = await tasks.find(connection, organisation_id, command.target)
        return await tasks.lock(connection, organisation_id, task_id)
    task = await task_of_thread(connection, request)
    if task is None:
        spoken = WORDS[command.name][0] if command.name in WORDS else command.name
        raise Refused(phrases.WHICH_TASK.fill(command=spoken))
    return task


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
