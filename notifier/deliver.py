"""From news to posted messages: route what is new, then bring each thread up to date.

A slot is sent once and edited afterwards; of several changes that wait, only the last is shown.
A send whose outcome is unknown (the worker died) is looked for before it is sent again.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from audit.event import Event
from core.codec import dump, fingerprint, load
from core.db import execute, fetch_all, fetch_one, from_json, to_json
from core.errors import MiyabiError, Permanent, TryLater
from core.house import House
from core.ids import new_id
from core.messages import Message
from core.ports import Outbound, Place, Sent
from core.tags import Tag
from core.unit import unit
from core.views import TaskView, approval_view, task_view
from core.words import Language, as_language
from notifier import topics
from notifier.routes import News, targets

log = structlog.get_logger()

THREAD_LEASE = timedelta(seconds=10)
SEND_TRIES = 8


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation of a task, and for whom it is written."""

    id: UUID
    platform: str
    place: Place
    language: Language
    time_zone: str


@dataclass(frozen=True, slots=True)
class Due:
    """A change that a slot has to show."""

    id: UUID
    slot: str
    state: str
    attempts: int
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that stands in the thread."""

    sent: Sent
    message: Message
    sha256: str
    edited_at: datetime


async def announce(house: House, organisation_id: UUID, task_id: UUID, worker: str) -> None:
    """Tell all that is new of a task, on every thread it has."""
    await _route(house, organisation_id, task_id)
    # Two jobs of one worker must not serve a thread at once either.
    server = f"{worker}/{new_id().hex}"
    async with house.engine.connect() as connection:
        rows = await fetch_all(
            connection,
            "select distinct thread_id from deliveries where organisation_id = :organisation_id"
            " and task_id = :task_id and state in ('pending', 'sending')",
            {"organisation_id": organisation_id, "task_id": task_id},
        )
    for row in rows:
        await _serve(house, organisation_id, task_id, row.thread_id, server)


# From notifications to deliveries


async def _route(house: House, organisation_id: UUID, task_id: UUID) -> None:
    async with unit(house) as work:
        await execute(
            work.connection,
            "delete from outbox where organisation_id = :organisation_id and subject_id = :task_id"
            " and kind = 'announce'"
            " and (attempts > 0 or next_at <= now() + interval '3 seconds')",
            {"organisation_id": organisation_id, "task_id": task_id},
        )
        rows = await fetch_all(
            work.connection,
            "update notifications set routed_at = now() where organisation_id = :organisation_id"
            " and task_id = :task_id and routed_at is null returning id, topic, facts",
            {"organisation_id": organisation_id, "task_id": task_id},
        )
        if not rows:
            return
        view = await task_view(work.connection, house, organisation_id, task_id)
        for row in sorted(rows, key=lambda row: row.id):
            news = News(row.id, row.topic, from_json(row.facts))
            for target in await targets(work, view, news):
                await execute(
                    work.connection,
                    "insert into deliveries"
                    " (id, organisation_id, notification_id, task_id, thread_id, slot) values"
                    " (:id, :organisation_id, :notification_id, :task_id, :thread_id, :slot)"
                    " on conflict (notification_id, thread_id, slot) do nothing",
                    {
                        "id": new_id(),
                        "organisation_id": organisation_id,
                        "notification_id": news.id,
                        "task_id": task_id,
                        "thread_id": target.thread_id,
                        "slot": target.slot,
                    },
                )


# One thread, one server at a time


async def _serve(
    house: House, organisation_id: UUID, task_id: UUID, thread_id: UUID, worker: str
) -> None:
    """Bring a thread up to date, in order. Another worker at it means that it will do ours too."""
    while True:
        if not await _take(house, organisation_id, thread_id, worker):
            return
        try:
            goes_on = True
            while goes_on:
                goes_on = await _pass(house, organisation_id, task_id, thread_id, worker)
        finally:
            await _release(house, organisation_id, thread_id, worker)
        # What came while the lease was being given back found the thread taken: look once more.
        if not await _has_due(house, organisation_id, thread_id):
            return


async def _take(house: House, organisation_id: UUID, thread_id: UUID, worker: str) -> bool:
    async with house.engine.begin() as connection:
        return bool(
            await execute(
                connection,
                "update threads set lease_owner = :worker,"
                " lease_until = now() + make_interval(secs => :lease)"
                " where organisation_id = :organisation_id and id = :id"
                " and (lease_until is null or lease_until < now() or lease_owner = :worker)",
                {
                    "worker": worker,
                    "lease": THREAD_LEASE.total_seconds(),
                    "organisation_id": organisation_id,
                    "id": thread_id,
                },
            )
        )


async def _release(house: House, organisation_id: UUID, thread_id: UUID, worker: str) -> None:
    async with house.engine.begin() as connection:
        await execute(
            connection,
            "update threads set lease_owner = null, lease_until = null"
            " where organisation_id = :organisation_id and id = :id and lease_owner = :worker",
            {"organisation_id": organisation_id, "id": thread_id, "worker": worker},
        )


async def _has_due(house: House, organisation_id: UUID, thread_id: UUID) -> bool:
    async with house.engine.connect() as connection:
        return bool(await _due(connection, organisation_id, thread_id))


async def _due(connection: Any, organisation_id: UUID, thread_id: UUID) -> list[Due]:
    # What waits after a failed attempt holds up the whole thread: nothing may overtake it.
    rows = await fetch_all(
        connection,
        "select d.id, d.slot, d.state, d.attempts, n.facts from deliveries d"
        " join notifications n on n.id = d.notification_id"
        " where d.organisation_id = :organisation_id and d.thread_id = :thread_id"
        " and d.state in ('pending', 'sending') and d.next_at <= now()"
        " and not exists (select from deliveries w where w.organisation_id = :organisation_id"
        " and w.thread_id = :thread_id and w.state = 'sending' and w.next_at > now())"
        " order by d.id",
        {"organisation_id": organisation_id, "thread_id": thread_id},
    )
    return [Due(row.id, row.slot, row.state, row.attempts, from_json(row.facts)) for row in rows]


async def _pass(
    house: House, organisation_id: UUID, task_id: UUID, thread_id: UUID, worker: str
) -> bool:
    """Show the first slot that has something to show. False where nothing (more) can be done."""
    async with house.engine.connect() as connection:
        due = await _due(connection, organisation_id, thread_id)
        if not due:
            return False
        slot = due[0].slot
        changes = [change for change in due if change.slot == slot]
        thread = await _thread(connection, organisation_id, thread_id)
        posted = await _posted(connection, organisation_id, thread_id, slot)
        view = await task_view(connection, house, organisation_id, task_id)
        message = await _render(connection, view, thread, changes[-1], posted)
        if message is not None:
            message = replace(message, language=thread.language)
    outbound = house.outbounds.get(thread.platform)
    job = _Sending(house, view, thread, slot, changes, posted, worker)
    if message is None or (posted is not None and posted.sha256 == fingerprint(dump(message))):
        await job.close("unchanged")
        return True
    if outbound is None:
        await job.fail(Permanent(f"this process does not speak {thread.platform}"))
        return True
    return await job.show(outbound, message)


@dataclass(frozen=True, slots=True)
class _Sending:
    """One slot's waiting changes on their way out."""

    house: House
    view: TaskView
    thread: Thread
    slot: str
    changes: list[Due]
    posted: Posted | None
    worker: str

    async def show(self, outbound: Outbound, message: Message) -> bool:
        """Send or edit. False where the thread has to wait."""
        if self.posted is not None:
            soonest = self.posted.edited_at + outbound.edit_interval
            if soonest > datetime.now(UTC):
                await self.wait(soonest - datetime.now(UTC))
                return False
        last = self.changes[-1]
        unknown = [change for change in self.changes if change.state == "sending"]
        await self._mark_sending()
        try:
            sent = await self._send(outbound, message, unknown)
        except TryLater as later:
            return await self._later(later)
        except MiyabiError as error:
            await self.fail(error)
            return True
        await self._store(message, sent, last)
        return True

    async def _send(self, outbound: Outbound, message: Message, unknown: list[Due]) -> Sent:
        place, key = self.thread.place, str(self.changes[-1].id)
        if self.posted is not None:
            return await outbound.edit(place, self.posted.sent, message, key)
        attachment = message.files[0] if message.files else None
        for change in unknown:
            found = await outbound.find(place, str(change.id), attachment)
            if found is not None:
                log.info("deliver.found_again", slot=self.slot, delivery=str(change.id))
                return found
        if attachment is not None:
            return await outbound.upload(place, attachment, message, key)
        return await outbound.send(place, message, key)

    async def _later(self, later: TryLater) -> bool:
        attempts = self.changes[-1].attempts + 1
        if attempts >= SEND_TRIES:
            await self.fail(later)
            return True
        wait = max(later.after or timedelta(0), timedelta(seconds=min(60, 2**attempts / 2)))
        log.warning("deliver.later", slot=self.slot, wait=wait.total_seconds(), why=str(later))
        await self.wait(wait, sending=True)
        return False

    async def wait(self, wait: timedelta, *, sending: bool = False) -> None:
        """Put the changes off; the thread is looked at again when they are due."""
        state = "" if sending else ", state = 'pending'"
        async with unit(self.house) as work:
            await execute(
                work.connection,
                "update deliveries set next_at = now() + make_interval(secs => :wait)"  # noqa: S608
                f"{state} where organisation_id = :organisation_id and id = any(:ids)",
                {**self._scope(), "wait": wait.total_seconds()},
            )
            work.nudge("announce", self.view, after=wait)

    async def close(self, state: str) -> None:
        """Nothing to show for these changes."""
        async with self.house.engine.begin() as connection:
            await execute(
                connection,
                "update deliveries set state = :state where organisation_id = :organisation_id"
                " and id = any(:ids)",
                {**self._scope(), "state": state},
            )

    async def fail(self, error: MiyabiError) -> None:
        """Give up; the operator's log and the audit say so."""
        log.error("deliver.failed", slot=self.slot, thread=str(self.thread.id), why=str(error))
        async with unit(self.house) as work:
            await execute(
                work.connection,
                "update deliveries set state = 'failed', error = :error"
                " where organisation_id = :organisation_id and id = any(:ids)",
                {**self._scope(), "error": str(error)},
            )
            work.record(self._event(Tag.MESSAGE_FAILED, {}))

    async def _mark_sending(self) -> None:
        """The intent, committed before the act, and the lease for as long as it may take."""
        await _take(self.house, self.view.organisation_id, self.thread.id, self.worker)
        async with self.house.engine.begin() as connection:
            await execute(
                connection,
                "update deliveries set state = 'sending', attempts = attempts + 1"
                " where organisation_id = :organisation_id and id = any(:ids)",
                self._scope(),
            )

    async def _store(self, message: Message, sent: Sent, last: Due) -> None:
        """The outcome: what stands in the thread now, and which change it shows."""
        body = dump(message)
        async with unit(self.house) as work:
            await execute(
                work.connection,
                """
                insert into messages (id, organisation_id, task_id, thread_id, slot, channel,
                    external_id, extra, body, body_sha256)
                values (:id, :organisation_id, :task_id, :thread_id, :slot, :channel,
                    :external_id, cast(:extra as jsonb), cast(:body as jsonb), :sha256)
                on conflict (thread_id, slot) do update set body = excluded.body,
                    body_sha256 = excluded.body_sha256, extra = excluded.extra, edited_at = now()
                """,
                {
                    "id": new_id(),
                    "organisation_id": self.view.organisation_id,
                    "task_id": self.view.id,
                    "thread_id": self.thread.id,
                    "slot": self.slot,
                    "channel": sent.channel,
                    "external_id": sent.id,
                    "extra": to_json(dict(sent.extra)),
                    "body": to_json(body),
                    "sha256": fingerprint(body),
                },
            )
            await execute(
                work.connection,
                "update deliveries set state = case when id = :last then 'sent' else 'superseded'"
                " end, sent_at = now(), error = null,"
                " body = case when id = :last then cast(:body as jsonb) end"
                " where organisation_id = :organisation_id and id = any(:ids)",
                {**self._scope(), "last": last.id, "body": to_json(body)},
            )
            await execute(
                work.connection,
                "update threads set root = coalesce(root, :root), channel = :channel"
                " where organisation_id = :organisation_id and id = :thread_id",
                {
                    "root": sent.thread or sent.id,
                    "channel": sent.channel,
                    "organisation_id": self.view.organisation_id,
                    "thread_id": self.thread.id,
                },
            )
            tag = Tag.MESSAGE_EDITED if self.posted else Tag.MESSAGE_SENT
            work.record(self._event(tag, {"external_id": sent.id}))

    def _scope(self) -> dict[str, Any]:
        return {
            "organisation_id": self.view.organisation_id,
            "ids": [change.id for change in self.changes],
        }

    def _event(self, tag: Tag, data: dict[str, str]) -> Event:
        place = f"{self.thread.platform}:{self.thread.place.channel}"
        return Event(
            self.view.organisation_id,
            self.view.id,
            tag,
            {"reference": self.view.reference, "slot": self.slot, "place": place, **data},
        )


# What stands there and what should


async def _render(  # noqa: PLR0911  # a line for each slot
    connection: Any, view: TaskView, thread: Thread, change: Due, posted: Posted | None
) -> Message | None:
    kind, _, subject = change.slot.partition(":")
    language, zone = thread.language, thread.time_zone
    if kind == "root":
        return topics.root(view, language)
    if kind == "flash":
        return topics.flash(view, language, zone)
    if kind == "card":
        approval = await approval_view(connection, view.organisation_id, UUID(subject))
        if approval.revision != view.revision and posted is not None:
            return topics.retire(posted.message, topics.closed(approval, language, zone))
        return topics.card(view, approval, language, zone)
    if kind == "result":
        return topics.result(view, language)
    if kind == "question":
        return _question(view, subject, change, posted, language)
    if posted is None:
        return topics.failure(view, change.facts, language)
    if view.state == "failed":
        return posted.message
    return topics.retire(posted.message, topics.OVER.to(language))


def _question(
    view: TaskView, question_id: str, change: Due, posted: Posted | None, language: Language
) -> Message | None:
    if view.question is not None and view.question["id"] == question_id:
        return topics.question(view, language)
    if posted is None:
        return None
    return topics.answered(posted.message, change.facts.get("answer", ""), language)


async def _thread(connection: Any, organisation_id: UUID, thread_id: UUID) -> Thread:
    row = await fetch_one(
        connection,
        "select h.id, h.platform, h.workspace, h.channel, h.root, h.account, h.person_id,"
        " coalesce(p.language, t.language) as language,"
        " coalesce(p.time_zone, r.time_zone) as time_zone"
        " from threads h join tasks t on t.id = h.task_id join people r on r.id = t.person_id"
        " left join people p on p.id = h.person_id"
        " where h.organisation_id = :organisation_id and h.id = :id",
        {"organisation_id": organisation_id, "id": thread_id},
    )
    assert row is not None  # noqa: S101  # threads are never deleted
    direct = row.person_id is not None
    place = Place(organisation_id, row.workspace, row.channel, row.root, row.account, direct)
    return Thread(row.id, row.platform, place, as_language(row.language), row.time_zone)


async def _posted(
    connection: Any, organisation_id: UUID, thread_id: UUID, slot: str
) -> Posted | None:
    row = await fetch_one(
        connection,
        "select channel, external_id, extra, body, body_sha256, edited_at from messages"
        " where organisation_id = :organisation_id and thread_id = :thread_id and slot = :slot",
        {"organisation_id": organisation_id, "thread_id": thread_id, "slot": slot},
    )
    if row is None:
        return None
    sent = Sent(row.channel, row.external_id, from_json(row.extra))
    return Posted(sent, load(Message, from_json(row.body)), row.body_sha256, row.edited_at)
