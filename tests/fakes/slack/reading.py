"""Reads cards and messages as a person would: the words on them, the buttons, whom they ping."""

import re
from typing import Any

from tests.fakes.slack.blocks_check import elements
from tests.fakes.slack.limits import Json
from tests.fakes.slack.state import Message, View

Shown = Message | View | list[Json]

_PING = re.compile(r"<(?:!(?:channel|here|everyone)|@[UW]\w+|!subteam\^\w+)[^>]*>")


def _blocks(shown: Shown) -> list[Json]:
    return shown if isinstance(shown, list) else shown.blocks


def text_of(shown: Shown) -> str:
    """All words one can read, a line per text; the top-level text where there are no blocks."""
    if isinstance(shown, Message) and not shown.blocks:
        return shown.text
    words: list[str] = []
    if isinstance(shown, View) and "title" in shown.body:
        words.append(shown.body["title"]["text"])
    _collect(_blocks(shown), words)
    return "\n".join(words)


def _collect(part: Any, words: list[str]) -> None:
    if isinstance(part, list):
        for each in part:
            _collect(each, words)
    elif isinstance(part, dict):
        if isinstance(part.get("text"), str):
            words.append(part["text"])
        for each in part.values():
            _collect(each, words)


def buttons(shown: Shown) -> list[Json]:
    """The buttons, in order, as they were sent."""
    return [each for each in elements(_blocks(shown)) if each["type"] == "button"]


def labels(shown: Shown) -> list[str]:
    """The words on the buttons, in order."""
    return [each["text"]["text"] for each in buttons(shown)]


def pings(message: Message) -> list[str]:
    """Everything in a message that calls someone: `<!channel>`, `<@U1>`, groups."""
    return _PING.findall("\n".join([message.text, *_marked_up(message.blocks)]))


def _marked_up(part: Any) -> list[str]:
    """The texts in which Slack reads its own marks; plain_text has none."""
    if isinstance(part, list):
        return [text for each in part for text in _marked_up(each)]
    if not isinstance(part, dict):
        return []
    own = [part["text"]] if part.get("type") in ("mrkdwn", "markdown") else []
    return own + [text for each in part.values() for text in _marked_up(each)]
