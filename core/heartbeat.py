"""Keeps the leases of a process alive from a thread of its own, and hears of what became of them.

A step that blocks the event loop (a long computation, a library that does not await) would let
its lease run out if the loop renewed it. The thread has its own loop and its own connection; one
statement renews all leases of the process, and one looks twice a second whether a task was
cancelled or taken by another. A loop that is blocked for longer than a step may take is ended with
its process.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from core.db import create_engine, to_json

log = structlog.get_logger()

LOOK = 0.5
"""Seconds after which a cancelled task is noticed at the latest."""
BLOCKED = 5.0
"""Seconds an event loop is given to answer once a step is past its time."""
EXIT = 70
"""With what a process ends whose loop is blocked: its supervisor starts it anew."""

_LOOK = text("""
    select t.id, t.fence, t.state from tasks t
    join jsonb_to_recordset(cast(:held as jsonb))
        as held(organisation_id uuid, id uuid, fence bigint)
        on t.organisation_id = held.organisation_id and t.id = held.id and t.fence = held.fence
""")
# What somebody has locked is left out this time: one row must not hold up all others.
_RENEW = text("""
    with held as (
        select * from jsonb_to_recordset(cast(:held as jsonb))
            as held(organisation_id uuid, id uuid, fence bigint)
    ), free as (
        select t.id from tasks t
        join held on t.organisation_id = held.organisation_id and t.id = held.id
            and t.fence = held.fence
        for no key update of t skip locked
    ), renewed as (
        update tasks t set lease_until = now() + make_interval(secs => :lease)
        from free join held on held.id = free.id
        where t.organisation_id = held.organisation_id and t.id = free.id
    )
    select t.id, t.fence, t.state from tasks t
    join held on t.organisation_id = held.organisation_id and t.id = held.id
        and t.fence = held.fence
""")

News = Literal["lost", "cancelling"]


@dataclass(slots=True)
class Held:
    """A lease of this process.

    `tell` is called in the heartbeat's thread, once, when the lease is another's or the task is to
    be cancelled. `due` is the moment (of time.monotonic) by which the loop will have seen to it
    that the step under way has ended; `ask` has the loop answer by setting it to None.
    """

    organisation_id: UUID
    task_id: UUID
    fence: int
    tell: Callable[[News], None]
    ask: Callable[[], None] = lambda: None
    due: float | None = None
    asked_at: float | None = None
    told: News | None = None


def end_process(why: str) -> None:
    """End this process at once, without the loop, which no longer answers."""
    log.critical("heartbeat.loop_blocked", why=why)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT)


class Heartbeat:
    """One thread a process; it starts with the first lease and sleeps while there is none.

    `give_up` is called with a reason when the loop is blocked.
    """

    def __init__(
        self,
        database_url: str,
        lease: timedelta,
        give_up: Callable[[str], None] = end_process,
    ) -> None:
        self._url = database_url
        self._lease = lease
        self._renew_every = lease.total_seconds() / 3
        self._renewed_at = float("-inf")
        self._give_up = give_up
        self._held: dict[tuple[UUID, int], Held] = {}
        self._lock = threading.Lock()
        self._something = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def hold(self, held: Held) -> None:
        """Renew this lease from now on."""
        with self._lock:
            self._held[held.task_id, held.fence] = held
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="miyabi-heartbeat", daemon=True
                )
                self._thread.start()
        self._something.set()

    def let_go(self, held: Held) -> None:
        """Renew it no longer."""
        with self._lock:
            self._held.pop((held.task_id, held.fence), None)
            if not self._held:
                self._something.clear()

    def stop(self) -> None:
        """End the thread. Leases that are still held run out by themselves."""
        self._stopping.set()
        self._something.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        patience = max(2.0, self._renew_every)
        engine = create_engine(self._url, pool_size=1, answer_at_most=patience)
        with asyncio.Runner() as runner:
            try:
                while self._something.wait() and not self._stopping.is_set():
                    if not self._stopping.wait(min(LOOK, self._renew_every)):
                        self._once(runner, engine)
            finally:
                runner.run(engine.dispose())

    def _once(self, runner: asyncio.Runner, engine: AsyncEngine) -> None:
        """Look and renew. Raises nothing: without this thread every lease would run out."""
        try:
            self._watch()
            runner.run(self._beat(engine))
        except Exception:
            log.exception("heartbeat.crashed")

    async def _beat(self, engine: AsyncEngine) -> None:
        """One statement for all. A database that is away for a moment ends no lease by itself."""
        with self._lock:
            held = dict(self._held)
        if not held:
            return
        renews = time.monotonic() >= self._renewed_at + self._renew_every - LOOK / 2
        values: dict[str, object] = {"held": to_json([_row(lease) for lease in held.values()])}
        try:
            async with engine.begin() as connection:
                if renews:
                    values["lease"] = self._lease.total_seconds()
                    self._renewed_at = time.monotonic()
                result = await connection.execute(_RENEW if renews else _LOOK, values)
                states = {(row.id, row.fence): row.state for row in result}
        except (SQLAlchemyError, OSError) as error:
            log.warning("heartbeat.not_renewed", leases=len(held), error=repr(error))
            self._renewed_at = float("-inf")
            return
        for key, lease in held.items():
            if key not in states:
                self._tell(lease, "lost")
            elif states[key] == "cancelling":
                self._tell(lease, "cancelling")

    def _tell(self, lease: Held, news: News) -> None:
        """Say it once; not to a walk that has let go meanwhile, having moved the task itself."""
        with self._lock:
            if (lease.task_id, lease.fence) not in self._held or lease.told == news:
                return
            lease.told = news
            if news == "lost":
                del self._held[lease.task_id, lease.fence]
        lease.tell(news)

    def _watch(self) -> None:
        """Ask the loop of a step that is past its time; end the process where it can't answer."""
        now = time.monotonic()
        with self._lock:
            late = [held for held in self._held.values() if held.due and held.due < now]
        for held in late:
            if held.asked_at is None:
                held.asked_at = now
                held.ask()
            elif now - held.asked_at > BLOCKED:
                self._give_up(f"the loop has not answered for {BLOCKED:.0f} s; task {held.task_id}")


def _row(lease: Held) -> dict[str, object]:
    return {
        "organisation_id": str(lease.organisation_id),
        "id": str(lease.task_id),
        "fence": lease.fence,
    }
