"""The registry of events: what each kind means and what it has to say.

Whoever uses the log lists its kinds in an enumeration derived from `Declared`. A kind can't be
named without being declared, and an event that is not as its kind declares it can't be made
(audit/event.py), so it can't be written either. That costs some two microseconds an event.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Self

from audit.sealed import is_sealed

LONGEST = 500
"""Characters of a text in an event. Whatever is longer is no fact but a message, or a document: it
does not go in, its hash may."""
BRIEF = 200
"""Characters to which `brief` shortens."""
_LARGEST = 2**53 - 1  # RFC 8785: beyond it a number has more than one spelling


class NotDeclared(ValueError):
    """An event is not as its kind declares it, or of no declared kind. Nothing was written."""


Whose = Literal["stream", "actor"]
"""Under whose key a personal field is sealed: of the person that the stream is, or who did it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a field may hold: in words for the documentation, and the check itself.

    `whose` is said of personal data only; they do not stand in the log but sealed.
    """

    says: str
    fits: Callable[[object], bool]
    whose: Whose | None = None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST


def _is_whole(value: object) -> bool:
    return type(value) is int and -_LARGEST <= value <= _LARGEST


def _pattern(says: str, pattern: str) -> Kind:
    match = re.compile(pattern).fullmatch
    return Kind(says, lambda value: isinstance(value, str) and match(value) is not None)


TEXT = Kind(f"text, at most {LONGEST} characters", _is_text)
WHOLE = Kind("whole number", _is_whole)
FLAG = Kind("true or false", lambda value: type(value) is bool)
ID = _pattern("UUID", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHA256 = _pattern("SHA-256 in hex", r"[0-9a-f]{64}")


def one_of(*values: str) -> Kind:
    """One of these words."""
    known = frozenset(values)
    says = " or ".join(f"`{value}`" for value in values)
    return Kind(says, lambda value: isinstance(value, str) and value in known)


_KEYS: Mapping[Whose, str] = {
    "stream": "the person it is about",
    "actor": "who did it",
}


def personal(kind: Kind, whose: Whose) -> Kind:
    """The same as personal data: a text that is written sealed, under the key of that person."""
    fits = kind.fits
    says = f"PERSONAL, sealed under the key of {_KEYS[whose]}: {kind.says}"
    return Kind(says, lambda value: is_sealed(value) or fits(value), whose)


def or_none(kind: Kind) -> Kind:
    """The same, or null."""
    fits = kind.fits
    return Kind(f"{kind.says}, or null", lambda value: value is None or fits(value), kind.whose)


def list_of(kind: Kind) -> Kind:
    """Any number of these."""
    fits = kind.fits
    return Kind(
        f"list of: {kind.says}", lambda value: isinstance(value, list) and all(map(fits, value))
    )


def some_of(**fields: Kind) -> Kind:
    """An object with any of these fields, and no others."""
    checks = {name: kind.fits for name, kind in fields.items()}
    says = ", ".join(f"`{name}` ({kind.says})" for name, kind in fields.items())

    def fits(value: object) -> bool:
        return isinstance(value, dict) and all(
            name in checks and checks[name](each) for name, each in value.items()
        )

    return Kind(f"object with any of: {says}", fits)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a kind of event means, what it happens to, and its fields.

    `subject` says what the event's stream is. `must` are fields that each such event has, `may`
    those that it has only at times. `revision` and `step`: whether the envelope names them.
    """

    means: str
    subject: str
    must: Mapping[str, Kind]
    may: Mapping[str, Kind] = field(default_factory=dict)
    revision: bool = False
    step: bool = False


_TAG = re.compile(r"[a-z]+:[a-z]+:[a-z]+")


class Declared(StrEnum):
    """A registry: an enumeration of `NAME = "source:subject:action", Declaration(...)`."""

    declaration: Declaration
    _must: frozenset[str]
    _known: frozenset[str]
    _fits: Mapping[str, Callable[[object], bool]]
    personal: Mapping[str, Whose]
    """The personal fields, and under whose key each is."""

    def __new__(cls, tag: str, declaration: Declaration) -> Self:
        if _TAG.fullmatch(tag) is None:
            raise NotDeclared(f"{tag!r} is not source:subject:action")
        member = str.__new__(cls, tag)
        member._value_ = tag
        member.declaration = declaration
        fields = {**declaration.must, **declaration.may}
        member._must = frozenset(declaration.must)
        member._known = frozenset(fields)
        member._fits = {name: kind.fits for name, kind in fields.items()}
        member.personal = {name: kind.whose for name, kind in fields.items() if kind.whose}
        return member

    def check(self, data: Mapping[str, object], revision: int | None, step: str | None) -> None:
        """Raises NotDeclared for an event that is not as it is declared."""
        names = data.keys()
        if not self._must <= names <= self._known:
            self._refuse("has no", self._must - names)
            self._refuse("knows no", names - self._known)
        fits = self._fits
        for name, value in data.items():
            if not fits[name](value):
                says = {**self.declaration.must, **self.declaration.may}[name].says
                raise NotDeclared(f"{self}: {name} is {type(value).__name__}, not {says}")
        if (revision is None) is self.declaration.revision or (
            revision is not None and not _is_whole(revision)
        ):
            raise NotDeclared(f"{self}: the revision is {revision!r}")
        if (step is None) is self.declaration.step or (step is not None and not _is_text(step)):
            raise NotDeclared(f"{self}: the step is {step!r}")

    def _refuse(self, what: str, names: Collection[str]) -> None:
        if names:
            raise NotDeclared(f"{self} {what} {', '.join(sorted(names))}")


def brief(text: str) -> str:
    """A text from outside in one line, short enough for an event."""
    line = " ".join(text.split())
    return line if len(line) <= BRIEF else line[: BRIEF - 1] + "…"
