"""A call: messages of a conversation that are said together, with what was due of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from audit.event import JSON, Event
from core.codec import dump, load
from core.house import House
from core.messages import Message
from core.ports import Utterance
from core.tags import Tag
from notifier.thread import Due, Lease, Taken, Thread

State = Literal["sending", "unsaid", "unchanged", "superseded"]


@dataclass(frozen=True, slots=True)
class Part:
    """One slot's waiting changes, and what becomes of the last of them; the others are superseded
    by it. With an utterance it goes into the call."""

    changes: Sequence[Due]
    state: State
    utterance: Utterance | None = None

    @property
    def last(self) -> Due:
        return self.changes[-1]

    @property
    def slot(self) -> str:
        return self.last.slot

    def rows(self, at: int = 0, tries: int = 0) -> list[dict[str, Any]]:
        """What becomes of each change, for a statement; `at`: its place in the call."""
        earlier = [_row(each, "superseded") for each in self.changes[:-1]]
        last = _row(self.last, self.state)
        if self.utterance is not None:
            last |= {"tries": tries, "body": {**dump(self.utterance), "at": at}}
        return [*earlier, last]


def _row(change: Due, state: State) -> dict[str, Any]:
    tried = change.attempts
    return {"id": str(change.id), "seen": tried, "tries": tried, "state": state}


@dataclass(frozen=True, slots=True)
class Call:
    """Messages of a thread on their way in one call. `again`: it was made before, and nobody knows
    with what outcome."""

    house: House
    taken: Taken
    id: UUID
    parts: Sequence[Part]
    again: bool = False

    @property
    def lease(self) -> Lease:
        return self.taken.lease

    @property
    def thread(self) -> Thread:
        return self.taken.thread

    @property
    def utterances(self) -> list[Utterance]:
        return [part.utterance for part in self.parts if part.utterance is not None]

    @property
    def ids(self) -> list[UUID]:
        return [part.last.id for part in self.parts]

    @property
    def tries(self) -> int:
        """The number of the attempt under way."""
        return max(change.attempts for part in self.parts for change in part.changes) + 1

    @property
    def age(self) -> timedelta:
        """Since its oldest message became due."""
        return timedelta(seconds=max(part.last.age for part in self.parts))

    def scope(self) -> dict[str, object]:
        return {**self.lease.scope, "ids": self.ids}

    def event(self, part: Part, tag: Tag, **data: JSON) -> Event:
        """An event about one of its messages."""
        task = self.thread.task
        place = f"{self.thread.platform}:{self.thread.id}"
        fields = {"reference": task.reference, "slot": part.slot, "place": place, **data}
        return Event(task.organisation_id, task.id, tag, fields)


def stored(call: str, changes: Sequence[Due]) -> tuple[UUID, list[Part]]:
    """A call whose outcome is not known, word for word as it was about to be made."""
    changes = sorted(changes, key=lambda change: (change.body or {}).get("at", 0))
    return UUID(call), [Part([change], "sending", _utterance(change)) for change in changes]


def _utterance(change: Due) -> Utterance:
    body = {key: value for key, value in (change.body or {}).items() if key != "at"}
    if "message" in body:
        return load(Utterance, body)  # type: ignore[no-any-return]
    # Its words were taken out meanwhile (core/redaction.py).
    return Utterance(str(change.id), load(Message, body))
