"""Which values of an event are personal, and whose; an event with them sealed, a body without."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.event import JSON, Event
from audit.sealed import Sealed, is_sealed, seal

Name = UUID | str
"""Whom a key is of: a person (or whatever a stream is), or an account that is nobody's."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An open key; without a cipher, the one that there was is destroyed."""

    id: UUID
    cipher: AESGCM | None = field(repr=False)


Learned = Mapping[tuple[UUID, Name], Subject]
"""Keys by organisation and name."""

_ENVELOPE = ("account", "ip", "user_agent")


def wanted(events: Iterable[Event]) -> set[tuple[UUID, Name]]:
    """Whose keys the events need."""
    found: set[tuple[UUID, Name]] = set()
    for event in events:
        for value, name in _personal(event):
            if not is_sealed(value):
                found.add((event.organisation_id, name))
    return found


def _personal(event: Event) -> Iterable[tuple[JSON, Name]]:
    """The personal values of an event, and whose each is."""
    if event.actor.personal:
        name = _actor(event)
        yield from ((value, name) for value in event.actor.personal.values())
    for field_, whose in event.tag.personal.items():
        value = event.data.get(field_)
        if value is not None:
            yield value, event.stream if whose == "stream" else _actor(event)


def _actor(event: Event) -> Name:
    """Who did it: the person, else their account, else whoever it happened to."""
    actor = event.actor
    if actor.person_id is not None:
        return actor.person_id
    return actor.account if isinstance(actor.account, str) else event.stream


def sealed(event: Event, known: Learned) -> Event:
    """The event with its personal values sealed by these keys."""

    def one(name: str, value: Any, whose: Name) -> Any:
        if value is None or is_sealed(value):
            return value
        subject = known[event.organisation_id, whose]
        return seal(subject.cipher, subject.id, event.id, name, value)

    actor, data = event.actor, event.data
    if actor.personal:
        whose = _actor(event)
        actor = replace(
            actor, **{name: one(name, value, whose) for name, value in actor.personal.items()}
        )
    if event.tag.personal:
        fields = {
            name: one(f"data.{name}", data[name], event.stream if of == "stream" else _actor(event))
            for name, of in event.tag.personal.items()
            if name in data
        }
        data = {**data, **fields}
    return replace(event, actor=actor, data=data)


def sealed_in(body: Mapping[str, Any]) -> Iterable[Sealed]:
    """The sealed values of an event's body."""
    values = [*(body.get(name) for name in _ENVELOPE), *body["data"].values()]
    return (value for value in values if is_sealed(value))


def opened(body: Mapping[str, Any], shown: Callable[[UUID, str, Any], Any]) -> dict[str, Any]:
    """The body with what `shown` makes of each value, by its event's id and its field."""
    event = UUID(body["id"])
    envelope = {name: shown(event, name, body.get(name)) for name in _ENVELOPE}
    data = {name: shown(event, f"data.{name}", value) for name, value in body["data"].items()}
    return {**body, **envelope, "data": data}
