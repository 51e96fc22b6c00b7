"""What is looked for, as conditions of SQL; and the place where a page ended."""

import base64
import binascii
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

SHORTEST = 2
"""Characters that are looked for at least: the index is one of pairs, and of fours."""


class TooShort(ValueError):
    """A text of fewer characters than can be looked for."""


class NoCursor(ValueError):
    """What was given as the end of a page never was one."""


class TooSlow(Exception):
    """What was asked for takes longer than whoever asked is let wait."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """What all that is found has to be; what is None or empty asks for nothing.

    Both ends of a range belong to it. `least` and `most` are whole yen, tax included.
    `counterparty` and each word of `text` may be any part of what stands there; width, case and
    spaces make no difference. One of the words has to have two characters at least. `number` is
    the whole number, `stream` that of the document's events.
    """

    since: date | None = None
    until: date | None = None
    least: int | None = None
    most: int | None = None
    counterparty: str = ""
    person_id: UUID | None = None
    stream: UUID | None = None
    number: str = ""
    kind: str = ""
    text: str = ""

    @property
    def only_of_documents(self) -> bool:
        """Whether it asks for anything that an event does not have by itself."""
        amounts = self.least is not None or self.most is not None
        return amounts or bool(self.counterparty or self.number or self.kind or self.text)


Values = dict[str, object]

Conditions = Mapping[str, str]
"""The conditions by the names of their parameters."""

_PLAIN: Conditions = {
    "since": "d.dated >= :since",
    "until": "d.dated <= :until",
    "least": "d.amount >= :least",
    "most": "d.amount <= :most",
    "person_id": "d.person_id = :person_id",
    "stream": "d.stream = :stream",
    "kind": "d.kind = :kind",
}


def conditions(criteria: Criteria) -> tuple[list[str], Values]:
    """All but the counterparty and the words (audit/search.py, audit/free_text.py), of rows `d`."""
    given = {name: getattr(criteria, name) for name in _PLAIN}
    values: Values = {name: value for name, value in given.items() if value not in (None, "")}
    found = [_PLAIN[name] for name in values]
    if criteria.number:
        # As it was typed, or as series are written: `q-2026-0001`, in any width.
        typed = unicodedata.normalize("NFKC", criteria.number).strip()
        found.append("d.number = any (cast(:numbers as text[]))")
        values["numbers"] = sorted({typed, typed.upper()})
    return found, values


def words(criteria: Criteria) -> Values:
    """The words looked for, by the names of their parameters. Raises TooShort."""
    typed = criteria.text.split()
    if typed:
        long_enough(max(typed, key=len))
    return {f"word_{place}": word for place, word in enumerate(typed)}


def holds_all(column: str, parameters: Iterable[str]) -> str:
    """That a folded column holds each of these texts."""
    return " and ".join(f"strpos({column}, audit_fold(:{each})) > 0" for each in parameters)


def may_hold(grams: str, quarter: str, parameters: Iterable[str]) -> str:
    """That what is indexed by these grams may hold each of these texts: by the index alone.

    A single character has no gram; it is looked for among what the others find.
    """
    folded = " || E'\\n' || ".join(f"audit_fold(:{each})" for each in parameters)
    return f"{grams} @> audit_sought(:organisation_id, {quarter}, {folded})"


def long_enough(text: str) -> str:
    """The text. Raises TooShort for one of which not even two characters are left."""
    folded = "".join(unicodedata.normalize("NFKC", text).lower().split())
    if len(folded) < SHORTEST:
        raise TooShort(text)
    return text


@dataclass(frozen=True, slots=True)
class DocumentPlace:
    """The last document of a page."""

    dated: date
    id: UUID

    def written(self) -> str:
        """In one word, for whoever asks for the next page."""
        return _written(self.dated.isoformat(), self.id)

    @classmethod
    def read(cls, word: str) -> "DocumentPlace":
        """Raises NoCursor."""
        when, id_ = _read(word)
        try:
            return cls(date.fromisoformat(when), id_)
        except ValueError as error:
            raise NoCursor(word) from error


@dataclass(frozen=True, slots=True)
class EventPlace:
    """The last event of a page."""

    at: datetime
    id: UUID

    def written(self) -> str:
        """In one word, for whoever asks for the next page."""
        return _written(self.at.isoformat(), self.id)

    @classmethod
    def read(cls, word: str) -> "EventPlace":
        """Raises NoCursor."""
        when, id_ = _read(word)
        try:
            at = datetime.fromisoformat(when)
        except ValueError as error:
            raise NoCursor(word) from error
        if at.tzinfo is None:
            raise NoCursor(word)
        return cls(at, id_)


def _written(when: str, id_: UUID) -> str:
    return base64.urlsafe_b64encode(f"{when} {id_}".encode()).decode().rstrip("=")


def _read(word: str) -> tuple[str, UUID]:
    try:
        padded = word + "=" * (-len(word) % 4)
        when, _, id_ = (
            base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(" ")
        )
        return when, UUID(id_)
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise NoCursor(word) from error
