"""What a platform delivers, already verified, and what it is answered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

from core.errors import Refusal
from core.messages import Message
from core.ports import Lane

# PostgreSQL's text has no NUL, and half of a surrogate pair is no character at all.
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


LONGEST_NAME = 200
"""Characters of a file's name that are kept."""


def storable(text: str) -> str:
    """What was typed, without what no database can keep."""
    return _NOT_STORABLE.sub("", text)


def _clean(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, tuple):
        return tuple(_clean(each) for each in value)
    if isinstance(value, Mapping):
        return {name: _clean(each) for name, each in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose account on which platform; `workspace` is the platform's own word for the company."""

    platform: str
    workspace: str
    account: str


@dataclass(frozen=True, slots=True)
class Spot:
    """Where on the platform it was said. `thread` is the thread's id where there is one.

    `flat`: the conversation has no threads, so all tasks of it share one (`thread` is the channel
    itself), and what is said is told apart by what it answers. `quotes`: the platform's id of the
    message that this one quotes.
    """

    channel: str
    thread: str | None = None
    flat: bool = False
    quotes: str | None = None


@dataclass(frozen=True, slots=True)
class Click:
    """A button that was pressed or an option that was picked, by the opaque id it carries.

    `to`: the place of the step of a route that something is sent back to; None for who asked.
    """

    action: str
    value: str
    reason: str = ""
    to: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", storable(self.value))
        object.__setattr__(self, "reason", storable(self.reason))


@dataclass(frozen=True, slots=True)
class Form:
    """A form that was filled in: field name to value as the agent's form declares them.

    `task_id` where the form edits a task that exists.
    """

    agent: str
    values: Mapping[str, object]
    task_id: UUID | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _clean(self.values))


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that came with a message, as its platform tells of it; nothing of it was looked at.

    `reference` is what the platform's way out fetches it by. `media_type` may be empty and `size`
    (in bytes) None where that is not told.
    """

    reference: str
    name: str
    media_type: str = ""
    size: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", storable(self.name)[:LONGEST_NAME].strip())
        object.__setattr__(self, "media_type", storable(self.media_type)[:LONGEST_NAME])


@dataclass(frozen=True, slots=True)
class Inbound:
    """One delivery. `key` is unique per act of the person: a redelivery carries the same one.

    `addressed` is false for talk that Miyabi merely overhears; it answers that only where it
    asked something. `today` overrides the date of the request (terminal and tests). `lane`: a task
    that begins here is one of many that were handed in at once, or somebody waits for it.
    `by_program`: no hand of the person's did it, but a program they gave a token to. `held`: it
    says whose it is, and nothing proves that. Only a new request is taken of it, and waits until
    that person or an admin releases it (core/holding.py); all else is ignored. `organisation_id`:
    whose workspace it is, where the platform knows that without an account of somebody there.
    `ip` and `user_agent`: of the HTTP request, where the sender itself made it and not their
    platform.
    """

    sender: Sender
    spot: Spot
    key: str
    text: str = ""
    addressed: bool = True
    click: Click | None = None
    form: Form | None = None
    files: tuple[SentFile, ...] = ()
    today: date | None = None
    lane: Lane = "interactive"
    by_program: bool = False
    held: bool = False
    organisation_id: UUID | None = None
    ip: str | None = None
    user_agent: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", storable(self.text))


Outcome = Literal["taken", "done", "told", "refused", "unknown_person", "ignored", "unavailable"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person is told at once. `message` is None where nothing is to be said.

    `reference` is the task's where there is one; `opens` names the agent whose form to open.
    `refusal` says of what kind a refusal is, for platforms that tell programs apart what people
    read. `private`: for the eyes of whoever asked only; it is not kept. `follows`: more is said of
    it once it is worked out, for which a platform may save its breath. `repeated`: this delivery
    was answered before, and this is that answer once more.
    """

    outcome: Outcome
    message: Message | None = None
    task_id: UUID | None = None
    reference: int | None = None
    opens: str | None = None
    refusal: Refusal | None = None
    follows: bool = False
    private: bool = False
    repeated: bool = field(default=False, compare=False)


IGNORED = Answer("ignored")
