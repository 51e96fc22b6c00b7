"""A form an agent can be asked by, in neutral fields that each platform shows in its own way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from core.catalogue import Catalogue
from core.errors import Choice
from core.reading.money import read_amount
from core.words import Words

Kind = Literal["customer", "lines", "date", "text", "long_text", "choice", "amount", "rows"]

REPEATED = frozenset({"lines", "rows"})
"""Kinds that a person adds rows to; a form has one such field at most (core/wiring.py)."""

NO_AMOUNT = Words(
    ja="金額は「12,000円」のように1円以上の整数で入れてください。",
    en="Write the amount in whole yen, such as “12,000 yen”.",
    zh="金额请按“12,000日元”的格式填写整数。",
)
NO_CHOICE = Words(
    ja="選択肢から選んでください。", en="Please choose one of the list.", zh="请从列表中选择。"
)
MISSING = Words(ja="入力してください。", en="Please fill this in.", zh="请填写。")


@dataclass(frozen=True, slots=True)
class FormField:
    """`customer` is chosen by type-ahead, `choice` out of `choices`; an `amount` is read as yen.

    `lines` are rows of an item and a quantity; `rows` are rows of whatever fields `rows` names,
    each of a kind that is not itself repeated.
    """

    name: str
    kind: Kind
    label: Words
    required: bool = False
    hint: Words | None = None
    choices: tuple[Choice, ...] = ()
    rows: "tuple[FormField, ...]" = ()


@dataclass(frozen=True, slots=True)
class LineEntry:
    """One row as typed: the item's code and the text of the quantity field."""

    item: str
    quantity: str


FormValues = Mapping[str, object]
"""Field name to value: str for customer (its code), choice (its value) and texts, date; int for
an amount in yen, or the text as typed where it can't be read as one; tuple[LineEntry, ...] for
lines and tuple[FormValues, ...] for rows."""

FormErrors = Mapping[str, Words]
"""Field name to what is wrong; for row n of lines the name is `lines:n`, counted from 0, and for a
field of a row of rows `lines:n:name`."""


@dataclass(frozen=True, slots=True)
class FormSpec:
    """The form of an agent. `check` finds what is wrong before anything is stored."""

    title: Words
    fields: tuple[FormField, ...]
    check: Callable[[FormValues, Catalogue, date], FormErrors]

    @property
    def repeated(self) -> FormField | None:
        """The field with rows, if the form has one."""
        return next((field for field in self.fields if field.kind in REPEATED), None)

    def errors(self, values: FormValues, catalogue: Catalogue, today: date) -> FormErrors:
        """What is wrong: what the agent finds, and before that what can't be read at all.

        That a required field is empty is said in the agent's words where it has some.
        """
        missing = dict(_found(self.fields, values, _missing))
        unreadable = dict(_found(self.fields, values, _unreadable))
        return {**missing, **self.check(values, catalogue, today), **unreadable}


def _found(
    fields: tuple[FormField, ...],
    values: FormValues,
    wrong: Callable[[FormField, object], Words | None],
    place: str = "",
) -> list[tuple[str, Words]]:
    found: list[tuple[str, Words]] = []
    for field in fields:
        name = place + field.name
        value = values.get(field.name)
        if field.kind == "rows":
            for n, row in enumerate(row_values(values, field.name)):
                found += _found(field.rows, row, wrong, f"{name}:{n}:")
        words = wrong(field, value)
        if words is not None:
            found.append((f"{name}:0" if field.kind in REPEATED else name, words))
    return found


def _missing(field: FormField, value: object) -> Words | None:
    empty = value is None or value == () or (isinstance(value, str) and not value.strip())
    return MISSING if field.required and empty else None


def _unreadable(field: FormField, value: object) -> Words | None:
    if field.kind == "amount" and isinstance(value, str) and value.strip():
        return NO_AMOUNT
    if field.kind == "choice" and value and value not in {each.value for each in field.choices}:
        return NO_CHOICE
    return None


def typed_amount(text: str) -> int | str:
    """The value of an amount field: yen where the text can be read as that, else the text."""
    amount = read_amount(text)
    return text.strip() if amount is None else amount


def text_value(values: FormValues, name: str) -> str:
    """A text field's value, stripped; empty where it was left out."""
    value = values.get(name)
    return value.strip() if isinstance(value, str) else ""


def line_values(values: FormValues, name: str) -> tuple[LineEntry, ...]:
    """The rows of a lines field."""
    value = values.get(name)
    return value if isinstance(value, tuple) else ()


def row_values(values: FormValues, name: str) -> tuple[FormValues, ...]:
    """The rows of a rows field; the values of each are read by these functions too."""
    value = values.get(name)
    return value if isinstance(value, tuple) else ()


def date_value(values: FormValues, name: str) -> date | None:
    """A date field's value."""
    value = values.get(name)
    return value if isinstance(value, date) else None


def amount_value(values: FormValues, name: str) -> int | None:
    """An amount field's value in yen; None where it was left out or can't be read."""
    value = values.get(name)
    return value if isinstance(value, int) else None
