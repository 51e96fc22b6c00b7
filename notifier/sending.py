"""One message on its way out: the intent, the act, the outcome.

A send whose outcome is unknown (the worker died) is looked for before it is sent again.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from audit.event import Event
from core.codec import dump, fingerprint
from core.db import execute, to_json
from core.errors import MiyabiError, TryLater
from core.house import House
from core.ids import new_id
from core.messages import Message
from core.ports import Outbound, Sent
from core.tags import Tag
from core.unit import unit
from core.views import TaskView
from notifier.thread import Due, Posted, Thread, take

log = structlog.get_logger()

SEND_TRIES = 8


@dataclass(frozen=True, slots=True)
class Sending:
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
        await take(self.house, self.view.organisation_id, self.thread.id, self.worker)
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
