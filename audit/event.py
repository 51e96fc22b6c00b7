"""One line of the log: a fixed envelope, canonical JSON (RFC 8785) and its SHA-256."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

from uuid_utils.compat import uuid7

from audit.registry import Declared, NotDeclared
from audit.sealed import Sealed, is_sealed

JSON = str | int | bool | None | Sequence["JSON"] | Mapping[str, "JSON"]

VERSION = 2
"""Of the envelope; its fields are in ENVELOPE."""

TO_BE_DATED = "@"
"""Where `audit_append` puts the time: hosts have clocks of their own, the log has one."""

TO_BE_NUMBERED = "#"
"""Where `audit_append` puts the number, which is not known before the stream is locked."""


class NotSealed(ValueError):
    """An event holds personal data in the clear; it is not written so (audit/subjects.py)."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it; nobody for what Miyabi does by itself.

    `person_id` is who answers for it. `channel` is the platform it came over, `account` the
    account there. `on_behalf_of` is set where it was not the person's own hand: the person for
    whom a program, by a token it was given, or somebody else did it. `ip` and `user_agent` are of
    the HTTP request, where it was one of their own. Account, address and agent are personal: they
    are sealed before the event is written.
    """

    person_id: UUID | None = None
    account: str | Sealed | None = None
    channel: str | None = None
    on_behalf_of: UUID | None = None
    ip: str | Sealed | None = None
    user_agent: str | Sealed | None = None

    @property
    def personal(self) -> Mapping[str, str | Sealed]:
        """What is personal of it, by the envelope's names."""
        if self.account is None and self.ip is None and self.user_agent is None:
            return _NOTHING
        named = {"account": self.account, "ip": self.ip, "user_agent": self.user_agent}
        return {name: value for name, value in named.items() if value is not None}


_NOTHING: Mapping[str, str | Sealed] = MappingProxyType({})
SYSTEM = Actor()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    `stream` is what it happened to (a task, a person ...); events of a stream are chained.
    `tag` is its kind, which declares what `data` holds, and whether the event is about a
    `revision` of its subject and about a `step` of the work on it. Raises NotDeclared where it is
    anything else.
    """

    organisation_id: UUID
    stream: UUID
    tag: Declared
    data: Mapping[str, JSON]
    actor: Actor = SYSTEM
    revision: int | None = None
    step: str | None = None
    id: UUID = field(default_factory=uuid7)

    def __post_init__(self) -> None:
        if not isinstance(self.tag, Declared):
            raise NotDeclared(f"{self.tag!r} is no declared kind of event")
        data = dict(self.data)
        self.tag.check(data, self.revision, self.step)
        object.__setattr__(self, "data", MappingProxyType(data))

    def body(self) -> dict[str, JSON]:
        """The envelope as it is stored and hashed, but for its time and its number, which the
        database puts in.

        `v` 1 had no number, channel, behalf, revision, step, and a time of the writer's own; its
        personal data stood in the clear. Raises NotSealed.
        """
        actor = self.actor
        personal = [*actor.personal.values(), *map(self.data.get, self.tag.personal)]
        if not all(value is None or is_sealed(value) for value in personal):
            raise NotSealed(f"{self.tag}: personal data is in the clear")
        return {
            "v": VERSION,
            "id": str(self.id),
            "at": TO_BE_DATED,
            "organisation": str(self.organisation_id),
            "stream": str(self.stream),
            "seq": TO_BE_NUMBERED,
            "tag": self.tag,
            "revision": self.revision,
            "step": self.step,
            "person": str(actor.person_id) if actor.person_id else None,
            "on_behalf_of": str(actor.on_behalf_of) if actor.on_behalf_of else None,
            "channel": actor.channel,
            "account": actor.account,
            "ip": actor.ip,
            "user_agent": actor.user_agent,
            "data": dict(self.data),
        }


_SEALED = "PERSONAL, sealed under the key of who did it"
ENVELOPE: Mapping[str, str] = {
    "v": "version of the envelope",
    "id": "UUIDv7; begins with the time at which the event was made",
    "at": "when it was written, in UTC (ISO 8601), by the database's clock",
    "organisation": "whose event it is; each organisation has a log of its own",
    "stream": "UUID of what it happened to, as each tag's heading says; its events are numbered "
    "without a gap and chained",
    "seq": "its number in its stream, from 1",
    "tag": "`source:subject:action`",
    "revision": "which version of what was asked it is about, or null",
    "step": "which step of the work it is about, or null",
    "person": "who answers for it, or null for what Miyabi did by itself",
    "on_behalf_of": "the person for whom a program or somebody else did it, or null where it was "
    "the person's own hand",
    "channel": "the platform over which it came, or null",
    "account": f"the account on that platform, or the program's token, or null; {_SEALED}",
    "ip": f"the address that an HTTP request of theirs came from, or null; {_SEALED}",
    "user_agent": f"what that request said of its program, or null; {_SEALED}",
    "data": "the fields of the tag",
}
"""What each field of a body says."""


def digest(body: Mapping[str, JSON]) -> bytes:
    """SHA-256 of the canonical JSON of an event's body."""
    return hashlib.sha256(canonical(body).encode()).digest()


def canonical(body: Mapping[str, JSON]) -> str:
    """The one spelling of an event's body, as RFC 8785 has it.

    For what a body can hold, that is JSON without spaces in the order of its keys; a property test
    compares it with a library of the standard.
    """
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
