"""Requests that are held: nothing proves that they are by the person whose they say they are.

Such a task is written and waits; no step of it runs, and nothing is said of it where it came from,
as whoever reads there may be the forger or the forged. That person, where they surely are, and the
admins may release it or drop it. What nobody releases within a week is dropped.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import SYSTEM, Actor
from core import phrases, tasks
from core.codec import dump
from core.commands import Command
from core.db import execute, fetch_all, fetch_alone, fetch_one
from core.errors import Refused
from core.house import House
from core.inbound import Answer
from core.people import Person
from core.request import Request
from core.schedule import Occurrence
from core.tags import Tag
from core.target import about, only_requester, target
from core.tasks import Task
from core.unit import Unit
from core.words import Words, same

RELEASE, DROP = "release", "drop"
"""What can be pressed beside a held request; the button's value is the task's id."""

LASTS = timedelta(days=7)
"""For so long a request is held; then it is dropped."""

MOST = 20
"""So many requests of one person are held at once: who forges many fills no table."""

EXPIRE = "held.expire"

NO_ROOM = Words(
    ja="{who} さんの保留中の依頼が {count} 件あるため、これ以上は受け付けられません。",
    en="{count} requests of {who} are held already; no more are taken.",
    zh="{who} 已有 {count} 件申请处于保留状态，无法再受理。",
)
IS_HELD = Words(
    ja="{reference} は本人確認のため保留中です。先に「保留解除 {reference}」としてください。",
    en="{reference} is held until it is known who asked. Release it first: “release {reference}”.",
    zh="{reference} 因等待本人确认而保留。请先发送“放行 {reference}”。",
)
NOT_HERE = Words(
    ja="{reference} の保留は、ほかのアプリか管理者の操作で解除してください。",
    en="Release {reference} in another app, or ask an administrator.",
    zh="请在其他应用中放行 {reference}，或联系管理员。",
)
NOT_HELD = Words(
    ja="{reference} は保留されていません（{state}）。",
    en="{reference} is not held ({state}).",
    zh="{reference} 未被保留（{state}）。",
)
RELEASED = Words(
    ja="{reference} の保留を解除しました。処理を始めます。",
    en="{reference} is released; work on it begins.",
    zh="已放行 {reference}，开始处理。",
)
DROPPED = Words(
    ja="{reference} を破棄しました。", en="{reference} is dropped.", zh="已丢弃 {reference}。"
)
RELEASED_BY = Words(
    ja="{who} さんが保留を解除しました。", en="Released by {who}.", zh="已由 {who} 放行。"
)
DROPPED_BY = Words(ja="{who} さんが破棄しました。", en="Dropped by {who}.", zh="已由 {who} 丢弃。")
RAN_OUT = Words(
    ja="7日以内に解除されなかったため破棄しました。",
    en="Dropped, as nobody released it within 7 days.",
    zh="7天内无人放行，已自动丢弃。",
)


async def check_room(house: House, person: Person) -> None:
    """Raises Refused where as much is held of this person as may be."""
    [row] = await fetch_alone(
        house.engine,
        "select count(*) as held from tasks where organisation_id = :organisation_id"
        " and person_id = :person_id and waiting_for = 'release'",
        {"organisation_id": person.organisation_id, "person_id": person.id},
    )
    if row.held >= MOST:
        raise Refused(NO_ROOM.fill(who=person.name, count=row.held))


async def held_tasks(connection: AsyncConnection, organisation_id: UUID) -> list[Task]:
    """The organisation's tasks that are held, the oldest first."""
    rows = await fetch_all(
        connection,
        "select id from tasks where organisation_id = :organisation_id"
        " and waiting_for = 'release' order by reference",
        {"organisation_id": organisation_id},
    )
    found = await tasks.read(connection, organisation_id, [row.id for row in rows])
    return [found[row.id] for row in rows]


def refuse_held(task: Task) -> None:
    """Raises Refused where a task is held: it is not changed before somebody has released it."""
    if task.waiting_for == "release":
        raise Refused(IS_HELD.fill(reference=task.spoken))


async def handle_release(work: Unit, request: Request, command: Command) -> Answer:
    """The command that does what the button does."""
    return await release_task(work, request, await target(work.connection, request, command))


async def handle_drop(work: Unit, request: Request, command: Command) -> Answer:
    """Likewise."""
    return await drop_task(work, request, await target(work.connection, request, command))


async def release_task(work: Unit, request: Request, task: Task) -> Answer:
    """Have a held task done, for the person whose it is or an admin. Raises NotAllowed, and Refused
    also where that is said on the platform on which somebody spoke in their name."""
    await only_requester(work.connection, request, task, "admin")
    if await _came_from(work.connection, task, request.inbound.sender.platform):
        raise Refused(NOT_HERE.fill(reference=task.spoken))
    await release(work, task, same(request.person.name), request.actor)
    return about(task, request.say(RELEASED.fill(reference=task.spoken)))


async def drop_task(work: Unit, request: Request, task: Task) -> Answer:
    """End a held task, for the same people."""
    await only_requester(work.connection, request, task, "admin")
    await drop(work, task, same(request.person.name), request.actor)
    return about(task, request.say(DROPPED.fill(reference=task.spoken)))


async def release(work: Unit, task: Task, who: Words, actor: Actor) -> None:
    """Have a held task worked on. Raises Refused where it is not held."""
    _need_held(task)
    await tasks.move(work, task, "received")
    work.record(tasks.event(task, Tag.TASK_RELEASED, {}, actor))
    await _tell(work, task, "released", RELEASED_BY.fill(who=who))
    work.nudge("advance", task)


async def drop(work: Unit, task: Task, who: Words, actor: Actor) -> None:
    """End a held task. Raises Refused where it is not held."""
    _need_held(task)
    await tasks.move(work, task, "cancelled")
    work.record(tasks.event(task, Tag.TASK_CANCELLED, {"state": "cancelled"}, actor))
    await _tell(work, task, "dropped", DROPPED_BY.fill(who=who))


async def _tell(work: Unit, task: Task, over: str, how: Words) -> None:
    """Show it wherever it was asked whether to release the task. Where that was asked for, the work
    is shown that begins once it is released; that nothing comes of it is not."""
    await tasks.notify(work, task, f"task.{over}", {"how": dump(how)})


async def _came_from(connection: AsyncConnection, task: Task, platform: str) -> bool:
    row = await fetch_one(
        connection,
        "select 1 from threads where organisation_id = :organisation_id and task_id = :task_id"
        " and person_id is null and platform = :platform limit 1",
        {"organisation_id": task.organisation_id, "task_id": task.id, "platform": platform},
    )
    return row is not None


def _need_held(task: Task) -> None:
    if task.waiting_for != "release":
        state = phrases.state_words(task.state, task.waiting_for)
        raise Refused(NOT_HELD.fill(reference=task.spoken, state=state))


# In time


async def watch_unwatched(work: Unit) -> None:
    """See to it that no task is held for ever. Housekeeping does this, about once an hour, so that
    the statement that begins a task has nothing more to write."""
    await execute(
        work.connection,
        # across organisations: the schedule of the whole house
        """
        insert into schedule (name, due_at, next_at, kind, organisation_id, subject_id)
        select :kind || ':' || t.id, due_at, due_at, :kind, t.organisation_id, t.id
        from tasks t cross join lateral (
            select t.created_at + make_interval(secs => :lasts) as due_at) as moment
        where t.waiting_for = 'release' and not exists
            (select from schedule s where s.name = :kind || ':' || t.id and s.done_at is null)
        on conflict (name, due_at) do nothing
        """,
        {"kind": EXPIRE, "lasts": LASTS.total_seconds()},
    )


async def expire(house: House, work: Unit, occurrence: Occurrence) -> datetime | None:
    """Drop a task that nobody released in time."""
    organisation_id, task_id = occurrence.organisation_id, occurrence.subject_id
    assert organisation_id is not None  # noqa: S101  # as it was written above
    assert task_id is not None  # noqa: S101
    task = await tasks.lock(work.connection, organisation_id, task_id)
    if task.waiting_for == "release":
        await tasks.move(work, task, "cancelled")
        work.record(tasks.event(task, Tag.TASK_DROPPED, {}, SYSTEM))
        await _tell(work, task, "dropped", RAN_OUT)
    return None
