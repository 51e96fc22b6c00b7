"""What a person changes of a task: an answer, a revision, cancelling, a retry, a void document."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core import attachments, effects, phrases, tasks
from core.approvals import opening
from core.codec import dump, load
from core.commands import Command, fold, without_command_word
from core.db import execute, fetch_one, from_json, to_json
from core.documents import void_latest
from core.errors import Refused, topic
from core.holding import drop_task, refuse_held
from core.inbound import Answer
from core.request import Request
from core.tags import Tag
from core.target import about, only_requester, target
from core.tasks import Task
from core.unit import Unit
from core.views import stays, task_view
from core.words import lines

# Revisions


async def issued_task(
    connection: AsyncConnection, request: Request, command: Command
) -> Task | None:
    """The finished task that a `revise` names: its revision is a new task, linked to it."""
    if not command.rest.strip():
        return None
    task = await target(connection, request, command)
    await only_requester(connection, request, task)
    return task if task.state == "done" else None


async def handle_revise(work: Unit, request: Request, command: Command) -> Answer:
    task = await target(work.connection, request, command)
    if not command.rest.strip():
        raise Refused(phrases.WHAT_TO_REVISE.fill(reference=task.spoken))
    return await revise(work, request, task, command.rest)


async def revise(work: Unit, request: Request, task: Task, text: str) -> Answer:
    """Make revision n+1 of a task that is not finished; what was shown before no longer holds."""
    await only_requester(work.connection, request, task)
    if "received" not in tasks.MOVES[task.state]:
        state = phrases.state_words(task.state, task.waiting_for)
        raise Refused(phrases.CANT_REVISE.fill(reference=task.spoken, state=state))
    refuse_held(task)
    await effects.refuse_open(work.connection, task)
    form = request.inbound.form
    agent = request.house.agent(task.agent, task.agent_version)
    text = without_command_word(text, agent)
    ask = agent.begin(text, form.values if form else None, request.today)
    ask = await attachments.with_kept(work.connection, agent, ask, task)
    revision = await renew(work, request, task, dump(ask), text)
    words = phrases.REVISED.fill(reference=task.spoken, revision=revision)
    return replace(about(task, request.say(words, "taken")), follows=True)


async def renew(
    work: Unit,
    request: Request,
    task: Task,
    ask: object,
    text: str,
    *,
    author: UUID | None = None,
) -> int:
    """Write revision n+1 with this ask, as JSON, and have a worker begin with it; its number.

    `author` wrote what is asked: whoever speaks, unless they add nothing of their own.
    """
    revision = task.revision + 1
    await opening.supersede(work, task, "superseded", request.actor)
    await execute(
        work.connection,
        "insert into revisions (organisation_id, task_id, revision, ask, person_id)"
        " values (:organisation_id, :task_id, :revision, cast(:ask as jsonb), :person_id)",
        {
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": revision,
            "ask": to_json(ask),
            "person_id": author or request.person.id,
        },
    )
    await execute(
        work.connection,
        "update tasks set revision = :revision, text = case when :text = '' then text else :text"
        " end where organisation_id = :organisation_id and id = :id",
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
    work.nudge("advance", task)
    return revision


async def handle_cancel(work: Unit, request: Request, command: Command) -> Answer:
    return await cancel_task(work, request, await target(work.connection, request, command))


async def cancel_task(work: Unit, request: Request, task: Task) -> Answer:
    await only_requester(work.connection, request, task)
    if task.waiting_for == "release":
        return await drop_task(work, request, task)
    if task.state in tasks.FINAL:
        state = phrases.state_words(task.state, task.waiting_for)
        raise Refused(phrases.CANT_CANCEL.fill(reference=task.spoken, state=state))
    if task.state == "running":
        await tasks.ask_to_stop(work, task)
        await _note_cancel(work, request, task, "cancelling")
        work.nudge("advance", task)  # nobody may have it
    if task.state in {"running", "cancelling"}:
        return about(task, request.say(phrases.CANCELLING.fill(reference=task.spoken)))
    await opening.supersede(work, task, "withdrawn", request.actor)
    await tasks.move(work, task, "cancelled")
    await _note_cancel(work, request, task, "cancelled")
    view = await task_view(work.connection, request.house, task.organisation_id, task.id)
    told = lines([phrases.CANCELLED.fill(reference=task.spoken), *stays(view)])
    return about(task, request.say(told))


async def _note_cancel(work: Unit, request: Request, task: Task, state: tasks.State) -> None:
    work.record(tasks.event(task, Tag.TASK_CANCELLED, {"state": state}, request.actor))
    await tasks.notify(work, task, "task.moved")


async def handle_retry(work: Unit, request: Request, command: Command) -> Answer:
    return await retry_task(work, request, await target(work.connection, request, command))


async def retry_task(work: Unit, request: Request, task: Task) -> Answer:
    if task.state not in {"failed", "retrying"}:
        state = phrases.state_words(task.state, task.waiting_for)
        raise Refused(phrases.CANT_RETRY.fill(reference=task.spoken, state=state))
    await only_requester(work.connection, request, task, "admin")
    await tasks.move(work, task, "received")
    work.record(tasks.event(task, Tag.TASK_RETRIED, {}, request.actor))
    await tasks.notify(work, task, "task.moved")
    work.nudge("advance", task)
    return about(task, request.say(phrases.RETRYING.fill(reference=task.spoken)))


async def handle_void(work: Unit, request: Request, command: Command) -> Answer:
    request.need_role("approver")
    task = await target(work.connection, request, command)
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
    return about(task, request.say(phrases.VOIDED.fill(number=number)))


# Questions


async def answer_click(work: Unit, request: Request, value: str, words: str = "") -> Answer:
    """`value` is the question's id, a point, and the place of the choice.

    The id alone where the answer is in `words`: a day that was picked from a calendar.
    """
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
    others = effects.MAY_SETTLE if effects.is_about_effect(question) else ()
    await only_requester(work.connection, request, task, *others)
    if words and not place:
        return await answer(work, request, task, words)
    choices = question["choices"]
    if not place.isdecimal() or int(place) >= len(choices):
        raise Refused(phrases.QUESTION_OVER)
    return await answer(work, request, task, choices[int(place)]["value"])


def _meant(question: Mapping[str, Any], said: str) -> str:
    """What was said; the value of a choice where it was written instead of pressed."""
    for choice in question.get("choices") or ():
        if fold(said) in {fold(label) for label in choice["label"].values()}:
            value: str = choice["value"]
            return value
    return said


def _spoken(question: Mapping[str, Any], value: str, request: Request) -> str:
    """An answer as people read it: a choice by its label."""
    for choice in question.get("choices") or ():
        if choice["value"] == value:
            label: str = choice["label"][request.language]
            return label
    return value


async def answer(work: Unit, request: Request, task: Task, value: str) -> Answer:
    """Add the answer to the ask and go on; after a send-back it is the new request."""
    question = task.question or {}
    if question.get("key") == "revise":
        return await revise(work, request, task, value)
    if effects.is_about_effect(question):
        return await effects.settle(work, request, task, value)
    said = _meant(question, value.strip())
    agent = request.house.agent(task.agent, task.agent_version)
    asked = load(agent.asks, await ask_of(work.connection, task))
    ask = agent.answer(asked, question["key"], said)
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
    data = {"about": topic(question["key"])}
    work.record(tasks.event(task, Tag.QUESTION_ANSWERED, data, request.actor))
    facts = {"question": question["id"], "answer": _spoken(question, said, request)}
    await tasks.notify(work, task, "question.answered", facts)
    work.nudge("advance", task)
    return replace(about(task, request.say(phrases.ANSWERED)), follows=True)


async def ask_of(connection: AsyncConnection, task: Task) -> object:
    """What is asked at the present revision, as JSON."""
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
