"""What a person types into a view, in the shapes of `view.state.values`."""

from collections.abc import Mapping
from typing import Any

from tests.fakes.slack.blocks_check import elements
from tests.fakes.slack.elements_check import offered
from tests.fakes.slack.limits import Json

# Where an element keeps its value in the state, and from which key it starts.
_VALUE_KEYS = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
}


class CannotSubmit(Exception):
    """Slack itself would not let a person send this: no such field, or a field is wrong."""


def first_values(blocks: list[Json], before: Mapping[str, Json]) -> dict[str, Json]:
    """The state of a view just shown: what was typed before stays, else the initial values."""
    state: dict[str, Json] = {}
    for block in blocks:
        for element in elements([block]):
            if element["type"] not in _VALUE_KEYS:
                continue
            key, initial = _VALUE_KEYS[element["type"]]
            block_id, action_id = block["block_id"], element.get("action_id", "")
            kept = before.get(block_id, {}).get(action_id)
            if kept is None or kept["type"] != element["type"]:
                start = element.get(initial, [] if key.endswith("s") else None)
                kept = {"type": element["type"], key: start}
            state.setdefault(block_id, {})[action_id] = kept
    return state


def fill(
    blocks: list[Json], state: dict[str, Json], values: Mapping[str, Any], suggested: list[Json]
) -> None:
    """Type into a view: `values` by action id or block id.

    A choice is given as its value, its label or the whole option; `suggested` are the options
    that external menus were offered. Raises CannotSubmit where there is no such field or choice.
    """
    left = dict(values)
    for block in blocks:
        for element in elements([block]):
            action_id = element.get("action_id", "")
            name = next((n for n in (action_id, block["block_id"]) if n in left), None)
            if name is None or element["type"] not in _VALUE_KEYS:
                continue
            key, _ = _VALUE_KEYS[element["type"]]
            value = _as_kept(element, key, left.pop(name), suggested)
            state.setdefault(block["block_id"], {})[action_id] = {
                "type": element["type"],
                key: value,
            }
    if left:
        raise CannotSubmit(f"no such field: {', '.join(left)}")


def _as_kept(element: Json, key: str, value: Any, suggested: list[Json]) -> Any:
    if value is None:
        return None
    if key == "selected_option":
        return choice(element, value, suggested)
    if key == "selected_options":
        return [choice(element, each, suggested) for each in value]
    return str(value) if key == "value" else value


def choice(element: Json, wanted: Any, suggested: list[Json]) -> Json:
    """The option of a menu with this value or label. Raises CannotSubmit if it has none."""
    external = element["type"].endswith("external_select")
    options = suggested if external else offered(element)
    for option in options:
        if wanted in (option, option["value"], option["text"]["text"]):
            return option
    if external and isinstance(wanted, dict):
        return wanted
    labels = [option["text"]["text"] for option in options]
    raise CannotSubmit(f"{element.get('action_id')} offers {labels}, not {wanted!r}")


def check_complete(blocks: list[Json], state: Mapping[str, Json]) -> None:
    """What Slack checks before it sends a form. Raises CannotSubmit."""
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        key, _ = _VALUE_KEYS.get(element["type"], ("value", ""))
        kept = state.get(block["block_id"], {}).get(element.get("action_id", ""), {}).get(key)
        if kept in (None, "", []):
            if not block.get("optional"):
                raise CannotSubmit(f"{block['block_id']} is empty")
        elif isinstance(kept, str):
            least, most = element.get("min_length", 0), element.get("max_length", 3000)
            if not least <= len(kept) <= most:
                raise CannotSubmit(f"{block['block_id']} must have {least} to {most} characters")
