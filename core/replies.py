"""What Miyabi does with a delivery that begins no task: commands, clicks, answers and forms."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from core import (
    deliveries,
    effects,
    files_sent,
    notice_presses,
    notify_commands,
    phrases,
    tasks,
    views,
)  # fmt: skip
from core.account_acts import handle_amounts, handle_endings, handle_link, handle_unlink
from core.approvals import acts, changing
from core.approvals.acts import Handler, as_id
from core.approvals.standing import check_open
from core.approvals.wording import ACTIONS
from core.changes import (
    answer,
    answer_click,
    cancel_task,
    handle_cancel,
    handle_retry,
    handle_revise,
    handle_void,
    retry_task,
    revise,
)
from core.commands import Command
from core.delegates import handle_delegate
from core.desk import desk, desk_message
from core.errors import NotAllowed, Refused
from core.holding import DROP, RELEASE, drop_task, handle_drop, handle_release, release_task
from core.inbound import IGNORED, Answer, Click
from core.people import Person
from core.reductions import handle_reduce
from core.request import Request
from core.target import about, target, task_of_thread
from core.unit import Unit


async def reply(work: Unit, request: Request, command: Command | None) -> Answer:
    """Do what was asked, in the caller's unit. Raises Refused where it can't be done."""
    inbound = request.inbound
    if inbound.click is not None:
        return await _click(work, request, inbound.click)
    if inbound.form is not None and inbound.form.task_id is not None:
        task = await tasks.lock(
            work.connection, request.person.organisation_id, inbound.form.task_id
        )
        return await revise(work, request, task, "")
    if command is None or command.name is None:
        return await _talk(work, request, command)
    if command.is_agent:
        return Answer("told", opens=command.name)
    answer = await _HANDLERS[command.name](work, request, command)
    if command.name == "revise" and inbound.files:
        await files_sent.add(work, request, answer.task_id)
    return answer


async def _talk(work: Unit, request: Request, command: Command | None) -> Answer:
    """Free words: the answer to a question asked in this thread, or a command nobody knows."""
    if request.inbound.files:
        received = await files_sent.heard(work, request, command)
        if received is not None:
            return received
    task = await task_of_thread(work.connection, request)
    if task is not None and task.question and task.person_id == request.person.id:
        said = command.rest if command is not None else request.inbound.text
        return await answer(work, request, task, said)
    if task is not None:
        said = command.rest if command is not None else request.inbound.text
        words = await changing.answer(work, request.person, task, said, request.actor)
        if words is not None:
            return about(task, request.say(words))
    if command is None:
        return IGNORED
    if command.nearest:
        hint = phrases.DID_YOU_MEAN.fill(nearest=command.nearest)
    else:
        hint = phrases.SEE_HELP
    word = request.inbound.text.strip().split(maxsplit=1)[0][:40]
    return request.say(phrases.UNKNOWN_COMMAND.fill(word=word, hint=hint), "told")


async def look_ahead(connection: AsyncConnection, click: Click, person: Person) -> None:
    """Raises Refused for a decision that came too late, before anything is begun for it."""
    if click.action in ACTIONS:
        await check_open(connection, person, as_id(click.value))


async def _click(work: Unit, request: Request, click: Click) -> Answer:
    if click.action == "answer":
        return await answer_click(work, request, click.value, click.reason)
    press = _PRESSES.get(click.action)
    if press is not None:
        return await press(work, request, click)
    subject = as_id(click.value)
    if click.action in deliveries.ANSWERS:
        return await deliveries.settle(work, request, subject, click.action)
    if click.action in effects.STOPPED:
        return await effects.settle_stopped(work, request, subject, click.action)
    act = _TASK_ACTS.get(click.action)
    if act is None:
        raise Refused(phrases.UNKNOWN_COMMAND.fill(word=click.action, hint=phrases.SEE_HELP))
    task = await tasks.lock(work.connection, request.person.organisation_id, subject)
    return await act(work, request, task)


_PRESSES = {**acts.PRESSES, **notice_presses.PRESSES, **notify_commands.PRESSES}

_TASK_ACTS = {
    "retry": retry_task,
    "cancel": cancel_task,
    RELEASE: release_task,
    DROP: drop_task,
}


# Looking


async def _help(work: Unit, request: Request, command: Command) -> Answer:
    agents = "\n".join(
        f"• {agent.example.to(request.language)}" for agent in request.house.agents.values()
    )
    return request.say(phrases.HELP.fill(agents=agents), "told")


async def _status(work: Unit, request: Request, command: Command) -> Answer:
    if request.person.only_audits:
        raise NotAllowed(phrases.NO_ROLE.fill(role="requester"))
    task = await target(work.connection, request, command)
    view = await views.task_view(work.connection, request.house, task.organisation_id, task.id)
    message = views.status_message(view, request.language, request.person.time_zone)
    document = views.document_of(view, request.language)
    # For who asked for it only: to others it was shown as far as they had to decide on it.
    if document is not None and task.person_id == request.person.id:
        message = replace(message, files=(document,))
    return Answer("told", message, task.id, task.reference)


async def _mine(work: Unit, request: Request, command: Command) -> Answer:
    listing = await desk(work.connection, request.house, request.person)
    if not listing.mine and not listing.waiting:
        return request.say(phrases.NOTHING_OPEN, "told")
    return Answer("told", desk_message(listing, request.language))


_HANDLERS: dict[str, Handler] = {
    "help": _help,
    "status": _status,
    "mine": _mine,
    "cancel": handle_cancel,
    "retry": handle_retry,
    "revise": handle_revise,
    "reduce": handle_reduce,
    "void": handle_void,
    "release": handle_release,
    "drop": handle_drop,
    **acts.HANDLERS,
    "delegate": handle_delegate,
    "link": handle_link,
    "unlink": handle_unlink,
    "endings": handle_endings,
    "amounts": handle_amounts,
    "notify": notify_commands.handle_notify,
}
