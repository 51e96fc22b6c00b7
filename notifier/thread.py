"""A thread in one server's hands: taken with all that is to be shown in it, kept, given back.

Two servers are never at one thread. Every write names the server, so that one which was paused
and lost the thread meanwhile writes nothing more; and no act on the platform goes on for longer
than the thread is surely ours (see `Lease.kept`).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.codec import load
from core.db import fetch_one, fetch_one_alone, from_json
from core.errors import LostLease
from core.house import House
from core.messages import Message
from core.ports import Lane, Place, Says, Sent
from core.unit import Unit
from core.words import Language, as_language

log = structlog.get_logger()

THREAD_LEASE = timedelta(seconds=5)
"""How long a thread waits for a server that died. Whoever lives renews it while a send lasts."""

_RENEW_EVERY = 1.5
"""Seconds; three times within the lease."""

_MARGIN = 0.2
"""Seconds before its end from which we do not count on the lease any more."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The task a thread is about, as far as events and jobs have to name it."""

    id: UUID
    organisation_id: UUID
    reference: int
    lane: Lane
    rank: int


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation of a task, and for whom it is written."""

    id: UUID
    task: Subject
    platform: str
    place: Place
    language: Language
    time_zone: str
    reader: UUID | None = None
    """The person of a direct conversation: also where it was asked for in one, on a platform
    without threads."""
    requester: UUID | None = None
    """Who asked for the task."""


@dataclass(frozen=True, slots=True)
class Due:
    """A change that a slot has to show. `held`: nobody knows if the slot's message is there.

    `age`: seconds since it was routed, or since it no longer had to wait. `call` and `body`: what
    it is under way with, on platforms on which things are said (notifier/saying.py). `instead`: why
    it is shown here, as `Words`.
    `waited`: for the end of somebody's quiet hours (notifier/quiet.py).
    """

    id: UUID
    slot: str
    state: str
    attempts: int
    held: bool
    facts: dict[str, Any]
    age: float = 0
    call: str | None = None
    body: dict[str, Any] | None = None
    instead: dict[str, Any] | None = None
    waited: bool = False


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that stands in the thread. `age`: seconds since it was last edited."""

    sent: Sent
    message: Message
    sha256: str
    age: float


@dataclass(slots=True)
class Lease:
    """The right to act on a thread, by this server. `until` is of the event loop's clock."""

    house: House
    organisation_id: UUID
    thread_id: UUID
    server: str
    until: float

    @property
    def scope(self) -> dict[str, object]:
        """What names it in a statement."""
        return {
            "organisation_id": self.organisation_id,
            "thread_id": self.thread_id,
            "server": self.server,
            "lease": THREAD_LEASE.total_seconds(),
        }

    def now(self) -> float:
        """The clock that `until` is of."""
        return asyncio.get_running_loop().time()

    def renewed_from(self, moment: float) -> None:
        """Renewed by a statement that was begun at this moment of the loop's clock."""
        self.until = moment + THREAD_LEASE.total_seconds() - _MARGIN

    @asynccontextmanager
    async def kept(self, most: timedelta) -> AsyncIterator[None]:
        """Keep the thread while the block runs. Raises TimeoutError once that took too long.

        Raises LostLease where the thread is not surely ours any more. The block is stopped before
        its lease can run out, also where this process was paused: its clock goes on meanwhile, and
        is looked at before anything else once it wakes.
        """
        if self.now() >= self.until:
            await self._renew()
        end = self.now() + most.total_seconds()
        limit = asyncio.timeout_at(min(end, self.until))
        try:
            async with limit:
                renewing = asyncio.create_task(self._renew_until(end, limit))
                try:
                    yield
                finally:
                    renewing.cancel()
        except TimeoutError:
            if limit.expired() and self.until < end:
                raise LostLease from None
            raise

    async def _renew(self) -> None:
        began = self.now()
        if await fetch_one_alone(self.house.engine, _RENEW, self.scope) is None:
            self.until = began
            raise LostLease
        self.renewed_from(began)

    async def _renew_until(self, end: float, limit: asyncio.Timeout) -> None:
        while True:
            await asyncio.sleep(_RENEW_EVERY)
            try:
                await self._renew()
            except LostLease:
                log.warning("thread.lost", thread=str(self.thread_id))
            except (SQLAlchemyError, OSError) as error:  # perhaps the next time; else it runs out
                log.warning("thread.not_renewed", thread=str(self.thread_id), error=repr(error))
                continue
            except Exception:  # likewise
                log.exception("thread.renewal_crashed", thread=str(self.thread_id))
                continue
            if limit.expired():
                return
            limit.reschedule(min(end, max(self.until, self.now())))

    async def hold(self, work: Unit) -> None:
        """Lock the thread for this unit, or raise LostLease: the fence of what is written."""
        row = await fetch_one(
            work.connection,
            "select id from threads where organisation_id = :organisation_id and id = :thread_id"
            " and lease_owner = :server for update",
            self.scope,
        )
        if row is None:
            raise LostLease

    async def release(self) -> None:
        """Give it back, if it still is ours."""
        await fetch_one_alone(
            self.house.engine,
            "update threads set lease_owner = null, lease_until = null"
            " where organisation_id = :organisation_id and id = :thread_id"
            " and lease_owner = :server",
            self.scope,
        )


_RENEW = """
    update threads set lease_until = now() + make_interval(secs => :lease)
    where organisation_id = :organisation_id and id = :thread_id and lease_owner = :server
    returning id
"""


@dataclass(slots=True)
class Taken:
    """A thread, what is due in it in the order of sending, and what stands in those slots.

    `version` counts the events of the task: what was read of it after that many holds as long as
    there are no more.
    """

    lease: Lease
    thread: Thread
    due: Sequence[Due]
    posted: Mapping[str, Posted]
    version: int

    def begun_by(self, sent: Sent) -> None:
        """The conversation is where the platform put this message; what follows goes there too."""
        place = self.thread.place
        root = place.thread or sent.thread or sent.id
        place = replace(place, channel=sent.channel, thread=root)
        self.thread = replace(self.thread, place=place)


# What waits after a failed attempt holds up the whole thread: nothing may overtake it, and then it
# comes first (the changes that came before it in the same slot are superseded and count no more).
_TAKE = """
    with due as (
        select d.id, d.slot, d.state, d.attempts, n.facts, d.call, d.body, d.instead,
            extract(epoch from now() - greatest(d.created_at, d.held_until)) as age,
            d.held_until is not null and d.attempts = 0 as waited,
            exists (select from deliveries u where u.organisation_id = :organisation_id
                and u.thread_id = :thread_id and u.slot = d.slot and u.state = 'unknown') as held
        from deliveries d join notifications n on n.id = d.notification_id
        where d.organisation_id = :organisation_id and d.thread_id = :thread_id
            and d.state in ('pending', 'sending') and d.next_at <= now()
            and not exists (select from deliveries w where w.organisation_id = :organisation_id
                and w.thread_id = :thread_id and w.state in ('pending', 'sending')
                and w.attempts > 0 and w.next_at > now())
    ), mine as (
        update threads set lease_owner = :server,
            lease_until = now() + make_interval(secs => :lease)
        where organisation_id = :organisation_id and id = :thread_id
            and (lease_until is null or lease_until < now()) and exists (select from due)
        returning *
    )
    select mine.*, t.reference, t.lane, t.rank, t.person_id as requester,
        coalesce(p.language, t.language) as language, coalesce(p.time_zone, r.time_zone)
        as time_zone,
        (select jsonb_agg(due order by due.attempts = 0, due.id) from due) as due,
        (select jsonb_agg(jsonb_build_object('slot', m.slot, 'channel', m.channel,
                'id', m.external_id, 'extra', m.extra, 'body', m.body, 'sha256', m.body_sha256,
                'age', extract(epoch from now() - m.edited_at)))
            from messages m where m.organisation_id = :organisation_id and m.thread_id = mine.id
            and m.slot in (select slot from due)) as posted,
        (select s.count from audit_streams s where s.organisation_id = :organisation_id
            and s.stream = mine.task_id) as version
    from mine join tasks t on t.id = mine.task_id join people r on r.id = t.person_id
    left join people p on p.id = mine.person_id
"""


async def take(house: House, organisation_id: UUID, thread_id: UUID, server: str) -> Taken | None:
    """Take a thread in which something is due. None where nothing is, or somebody is at it."""
    lease = Lease(house, organisation_id, thread_id, server, until=0)
    began = lease.now()
    row = await fetch_one_alone(house.engine, _TAKE, lease.scope)
    if row is None:
        return None
    lease.renewed_from(began)
    # Where there are no threads it is asked for in the very conversation with who asks.
    flat = isinstance(house.outbounds.get(row.platform), Says)
    reader = row.person_id or (row.requester if flat and row.channel == row.account else None)
    direct = reader is not None
    place = Place(organisation_id, row.workspace, row.channel, row.root, row.account, direct)
    language = as_language(row.language)
    task = Subject(row.task_id, organisation_id, row.reference, row.lane, row.rank)
    thread = Thread(
        row.id, task, row.platform, place, language, row.time_zone, reader, row.requester
    )
    due = [Due(**{**each, "id": UUID(each["id"])}) for each in from_json(row.due)]
    posted = {each["slot"]: _posted(each) for each in from_json(row.posted) or ()}
    return Taken(lease, thread, due, posted, row.version or 0)


def _posted(row: Mapping[str, Any]) -> Posted:
    sent = Sent(row["channel"], row["id"], row["extra"])
    return Posted(sent, load(Message, row["body"]), row["sha256"], row["age"])
