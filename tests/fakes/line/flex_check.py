"""LINE's rules for the contents of Flex messages beside its description."""

import json
import re

from tests.fakes.line.actions_check import check_action
from tests.fakes.line.description import Json, utf16
from tests.fakes.line.limits import BUBBLE_BYTES, CAROUSEL_BUBBLES, CAROUSEL_BYTES, URL

_COLOR = r"#[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?"
_PIXELS = r"\d+(?:\.\d+)?px"
_SHARE = r"\d+(?:\.\d+)?%"
_STEPS = ("none", "xs", "sm", "md", "lg", "xl", "xxl")
_SIZES = ("xxs", "xs", "sm", "md", "lg", "xl", "xxl", "3xl", "4xl", "5xl")
_BORDERS = ("none", "light", "normal", "medium", "semi-bold", "bold")

_MAY_HOLD = {
    "horizontal": {"box", "button", "image", "text", "separator", "filler"},
    "vertical": {"box", "button", "image", "text", "separator", "filler"},
    "baseline": {"icon", "text", "filler"},
}
_LENGTHS = {
    "spacing": _STEPS,
    "margin": _STEPS,
    "cornerRadius": _STEPS,
    "borderWidth": _BORDERS,
    "lineSpacing": (),
}
_SHARES = ("padding", "offset", "width", "height", "maxWidth", "maxHeight")


def check_container(container: Json, at: str) -> list[str]:
    """What LINE would refuse in the contents of a Flex message."""
    if container.get("type") != "carousel":
        return _bubble(container, at)
    bubbles = container.get("contents", [])
    found = []
    if not 1 <= len(bubbles) <= CAROUSEL_BUBBLES:
        found.append(f"{at}: {len(bubbles)} bubbles, not 1..{CAROUSEL_BUBBLES}")
    if len({bubble.get("size", "mega") for bubble in bubbles}) > 1:
        found.append(f"{at}: bubbles of different sizes")
    if _bytes(container) > CAROUSEL_BYTES:
        found.append(f"{at}: a carousel of {_bytes(container)} bytes, over {CAROUSEL_BYTES}")
    for number, bubble in enumerate(bubbles):
        found += _bubble(bubble, f"{at}.contents[{number}]")
    return found


def _bytes(part: Json) -> int:
    return len(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode())


def _bubble(bubble: Json, at: str) -> list[str]:
    found = []
    if _bytes(bubble) > BUBBLE_BYTES:
        found.append(f"{at}: a bubble of {_bytes(bubble)} bytes, over {BUBBLE_BYTES}")
    blocks = [name for name in ("header", "hero", "body", "footer") if name in bubble]
    if not blocks:
        found.append(f"{at}: a bubble needs at least one block")
    for name in blocks:
        kind = bubble[name].get("type")
        if kind not in (("box", "image", "video") if name == "hero" else ("box",)):
            found.append(f"{at}.{name}: {kind} can't be a block")
        found += _component(bubble[name], f"{at}.{name}")
    for name, style in bubble.get("styles", {}).items():
        found += _colors(style, f"{at}.styles.{name}")
    if "action" in bubble:
        found += check_action(bubble["action"], "flex", f"{at}.action", label_needed=False)
    return found


def _component(part: Json, at: str) -> list[str]:
    found = _colors(part, at) + _measures(part, at)
    kind = part.get("type")
    if kind == "box":
        holds = _MAY_HOLD.get(part.get("layout", ""), set())
        for number, each in enumerate(part.get("contents", [])):
            path = f"{at}.contents[{number}]"
            if each.get("type") not in holds:
                found.append(f"{path}: {each.get('type')} in a {part.get('layout')} box")
            found += _component(each, path)
    elif kind == "text":
        found += _text(part, at)
    elif kind == "image":
        found += _image(part, at)
    elif kind == "icon" and not str(part.get("url", "")).startswith("https://"):
        found.append(f"{at}.url: must be https")
    if isinstance(part.get("flex"), int) and part["flex"] < 0:
        found.append(f"{at}.flex: negative")
    if "action" in part:
        needed = kind == "button"
        found += check_action(part["action"], "flex", f"{at}.action", label_needed=needed)
    return found


def _text(part: Json, at: str) -> list[str]:
    found = []
    spans = part.get("contents")
    if spans is None and not part.get("text"):
        found.append(f"{at}.text: must be non-empty text")
    for number, span in enumerate(spans or ()):
        path = f"{at}.contents[{number}]"
        if span.get("type") != "span":
            found.append(f"{path}: {span.get('type')} in a text")
        if not span.get("text"):
            found.append(f"{path}.text: must be non-empty text")
        found += _colors(span, path) + _measures(span, path)
    return found


def _image(part: Json, at: str) -> list[str]:
    found = []
    url = str(part.get("url", ""))
    if not url.startswith("https://") or utf16(url) > URL:
        found.append(f"{at}.url: must be https and within {URL} characters")
    ratio = re.fullmatch(r"(\d{1,6}):(\d{1,6})", part.get("aspectRatio", "1:1"))
    if ratio is None or int(ratio[2]) > 3 * int(ratio[1]):
        found.append(f"{at}.aspectRatio: {part.get('aspectRatio')!r}")
    return found


def _colors(part: Json, at: str) -> list[str]:
    given = {name: value for name, value in part.items() if "color" in name.lower()}
    for name, value in part.get("background", {}).items():
        if "Color" in name:
            given[f"background.{name}"] = value
    return [
        f"{at}.{name}: {value!r} is no color"
        for name, value in given.items()
        if not re.fullmatch(_COLOR, str(value))
    ]


def _measures(part: Json, at: str) -> list[str]:
    found = []
    for name, value in part.items():
        if name in _LENGTHS:
            fits = value in _LENGTHS[name] or re.fullmatch(_PIXELS, str(value))
        elif name == "size":
            words = (*_SIZES, "full") if part.get("type") == "image" else _SIZES
            fits = value in words or re.fullmatch(f"{_PIXELS}|{_SHARE}", str(value))
        elif name.startswith(_SHARES) and not (name == "height" and part.get("type") == "button"):
            fits = value in _STEPS or re.fullmatch(f"{_PIXELS}|{_SHARE}", str(value))
        else:
            continue
        if not fits:
            found.append(f"{at}.{name}: {value!r}")
    return found
