"""Everything people do with approvals: the commands, and the buttons that do the same."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core import phrases
from core.approvals import bulk, by_code, changing, circulation, deciding, wording
from core.approvals.card import card, heading
from core.approvals.codes import read_codes
from core.approvals.inbox import count_for, waiting_for
from core.approvals.people_named import first_person, people_in
from core.approvals.plan import Circulated
from core.approvals.run import Action
from core.approvals.standing import Changed
from core.approvals.steps_shown import route_line
from core.approvals.view import approval_view, latest_of
from core.commands import Command
from core.db import fetch_one
from core.errors import NotAllowed, Refused, Unknown
from core.house import House
from core.inbound import Answer, Click
from core.messages import Button, Message
from core.people import Person
from core.request import Request
from core.target import about, target
from core.tasks import Task
from core.unit import Unit
from core.views import TaskView, task_view
from core.words import Language, Words, listed

Handler = Callable[[Unit, Request, Command], Awaitable[Answer]]
Press = Callable[[Unit, Request, Click], Awaitable[Answer]]

LISTED = 10
"""So many of what waits are listed, each with a button that shows its card."""

_STEP = re.compile(r"(?:step\s*(\d{1,3})|第?(\d{1,3})\s*(?:段階|步))[\s:：、,]*(?:へ|に)?\s*", re.I)
"""The step that something is sent back to, in front of the reason."""
_CONFIRM = re.compile(r"^(?:confirm|要確認|確認|需确认|确认)(?=$|\s)", re.I)

WAITING = Words(ja="あなたの承認待ち（{n}件）", en="Waiting for you ({n})", zh="等待您审批（{n}）")
NONE_WAITS = Words(
    ja="あなたの承認待ちはありません。",
    en="Nothing waits for your approval.",
    zh="没有等待您审批的事项。",
)
SHOW = Words(ja="{reference} を見る", en="Show {reference}", zh="查看 {reference}")
MORE = Words(ja="ほか {n} 件", en="and {n} more", zh="另有 {n} 项")
NOT_APPROVED_YET = Words(
    ja="{reference} はまだ承認されていないため、回覧できません。",
    en="{reference} is not approved yet, so it can't be circulated.",
    zh="{reference} 尚未批准，不能传阅。",
)


# Decisions


async def decide(
    work: Unit, request: Request, value: UUID, action: Action, reason: str, to: int | None = None
) -> Answer:
    decided = await deciding.decide(work, request.person, value, action, reason, request.actor, to)
    return about(decided.task, request.say(decided.words))


async def _undo(work: Unit, request: Request, value: UUID) -> Answer:
    undone = await deciding.undo(work, request.person, value, request.actor)
    return about(undone.task, request.say(undone.words))


def _decision(action: Action) -> Handler:
    async def handle(work: Unit, request: Request, command: Command) -> Answer:
        reason, to = command.rest, None
        if action == "return" and (step := _STEP.match(reason)):
            to = int(step[1] or step[2])
            reason = reason[step.end() :]
        value = await by_code.step_of(work, request, command)
        if value is None:
            value = await latest(work, request, command)
        return await decide(work, request, value, action, reason, to)

    return handle


async def _approve(work: Unit, request: Request, command: Command) -> Answer:
    """One task, or several: those are listed, and confirmed with the codes of the list."""
    if command.target is None and command.rest.strip().lower() in bulk.ALL:
        return await bulk.list_small(work, request)
    listed_codes = read_codes(command.said)
    if listed_codes:
        return await by_code.list_steps(work, request, listed_codes)
    items = bulk.read_items(command.said)
    if not items:
        return await _decision("approve")(work, request, command)
    if all(item.code for item in items):
        return await bulk.approve_items(work, request, items)
    return await bulk.list_items(work, request, items)


async def _handle_undo(work: Unit, request: Request, command: Command) -> Answer:
    return await _undo(work, request, await latest(work, request, command))


async def latest(work: Unit, request: Request, command: Command) -> UUID:
    """The newest approval of the task that a command names. Raises Refused."""
    task = await target(work.connection, request, command)
    return await _latest_of(work.connection, task)


async def _latest_of(connection: AsyncConnection, task: Task) -> UUID:
    found = await latest_of(connection, task.organisation_id, task.id)
    if found is None:
        raise Refused(phrases.NOTHING_PENDING.fill(reference=task.spoken))
    return found


# Looking


async def _approvals(work: Unit, request: Request, command: Command) -> Answer:
    """What waits for this person: each with a button that shows it, the small ones with one."""
    house, person, language = request.house, request.person, request.language
    waiting = await waiting_for(work.connection, house, person)
    if not waiting:
        return request.say(NONE_WAITS, "told")
    count = await count_for(work.connection, person)
    shown = waiting[:LISTED]
    lines = tuple(bulk.line(each, language, person.time_zone) for each in shown)
    buttons = [
        Button("show", SHOW.fill(reference=each.spoken).to(language), str(each.stage))
        for each in shown
    ]
    small = bulk.small(house.approval_small, waiting)
    if len(small) > 1:
        buttons.append(bulk.small_button(house.approval_small, small, language))
    title = WAITING.fill(n=count).to(language)
    message = Message(
        text="\n".join([title, *(f"{e.name}  {e.detail}  {e.amount}" for e in lines)]),
        title=title,
        lines=lines,
        buttons=tuple(buttons),
        note=MORE.fill(n=count - len(shown)).to(language) if count > len(shown) else "",
        language=language,
    )
    return Answer("told", message)


async def _route(work: Unit, request: Request, command: Command) -> Answer:
    """Where an approval stands, as a line of steps."""
    if request.person.only_audits:
        raise NotAllowed(phrases.NO_ROLE.fill(role="requester"))
    task = await target(work.connection, request, command)
    view = await task_view(work.connection, request.house, task.organisation_id, task.id)
    if view.approval is None:
        raise Refused(phrases.NOTHING_PENDING.fill(reference=task.spoken))
    title = heading(view, request.language)
    line = route_line(view.approval, request.language, request.person.time_zone)
    message = Message(f"{title}\n{line}", title=title, body=line, language=request.language)
    return Answer("told", message, task.id, task.reference)


async def _show(work: Unit, request: Request, click: Click) -> Answer:
    """The card of what waits, to decide it right here."""
    approval_id = await approval_of(work.connection, request.person, click.value)
    view, message = await card_for(work.connection, request, approval_id)
    return Answer("told", message, view.id, view.reference)


async def card_for(
    connection: AsyncConnection, request: Request, approval_id: UUID
) -> tuple[TaskView, Message]:
    """The card as this person would have it in a direct conversation. Raises Refused for whoever
    has no part in it."""
    person = request.person
    task_id = await changing.task_of(connection, person, approval_id)
    approval = await approval_view(connection, person.organisation_id, approval_id)
    view = await task_view(connection, request.house, person.organisation_id, task_id)
    return view, card(view, approval, request.language, person.time_zone, person.id)


async def newest_card(
    connection: AsyncConnection, house: House, person: Person, language: Language, refused: Refused
) -> Message | None:
    """What to decide on instead of what was changed meanwhile; None where that is not asked for
    yet, or not of this person."""
    if not isinstance(refused, Changed):
        return None
    view = await task_view(connection, house, person.organisation_id, refused.task_id)
    approval = view.approval
    if approval is None or not approval.waits_for(person.id):
        return None
    words = refused.words.to(language)
    message = card(view, approval, language, person.time_zone, person.id)
    return replace(message, text=f"{words}\n{message.text}", body=words)


# Words, and other people


def _note(kind: Literal["comment", "question"]) -> tuple[Handler, Press]:
    async def say(work: Unit, request: Request, value: UUID, text: str) -> Answer:
        task, words = await changing.note(work, request.person, value, kind, text, request.actor)
        return about(task, request.say(words))

    async def handle(work: Unit, request: Request, command: Command) -> Answer:
        return await say(work, request, await latest(work, request, command), command.rest)

    async def press(work: Unit, request: Request, click: Click) -> Answer:
        value = await approval_of(work.connection, request.person, click.value)
        return await say(work, request, value, click.reason)

    return handle, press


async def _add(work: Unit, request: Request, value: UUID, text: str) -> Answer:
    newcomer, _ = await first_person(work.connection, request, text.strip())
    task, words = await changing.add(work, request.person, value, newcomer, request.actor)
    return about(task, request.say(words))


async def _forward(work: Unit, request: Request, value: UUID, text: str) -> Answer:
    other, said = await first_person(work.connection, request, text.strip())
    task, words = await changing.forward(work, request.person, value, other, said, request.actor)
    return about(task, request.say(words))


async def _circulate(work: Unit, request: Request, value: UUID, text: str) -> Answer:
    """`circulate #1042 @a @b`; with `confirm` behind them they have to say that they saw it."""
    await changing.task_of(work.connection, request.person, value)
    people, rest = await people_in(work.connection, request, text)
    task = await changing.locked_task(work.connection, request.person, value)
    approval = await approval_view(work.connection, task.organisation_id, value)
    if approval.state != "approved":
        raise Refused(NOT_APPROVED_YET.fill(reference=task.spoken))
    confirm = bool(_CONFIRM.match(rest))
    told = [Circulated(person.id, confirm) for person in people]
    await circulation.circulate(work, task, value, told, request.actor)
    names = listed((person.name for person in people), request.language)
    return about(task, request.say(wording.CIRCULATED.fill(who=names)))


async def _seen(work: Unit, request: Request, value: UUID) -> Answer:
    task = await circulation.confirm(work, request.person, value, request.actor)
    return about(task, request.say(wording.SEEN))


def _with_text(
    act: Callable[[Unit, Request, UUID, str], Awaitable[Answer]],
) -> tuple[Handler, Press]:
    async def handle(work: Unit, request: Request, command: Command) -> Answer:
        return await act(work, request, await latest(work, request, command), command.rest)

    async def press(work: Unit, request: Request, click: Click) -> Answer:
        return await act(work, request, as_id(click.value), click.reason)

    return handle, press


async def _handle_seen(work: Unit, request: Request, command: Command) -> Answer:
    return await _seen(work, request, await latest(work, request, command))


# Clicks


def as_id(value: str) -> UUID:
    """Raises Refused for what is no id at all."""
    try:
        return UUID(value)
    except ValueError as error:
        raise Unknown(phrases.UNKNOWN_TASK.fill(target=value[:40])) from error


async def approval_of(connection: AsyncConnection, person: Person, value: str) -> UUID:
    """The approval that a card's button belongs to, which may name it by one of its steps."""
    row = await fetch_one(
        connection,
        "select approval_id from approval_stages where organisation_id = :organisation_id"
        " and id = :value",
        {"organisation_id": person.organisation_id, "value": as_id(value)},
    )
    return row.approval_id if row else as_id(value)


def _press_decision(action: Action) -> Press:
    async def press(work: Unit, request: Request, click: Click) -> Answer:
        return await decide(work, request, as_id(click.value), action, click.reason, click.to)

    return press


async def _press_undo(work: Unit, request: Request, click: Click) -> Answer:
    return await _undo(work, request, as_id(click.value))


async def _press_seen(work: Unit, request: Request, click: Click) -> Answer:
    value = await approval_of(work.connection, request.person, click.value)
    return await _seen(work, request, value)


async def _press_small(work: Unit, request: Request, click: Click) -> Answer:
    return await bulk.list_stages(work, request, bulk.stages_of(click.value))


async def _press_all(work: Unit, request: Request, click: Click) -> Answer:
    return await bulk.approve_all(work, request, bulk.stages_of(click.value))


_comment, _press_comment = _note("comment")
_question, _press_question = _note("question")
_handle_add, _press_add = _with_text(_add)
_handle_forward, _press_forward = _with_text(_forward)
_handle_circulate, _ = _with_text(_circulate)

HANDLERS: Mapping[str, Handler] = {
    "approve": _approve,
    "reject": _decision("reject"),
    "return": _decision("return"),
    "undo": _handle_undo,
    "approvals": _approvals,
    "route": _route,
    "comment": _comment,
    "question": _question,
    "add": _handle_add,
    "forward": _handle_forward,
    "circulate": _handle_circulate,
    "seen": _handle_seen,
}
"""The commands, by their names."""

PRESSES: Mapping[str, Press] = {
    "approve": _press_decision("approve"),
    "reject": _press_decision("reject"),
    "return": _press_decision("return"),
    "undo": _press_undo,
    "show": _show,
    "comment": _press_comment,
    "question": _press_question,
    "add": _press_add,
    "forward": _press_forward,
    "seen": _press_seen,
    "approve_small": _press_small,
    "approve_all": _press_all,
}
"""The buttons, by their actions."""
