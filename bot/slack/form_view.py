"""An agent's form as a modal, and what was typed into it as the form's values. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from bot.slack import limits
from bot.slack.render import Json, cut, marked, option, plain
from core.catalogue import Catalogue
from core.forms import FormErrors, FormField, FormSpec, FormValues, LineEntry, line_values
from core.words import Language, Words

MOST_ROWS = 25  # three blocks each, of the hundred that a view may have
TEXT = 200
LONG_TEXT = 2_000
_NOTE = 300

SEND = Words(ja="作成", en="Create", zh="创建")
CLOSE = Words(ja="閉じる", en="Close", zh="关闭")
LOADING = Words(ja="読み込んでいます…", en="Loading…", zh="正在加载…")
ITEM = Words(ja="品目", en="Item", zh="品目")
QUANTITY = Words(ja="数量", en="Quantity", zh="数量")
ADD_ROW = Words(ja="＋ 行を追加", en="＋ Add a line", zh="＋ 添加一行")
REMOVE_ROW = Words(ja="削除", en="Remove", zh="删除")
SEARCH = Words(ja="名前かコードで検索", en="Search by name or code", zh="按名称或代码搜索")

Typed = Mapping[str, Any]
"""Block id to what stands in it: a text, a date as text, or the option that was chosen."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A form under way: for which agent, from where, and which rows it has. Travels in the view.

    A row keeps its number when others go, so that Slack keeps what was typed into it.
    """

    agent: str
    language: Language
    channel: str = ""
    thread: str | None = None
    task: str | None = None
    rows: tuple[int, ...] = (0,)
    note: str = ""

    def with_row(self) -> "Sheet":
        """One more row at the end."""
        return replace(self, rows=(*self.rows, max(self.rows) + 1))

    def without_row(self, row: int) -> "Sheet":
        """Without a row; the last one stays."""
        return replace(self, rows=tuple(r for r in self.rows if r != row) or self.rows)

    def dump(self) -> str:
        """As `private_metadata`."""
        return json.dumps({**asdict(self), "note": self.note[:_NOTE]}, ensure_ascii=False)

    @staticmethod
    def load(text: str) -> "Sheet":
        """From `private_metadata`."""
        values = json.loads(text)
        return Sheet(**{**values, "rows": tuple(values["rows"])})


def loading_view(title: Words, language: Language) -> Json:
    """What stands there while the form is made: a trigger has to be used within 3 s."""
    return _modal(title.to(language), [_words(LOADING.to(language))], language)


def notice_view(title: Words, language: Language, words: str) -> Json:
    """A view that only says something."""
    return _modal(title.to(language), [_words(words)], language)


def form_view(spec: FormSpec, sheet: Sheet, typed: Typed) -> Json:
    """The form with what was typed so far."""
    blocks: list[Json] = []
    if sheet.note:
        blocks.append({"type": "context", "elements": [marked(cut(sheet.note, _NOTE))]})
    for field in spec.fields:
        if field.kind == "lines":
            blocks += _rows(field, sheet, typed)
        else:
            blocks.append(_input(field, sheet.language, typed))
    language = sheet.language
    return {
        **_modal(spec.title.to(language), blocks, language),
        "callback_id": "form",
        "private_metadata": sheet.dump(),
        "submit": plain(SEND.to(language), limits.VIEW_TITLE),
    }


def _modal(title: str, blocks: list[Json], language: Language) -> Json:
    return {
        "type": "modal",
        "title": plain(title, limits.VIEW_TITLE),
        "close": plain(CLOSE.to(language), limits.VIEW_TITLE),
        "blocks": blocks,
    }


def _words(words: str) -> Json:
    return {"type": "section", "text": marked(cut(words, limits.SECTION_TEXT))}


# Fields


def _input(field: FormField, language: Language, typed: Typed) -> Json:
    label = field.label.to(language)
    element = _element(field, language, typed.get(field.name))
    block = _input_block(field.name, label, element, optional=not field.required)
    if field.hint is not None:
        block["hint"] = plain(field.hint.to(language), TEXT)
    return block


def _element(field: FormField, language: Language, value: Any) -> Json:
    if field.kind == "customer":
        return _menu(value, language)
    if field.kind == "date":
        return {"type": "datepicker", **({"initial_date": value} if value else {})}
    most = LONG_TEXT if field.kind == "long_text" else TEXT
    return _text(value, most, multiline=field.kind == "long_text")


def _menu(value: Any, language: Language) -> Json:
    """A menu whose choices are asked of us as the person types."""
    return {
        "type": "external_select",
        "min_query_length": 0,
        "placeholder": plain(SEARCH.to(language), limits.PLACEHOLDER),
        **({"initial_option": value} if value else {}),
    }


def _text(value: Any, most: int, *, multiline: bool = False) -> Json:
    given = {"initial_value": str(value)[:most]} if value else {}
    return {"type": "plain_text_input", "multiline": multiline, "max_length": most, **given}


def _input_block(name: str, label: str, element: Json, *, optional: bool) -> Json:
    return {
        "type": "input",
        "block_id": name,
        "label": plain(label, TEXT),
        "optional": optional,
        "element": {**element, "action_id": name},
    }


def _rows(field: FormField, sheet: Sheet, typed: Typed) -> list[Json]:
    """The rows of an order, each with a button to take it away, and one to add another."""
    language, found = sheet.language, []
    for place, row in enumerate(sheet.rows, 1):
        name = f"{field.name}:{row}"
        label = marked(f"*{cut(field.label.to(language), 60)} {place}*")
        heading: Json = {"type": "section", "block_id": f"{name}:heading", "text": label}
        if len(sheet.rows) > 1:
            heading["accessory"] = _button("form:remove", REMOVE_ROW.to(language), str(row))
        optional = not (field.required and place == 1)
        item = _menu(typed.get(f"{name}:item"), language)
        quantity = _text(typed.get(f"{name}:quantity"), 40)
        found += [
            heading,
            _input_block(f"{name}:item", ITEM.to(language), item, optional=optional),
            _input_block(f"{name}:quantity", QUANTITY.to(language), quantity, optional=optional),
        ]
    if len(sheet.rows) < MOST_ROWS:
        add = _button("form:add", ADD_ROW.to(language), "add")
        found.append({"type": "actions", "block_id": f"{field.name}:add", "elements": [add]})
    return found


def _button(action_id: str, label: str, value: str) -> Json:
    words = plain(label, limits.BUTTON_TEXT)
    return {"type": "button", "action_id": action_id, "text": words, "value": value}


# What was typed


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
    rows: list[int] = []
    for field in spec.fields:
        value = typed.get(field.name)
        if field.kind == "customer":
            values[field.name] = _chosen(value)
        elif field.kind == "date":
            values[field.name] = date.fromisoformat(value) if value else None
        elif field.kind == "lines":
            entries = {row: _entry(f"{field.name}:{row}", typed) for row in sheet.rows}
            rows = [row for row, entry in entries.items() if entry.item or entry.quantity]
            values[field.name] = tuple(entries[row] for row in rows)
        else:
            values[field.name] = value or ""
    return values, tuple(rows)


def _entry(name: str, typed: Typed) -> LineEntry:
    quantity = typed.get(f"{name}:quantity") or ""
    return LineEntry(_chosen(typed.get(f"{name}:item")), quantity.strip())


def _chosen(chosen: Any) -> str:
    return str(chosen["value"]) if chosen else ""


def prefill(spec: FormSpec, values: FormValues, catalogue: Catalogue) -> tuple[int, Typed]:
    """A task's values as if typed, and how many rows they take."""
    typed: dict[str, Any] = {}
    rows = 1
    for field in spec.fields:
        value = values.get(field.name)
        if field.kind == "customer" and value:
            customer = catalogue.customer(str(value))
            typed[field.name] = option(str(value), customer.name if customer else str(value))
        elif field.kind == "date" and isinstance(value, date):
            typed[field.name] = value.isoformat()
        elif field.kind == "lines":
            entries = line_values(values, field.name)[:MOST_ROWS]
            rows = max(1, len(entries))
            for row, entry in enumerate(entries):
                item = catalogue.item(entry.item)
                label = item.name if item else entry.item
                typed[f"{field.name}:{row}:item"] = option(entry.item, label)
                typed[f"{field.name}:{row}:quantity"] = entry.quantity
        elif value:
            typed[field.name] = str(value)
    return rows, typed


def block_errors(
    sheet: Sheet,
    values: FormValues,
    rows: tuple[int, ...],
    errors: FormErrors,
    catalogue: Catalogue,
) -> dict[str, str]:
    """A form's errors by the block beside which each is shown."""
    shown: dict[str, str] = {}
    for name, words in errors.items():
        field, _, place = name.partition(":")
        block = name
        if place:
            entries = line_values(values, field)
            at = int(place)
            row = rows[at] if at < len(rows) else sheet.rows[0]
            known = at < len(entries) and catalogue.item(entries[at].item) is not None
            block = f"{field}:{row}:{'quantity' if known else 'item'}"
        shown[block] = cut(words.to(sheet.language), TEXT)
    return shown
