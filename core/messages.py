"""A neutral chat message: what is said, before any platform's form. Adapters render it.

All texts are plain, in the reader's language, and untrusted: whoever renders escapes and cuts.
"""

from dataclasses import dataclass
from typing import Literal

from core.words import Language

StepState = Literal["done", "running", "waiting", "todo", "failed", "stopped"]
ButtonStyle = Literal["default", "primary", "danger", "quiet"]
"""`quiet`: what is wanted rarely; a platform may put such buttons away into a menu."""


@dataclass(frozen=True, slots=True)
class Field:
    """A label and its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: what, how much of it, and the amount at the right."""

    name: str
    detail: str
    amount: str


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a flash update; `at` is a time of day in the reader's zone, or empty. One without
    a label is a stripe of a bar and nothing else."""

    label: str
    state: StepState
    at: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """`action` says what is pressed, `value` what it is pressed for: a short opaque id, or a few
    of them with commas between."""

    action: str
    label: str
    value: str
    style: ButtonStyle = "default"


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a select."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Select:
    """A list to choose one from, where buttons would be too many."""

    action: str
    label: str
    value: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Dates:
    """A day to choose, for platforms that have a calendar for that; elsewhere it is written."""

    action: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG in the store of documents; `alt` says in words what it shows."""

    sha256: str
    alt: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in the store of documents, to be posted with the message."""

    sha256: str
    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Message:
    """What is said. `text` alone must say everything: notifications and screen readers show it.

    `sections` are paragraphs with a heading each, below the totals; a line break is one.
    `language` is the one it is written in, for the few words that whoever renders it adds.
    """

    text: str
    title: str = ""
    body: str = ""
    fields: tuple[Field, ...] = ()
    lines: tuple[Line, ...] = ()
    totals: tuple[Field, ...] = ()
    sections: tuple[Field, ...] = ()
    progress: tuple[Progress, ...] = ()
    picture: Picture | None = None
    buttons: tuple[Button, ...] = ()
    select: Select | None = None
    dates: Dates | None = None
    files: tuple[Attachment, ...] = ()
    note: str = ""
    language: Language = "ja"
