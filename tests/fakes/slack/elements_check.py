"""What the interactive elements of Block Kit must look like: buttons, menus, inputs."""

from typing import Any

from tests.fakes.slack.limits import Json
from tests.fakes.slack.shapes import (
    Check,
    Shape,
    anything,
    boolean,
    check_shape,
    check_typed,
    exactly_one,
    integer,
    items,
    matching,
    one_of,
    plain,
    problem,
    string,
    text,
)

_DATE = matching(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", "must be a date YYYY-MM-DD")
_TIME = matching(r"([01]\d|2[0-3]):[0-5]\d", "must be a time HH:mm")
_NUMBER = matching(r"-?\d+(\.\d+)?", "must be a number in a string")

_CONFIRM = Shape(
    {"title": plain("confirm.title.max_length"), "text": text("confirm.text.max_length")},
    {
        "confirm": plain("confirm.confirm.max_length"),
        "deny": plain("confirm.deny.max_length"),
        "style": one_of("primary", "danger"),
    },
)


def _option(label: Check, *, url: bool = False) -> Check:
    shape = Shape(
        {"text": label, "value": string("option.value.max_length")},
        {"description": text("option.description.max_length")}
        | ({"url": string("option.url.max_length")} if url else {}),
    )
    return lambda value, path, found: check_shape(value, shape, path, found)


_CHOICE = _option(plain("option.text.max_length"))
_RICH_CHOICE = _option(text("option.text.max_length"))


def _group(value: Any, path: str, found: list[str]) -> None:
    shape = Shape(
        {
            "label": plain("option_group.label.max_length"),
            "options": items(_CHOICE, "option_group.options.max_items"),
        }
    )
    check_shape(value, shape, path, found)


_OPTIONS = items(_CHOICE, "static_select.options.max_items")
_GROUPS = items(_group, "static_select.option_groups.max_items")

# What a suggestion's answer must look like. An empty list is fine: nothing found.
SUGGESTIONS = Shape(
    {},
    {
        "options": items(_CHOICE, "external_select.options.max_items", least=0),
        "option_groups": items(_group, "external_select.option_groups.max_items", least=0),
    },
)


def _element(required: dict[str, Check], optional: dict[str, Check] | None = None) -> Shape:
    """An element with what nearly all of them may have."""
    common: dict[str, Check] = {
        "action_id": string("element.action_id.max_length"),
        "confirm": lambda value, path, found: check_shape(value, _CONFIRM, path, found),
    }
    return Shape(required, common | (optional or {}))


def _input(required: dict[str, Check], optional: dict[str, Check]) -> Shape:
    common: dict[str, Check] = {
        "placeholder": plain("element.placeholder.max_length"),
        "focus_on_load": boolean,
    }
    return _element(required, common | optional)


def _menus(name: str, required: dict[str, Check], optional: dict[str, Check]) -> dict[str, Shape]:
    """A select menu for one and its sister for several."""
    once = {f"initial_{key}": check for key, check in optional.items()}
    many = {f"initial_{key}s": items(check) for key, check in optional.items()}
    return {
        f"{name}_select": _input(required, once),
        f"multi_{name}_select": _input(required, {"max_selected_items": integer(least=1)} | many),
    }


_ID = string()
_TYPED: dict[str, Check] = {"dispatch_action_config": anything, "initial_value": string(least=0)}

ELEMENTS: dict[str, Shape] = {
    "button": _element(
        {"text": plain("button.text.max_length")},
        {
            "url": string("button.url.max_length"),
            "value": string("button.value.max_length"),
            "style": one_of("primary", "danger"),
            "accessibility_label": string("button.accessibility_label.max_length"),
        },
    ),
    "overflow": _element(
        {
            "options": items(
                _option(plain("option.text.max_length"), url=True), "overflow.options.max_items"
            )
        }
    ),
    "datepicker": _input({}, {"initial_date": _DATE}),
    "timepicker": _input({}, {"initial_time": _TIME, "timezone": string()}),
    "datetimepicker": _input({}, {"initial_date_time": integer()}),
    "checkboxes": _input(
        {"options": items(_RICH_CHOICE, "checkboxes.options.max_items")},
        {"initial_options": items(_RICH_CHOICE)},
    ),
    "radio_buttons": _input(
        {"options": items(_RICH_CHOICE, "radio_buttons.options.max_items")},
        {"initial_option": _RICH_CHOICE},
    ),
    "plain_text_input": _input(
        {},
        _TYPED
        | {
            "multiline": boolean,
            "min_length": integer("plain_text_input.min_length.max"),
            "max_length": integer("plain_text_input.max_length.max", least=1),
        },
    ),
    "number_input": _input(
        {"is_decimal_allowed": boolean},
        _TYPED | {"initial_value": _NUMBER, "min_value": _NUMBER, "max_value": _NUMBER},
    ),
    "email_text_input": _input({}, _TYPED),
    "url_text_input": _input({}, _TYPED),
    "file_input": _element({}, {"filetypes": items(string()), "max_files": integer(least=1)}),
    **_menus("static", {}, {"option": _CHOICE}),
    **_menus("external", {}, {"option": _CHOICE}),
    **_menus("users", {}, {"user": _ID}),
    **_menus("conversations", {}, {"conversation": _ID}),
    **_menus("channels", {}, {"channel": _ID}),
}
for _name in ("static_select", "multi_static_select"):
    _both: dict[str, Check] = {"options": _OPTIONS, "option_groups": _GROUPS}
    ELEMENTS[_name] = Shape(ELEMENTS[_name].required, {**ELEMENTS[_name].optional, **_both})
for _name in ("external_select", "multi_external_select"):
    ELEMENTS[_name] = Shape(
        ELEMENTS[_name].required, {**ELEMENTS[_name].optional, "min_query_length": integer(least=0)}
    )
for _name in ("conversations_select", "multi_conversations_select"):
    _more: dict[str, Check] = {"default_to_current_conversation": boolean, "filter": anything}
    ELEMENTS[_name] = Shape(ELEMENTS[_name].required, {**ELEMENTS[_name].optional, **_more})

MENUS = tuple(name for name in ELEMENTS if name.endswith("_select"))
PICKERS = ("datepicker", "timepicker", "checkboxes", "radio_buttons")
IN_SECTION = ("button", "overflow", *MENUS, *PICKERS)
IN_ACTIONS = ("button", "overflow", "datetimepicker", *MENUS, *PICKERS)
IN_INPUT = (
    "plain_text_input",
    "number_input",
    "email_text_input",
    "url_text_input",
    "file_input",
    "datetimepicker",
    *MENUS,
    *PICKERS,
)


def check_element(value: Any, path: str, found: list[str], allowed: tuple[str, ...]) -> None:
    """Check one element: its keys and values, then what concerns several keys together."""
    before = len(found)
    check_typed(value, ELEMENTS, path, found, allowed)
    if len(found) > before:
        return
    kind = value["type"]
    if kind in ("static_select", "multi_static_select"):
        exactly_one(value, ("options", "option_groups"), path, found)
    _check_choices(value, path, found)
    most = value.get("max_length")
    if most is not None and len(value.get("initial_value") or "") > most:
        problem(found, f"{path}/initial_value", f"must be less than {most + 1} characters")
    if most is not None and value.get("min_length", 0) > most:
        problem(found, f"{path}/min_length", "must not be more than max_length")


def offered(element: Json) -> list[Json]:
    """The options of a menu, those of its groups included."""
    grouped = [option for group in element.get("option_groups", ()) for option in group["options"]]
    return [*element.get("options", ()), *grouped]


def _check_choices(element: Json, path: str, found: list[str]) -> None:
    choices = offered(element)
    if element["type"].startswith(("external", "multi_external")) or not choices:
        return
    values = [choice["value"] for choice in choices]
    if element["type"] != "overflow" and len(set(values)) != len(values):
        problem(found, path, "option values must be unique")
    first = element.get("initial_option")
    for chosen in [first] if first else element.get("initial_options", ()):
        if chosen not in choices:
            problem(found, path, "initial option must match one of the options")
