"""What was typed into a form as its values, values as if typed, and errors by block. Pure."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from bot.slack.form_view import TEXT, Sheet, Typed, most_rows, row_fields
from bot.slack.render import cut, option
from core.catalogue import Catalogue
from core.forms import (
    REPEATED,
    FormErrors,
    FormField,
    FormSpec,
    FormValues,
    LineEntry,
    line_values,
    typed_amount,
)


def typed_in(view: Mapping[str, Any]) -> Typed:
    """What stands in a view's fields, from `view.state.values`."""
    found: dict[str, Any] = {}
    for block_id, elements in view["state"]["values"].items():
        for element in elements.values():
            kept = (element.get(key) for key in ("value", "selected_date", "selected_option"))
            found[block_id] = next((value for value in kept if value is not None), None)
    return found


def form_values(spec: FormSpec, sheet: Sheet, typed: Typed) -> tuple[FormValues, tuple[int, ...]]:
    """The form's values, and the row behind each of its lines; a row left empty is no line."""
    values: dict[str, object] = {}
    rows: tuple[int, ...] = ()
    for field in spec.fields:
        if field.kind in REPEATED:
            entries = {row: _row(field, row, typed) for row in sheet.rows}
            rows = tuple(row for row, entry in entries.items() if any(entry.values()))
            values[field.name] = tuple(
                LineEntry(str(entries[row]["item"]), str(entries[row]["quantity"]).strip())
                if field.kind == "lines"
                else entries[row]
                for row in rows
            )
        else:
            values[field.name] = _value(field, typed.get(field.name))
    return values, rows


def _row(field: FormField, row: int, typed: Typed) -> dict[str, object]:
    return {
        each.name: _value(each, typed.get(f"{field.name}:{row}:{each.name}"))
        for each in row_fields(field)
    }


def _value(field: FormField, value: Any) -> object:
    if field.kind in {"customer", "choice"}:
        return str(value["value"]) if value else ""
    if field.kind == "date":
        return date.fromisoformat(value) if value else None
    if field.kind == "amount":
        return typed_amount(value) if value and value.strip() else None
    return value or ""


def row_count(spec: FormSpec, values: FormValues) -> int:
    """How many rows some values take."""
    given = values.get(spec.repeated.name) if spec.repeated else None
    return len(given) if isinstance(given, tuple) else 0


def prefill(spec: FormSpec, values: FormValues, catalogue: Catalogue) -> tuple[int, Typed]:
    """A task's values as if typed, and how many rows they take."""
    typed: dict[str, Any] = {}
    for field in spec.fields:
        if field.kind not in REPEATED:
            _type(typed, field, field.name, values.get(field.name), catalogue)
            continue
        given = values.get(field.name) or ()
        for row, entry in enumerate(_as_rows(given)[: most_rows(spec)]):
            for each in row_fields(field):
                name = f"{field.name}:{row}:{each.name}"
                _type(typed, each, name, entry.get(each.name), catalogue)
    return min(max(1, row_count(spec, values)), max(1, most_rows(spec))), typed


def _as_rows(given: object) -> tuple[FormValues, ...]:
    if not isinstance(given, tuple):
        return ()
    return tuple(asdict(each) if isinstance(each, LineEntry) else each for each in given)


def _type(
    typed: dict[str, Any], field: FormField, name: str, value: object, catalogue: Catalogue
) -> None:
    if not value:
        return
    if field.kind == "customer":
        known = catalogue.item if name.endswith(":item") else catalogue.customer
        found = known(str(value))
        typed[name] = option(str(value), found.name if found else str(value))
    elif field.kind == "choice":
        typed[name] = {"value": str(value)}
    elif field.kind == "date":
        if isinstance(value, date):
            typed[name] = value.isoformat()
    elif isinstance(value, int):
        typed[name] = f"{value:,}"
    else:
        typed[name] = str(value)


def block_errors(
    spec: FormSpec,
    sheet: Sheet,
    values: FormValues,
    rows: tuple[int, ...],
    errors: FormErrors,
    catalogue: Catalogue,
) -> dict[str, str]:
    """A form's errors by the block beside which each is shown."""
    shown: dict[str, str] = {}
    repeated = spec.repeated
    for name, words in errors.items():
        field, _, place = name.partition(":")
        block = name
        if place and repeated is not None:
            at, _, within = place.partition(":")
            n = int(at)
            row = rows[n] if n < len(rows) else sheet.rows[0]
            if not within:
                within = row_fields(repeated)[0].name
                if repeated.kind == "lines":
                    within = _wrong_part(line_values(values, field), n, catalogue)
            block = f"{field}:{row}:{within}"
        shown[block] = cut(words.to(sheet.language), TEXT)
    return shown


def _wrong_part(entries: tuple[LineEntry, ...], n: int, catalogue: Catalogue) -> str:
    """Of a line of which only is known that something is wrong with it: which of both fields."""
    known = n < len(entries) and catalogue.item(entries[n].item) is not None
    return "quantity" if known else "item"
