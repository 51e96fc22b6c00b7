"""From news to posted messages: route what is new, then bring each thread up to date.

A slot is sent once and edited afterwards; of several changes that wait, only the last is shown.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.db import fetch_one_alone, from_json
from core.house import House
from core.ids import new_id
from core.ports import Job
from notifier.routing import route
from notifier.serving import serve
from notifier.versions import Versions


async def announce(house: House, organisation_id: UUID, task_id: UUID, worker: str) -> None:
    """Tell all that is new of a task, on every thread it has.

    Threads do not wait for each other: one whose platform hangs holds up nobody but itself.
    """
    waiting = await _look(house, organisation_id, task_id)
    if waiting.news:
        await route(house, organisation_id, task_id)
        waiting = await _look(house, organisation_id, task_id)
    if not waiting.threads:
        await _go_on(house, waiting.held)
        return
    # Two jobs of one worker must not serve a thread at once either.
    server = f"{worker}/{new_id().hex}"
    versions = Versions(house, organisation_id, task_id)
    served = await asyncio.gather(
        *(serve(versions, thread_id, server) for thread_id in waiting.threads),
        return_exceptions=True,
    )
    await _go_on(house, waiting.held)
    for result in served:
        if isinstance(result, BaseException):
            raise result


async def _go_on(house: House, held: Job | None) -> None:
    """The end of an approval is on every card, or could not be put there: on with the work, which
    else waits for that (core/approvals/deciding.py)."""
    if held is not None:
        await house.doorbell.ring([held], [])


@dataclass(frozen=True, slots=True)
class _Waiting:
    news: bool
    threads: Sequence[UUID]
    held: Job | None


# A nudge is used up by this, unless there is news: then by the routing. One that is put off for
# later stays. Whoever has a thread looks for more before he leaves it: such need no second server.
_LOOK = """
    with news as (
        select 1 from notifications where organisation_id = :organisation_id
            and task_id = :task_id and routed_at is null limit 1
    ), heard as (
        delete from outbox where organisation_id = :organisation_id and subject_id = :task_id
            and kind = 'announce' and not exists (select from news)
            and (attempts > 0 or next_at <= now() + interval '3 seconds')
    )
    select exists (select from news) as news, array(
        select h.id from threads h where h.organisation_id = :organisation_id
            and h.task_id = :task_id and (h.lease_until is null or h.lease_until < now())
            and exists (select from deliveries d where d.organisation_id = :organisation_id
                and d.thread_id = h.id and d.state in ('pending', 'sending')
                and d.next_at <= now())
        order by h.created_at) as threads,
        (select jsonb_build_object('lane', t.lane, 'rank', t.rank) from tasks t
            where t.organisation_id = :organisation_id and t.id = :task_id
            and t.state = 'running' and t.lease_until is null
            and exists (select from outbox o where o.organisation_id = :organisation_id
                and o.subject_id = :task_id and o.kind = 'advance' and o.attempts = 0
                and o.next_at > now() + interval '2 seconds')
            and not exists (select from deliveries d join threads h on h.id = d.thread_id
                where d.organisation_id = :organisation_id and d.task_id = :task_id
                and d.state in ('pending', 'sending') and h.lease_until > now())) as held
"""


async def _look(house: House, organisation_id: UUID, task_id: UUID) -> _Waiting:
    values = {"organisation_id": organisation_id, "task_id": task_id}
    row = await fetch_one_alone(house.engine, _LOOK, values)
    assert row is not None  # noqa: S101  # it always has one row
    held = from_json(row.held) if row.held else None
    job = Job("advance", organisation_id, task_id, **held) if held else None
    return _Waiting(row.news, row.threads, job)
