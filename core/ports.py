"""The small protocols through which the heart reaches the outside; `miyabi/` wires them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, Protocol, runtime_checkable
from uuid import UUID

from audit.event import Event
from core.ids import new_id
from core.messages import Attachment, Message

JobKind = Literal["advance", "announce"]
Lane = Literal["interactive", "bulk"]
"""Somebody waits for an answer in the chat, or many pieces of work were handed in at once."""


@dataclass(frozen=True, slots=True)
class Job:
    """A nudge: go on with this task, or tell its news. Losing one loses nothing.

    Of one lane, jobs of a lower rank go first (core/line.py); of one rank, the earlier.
    `id` is the row of the outbox it stands for: handed again, it is the same job in the same place.
    """

    kind: JobKind
    organisation_id: UUID
    task_id: UUID
    after: timedelta = timedelta(0)
    lane: Lane = "interactive"
    rank: int = 0
    id: UUID = field(default_factory=new_id, compare=False)


class Doorbell(Protocol):
    """Rings after a commit. Never raises: whoever does not hear it is found by the reconciler."""

    async def ring(self, jobs: Sequence[Job], events: Sequence[Event]) -> None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes. `thread` is None for a new conversation.

    `account` is the person's account on the platform: of whom a direct conversation is with, or
    who asked, to fall back on where the channel can't be reached.
    """

    organisation_id: UUID
    workspace: str
    channel: str
    thread: str | None
    account: str | None
    direct: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """What the platform calls a posted message. `extra` is the adapter's own, kept beside it."""

    channel: str
    id: str
    extra: Mapping[str, str] = field(default_factory=dict)
    thread: str | None = None


class Outbound(Protocol):
    """How a platform is spoken to. Raises Permanent or TryLater(after) where nothing was done.

    `key` is the delivery's id: it travels with the message wherever the platform lets it. What may
    have been done although no answer came raises OutcomeUnknown, and what may even still be done,
    TimeoutError; only `send` and `upload` have to tell them apart, an edit can be repeated.
    """

    edit_interval: timedelta
    """The least time between two edits of one message."""
    settles: timedelta
    """How long after a lost answer `find` may still miss a message that is there."""

    async def send(self, place: Place, message: Message, key: str) -> Sent: ...

    async def edit(self, place: Place, sent: Sent, message: Message, key: str) -> Sent: ...

    async def upload(
        self, place: Place, attachment: Attachment, comment: Message, key: str
    ) -> Sent: ...

    async def find(self, place: Place, key: str, attachment: Attachment | None) -> Sent | None:
        """The message sent with this key, for a send whose outcome is unknown.

        None only where it surely is not there. Raises OutcomeUnknown where that can't be told.
        """
        ...


Weight = Literal["urgent", "must", "may"]
"""What a message is worth where each call costs: `urgent` waits for somebody's decision and may use
what is kept in reserve, `must` is worth a call, `may` is said only where that costs nothing."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message of a call. `key` is its delivery's id; `code` what is typed to decide it.

    `before` is what was said of the same thing last, where this one is about a change of it.
    """

    key: str
    message: Message
    weight: Weight = "must"
    code: str = ""
    before: Message | None = None


@runtime_checkable
class Says(Protocol):
    """The way out of a platform on which what was said can't be edited and calls are counted.

    The notifier uses `say` alone there, with as many messages a call as are due in the thread.
    """

    most_per_call: int

    def fits(self, utterances: Sequence[Utterance]) -> int:
        """How many of them, from the first on, go into one call; at least one."""
        ...

    async def say(
        self, place: Place, call: UUID, utterances: Sequence[Utterance], *, again: bool
    ) -> Sequence[Sent | None]:
        """Say some messages in one call; None in place of each that was left unsaid for its weight.

        Once only, whatever happens: `again` repeats a call whose outcome is not known, with the
        same id and the same messages. Raises Unreachable, Permanent or TryLater where surely
        nothing was said; OutcomeUnknown where nobody can tell; TimeoutError where it may still be.
        """
        ...


WayOut = Outbound | Says


@runtime_checkable
class Fetches(Protocol):
    """A platform's way out that can also have the files that people send there."""

    async def fetch(
        self, organisation_id: UUID, workspace: str, reference: str, most: int
    ) -> bytes:
        """The bytes of a file that the platform told of; reads no more than `most` of them.

        Raises TooLarge where there are more, LookupError where the file is there no longer,
        Permanent for what somebody has to mend first (a right that is missing), or TryLater.
        """
        ...


class TooLarge(Exception):
    """A file has more bytes than are taken."""


ReadFile = Callable[[UUID, str], Awaitable[bytes]]
"""Organisation and SHA-256 to the bytes in the store of documents."""
