"""The task as it stands, read anew only where something happened to it meanwhile.

Every change of a task is an event of its stream in the audit log, written in the same unit; so the
number of its events is its version. Our own events, of messages sent, change nothing that is shown.
"""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from core.house import House
from core.views import TaskView, task_view


@dataclass(slots=True)
class Versions:
    """One task, for all of its threads that are served at the same time."""

    house: House
    organisation_id: UUID
    task_id: UUID
    _view: TaskView | None = None
    _version: int = -1
    _ours: set[int] = field(default_factory=set)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def at(self, version: int) -> TaskView:
        """The task as it was at this version, or as it is now."""
        async with self._reading:
            if self._view is None or not self.holds(version):
                async with self.house.engine.connect() as connection:
                    self._view = await task_view(
                        connection, self.house, self.organisation_id, self.task_id
                    )
                self._version = version
            return self._view

    def holds(self, version: int) -> bool:
        """Whether nothing but our own sending happened between what was read and this version."""
        return version <= self.known

    @property
    def known(self) -> int:
        """Up to this version nothing but our own sending happened since the task was read."""
        while self._version + 1 in self._ours:
            self._version += 1
        return self._version

    def add_our_own(self, version: int) -> None:
        """An event of ours has made this version."""
        self._ours.add(version)
