"""What Miyabi does with a delivery that begins no task: commands, clicks, answers and forms."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core import approvals, phrases, tasks, views
from core.approvals import Action
from core.codec import dump, load
from core.commands import WORDS, Command, without_command_word
from core.db import execute, fetch_one, from_json, to_json
from core.documents import void_latest
from core.errors import NotAllowed, Refused
from core.inbound import IGNORED, Answer, Click
from core.people import everyone
from core.request import Request
from core.tags import Tag
from core.tasks import Task
from core.unit import Unit
from core.words import Words, same

Handler = Callable[[Unit, Request, Command], Awaitable[Answer]]


async def reply(work: Unit, request: Request, command: Command | None) -> Answer:
    """Do what was asked, in the caller's unit. Raises Refused where it can't be done."""
    inbound = request.inbound
    if inbound.click is not None:
        return await _click(work, request, inbound.click)
    if inbound.form is not None and inbound.form.task_id is not None:
        task = await tasks.lock(
            work.connection, request.person.organisation_id, inbound.form.task_id
        )
        return await _revise(work, request, task, "")
    if command is None or command.name is None:
        return await _talk(work, request, command)
    if command.is_agent:
        return Answer("told", opens=command.name)
    return await _HANDLERS[command.name](work, request, command)


async def _talk(work: Unit, request: Request, command: Command | None) -> Answer:
    """Free words: the answer to a question asked in this thread, or a command nobody knows."""
    task = await _task_of_thread(work.connection, request)
    if task is not None and task.question and task.person_id == request.person.id:
        said = command.rest if command is not None else request.inbound.text
        return await _answer(work, request, task, said)
    if command is None:
        return IGNORED
    if command.nearest:
        hint = phrases.DID_YOU_MEAN.fill(nearest=command.nearest)
    else:
        hint = phrases.SEE_HELP
    word = request.inbound.text.strip().split(maxsplit=1)[0][:40]
    return request.say(phrases.UNKNOWN_COMMAND.fill(word=word, hint=hint), "told")


async def _click(work: Unit, request: Request, click: Click) -> Answer:
    if click.action == "answer":
        return await _answer_click(work, request, click.value)
    subject = _as_id(click.value)
    if click.action in approvals.ACTIONS:
        return await _decide(work, request, subject, click.action, click.reason)
    task = await tasks.lock(work.connection, request.person.organisation_id, subject)
    if click.action == "retry":
        return await _retry_task(work, request, task)
    if click.action == "cancel":
        return await _cancel_task(work, request, task)
    raise Refused(phrases.UNKNOWN_COMMAND.fill(word=click.action, hint=phrases.SEE_HELP))


def _as_id(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise Refused(phrases.UNKNOWN_TASK.fill(target=value[:40])) from error


# Decisions


async def _decide(
    work: Unit, request: Request, approval_id: UUID, action: str, reason: str
) -> Answer:
    decision: Action = "approve"
    if action in {"reject", "return"}:
        decision = "reject" if action == "reject" else "return"
    task = await approvals.decide(
        work, request.person, approval_id, decision, reason, request.actor
    )
    words = phrases.DECIDED.fill(reference=task.spoken, action=approvals.ACTIONS[decision])
    return _about(task, request.say(words))


def _decision(action: Action) -> Handler:
    async def handle(work: Unit, request: Request, command: Command) -> Answer:
        task = await _target(work.connection, request, command)
        latest = await approvals.latest_of(work.connection, request.person.organisation_id, task.id)
        if latest is None:
            raise Refused(phrases.NOTHING_PENDING.fill(reference=task.spoken))
        return await _decide(work, request, latest, action, command.rest)

    return handle


# Questions


async def _answer_click(work: Unit, request: Request, value: str) -> Answer:
    """`value` is the question's id, a point, and the place of the choice."""
    question_id, _, place = value.partition(".")
    row = await fetch_one(
        work.connection,
        "select id from tasks where organisation_id = :organisation_id"
        " and question ->> 'id' = :question_id",
        {"organisation_id": request.person.organisation_id, "question_id": question_id},
    )
    if row is None:
        raise Refused(phrases.QUESTION_OVER)
    task = await tasks.lock(work.connection, request.person.organisation_id, row.id)
    question = task.question
    if question is None or question["id"] != question_id:
        raise Refused(phrases.QUESTION_OVER)
    await _only_requester(work.connection, request, task)
    choices = question["choices"]
    if not place.isdecimal() or int(place) >= len(choices):
        raise Refused(phrases.QUESTION_OVER)
    return await _answer(work, request, task, choices[int(place)]["value"])


async def _answer(work: Unit, request: Request, task: Task, value: str) -> Answer:
    """Add the answer to the ask and go on; after a send-back it is the new request."""
    question = task.question or {}
    if question.get("key") == "revise":
        return await _revise(work, request, task, value)
    agent = request.house.agents[task.agent]
    ask = agent.answer(
        load(agent.asks, await _ask(work.connection, task)), question["key"], value.strip()
    )
    await execute(
        work.connection,
        "update revisions set ask = cast(:ask as jsonb) where organisation_id = :organisation_id"
        " and task_id = :task_id and revision = :revision",
        {
            "ask": to_json(dump(ask)),
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": task.revision,
        },
    )
    await tasks.move(work, task, "running")
    work.record(tasks.event(task, Tag.QUESTION_ANSWERED, {"key": question["key"]}, request.actor))
    facts = {"question": question["id"], "answer": value.strip()}
    await tasks.notify(work, task, "question.answered", facts)
    work.nudge("advance", task.organisation_id, task.id)
    return _about(task, request.say(phrases.ANSWERED))


async def _ask(connection: AsyncConnection, task: Task) -> object:
    row = await fetch_one(
        connection,
        "select ask from revisions where organisation_id = :organisation_id"
        " and task_id = :task_id and revision = :revision",
        {
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": task.revision,
        },
    )
    assert row is not None  # noqa: S101  # every task has its ask
    return from_json(row.ask)


# Revisions


async def issued_task(
    connection: AsyncConnection, request: Request, command: Command
) -> Task | None:
    """The finished task that a `revise` names: its revision is a new task, linked to it."""
    if not command.rest.strip():
        return None
    task = await _target(connection, request, command)
    await _only_requester(connection, request, task)
    return task if task.state == "done" else None


async def _handle_revise(work: Unit, request: Request, command: Command) -> Answer:
    task = await _target(work.connection, request, command)
    if not command.rest.strip():
        raise Refused(phrases.WHAT_TO_REVISE.fill(reference=task.spoken))
    return await _revise(work, request, task, command.rest)


async def _revise(work: Unit, request: Request, task: Task, text: str) -> Answer:
    """Make revision n+1 of a task that is not finished; what was shown before no longer holds."""
    await _only_requester(work.connection, request, task)
    if "received" not in tasks.MOVES[task.state]:
        state = phrases.state_words(task.state, task.waiting_for)
        raise Refused(phrases.CANT_REVISE.fill(reference=task.spoken, state=state))
    form = request.inbound.form
    agent = request.house.agents[task.agent]
    text = without_command_word(text, agent)
    ask = agent.begin(text, form.values if form else None, request.today)
    revision = task.revision + 1
    await approvals.supersede(work, task, "superseded", request.actor)
    await execute(
        work.connection,
        "insert into revisions (organisation_id, task_id, revision, ask, person_id)"
        " values (:organisation_id, :task_id, :revision, cast(:ask as jsonb), :person_id)",
        {
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": revision,
            "ask": to_json(dump(ask)),
            "person_id": request.person.id,
        },
    )
    await execute(
        work.connection,
        "update tasks set revision = :revision, text = case when :text = '' then text else :text"
        " end, attempts = 0 where organisation_id = :organisation_id and id = :id",
        {
            "revision": revision,
            "text": text,
            "organisation_id": task.organisation_id,
            "id": task.id,
        },
    )
    await tasks.move(work, task, "received")
    work.record(tasks.event(task, Tag.TASK_REVISED, {"to": revision}, request.actor))
    if task.question:
        facts = {"question": task.question["id"], "answer": text}
        await tasks.notify(work, task, "question.answered", facts)
    await tasks.notify(work, task, "task.received")
    work.nudge("advance", task.organisation_id, task.id)
    words = phrases.REVISED.fill(reference=task.spoken, revision=revision)
    return _about(task, request.say(words, "taken"))


# Cancel, retry, void


async def _handle_cancel(work: Unit, request: Request, command: Command) -> Answer:
    return await _cancel_task(work, request, await _target(work.connection, request, command))


async def _cancel_task(work: Unit, request: Request, task: Task) -> Answer:
    await _only_requester(work.connection, request, task)
    if task.state in tasks.FINAL:
        state = phrases.state_words(task.state, task.waiting_for)
        raise Refused(phrases.CANT_CANCEL.fill(reference=task.spoken, state=state))
    running = task.state in {"running", "cancelling"}
    if task.state != "cancelling":
        await approvals.supersede(work, task, "withdrawn", request.actor)
        await tasks.move(work, task, "cancelling" if running else "cancelled")
        work.record(tasks.event(task, Tag.TASK_CANCELLED, {}, request.actor))
        await tasks.notify(work, task, "task.moved")
        if running:
            work.nudge("advance", task.organisation_id, task.id)
    words = phrases.CANCELLING if running else phrases.CANCELLED
    return _about(task, request.say(words.fill(reference=task.spoken)))


async def _handle_retry(work: Unit, request: Request, command: Command) -> Answer:
    return await _retry_task(work, request, await _target(work.connection, request, command))


async def _retry_task(work: Unit, request: Request, task: Task) -> Answer:
    if task.state not in {"failed", "retrying"}:
        state = phrases.state_words(task.state, task.waiting_for)
        raise Refused(phrases.CANT_RETRY.fill(reference=task.spoken, state=state))
    if not request.person.may("admin"):
        await _only_requester(work.connection, request, task)
    await execute(
        work.connection,
        "update tasks set attempts = 0 where organisation_id = :organisation_id and id = :id",
        {"organisation_id": task.organisation_id, "id": task.id},
    )
    await tasks.move(work, task, "received")
    work.record(tasks.event(task, Tag.TASK_RETRIED, {}, request.actor))
    await tasks.notify(work, task, "task.moved")
    work.nudge("advance", task.organisation_id, task.id)
    return _about(task, request.say(phrases.RETRYING.fill(reference=task.spoken)))


async def _handle_void(work: Unit, request: Request, command: Command) -> Answer:
    request.need_role("approver")
    task = await _target(work.connection, request, command)
    if not command.rest.strip():
        example = f"void {task.spoken} …"
        raise Refused(phrases.REASON_NEEDED.fill(example=example))
    number = await void_latest(
        work,
        task,
        request.person,
        command.rest.strip(),
        request.actor,
        number=command.target.number if command.target else None,
    )
    return _about(task, request.say(phrases.VOIDED.fill(number=number)))


# Looking


async def _handle_help(work: Unit, request: Request, command: Command) -> Answer:
    agents = "\n".join(
        f"• {agent.example.to(request.language)}" for agent in request.house.agents.values()
    )
    return request.say(phrases.HELP.fill(agents=agents), "told")


async def _handle_status(work: Unit, request: Request, command: Command) -> Answer:
    task = await _target(work.connection, request, command)
    view = await views.task_view(work.connection, request.house, task.organisation_id, task.id)
    message = views.status_message(view, request.language, request.person.time_zone)
    return Answer("told", message, task.id, task.reference)


async def _handle_mine(work: Unit, request: Request, command: Command) -> Answer:
    listing = await views.desk(work.connection, request.house, request.person)
    if not listing.mine and not listing.waiting:
        return request.say(phrases.NOTHING_OPEN, "told")
    return Answer("told", views.desk_message(listing, request.language))


# Which task


async def _task_of_thread(connection: AsyncConnection, request: Request) -> Task | None:
    spot = request.inbound.spot
    if spot.thread is None:
        return None
    organisation_id = request.person.organisation_id
    task_id = await tasks.in_thread(
        connection, organisation_id, request.inbound.sender.platform, spot.channel, spot.thread
    )
    return await tasks.lock(connection, organisation_id, task_id) if task_id else None


async def _target(connection: AsyncConnection, request: Request, command: Command) -> Task:
    """The task a command names, or that of the thread it is said in. Raises Refused."""
    organisation_id = request.person.organisation_id
    if command.target is not None:
        task_id = await tasks.find(connection, organisation_id, command.target)
        return await tasks.lock(connection, organisation_id, task_id)
    task = await _task_of_thread(connection, request)
    if task is None:
        spoken = WORDS[command.name][0] if command.name in WORDS else command.name
        raise Refused(phrases.WHICH_TASK.fill(command=spoken))
    return task


async def _only_requester(connection: AsyncConnection, request: Request, task: Task) -> None:
    if task.person_id == request.person.id:
        return
    people = await everyone(connection, task.organisation_id)
    names = [person.name for person in people if person.id == task.person_id]
    who: Words = same(names[0]) if names else phrases.NOBODY
    raise NotAllowed(phrases.NOT_YOURS.fill(who=who))


def _about(task: Task, answer: Answer) -> Answer:
    return Answer(answer.outcome, answer.message, task.id, task.reference, answer.opens)


_HANDLERS: dict[str, Handler] = {
    "help": _handle_help,
    "status": _handle_status,
    "mine": _handle_mine,
    "cancel": _handle_cancel,
    "retry": _handle_retry,
    "revise": _handle_revise,
    "void": _handle_void,
    "approve": _decision("approve"),
    "reject": _decision("reject"),
    "return": _decision("return"),
}
