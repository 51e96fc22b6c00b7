"""What was sent and has come back is told by the next account of whoever it was for; where there is
none, those who look after the organisation are told, or else who asked."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core import tasks
from core.approvals.telling import admins, tell_people
from core.codec import load
from core.db import fetch_one
from core.people import name_of
from core.unit import Unit
from core.words import Words
from notifier import direct
from notifier.outcome import NOTICE
from notifier.unreached import NOWHERE, TOLD, tell_unreached


async def threads(
    work: Unit, about: direct.About, facts: Mapping[str, Any]
) -> list[tuple[UUID, str, Words]]:
    """The conversation and slot that shows each of the messages now, and why it does."""
    row = await fetch_one(
        work.connection,
        "select h.platform, h.workspace, t.person_id as requester,"
        " coalesce(h.person_id, t.person_id) as person_id from threads h"
        " join tasks t on t.id = h.task_id where h.organisation_id = :organisation_id"
        " and t.organisation_id = :organisation_id and h.id = :thread_id",
        {"organisation_id": about.organisation_id, "thread_id": UUID(facts["thread"])},
    )
    if row is None:
        return []
    # A question whether something stands in that conversation can be asked only there.
    slots = [slot for slot in facts["slots"] if not slot.startswith(f"{NOTICE}:")]
    own = (row.platform, row.workspace)
    known = await direct.reachable(work.connection, about.organisation_id, row.person_id)
    others = [account for account in known if (account.platform, account.workspace) != own]
    if others:
        [thread_id] = await direct.with_accounts(work, about, others[:1])
        return [(thread_id, slot, load(Words, facts["why"])) for slot in slots]
    for slot in slots[:1]:
        await _tell(work, about, row.person_id, row.requester, slot)
    return []


async def _tell(work: Unit, about: direct.About, person: UUID, requester: UUID, slot: str) -> None:
    """Once a task, whoever can do something about it; not what that message itself would say."""
    organisation_id = about.organisation_id
    await tell_unreached(work, organisation_id, about.task_id, [person], slot)
    others = [each for each in await admins(work.connection, organisation_id) if each != person]
    if others or requester == person or slot.startswith(f"word:{TOLD}"):
        return
    task = (await tasks.read(work.connection, organisation_id, [about.task_id]))[about.task_id]
    name = await name_of(work.connection, organisation_id, person)
    words = NOWHERE.fill(who=name, what=task.spoken)
    await tell_people(work, task, [requester], f"{TOLD}{person}", words)
