"""A message as an Adaptive Card 1.4, which Teams shows. Pure: no input, no output.

All of it is text runs, in which nothing is markdown and no `<at>` is a mention: a TextBlock would
read both in what people typed. What has buttons to decide with has none here: a workflow takes no
answers.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.messages import Message

MOST_BYTES = 27_000
"""Of a post as JSON; Teams refuses messages over 28 KB (its limits of webhooks and cards)."""
_MOST_LINES = 30
_COLOURS = {"critical": "attention", "high": "warning"}
_OPEN = {"ja": "開く", "en": "Open", "zh": "打开"}

Json = dict[str, Any]


def post_of(message: Message, notice: Mapping[str, Any]) -> bytes:
    """What is posted to a workflow: a message with one card, short enough to be taken."""
    most = 4000
    while True:
        content = json.dumps(_post(message, notice, most), ensure_ascii=False).encode()
        if len(content) <= MOST_BYTES or most < 50:
            return content
        most //= 2


def _post(message: Message, notice: Mapping[str, Any], most: int) -> Json:
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": _cut(message.text, most),
        "body": list(_body(message, notice, most)),
        "actions": _actions(message, notice),
        "msteams": {"width": "Full"},
    }
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": card,
            }
        ],
    }


def _body(message: Message, notice: Mapping[str, Any], most: int) -> Sequence[Json]:
    title = message.title or message.text.partition("\n")[0]
    colour = "good" if notice.get("resolved") else _COLOURS.get(str(notice.get("importance")))
    head = {**_run(title, 300), "weight": "Bolder", "size": "Large"}
    blocks = [_block([{**head, "color": colour} if colour else head])]
    parts = message.title or message.fields or message.lines or message.totals or message.sections
    text = message.body or ("" if parts else message.text.partition("\n")[2])
    if text.strip():
        blocks.append(_block([_run(text, most)]))
    shown = {action["url"] for action in _actions(message, notice)}
    fields = [each for each in (*message.fields, *message.totals) if each.value not in shown]
    for field in fields[:_MOST_LINES]:
        label = {**_run(f"{field.label}  ", 100), "isSubtle": True}
        blocks.append(_block([label, _run(field.value, most // 4)]))
    for line in message.lines[:_MOST_LINES]:
        words = "  ".join(part for part in (line.name, line.detail, line.amount) if part)
        blocks.append(_block([_run(f"• {words}", most // 4)]))
    for section in message.sections:
        label = {**_run(f"{section.label}\n", 100), "weight": "Bolder"}
        blocks.append(_block([label, _run(section.value, most // 2)]))
    if message.note:
        blocks.append(_block([{**_run(message.note, most // 4), "isSubtle": True}]))
    return blocks


def _block(runs: list[Json]) -> Json:
    return {"type": "RichTextBlock", "inlines": runs}


def _run(text: str, most: int) -> Json:
    return {"type": "TextRun", "text": _cut(text, max(most, 20)) or " "}


def _actions(message: Message, notice: Mapping[str, Any]) -> list[Json]:
    """Where more is to be seen, if the notice says where."""
    facts = notice.get("facts")
    url = facts.get("url") if isinstance(facts, Mapping) else None
    if not isinstance(url, str) or not url.startswith(("http://", "https://")) or len(url) > 2000:
        return []
    return [{"type": "Action.OpenUrl", "title": _OPEN[message.language], "url": url}]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
