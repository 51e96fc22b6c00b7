"""LINE's rules for the messages of a call beside its description."""

from tests.fakes.line.actions_check import check_action
from tests.fakes.line.description import Json, utf16
from tests.fakes.line.flex_check import check_container
from tests.fakes.line.limits import ALT_TEXT, MESSAGES_PER_CALL, QUICK_REPLIES, TEXT, URL


def check_messages(messages: list[Json]) -> list[str]:
    """What LINE would refuse in the messages of one call, each with the path to it."""
    found = []
    if not 1 <= len(messages) <= MESSAGES_PER_CALL:
        found.append(f"messages: {len(messages)}, not 1..{MESSAGES_PER_CALL}")
    for number, message in enumerate(messages):
        found += check_message(message, f"messages[{number}]")
    return found


def check_message(message: Json, at: str = "message") -> list[str]:
    """What LINE would refuse in one message."""
    found = []
    kind = message.get("type")
    if kind in ("text", "textV2"):
        found += _length(message, "text", TEXT, at)
    elif kind == "flex":
        found += _length(message, "altText", ALT_TEXT, at)
        found += check_container(message.get("contents", {}), f"{at}.contents")
    elif kind == "template":
        found += _length(message, "altText", ALT_TEXT, at)
        for number, action in enumerate(message.get("template", {}).get("actions", [])):
            found += check_action(action, "template", f"{at}.template.actions[{number}]")
    elif kind == "image":
        for name in ("originalContentUrl", "previewImageUrl"):
            url = str(message.get(name, ""))
            if not url.startswith("https://") or utf16(url) > URL:
                found.append(f"{at}.{name}: must be https and within {URL} characters")
    return found + _quick(message.get("quickReply"), f"{at}.quickReply")


def _quick(quick: Json | None, at: str) -> list[str]:
    if quick is None:
        return []
    items = quick.get("items", [])
    found = []
    if not 1 <= len(items) <= QUICK_REPLIES:
        found.append(f"{at}.items: {len(items)}, not 1..{QUICK_REPLIES}")
    for number, item in enumerate(items):
        path = f"{at}.items[{number}]"
        if item.get("type") != "action":
            found.append(f"{path}.type: must be action")
        found += check_action(item.get("action", {}), "quick", f"{path}.action")
        if not str(item.get("imageUrl", "https://")).startswith("https://"):
            found.append(f"{path}.imageUrl: must be https")
    return found


def _length(message: Json, name: str, most: int, at: str) -> list[str]:
    text = str(message.get(name, ""))
    if not text.strip():
        return [f"{at}.{name}: must be non-empty text"]
    if utf16(text) > most:
        return [f"{at}.{name}: {utf16(text)} characters, over {most}"]
    return []
