"""LINE's rules for actions (buttons, quick replies, areas of a menu) beside its description."""

import re
from typing import Literal
from urllib.parse import urlsplit

from tests.fakes.line.description import Json, utf16
from tests.fakes.line.limits import (
    DISPLAY_TEXT,
    LABELS,
    MESSAGE_ACTION_TEXT,
    POSTBACK_DATA,
    URI,
)

Where = Literal["quick", "flex", "template", "menu"]

_TIMES = {
    "date": r"\d{4}-\d{2}-\d{2}",
    "time": r"\d{2}:\d{2}",
    "datetime": r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}",
}
_SCHEMES = ("http", "https", "line", "tel")


def check_action(action: Json, where: Where, at: str, *, label_needed: bool = True) -> list[str]:
    """What LINE would refuse in an action."""
    found = []
    label = action.get("label")
    if label is None or not str(label).strip():
        if label is not None or (label_needed and where != "menu"):
            found.append(f"{at}.label: must be a text that can be seen")
    elif utf16(label) > LABELS[where]:
        found.append(f"{at}.label: {label!r} has more than {LABELS[where]} characters")
    kind = action.get("type")
    if kind in ("camera", "cameraRoll", "location") and where != "quick":
        found.append(f"{at}: {kind} is for quick replies only")
    if kind == "richmenuswitch" and where != "menu":
        found.append(f"{at}: {kind} is for rich menus only")
    if kind == "postback":
        found += _data(action, at) + _postback(action, at)
    elif kind == "datetimepicker":
        found += _data(action, at) + _picker(action, at)
    elif kind == "message":
        found += _shown(action, "text", MESSAGE_ACTION_TEXT, at, needed=True)
    elif kind == "uri":
        found += _uri(action, at)
    return found


def _data(action: Json, at: str) -> list[str]:
    data = action.get("data")
    if not data or utf16(data) > POSTBACK_DATA:
        return [f"{at}.data: must have 1 to {POSTBACK_DATA} characters"]
    return []


def _shown(action: Json, name: str, most: int, at: str, *, needed: bool = False) -> list[str]:
    text = action.get(name)
    if text is None and not needed:
        return []
    if not str(text or "").strip() or utf16(str(text)) > most:
        return [f"{at}.{name}: must have 1 to {most} characters"]
    return []


def _postback(action: Json, at: str) -> list[str]:
    found = _shown(action, "displayText", DISPLAY_TEXT, at)
    if "text" in action:
        found.append(f"{at}.text: deprecated, displayText is meant")
    if "fillInText" in action and action.get("inputOption") != "openKeyboard":
        found.append(f"{at}.fillInText: only with the inputOption openKeyboard")
    return found + _shown(action, "fillInText", DISPLAY_TEXT, at)


def _picker(action: Json, at: str) -> list[str]:
    mode = action.get("mode")
    if mode not in _TIMES:
        return [f"{at}.mode: must be one of {list(_TIMES)}"]
    found = [
        f"{at}.{name}: {action[name]!r} is no {mode}"
        for name in ("initial", "min", "max")
        if name in action and not re.fullmatch(_TIMES[mode], str(action[name]))
    ]
    first, start, last = (action.get(name) for name in ("min", "initial", "max"))
    if first and last and not first < last:
        found.append(f"{at}: min must be before max")
    if start and ((first and start < first) or (last and start > last)):
        found.append(f"{at}.initial: not between min and max")
    return found


def _uri(action: Json, at: str) -> list[str]:
    uri = str(action.get("uri", ""))
    if not uri or utf16(uri) > URI:
        return [f"{at}.uri: must have 1 to {URI} characters"]
    if urlsplit(uri).scheme not in _SCHEMES:
        return [f"{at}.uri: must begin with one of {_SCHEMES}"]
    return []
