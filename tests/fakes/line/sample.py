"""A few messages, for the tests of the fake itself."""

from typing import Any

HELLO = {"type": "text", "text": "こんにちは 🍣"}


def card(*actions: dict[str, Any], **text: Any) -> dict[str, Any]:
    contents: list[dict[str, Any]] = [{"type": "text", "text": "合計 244,200円", **text}]
    contents += [{"type": "button", "action": action} for action in actions]
    body = {"type": "box", "layout": "vertical", "contents": contents}
    return {"type": "flex", "altText": "見積", "contents": {"type": "bubble", "body": body}}


def postback(label: str, data: str = "p1") -> dict[str, Any]:
    return {"type": "postback", "label": label, "data": data, "displayText": label}
