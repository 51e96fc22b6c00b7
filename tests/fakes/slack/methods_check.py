"""Checks the arguments of a Web API call against Slack's own page of that method."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack.limits import REQUIRED, Json, described_methods

# Arguments that Slack describes as a string of JSON and takes as plain JSON in a JSON body.
STRUCTURED = ("blocks", "attachments", "unfurled_attachments", "metadata", "view", "files")

# Bolt adds `team_id` to the calls it makes for a team.
ALWAYS_ALLOWED = ("token", "team_id")

# What is no string in a form or a query, where no description says so.
_USUAL_KINDS = {
    "length": {"integer"},
    "limit": {"number"},
    "inclusive": {"boolean"},
    "include_all_metadata": {"boolean"},
    "include_locale": {"boolean"},
    "include_num_members": {"boolean"},
}

_TRUTH = {"true": True, "1": True, "false": False, "0": False}


@dataclass(slots=True)
class Checked:
    """Arguments as values, and what is wrong with them.

    `errors` are what Slack would answer with; `remarks` are what Slack would let pass silently
    and a test should not.
    """

    values: Json = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def check_arguments(method: str, arguments: Json, *, as_json: bool) -> Checked:
    """Read and check the arguments of one call.

    `arguments` are the values of a JSON body (`as_json`), or the strings of a form or a query.
    """
    checked = Checked()
    described = described_methods().get(method)
    known: Json = described["args"]["properties"] if described else {}
    if described and as_json and not described.get("json_input_supported"):
        checked.remarks.append("does not read a JSON body")
    for name, given in arguments.items():
        value = given if as_json else _from_text(name, given, known.get(name, {}), checked)
        checked.values[name] = value
        if name in ALWAYS_ALLOWED or not described:
            continue
        if name not in known:
            checked.remarks.append(f"unknown argument: {name}")
        elif name not in STRUCTURED and not _fits(value, known[name]):
            checked.errors.append(f"[ERROR] invalid type of argument: {name} [{value!r}]")
    needed = described["args"].get("required") or () if described else REQUIRED.get(method, ())
    for name in needed:
        if name != "token" and checked.values.get(name) in (None, ""):
            checked.errors.append(f"[ERROR] missing required field: {name}")
    _check_structures(checked)
    return checked


def _from_text(name: str, text: str, described: Json, checked: Checked) -> Any:
    """One value of a form or a query as what it stands for."""
    kinds = _kinds(described) or _USUAL_KINDS.get(name, set())
    if name in STRUCTURED:
        try:
            return json.loads(text)
        except ValueError:
            checked.errors.append(f"[ERROR] not JSON: {name}")
            return None
    if "boolean" in kinds:
        return _TRUTH.get(text.lower(), text)
    if "integer" in kinds or "number" in kinds:
        return int(text) if text.lstrip("-").isdigit() else text
    return text


def _kinds(described: Json) -> set[str]:
    if "anyOf" in described:
        return {kind for part in described["anyOf"] for kind in _kinds(part)}
    kind = described.get("type")
    return {kind} if isinstance(kind, str) else set()


def _fits(value: object, described: Json) -> bool:
    """Whether a value is of one of the described types (no type described: anything goes)."""
    kinds = _kinds(described)
    if not kinds:
        return True
    if isinstance(value, bool):
        return "boolean" in kinds
    if isinstance(value, int | float):
        least, most = described.get("minimum", value), described.get("maximum", value)
        return bool(kinds & {"number", "integer"}) and least <= value <= most
    names = {str: "string", list: "array", dict: "object", type(None): "null"}
    return names.get(type(value), "?") in kinds


def _check_structures(checked: Checked) -> None:
    shapes: dict[str, type] = {"blocks": list, "attachments": list, "files": list}
    shapes |= {"metadata": dict, "view": dict}
    for name, shape in shapes.items():
        value = checked.values.get(name)
        if isinstance(value, str):  # a string of JSON is welcome in a JSON body too
            try:
                value = checked.values[name] = json.loads(value)
            except ValueError:
                value = None
                checked.errors.append(f"[ERROR] not JSON: {name}")
        if value is not None and not isinstance(value, shape):
            checked.errors.append(f"[ERROR] must be a JSON {shape.__name__}: {name}")
    metadata = checked.values.get("metadata")
    if metadata and not (
        isinstance(metadata, dict)
        and isinstance(metadata.get("event_type"), str)
        and isinstance(metadata.get("event_payload"), dict)
    ):
        checked.errors.append("[ERROR] metadata needs event_type and event_payload")
    files = checked.values.get("files")
    for file in files if isinstance(files, list) else ():
        if not isinstance(file, dict) or not file.get("id"):
            checked.errors.append("[ERROR] missing required field: files/id")
        elif extra := file.keys() - {"id", "title", "highlight_type"}:
            checked.remarks.append(f"unknown argument: files/{sorted(extra)}")
