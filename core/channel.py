"""What a channel that only sends declares of itself: the one constant of `notifier/channels/*.py`.

It tells a place (`notice_places`) that is no account of a person's: a webhook, a room in Teams.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from core.messages import Message
from core.ports import Sent
from core.settings import Settings
from core.words import Words


@dataclass(frozen=True, slots=True)
class Posting:
    """One message on its way to a place. `key` is the same however often it is tried; `again`: an
    earlier try may have come through. `edits` is what stands there, where the channel can edit.

    `notice` is what programs are told of it: topic, importance, facts, count, resolved, id, time.
    """

    organisation_id: UUID
    address: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    message: Message
    notice: Mapping[str, Any]
    key: str
    again: bool = False
    edits: Sent | None = None


def _text_alone(posting: Posting) -> str:
    return posting.message.text


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that only sends.

    `send` raises what ways out raise (core/ports.py): TryLater(after), Permanent, Unreachable where
    the place is gone, OutcomeUnknown, TimeoutError. `wrong` says what is wrong with an address and
    its settings, before it is kept. `edits`: whether what was sent can be changed. `same_key`:
    whether the other side tells a repeated key from a new one, so that a lost answer may be tried
    again. `rate`: calls a place and second. `makes`: secrets that are made where none are given.
    """

    name: str
    send: Callable[[Settings, Posting], Awaitable[Sent]]
    wrong: Callable[[Settings, str, Mapping[str, str]], Words | None]
    settings: Mapping[str, str]
    """The names of its settings and secrets, with what each is for (English)."""
    secret: frozenset[str] = frozenset()
    edits: bool = False
    same_key: bool = False
    rate: float = 1.0
    at_most: timedelta = timedelta(seconds=15)
    preview: Callable[[Posting], str] = _text_alone
    """What would be sent, without sending it."""
    makes: Callable[[], Mapping[str, str]] = dict
