"""An agent's form as a modal. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.slack import limits
from bot.slack.render import Json, cut, marked, options, plain
from core.forms import REPEATED, FormField, FormSpec
from core.words import Language, Words

MOST_ROWS = 25
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
CHOOSE = Words(ja="選んでください", en="Choose", zh="请选择")
SEARCH = Words(ja="名前かコードで検索", en="Search by name or code", zh="按名称或代码搜索")

_LINE = (
    FormField("item", "customer", ITEM, required=True),  # chosen by type-ahead as one
    FormField("quantity", "text", QUANTITY, required=True),
)

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
        if field.kind in REPEATED:
            blocks += _rows(field, sheet, typed, most_rows(spec))
        else:
            blocks.append(_input(field, sheet.language, typed))
    language = sheet.language
    return {
        **_modal(spec.title.to(language), blocks, language),
        "callback_id": "form",
        "private_metadata": sheet.dump(),
        "submit": plain(SEND.to(language), limits.VIEW_TITLE),
    }


def most_rows(spec: FormSpec) -> int:
    """How many rows a form can have within the blocks of one view; 0 where it has no such field."""
    field = spec.repeated
    if field is None:
        return 0
    besides = len(spec.fields) - 1 + 2  # the note at the top and the button for one more
    return min(MOST_ROWS, (limits.VIEW_BLOCKS - besides) // (1 + len(row_fields(field))))


def row_fields(field: FormField) -> tuple[FormField, ...]:
    """What stands in each row of a field with rows."""
    return field.rows if field.kind == "rows" else _LINE


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


def _input(
    field: FormField, language: Language, typed: Typed, name: str = "", *, optional: bool = False
) -> Json:
    name = name or field.name
    block: Json = {
        "type": "input",
        "block_id": name,
        "label": plain(field.label.to(language), TEXT),
        "optional": optional or not field.required,
        "element": {**_element(field, language, typed.get(name)), "action_id": name},
    }
    if field.hint is not None:
        block["hint"] = plain(field.hint.to(language), TEXT)
    return block


def _element(field: FormField, language: Language, value: Any) -> Json:
    if field.kind == "customer":
        return _menu(value, language)
    if field.kind == "choice":
        return _choice(field, value, language)
    if field.kind == "date":
        return {"type": "datepicker", **({"initial_date": value} if value else {})}
    most = LONG_TEXT if field.kind == "long_text" else TEXT
    given = {"initial_value": str(value)[:most]} if value else {}
    return {
        "type": "plain_text_input",
        "multiline": field.kind == "long_text",
        "max_length": most,
        **given,
    }


def _choice(field: FormField, value: Any, language: Language) -> Json:
    """A menu of all there is. What was chosen is named by its value: Slack hands labels back with
    more in them than it was given, and takes only what stands in the list."""
    offered = options((each.value, each.label.to(language)) for each in field.choices)
    chosen = [each for each in offered if value and each["value"] == value["value"]]
    return {
        "type": "static_select",
        "placeholder": plain(CHOOSE.to(language), limits.PLACEHOLDER),
        "options": offered,
        **({"initial_option": chosen[0]} if chosen else {}),
    }


def _menu(value: Any, language: Language) -> Json:
    """A menu whose choices are asked of us as the person types."""
    return {
        "type": "external_select",
        "min_query_length": 0,
        "placeholder": plain(SEARCH.to(language), limits.PLACEHOLDER),
        **({"initial_option": value} if value else {}),
    }


def _rows(field: FormField, sheet: Sheet, typed: Typed, most: int) -> list[Json]:
    """The rows of a field, each with a button to take it away, and one to add another."""
    language, found = sheet.language, []
    for place, row in enumerate(sheet.rows, 1):
        name = f"{field.name}:{row}"
        label = marked(f"*{cut(field.label.to(language), 60)} {place}*")
        heading: Json = {"type": "section", "block_id": f"{name}:heading", "text": label}
        if len(sheet.rows) > 1:
            heading["accessory"] = _button("form:remove", REMOVE_ROW.to(language), str(row))
        optional = not (field.required and place == 1)  # a row left empty is none
        found += [heading]
        found += [
            _input(each, language, typed, f"{name}:{each.name}", optional=optional)
            for each in row_fields(field)
        ]
    if len(sheet.rows) < most:
        add = _button("form:add", ADD_ROW.to(language), "add")
        found.append({"type": "actions", "block_id": f"{field.name}:add", "elements": [add]})
    return found


def _button(action_id: str, label: str, value: str) -> Json:
    words = plain(label, limits.BUTTON_TEXT)
    return {"type": "button", "action_id": action_id, "text": words, "value": value}
