"""A form an agent can be asked by, in neutral fields that each platform shows in its own way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from core.catalogue import Catalogue
from core.words import Words

Kind = Literal["customer", "lines", "date", "text", "long_text"]


@dataclass(frozen=True, slots=True)
class FormField:
    """`customer` is chosen by type-ahead; `lines` are rows of an item and a quantity."""

    name: str
    kind: Kind
    label: Words
    required: bool = False
    hint: Words | None = None


@dataclass(frozen=True, slots=True)
class LineEntry:
    """One row as typed: the item's code and the text of the quantity field."""

    item: str
    quantity: str


FormValues = Mapping[str, object]
"""Field name to value: str for customer (its code) and texts, date, tuple[LineEntry, ...]."""

FormErrors = Mapping[str, Words]
"""Field name to what is wrong; for row n of lines the name is `lines:n`, counted from 0."""


@dataclass(frozen=True, slots=True)
class FormSpec:
    """The form of an agent. `check` finds what is wrong before anything is stored."""

    title: Words
    fields: tuple[FormField, ...]
    check: Callable[[FormValues, Catalogue, date], FormErrors]


def text_value(values: FormValues, name: str) -> str:
    """A text field's value, stripped; empty where it was left out."""
    value = values.get(name)
    return value.strip() if isinstance(value, str) else ""


def line_values(values: FormValues, name: str) -> tuple[LineEntry, ...]:
    """The rows of a lines field."""
    value = values.get(name)
    return value if isinstance(value, tuple) else ()


def date_value(values: FormValues, name: str) -> date | None:
    """A date field's value."""
    value = values.get(name)
    return value if isinstance(value, date) else None
