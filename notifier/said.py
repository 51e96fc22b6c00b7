"""What is written of the messages of one call: the intent before it, and what became of each.

As in notifier/outcome.py, each of these checks that the thread is still this server's; but one
statement is for all messages of the call.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from audit import log as audit_log
from audit.event import Event
from audit.registry import brief
from core import tasks
from core.codec import dump, fingerprint
from core.db import execute, fetch_one_alone, to_json
from core.errors import LostLease, MiyabiError
from core.house import House
from core.ids import new_id
from core.ports import Sent
from core.tags import Tag
from core.unit import Unit, unit
from core.words import Words
from notifier.call import Call, Part
from notifier.outcome import NOTICE
from notifier.thread import Lease, Taken

log = structlog.get_logger()

ANY_VERSION = 2**62


# Only as they were read, and only while the task stands as the messages say.
_INTEND = """
    with stands as (
        select coalesce((select s.count from audit_streams s
            where s.organisation_id = :organisation_id and s.stream = :task_id), 0) as version
    ), change as materialized (
        select * from jsonb_to_recordset(cast(:changes as jsonb))
            as one(id uuid, seen integer, tries integer, state text, body jsonb)
    ), mine as (
        update threads set lease_until = now() + make_interval(secs => :lease)
        where organisation_id = :organisation_id and id = :thread_id and lease_owner = :server
            and (select version from stands) <= :known
            and not exists (
                select from change left join deliveries d
                    on d.organisation_id = :organisation_id and d.id = change.id
                    and d.attempts = change.seen and d.state in ('pending', 'sending')
                where d.id is null)
        returning id
    ), intended as (
        update deliveries d set state = change.state, attempts = change.tries,
            body = nullif(change.body, 'null'),
            call = case when change.state = 'sending' then cast(:call as uuid) end
        from mine, change where d.organisation_id = :organisation_id and d.id = change.id
    )
    select stands.version, exists (select from mine) as mine from stands
"""


async def intend(call: Call, closed: Sequence[Part], known: int) -> int | None:
    """The intent, committed before the act, and the end of what is not said.

    None where all is written. Otherwise the task has moved on to this version, past the `known`
    one, and nothing is: the messages have to be made anew. Raises LostLease.
    """
    began = call.lease.now()
    changes = [
        each for at, part in enumerate([*call.parts, *closed]) for each in part.rows(at, call.tries)
    ]
    values = {
        **call.lease.scope,
        "task_id": call.thread.task.id,
        "known": known,
        "call": call.id,
        "changes": to_json(changes),
    }
    row = await fetch_one_alone(call.house.engine, _INTEND, values)
    assert row is not None  # noqa: S101  # it always has one row
    if row.mine:
        call.lease.renewed_from(began)
        return None
    if row.version <= known:
        raise LostLease
    version: int = row.version
    return version


# The task's row first, as in all that writes its events: the events come last and hold up others.
_SAID = """
    with task as (
        select id from tasks where organisation_id = :organisation_id and id = :task_id
        for key share
    ), mine as (
        update threads h set root = coalesce(h.root, :root), channel = :channel,
            lease_until = now() + make_interval(secs => :lease)
        from task where h.organisation_id = :organisation_id and h.id = :thread_id
            and h.lease_owner = :server
        returning h.id
    ), one as materialized (
        select * from jsonb_to_recordset(cast(:said as jsonb)) as one(id uuid, delivery uuid,
            slot text, state text, external_id text, extra jsonb, body jsonb, sha256 text)
    ), stands as (
        insert into messages as m (id, organisation_id, task_id, thread_id, slot, channel,
            external_id, extra, body, body_sha256)
        select one.id, :organisation_id, :task_id, mine.id, one.slot, :channel, one.external_id,
            one.extra, one.body, one.sha256 from mine, one where one.state = 'sent'
        on conflict (thread_id, slot) do update set body = excluded.body,
            body_sha256 = excluded.body_sha256, edited_at = now(),
            extra = m.extra || excluded.extra
                || jsonb_build_object('last', excluded.external_id)
    ), settled as (
        update deliveries d set state = one.state, error = null, body = one.body,
            sent_at = case when one.state = 'sent' then now() end
        from mine, one where d.organisation_id = :organisation_id and d.id = one.delivery
            and d.state = 'sending'
    )
    select case when :events <> '[]' then
        audit_append(:organisation_id, :task_id, cast(:events as jsonb)) end as version from mine
"""


async def said(call: Call, sent: Sequence[Sent | None]) -> int | None:
    """What was said, and what was left unsaid for its weight. Returns the task's version that our
    last event has made, None where there was none."""
    rows, events = [], []
    for part, one in zip(call.parts, sent, strict=True):
        assert part.utterance is not None  # noqa: S101  # what is in a call has one
        row: dict[str, object] = {"delivery": str(part.last.id), "state": "unsaid"}
        if one is not None:
            body = dump(part.utterance.message)
            row |= {
                "id": str(new_id()),
                "slot": part.slot,
                "state": "sent",
                "external_id": one.id,
                "extra": dict(one.extra),
                "body": body,
                "sha256": fingerprint(body),
            }
            events.append(_stands(call, part, one))
        rows.append(row)
    first = next((one for one in sent if one is not None), None)
    if first is not None:
        call.taken.begun_by(Sent(first.channel, first.thread or first.channel))
    row_of_thread = await fetch_one_alone(
        call.house.engine,
        _SAID,
        {
            **call.lease.scope,
            "task_id": call.thread.task.id,
            "root": call.thread.place.thread,
            "channel": call.thread.place.channel,
            "said": to_json(rows),
            "events": audit_log.as_json(events),
        },
    )
    if row_of_thread is None:
        raise LostLease
    await call.house.doorbell.ring([], events)
    version: int | None = row_of_thread.version
    return version


def _stands(call: Call, part: Part, sent: Sent) -> Event:
    tag = Tag.MESSAGE_EDITED if part.slot in call.taken.posted else Tag.MESSAGE_SENT
    how = "found" if call.again else "answered"
    delivery = str(part.last.id)
    return call.event(part, tag, external_id=sent.id, delivery=delivery, how=how, call=str(call.id))


_CLOSE = """
    with mine as (
        select id from threads where organisation_id = :organisation_id and id = :thread_id
            and lease_owner = :server for update
    ), closed as (
        update deliveries d set state = one.state
        from mine, jsonb_to_recordset(cast(:changes as jsonb)) as one(id uuid, state text)
        where d.organisation_id = :organisation_id and d.id = one.id
            and d.state in ('pending', 'sending')
    )
    select id from mine
"""


async def close(house: House, lease: Lease, parts: Sequence[Part]) -> None:
    """Nothing is to be said of these."""
    changes = [each for part in parts for each in part.rows()]
    values = {**lease.scope, "changes": to_json(changes)}
    if await fetch_one_alone(house.engine, _CLOSE, values) is None:
        raise LostLease


async def put_off(house: House, taken: Taken, wait: timedelta) -> None:
    """Nothing was tried; all of it is due later."""
    async with unit(house) as work:
        await taken.lease.hold(work)
        await execute(
            work.connection,
            "update deliveries set next_at = now() + make_interval(secs => :wait)"
            " where organisation_id = :organisation_id and id = any(:ids) and state = 'pending'",
            {
                "organisation_id": taken.lease.organisation_id,
                "ids": [change.id for change in taken.due],
                "wait": wait.total_seconds(),
            },
        )
        work.nudge("announce", taken.thread.task, after=wait)


async def later(call: Call, wait: timedelta, *, said_nothing: bool) -> None:
    """The call is due again: as it is, or made anew where surely nothing was said of it."""
    async with unit(call.house) as work:
        await call.lease.hold(work)
        await execute(
            work.connection,
            "update deliveries set next_at = now() + make_interval(secs => :wait),"
            " state = case when :anew then 'pending' else 'sending' end,"
            " call = case when :anew then null else call end,"
            " body = case when :anew then null else body end"
            " where organisation_id = :organisation_id and id = any(:ids) and state = 'sending'",
            {**call.scope(), "wait": wait.total_seconds(), "anew": said_nothing},
        )
        work.nudge("announce", call.thread.task, after=wait)


async def failed(call: Call, error: MiyabiError) -> None:
    """Give up; the operator's log and the audit say so."""
    for part in call.parts:
        log.error("say.failed", slot=part.slot, thread=str(call.thread.id), why=error.words.en)
    async with unit(call.house) as work:
        await call.lease.hold(work)
        await fail(work, call, call.parts, error.words)


async def fail(work: Unit, call: Call, parts: Sequence[Part], why: Words) -> None:
    """Likewise, within a unit that holds the thread."""
    await end(work, call, parts, "failed", why)
    for part in parts:
        work.record(call.event(part, Tag.MESSAGE_FAILED, why=brief(why.en)))


async def unknown(call: Call, why: Words) -> None:
    """Nobody knows whether it was said: a person is asked, who sees the conversation.

    Not of what was said only because it cost nothing, nor of such a question itself, or there
    would be no end to it.
    """
    log.error("say.unknown", call=str(call.id), thread=str(call.thread.id), why=why.en)
    spare = [part for part in call.parts if part.utterance and part.utterance.weight == "may"]
    asked = [part for part in call.parts if part not in spare]
    async with unit(call.house) as work:
        await call.lease.hold(work)
        await end(work, call, spare, "unsaid", why)
        await end(work, call, asked, "unknown", why)
        for part in asked:
            delivery = str(part.last.id)
            work.record(call.event(part, Tag.MESSAGE_UNKNOWN, delivery=delivery, why=brief(why.en)))
            if not part.slot.startswith(f"{NOTICE}:"):
                facts = {
                    "delivery": delivery,
                    "thread": str(call.thread.id),
                    "slot": part.slot,
                    "why": dump(why),
                }
                await tasks.notify(work, call.thread.task, "delivery.unknown", facts)


async def end(work: Unit, call: Call, parts: Sequence[Part], state: str, why: Words) -> None:
    """An end that leaves these without what was to be said, within a unit that holds the thread."""
    if not parts:
        return
    await execute(
        work.connection,
        "update deliveries set state = :state, error = :error"
        " where organisation_id = :organisation_id and id = any(:ids)"
        " and state in ('pending', 'sending')",
        {
            "organisation_id": call.lease.organisation_id,
            "state": state,
            "error": why.en,
            "ids": [part.last.id for part in parts],
        },
    )
