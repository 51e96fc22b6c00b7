"""One line of the log: a fixed envelope, canonical JSON (RFC 8785) and its SHA-256."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7

JSON = str | int | bool | None | Sequence["JSON"] | Mapping[str, "JSON"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a person, over which account; neither for what Miyabi does by itself."""

    person_id: UUID | None = None
    account: str | None = None


SYSTEM = Actor()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    `stream` is what it happened to (a task, a person ...); events of a stream are chained.
    `tag` is `source:subject:action`. `data` holds no float: numbers must have one spelling.
    """

    organisation_id: UUID
    stream: UUID
    tag: str
    data: Mapping[str, JSON]
    actor: Actor = SYSTEM
    id: UUID = field(default_factory=uuid7)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def body(self) -> dict[str, JSON]:
        """The envelope as it is stored and hashed."""
        return {
            "v": 1,
            "id": str(self.id),
            "at": self.at.isoformat(),
            "organisation": str(self.organisation_id),
            "stream": str(self.stream),
            "tag": self.tag,
            "person": str(self.actor.person_id) if self.actor.person_id else None,
            "account": self.actor.account,
            "data": dict(self.data),
        }


def digest(body: Mapping[str, JSON]) -> bytes:
    """SHA-256 of the canonical JSON of an event's body."""
    return hashlib.sha256(canonical(body).encode()).digest()


def canonical(body: Mapping[str, JSON]) -> str:
    """The one spelling of an event's body, as RFC 8785 has it.

    For what a body can hold, that is JSON without spaces in the order of its keys; a property test
    compares it with a library of the standard.
    """
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
