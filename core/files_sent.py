"""Files in a task's thread: part of what is asked, or why they are not."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, Event
from core import attachments, effects, phrases, tasks
from core.agent import Agent, Approval, step_name
from core.attachments import TAKES_NONE
from core.changes import answer, ask_of, renew
from core.commands import Command
from core.db import fetch_one
from core.errors import Refused
from core.file_kinds import why_not
from core.holding import refuse_held
from core.inbound import Answer
from core.request import Request
from core.tags import Tag
from core.target import about, only_requester, task_for_files, task_of_thread
from core.tasks import Task
from core.unit import Unit
from core.words import Words, lines, same

RECEIVED = Words(
    ja="{reference} のファイルを受け取りました: {names}",
    en="Received for {reference}: {names}",
    zh="已收到 {reference} 的文件: {names}",
)
KNOWN = Words(
    ja="{reference} に届いているファイルです。",
    en="{reference} has this file already.",
    zh="{reference} 已有此文件。",
)
TOO_LATE = Words(
    ja="{reference} は「{state}」のため、ファイルを足せません。新しい依頼に付けてください。",
    en="{reference} takes no more files ({state}). Send them with a new request.",
    zh="{reference} 已是“{state}”，不能再添加文件。请随新申请发送。",
)
WHAT_FOR = Words(
    ja="何のファイルか分かりません。依頼の文と一緒に送るか、依頼のスレッドに入れてください。",
    en="I can't tell what this file is for. Send it together with a request, or in its thread.",
    zh="不清楚文件的用途。请与申请内容一起发送，或发到该申请的会话串中。",
)
WHAT_FOR_FLAT = Words(
    ja="何のファイルか分かりません。依頼の文と続けて送るか、依頼のメッセージに返信してください。",
    en="I can't tell what this file is for. Send it with a request, or as a reply to one.",
    zh="不清楚文件的用途。请与申请内容接连发送，或引用该申请的消息发送。",
)
WHY = same("{name}: {why}")


async def heard(work: Unit, request: Request, command: Command | None) -> Answer | None:
    """What becomes of files that came with free words, or with none. None: they are nobody's here.

    Raises Refused where they can't be taken.
    """
    text = (command.rest if command is not None else request.inbound.text).strip()
    flat = request.inbound.spot.flat
    find = task_of_thread if text else task_for_files
    task = await find(work.connection, request)
    if task is None:
        if request.inbound.addressed and not text:
            raise Refused(WHAT_FOR_FLAT if flat else WHAT_FOR)
        return None
    agent = request.house.agent(task.agent, task.agent_version)
    mine = task.person_id == request.person.id
    if not mine and not request.inbound.addressed:
        return None  # what others show one another
    if agent.attach is None and text:
        return None
    answered = None
    if text and task.question and mine:
        answered = await answer(work, request, task, text)
        task = await tasks.lock(work.connection, task.organisation_id, task.id)
    received = await _take(work, request, task, agent, walks=answered is None)
    return answered or received


async def add(work: Unit, request: Request, task_id: UUID | None) -> None:
    """Take the files that came with a revision that was just made of a task."""
    if task_id is None:
        return
    task = await tasks.lock(work.connection, request.person.organisation_id, task_id)
    agent = request.house.agent(task.agent, task.agent_version)
    await _take(work, request, task, agent, walks=False)


async def _take(work: Unit, request: Request, task: Task, agent: Agent, *, walks: bool) -> Answer:
    """Make files part of a task. `walks`: a worker may have it at this moment, if it is running.

    Where anything was worked out already, what is asked has changed: revision n+1, and an approval
    that waits is void.
    """
    await only_requester(work.connection, request, task)
    await _check(work.connection, request, task, agent)
    files = request.inbound.files
    begun = await _begun(work.connection, task)
    anew = begun or (walks and task.state == "running")
    fresh = await attachments.note(
        work, request, task, task.revision + 1 if anew else task.revision
    )
    if not fresh:
        return about(task, request.say(KNOWN.fill(reference=task.spoken)))
    again = not anew and walks and task.state != "received"
    for id_ in fresh:
        data: dict[str, JSON] = {"attachment": str(id_), "again": again}
        work.record(Event(task.organisation_id, task.id, Tag.FILE_RECEIVED, data, request.actor))
    if anew:
        await renew(work, request, task, await ask_of(work.connection, task), "")
    elif again:
        if task.question:
            facts = {"question": task.question["id"], "answer": ""}
            await tasks.notify(work, task, "question.answered", facts)
        await tasks.move(work, task, "received")
        await tasks.notify(work, task, "task.moved")
    work.nudge("advance", task)
    names = same(", ".join(file.name or file.reference for file in files))
    return about(task, request.say(RECEIVED.fill(reference=task.spoken, names=names)))


async def _check(connection: AsyncConnection, request: Request, task: Task, agent: Agent) -> None:
    """Raises Refused for what can be told before anything is fetched."""
    if agent.attach is None:
        raise Refused(TAKES_NONE.fill(title=agent.title))
    state = phrases.state_words(task.state, task.waiting_for)
    if "received" not in tasks.MOVES[task.state]:
        raise Refused(TOO_LATE.fill(reference=task.spoken, state=state))
    if await _approved(connection, task, agent):
        raise Refused(TOO_LATE.fill(reference=task.spoken, state=phrases.ACTION_APPROVED))
    refuse_held(task)
    await effects.refuse_open(connection, task)
    wrong = [
        (file.name, why_not(file.media_type, file.size, any_kind=agent.takes_any))
        for file in request.inbound.files
    ]
    told = [WHY.fill(name=name, why=why) for name, why in wrong if why is not None]
    if len(told) == len(wrong):  # of some among others, the worker says so in the thread
        raise Refused(lines(told))


async def _begun(connection: AsyncConnection, task: Task) -> bool:
    """Whether a step of this revision has a result."""
    return await _has_steps(connection, task, None)


async def _approved(connection: AsyncConnection, task: Task, agent: Agent) -> bool:
    approvals = [step_name(step) for step in agent.steps if isinstance(step, Approval)]
    return await _has_steps(connection, task, approvals)


async def _has_steps(connection: AsyncConnection, task: Task, names: list[str] | None) -> bool:
    row = await fetch_one(
        connection,
        "select 1 from steps where organisation_id = :organisation_id and task_id = :task_id"
        " and revision = :revision and (cast(:names as text[]) is null or name = any (:names))"
        " limit 1",
        {
            "organisation_id": task.organisation_id,
            "task_id": task.id,
            "revision": task.revision,
            "names": names,
        },
    )
    return row is not None
