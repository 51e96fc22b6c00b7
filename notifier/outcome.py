"""What is written of a message on its way: the intent before the act, and what became of it.

Each of these checks that the thread is still this server's, and raises LostLease otherwise: then
somebody else has it, who looks for himself what became of the message.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

import structlog

from audit import log as audit_log
from audit.event import JSON, Event
from audit.registry import brief
from core import tasks
from core.codec import dump, fingerprint
from core.db import execute, fetch_one_alone, to_json
from core.errors import LostLease, MiyabiError
from core.house import House
from core.ids import new_id
from core.messages import Message
from core.ports import Sent
from core.tags import Tag
from core.unit import Unit, unit
from core.words import Words
from notifier.thread import Due, Lease, Posted, Taken, Thread

log = structlog.get_logger()

NOTICE = "unknown"
"""The slots `unknown:<delivery>`: where a person is asked whether a message was posted."""


@dataclass(frozen=True, slots=True)
class Showing:
    """One slot's waiting changes on their way out. Only the last of them has to be shown."""

    house: House
    taken: Taken
    slot: str
    changes: Sequence[Due]

    @property
    def lease(self) -> Lease:
        return self.taken.lease

    @property
    def thread(self) -> Thread:
        return self.taken.thread

    @property
    def posted(self) -> Posted | None:
        return self.taken.posted.get(self.slot)

    @property
    def last(self) -> Due:
        return self.changes[-1]

    @property
    def unsure(self) -> Sequence[UUID]:
        """Changes whose message was about to be sent when its server was heard of last."""
        return [change.id for change in self.changes if change.state == "sending"]

    @property
    def tries(self) -> int:
        """The number of the attempt that is due now."""
        return max(change.attempts for change in self.changes) + 1

    def scope(self) -> dict[str, object]:
        """What names the thread, its server and the changes in a statement."""
        return {**self.lease.scope, "ids": [change.id for change in self.changes]}

    def event(self, tag: Tag, **data: JSON) -> Event:
        """An event about the message."""
        task = self.thread.task
        place = f"{self.thread.platform}:{self.thread.id}"
        return Event(
            task.organisation_id,
            task.id,
            tag,
            {"reference": task.reference, "slot": self.slot, "place": place, **data},
        )


# Only as they were read: another server may have been at them until a moment before we came.
_INTEND = """
    with mine as (
        update threads set lease_until = now() + make_interval(secs => :lease)
        where organisation_id = :organisation_id and id = :thread_id and lease_owner = :server
            and not exists (
                select from unnest(cast(:ids as uuid[]), cast(:attempts as int[])) seen (id, n)
                left join deliveries d on d.organisation_id = :organisation_id and d.id = seen.id
                    and d.attempts = seen.n and d.state in ('pending', 'sending')
                where d.id is null)
        returning id, task_id
    ), intended as (
        update deliveries d set attempts = :tries,
            state = case when d.id = :last then 'sending' else 'superseded' end
        from mine where d.organisation_id = :organisation_id and d.id = any(:ids)
    )
    select (select s.count from audit_streams s where s.organisation_id = :organisation_id
        and s.stream = mine.task_id) as version from mine
"""


async def intend(showing: Showing) -> int:
    """The intent, committed before the act; the thread is kept. Returns the task's version."""
    began = showing.lease.now()
    row = await fetch_one_alone(
        showing.house.engine,
        _INTEND,
        {
            **showing.scope(),
            "attempts": [change.attempts for change in showing.changes],
            "last": showing.last.id,
            "tries": showing.tries,
        },
    )
    if row is None:
        raise LostLease
    showing.lease.renewed_from(began)
    return row.version or 0


# The task's row first, as in all that writes its events: the events come last and hold up others.
_SENT = """
    with task as (
        select id from tasks where organisation_id = :organisation_id and id = :task_id
        for key share
    ), mine as (
        update threads h set root = coalesce(h.root, :root), channel = :channel,
            lease_until = now() + make_interval(secs => :lease)
        from task where h.organisation_id = :organisation_id and h.id = :thread_id
            and h.lease_owner = :server
        returning h.id
    ), stands as (
        insert into messages (id, organisation_id, task_id, thread_id, slot, channel,
            external_id, extra, body, body_sha256)
        select :id, :organisation_id, :task_id, mine.id, :slot, :channel, :external_id,
            cast(:extra as jsonb), cast(:body as jsonb), :sha256 from mine
        on conflict (thread_id, slot) do update set body = excluded.body,
            body_sha256 = excluded.body_sha256, extra = excluded.extra, edited_at = now()
    ), settled as (
        update deliveries d set sent_at = now(), error = null,
            state = case when d.id = :delivery then :settled else 'superseded' end,
            body = case when d.id = :delivery then cast(:body as jsonb) end
        from mine where d.organisation_id = :organisation_id and d.id = any(:ids)
            and d.state = 'sending'
    )
    select audit_append(:organisation_id, :task_id, cast(:events as jsonb)) as version from mine
"""


async def sent(
    showing: Showing,
    message: Message,
    sent: Sent,
    *,
    delivery: UUID | None = None,
    how: Literal["answered", "found"] = "answered",
    stale: bool = False,
) -> int:
    """What stands in the thread now. Returns the task's version that our event has made.

    `delivery` is the change whose message it is, the last unless told otherwise. `stale`: what
    stands there may be an earlier state than `message`; it is edited with the next change, and
    where there is none, this one stays due for that.
    """
    body = dump(message)
    showing.taken.begun_by(sent)
    tag = Tag.MESSAGE_EDITED if showing.posted else Tag.MESSAGE_SENT
    delivery = delivery or showing.last.id
    event = showing.event(tag, external_id=sent.id, delivery=str(delivery), how=how)
    row = await fetch_one_alone(
        showing.house.engine,
        _SENT,
        {
            **showing.scope(),
            "task_id": showing.thread.task.id,
            "id": new_id(),
            "slot": showing.slot,
            "delivery": delivery,
            "settled": "pending" if stale and delivery == showing.last.id else "sent",
            "channel": sent.channel,
            "root": showing.thread.place.thread,
            "external_id": sent.id,
            "extra": to_json(dict(sent.extra)),
            "body": to_json(body),
            "sha256": "" if stale else fingerprint(body),
            "events": audit_log.as_json([event]),
        },
    )
    if row is None:
        raise LostLease
    await showing.house.doorbell.ring([], [event])
    version: int = row.version
    return version


_CLOSE = """
    with mine as (
        select id from threads where organisation_id = :organisation_id and id = :thread_id
            and lease_owner = :server for update
    ), closed as (
        update deliveries d set state = :state from mine
        where d.organisation_id = :organisation_id and d.id = any(:ids)
            and d.state in ('pending', 'sending')
    )
    select id from mine
"""


async def close(showing: Showing, state: Literal["unchanged", "superseded"]) -> None:
    """Nothing to show for these changes."""
    values = {**showing.scope(), "state": state}
    if await fetch_one_alone(showing.house.engine, _CLOSE, values) is None:
        raise LostLease


async def put_off(showing: Showing, wait: timedelta) -> None:
    """Nothing was tried; the changes are due later."""
    tries = showing.last.attempts
    await _later(showing, {"wait": wait.total_seconds(), "state": "pending", "tries": tries}, wait)


async def try_again(
    showing: Showing, wait: timedelta, state: Literal["pending", "sending"]
) -> None:
    """A try came to nothing; `sending` where its message may be on its way all the same."""
    tries = showing.tries
    await _later(showing, {"wait": wait.total_seconds(), "state": state, "tries": tries}, wait)


async def _later(showing: Showing, values: Mapping[str, object], wait: timedelta) -> None:
    async with unit(showing.house) as work:
        await showing.lease.hold(work)
        await execute(
            work.connection,
            "update deliveries set next_at = now() + make_interval(secs => :wait),"
            " state = :state, attempts = :tries"
            " where organisation_id = :organisation_id and id = any(:ids)"
            " and state in ('pending', 'sending')",
            {**showing.scope(), **values},
        )
        work.nudge("announce", showing.thread.task, after=wait)


async def failed(showing: Showing, error: MiyabiError) -> None:
    """Give up; the operator's log and the audit say so."""
    log.error(
        "deliver.failed", slot=showing.slot, thread=str(showing.thread.id), why=error.words.en
    )
    async with unit(showing.house) as work:
        await showing.lease.hold(work)
        await _end(work, showing, "failed", error.words)
        work.record(showing.event(Tag.MESSAGE_FAILED, why=brief(error.words.en)))


async def unknown(showing: Showing, unsure: Sequence[UUID], why: Words) -> None:
    """Nobody knows whether it was posted: it is put before a person, who decides.

    Of a notice that asks so itself nobody is asked, or there would be no end to it.
    """
    log.error("deliver.unknown", slot=showing.slot, thread=str(showing.thread.id), why=why.en)
    async with unit(showing.house) as work:
        await showing.lease.hold(work)
        await _end(work, showing, "unknown", why)
        for delivery in map(str, unsure):
            said = brief(why.en)
            work.record(showing.event(Tag.MESSAGE_UNKNOWN, delivery=delivery, why=said))
            if not showing.slot.startswith(f"{NOTICE}:"):
                facts = {
                    "delivery": delivery,
                    "thread": str(showing.thread.id),
                    "slot": showing.slot,
                    "why": dump(why),
                }
                await tasks.notify(work, showing.thread.task, "delivery.unknown", facts)


async def _end(work: Unit, showing: Showing, state: str, why: Words) -> None:
    """An end that leaves the slot without its message. Changes not yet tried wait for theirs."""
    states = ["sending"] if state == "unknown" else ["pending", "sending"]
    await execute(
        work.connection,
        "update deliveries set state = :state, error = :error"
        " where organisation_id = :organisation_id and id = any(:ids) and state = any(:states)",
        {**showing.scope(), "state": state, "error": why.en, "states": states},
    )
