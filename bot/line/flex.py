"""The parts of a Flex bubble. All colours are given, so that no mode of a phone changes half of
them; widths are shares of the row, so that a small phone has the same bubble."""

from collections.abc import Callable, Sequence
from typing import Any

from bot.line import limits
from bot.line.text import label
from core.messages import Button, StepState

Json = dict[str, Any]
Press = Callable[[str, str], str]
"""Action and value to the id that a button carries."""

PAPER = "#FFFFFF"
INK = "#1A1D21"
QUIET = "#5A6370"
LINK = "#1B4F9C"
HEAD = "#1E3A5F"
ON_HEAD = "#FFFFFF"
RULE = "#D5DAE1"
GOOD = "#0B6E3B"
BAD = "#B3261E"
BUSY = "#8A5A00"
SOFT = "#E6EAF0"

STATES: dict[StepState, tuple[str, str]] = {
    "done": ("●", GOOD),
    "running": ("◐", BUSY),
    "waiting": ("◐", BUSY),
    "todo": ("○", QUIET),
    "failed": ("✕", BAD),
    "stopped": ("■", QUIET),
}
"""The mark and the colour of a step."""

RULED: Json = {"type": "separator", "margin": "lg", "color": RULE}
_BUTTONS: dict[str, Json] = {
    # Of `primary` the label is white, of `secondary` nearly black, whatever the phone's mode.
    "primary": {"style": "primary", "color": GOOD},
    "danger": {"style": "primary", "color": BAD},
    "default": {"style": "secondary", "color": SOFT},
    "quiet": {"style": "link", "color": LINK},
}
STYLES: Json = {
    "header": {"backgroundColor": HEAD},
    "hero": {"backgroundColor": SOFT},
    "body": {"backgroundColor": PAPER},
    "footer": {"backgroundColor": PAPER},
}


def text(words: str, size: str = "sm", color: str = INK, **more: object) -> Json:
    """A text that breaks into as many lines as it needs."""
    return {"type": "text", "text": words, "size": size, "color": color, "wrap": True, **more}


def amount(words: str, size: str = "sm", color: str = INK, **more: object) -> Json:
    """A number at the right, on one line: it is made smaller where there is no room for it."""
    shown: Json = {
        "type": "text",
        "text": words,
        "size": size,
        "color": color,
        "align": "end",
        "adjustMode": "shrink-to-fit",
    }
    return {**shown, **more}


def box(layout: str, contents: Sequence[Json], **more: object) -> Json:
    """Some parts below or beside one another."""
    return {"type": "box", "layout": layout, "contents": list(contents), **more}


def bar(states: Sequence[StepState]) -> Json:
    """How far it is: a stripe for each step."""
    stripes = [
        box("vertical", [{"type": "filler"}], flex=1, height="6px", cornerRadius="3px",
            backgroundColor=RULE if state == "todo" else STATES[state][1])
        for state in states
    ]  # fmt: skip
    return box("horizontal", stripes, spacing="xs")


def postback(button: Button, press: Press, shown: str, about: str = "") -> Json:
    """The action of a button. The chat shows what was pressed as said by whoever did."""
    said = f"{button.label} {about}" if about else button.label
    return {
        "type": "postback",
        "label": shown,
        "data": press(button.action, button.value),
        "displayText": label(said, limits.SHOWN_PRESS),
    }


def pressed(button: Button, press: Press, about: str) -> Json:
    """A button of a bubble."""
    action = postback(button, press, label(button.label, limits.BUTTON_LABEL), about)
    return _button(button.style, action)


def linked(words: str, uri: str) -> Json:
    """A button that opens an address."""
    shown = label(words, limits.BUTTON_LABEL)
    return _button("default", {"type": "uri", "label": shown, "uri": uri})


def _button(style: str, action: Json) -> Json:
    shown: Json = {
        "type": "button",
        "height": "sm",
        "adjustMode": "shrink-to-fit",
        "action": action,
    }
    return {**shown, **_BUTTONS[style]}
