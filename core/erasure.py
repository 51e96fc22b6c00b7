"""Erasing a person: their key, so that the log forgets them, and what else is stored of them.

Three steps, each of which may be done again: the key is destroyed and the event of it written (from
then on nothing personal in the log can be opened, in no archive and no export); what is written
about them elsewhere is taken out, table by table (core/redaction.py); their own row gets a name
that says nothing. Whoever dies in between goes on, or the housekeeping does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.event import JSON, SYSTEM, Actor, Event
from core import links, redaction, tasks
from core.approvals import opening
from core.db import execute, fetch_all, fetch_one
from core.errors import Refused, Unknown
from core.house import House
from core.inbound import Sender
from core.people import look_at, spell
from core.redaction import Erased
from core.tags import Tag
from core.unit import Unit, unit
from core.words import Words, same

NOBODY = Words(
    ja="「{who}」という人がいません。",
    en="There is nobody called “{who}”.",
    zh="没有名为“{who}”的人。",
)
OPEN_TASKS = Words(
    ja="{who} の依頼がまだ終わっていません: {tasks}。終わるのを待つか、"
    "--cancel-tasks を付けて取り消してください。",
    en="Tasks of {who} are not over yet: {tasks}. Wait for them, or cancel them with "
    "--cancel-tasks.",
    zh="{who} 的任务尚未结束: {tasks}。请等待其结束，或加上 --cancel-tasks 取消。",
)
NAMED_IN = Words(
    ja="ほかの人の進行中の依頼に {who} の名前か言葉があります: {tasks}。終了後に消去してください。",
    en="Open tasks of others name {who}, or hold their words: {tasks}. Erase once they are over.",
    zh="他人进行中的任务提到了 {who} 或含有其文字: {tasks}。请在其结束后再删除。",
)
HELD = Words(
    ja="{who} がいた期間に法的保全がかかっています。解除されてから消去してください。",
    en="A legal hold is on days since {who} was added. Erase once it is released.",
    zh="{who} 在职期间的数据处于法律保全中。请在解除后再删除。",
)
LAST_ADMIN = Words(
    ja="{who} は最後の管理者です。先に別の管理者を追加してください。",
    en="{who} is the last admin. Add another one first.",
    zh="{who} 是最后一位管理员。请先添加其他管理员。",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it. `kept`: numbers of issued documents of theirs that the law keeps, the last
    of them until `kept_until`. `again`: they had been erased before."""

    person_id: UUID
    name: str
    tasks: int
    kept: Sequence[str]
    kept_until: date | None
    again: bool = False


async def find(connection: AsyncConnection, organisation_id: UUID, who: str) -> Erased:
    """Somebody by handle or id, also who has left or was erased. Raises Unknown."""
    row = await fetch_one(
        connection,
        "select id, organisation_id, handle, name, email, erasing_at, erased_at from people"
        " where organisation_id = :organisation_id and (handle = :who or cast(id as text) = :who)",
        {"organisation_id": organisation_id, "who": who},
    )
    if row is None:
        raise Unknown(NOBODY.fill(who=who[:80]))
    accounts = await fetch_all(
        connection,
        "select platform, workspace, external_id from accounts"
        " where organisation_id = :organisation_id and person_id = :person_id",
        {"organisation_id": organisation_id, "person_id": row.id},
    )
    return Erased(
        row.id, organisation_id, row.handle, row.name, row.email or "",
        tuple(Sender(each.platform, each.workspace, each.external_id) for each in accounts),
        begun=row.erasing_at is not None, over=row.erased_at is not None,
    )  # fmt: skip


async def erase(
    house: House,
    organisation_id: UUID,
    who: str,
    *,
    actor: Actor = SYSTEM,
    cancel_tasks: bool = False,
) -> Outcome:
    """Erase somebody, or go on with it. Raises Unknown, and Refused where something stands
    against it: then nothing was done."""
    async with house.engine.connect() as connection:
        person = await find(connection, organisation_id, who)
    if not person.begun:
        async with unit(house) as work:
            await _begin(house, work, person, actor, cancel_tasks=cancel_tasks)
    if not person.over:
        await _go_on(house, person)
    async with house.engine.connect() as connection:
        return await _outcome(connection, person)


async def go_on(house: House) -> None:
    """End what somebody began and did not come to the end of."""
    async with house.engine.connect() as connection:
        # across organisations: the house's own tidying up
        rows = await fetch_all(
            connection,
            "select organisation_id, cast(id as text) as id from people where erasing_at is not"
            " null and erased_at is null and erasing_at < now() - interval '10 minutes'",
            {},
        )
    for row in rows:
        await erase(house, row.organisation_id, row.id)


async def _begin(
    house: House, work: Unit, person: Erased, actor: Actor, *, cancel_tasks: bool
) -> None:
    """The first step: they can ask nothing more, the key is destroyed, the event written."""
    scope = {"organisation_id": person.organisation_id, "id": person.id}
    began = await execute(
        work.connection,
        "update people set active = false, erasing_at = now()"
        " where organisation_id = :organisation_id and id = :id and erasing_at is null",
        scope,
    )
    if not began:
        return  # somebody else does it at this moment
    await _refuse(work, person)
    await _close_tasks(work, person, actor, cancel=cancel_tasks)
    await links.revoke(work, person.organisation_id, person_id=person.id, actor=actor)
    opened = await links.tasks_opened(work.connection, person.organisation_id, person.id)
    names: list[UUID | str] = [person.id, *map(spell, person.accounts), *opened]
    await house.personal.destroy(work.connection, person.organisation_id, names)
    outcome = await _outcome(work.connection, person)
    data: dict[str, JSON] = {
        "tasks": outcome.tasks,
        "documents": len(outcome.kept),
        "kept_until": outcome.kept_until.isoformat() if outcome.kept_until else None,
    }
    work.record(Event(person.organisation_id, person.id, Tag.PERSON_ERASED, data, actor))
    await look_at(work, person.organisation_id, person.id)


async def _refuse(work: Unit, person: Erased) -> None:
    """Raises Refused where something stands against it."""
    row = await fetch_one(
        work.connection,
        "select 'admin' = any (roles) and not exists (select from people other"
        " where other.organisation_id = :organisation_id and other.active"
        " and 'admin' = any (other.roles)) as last, exists (select from audit_holds h"
        " where h.organisation_id = :organisation_id and h.released_at is null"
        # A day more: days of a hold are of the company's zone.
        " and (h.until is null or h.until >= cast(people.created_at as date) - 1)"
        " and (h.since is null or h.since <= current_date + 1)) as held from people"
        " where organisation_id = :organisation_id and id = :id",
        {"organisation_id": person.organisation_id, "id": person.id},
    )
    if row is not None and row.last:
        raise Refused(LAST_ADMIN.fill(who=person.handle))
    if row is not None and row.held:
        raise Refused(HELD.fill(who=person.handle))
    named = await redaction.open_tasks_that_name(work.connection, person)
    if named:
        raise Refused(NAMED_IN.fill(who=person.handle, tasks=_listed(named)))


async def _close_tasks(work: Unit, person: Erased, actor: Actor, *, cancel: bool) -> None:
    rows = await fetch_all(
        work.connection,
        "select id, reference, state from tasks where organisation_id = :organisation_id"
        " and person_id = :person_id and state not in ('done', 'rejected', 'cancelled')"
        " order by reference",
        {"organisation_id": person.organisation_id, "person_id": person.id},
    )
    able = tasks.may_come_from("cancelled")
    left = [row for row in rows if not cancel or row.state not in able]
    if left:
        listed = _listed([row.reference for row in left])
        raise Refused(OPEN_TASKS.fill(who=person.handle, tasks=listed))
    for row in rows:
        task = await tasks.lock(work.connection, person.organisation_id, row.id)
        await opening.supersede(work, task, "withdrawn", actor)
        await tasks.move(work, task, "cancelled")
        work.record(tasks.event(task, Tag.TASK_CANCELLED, {"state": "cancelled"}, actor))


def _listed(references: Sequence[int]) -> Words:
    shown = ", ".join(f"#{reference}" for reference in references[:10])
    return same(shown + (" …" if len(references) > 10 else ""))


async def _go_on(house: House, person: Erased) -> None:
    """The second step and the third."""
    for _ in range(2):  # the second finds what was being written during the first
        await redaction.redact(house, person)
    async with house.engine.begin() as connection:
        await redaction.end(connection, person)
    for account in person.accounts:
        house.met.pop(account, None)


async def _outcome(connection: AsyncConnection, person: Erased) -> Outcome:
    scope = {"organisation_id": person.organisation_id, "person_id": person.id}
    row = await fetch_one(
        connection,
        "select count(*) as n from tasks where organisation_id = :organisation_id"
        " and person_id = :person_id",
        scope,
    )
    documents = await fetch_all(
        connection,
        "select number, retain_until from audit_documents"
        " where organisation_id = :organisation_id and person_id = :person_id"
        " order by dated, number",
        scope,
    )
    return Outcome(
        person_id=person.id,
        name=redaction.pseudonym(person.id),
        tasks=row.n if row is not None else 0,
        kept=[each.number for each in documents],
        kept_until=max((each.retain_until for each in documents), default=None),
        again=person.over,
    )
