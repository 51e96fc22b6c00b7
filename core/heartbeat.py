"""Keeps the leases of a process alive from a thread of its own.

A step that blocks the event loop (a long computation, a library that does not await) would let
its lease run out if the loop renewed it. The thread has its own loop and its own connection, and
one statement renews all leases of the process; a lease that is no longer ours cancels its walk.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from core.db import create_engine, to_json

log = structlog.get_logger()

_RENEW = text("""
    update tasks t set lease_until = now() + make_interval(secs => :lease)
    from jsonb_to_recordset(cast(:held as jsonb))
        as held(organisation_id uuid, id uuid, fence bigint)
    where t.organisation_id = held.organisation_id and t.id = held.id and t.fence = held.fence
    returning t.id, t.fence
""")


@dataclass(frozen=True, slots=True)
class Held:
    """A lease of this process. `lost` is called in the heartbeat's thread once it is not ours."""

    organisation_id: UUID
    task_id: UUID
    fence: int
    lost: Callable[[], None]


class Heartbeat:
    """One thread a process; it starts with the first lease and sleeps while there is none."""

    def __init__(self, database_url: str, lease: timedelta) -> None:
        self._url = database_url
        self._lease = lease
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
        engine = create_engine(self._url, pool_size=1)
        with asyncio.Runner() as runner:
            try:
                while self._something.wait() and not self._stopping.is_set():
                    if not self._stopping.wait(self._lease.total_seconds() / 3):
                        runner.run(self._renew(engine))
            finally:
                runner.run(engine.dispose())

    async def _renew(self, engine: AsyncEngine) -> None:
        """One statement for all. A database that is away for a moment ends no lease by itself."""
        with self._lock:
            held = dict(self._held)
        if not held:
            return
        rows = [
            {
                "organisation_id": str(lease.organisation_id),
                "id": str(lease.task_id),
                "fence": lease.fence,
            }
            for lease in held.values()
        ]
        try:
            async with engine.begin() as connection:
                result = await connection.execute(
                    _RENEW, {"lease": self._lease.total_seconds(), "held": to_json(rows)}
                )
                ours = {(row.id, row.fence) for row in result}
        except (SQLAlchemyError, OSError) as error:
            log.warning("heartbeat.not_renewed", leases=len(held), error=repr(error))
            return
        for key, lease in held.items():
            if key not in ours and self._drop(lease):
                lease.lost()

    def _drop(self, lease: Held) -> bool:
        """Let go of it; False where its walk has done so, having moved the task itself."""
        with self._lock:
            return self._held.pop((lease.task_id, lease.fence), None) is not None
