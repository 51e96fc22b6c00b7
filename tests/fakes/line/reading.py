"""What a person sees of a message, and what of it can be pressed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.fakes.line.description import Json
from tests.fakes.line.state import Said

Where = Literal["card", "quick", "menu"]


@dataclass(frozen=True, slots=True)
class Button:
    """Something that can be pressed: on the message itself, or a quick reply under it."""

    label: str
    action: Json
    where: Where = "card"

    @property
    def kind(self) -> str:
        return str(self.action["type"])


def words(said: Said) -> str:
    """Every word in the message itself, line by line, in order; of a text message its text."""
    body = said.body
    if body["type"] == "flex":
        return "\n".join(_texts(body["contents"]))
    return said.text


def rows(said: Said) -> list[str]:
    """The same as it stands there: what is beside each other on one line, without the buttons."""
    body = said.body
    return list(_rows(body["contents"])) if body["type"] == "flex" else said.text.splitlines()


def find(shown: Sequence[Button], label: str) -> Button | None:
    """The one with this label, else the first whose label begins so."""
    fits = [button for button in shown if button.label.startswith(label)]
    return next((button for button in fits if button.label == label), fits[0] if fits else None)


def buttons(said: Said) -> list[Button]:
    """What can be pressed, in the order in which it is shown; quick replies last."""
    body = said.body
    found = list(_pressed(body["contents"])) if body["type"] == "flex" else []
    for action in body.get("template", {}).get("actions", ()):
        found.append(Button(action.get("label", ""), action))
    return found + quick_replies(said)


def quick_replies(said: Said) -> list[Button]:
    items = said.body.get("quickReply", {}).get("items", ())
    return [Button(item["action"]["label"], item["action"], "quick") for item in items]


def _children(part: Json) -> Iterator[Json]:
    for name in ("header", "hero", "body", "footer"):
        if name in part:
            yield part[name]
    yield from part.get("contents", ())


def _texts(part: Json) -> Iterator[str]:
    if part["type"] == "text" and "contents" in part:
        yield "".join(span["text"] for span in part["contents"])
        return
    if part["type"] == "text":
        yield part["text"]
    elif part["type"] == "button":
        yield f"[{part['action'].get('label', '')}]"
    for child in _children(part):
        yield from _texts(child)


def _rows(part: Json) -> Iterator[str]:
    if part["type"] == "text":
        yield from _texts(part)
    elif part.get("layout") in ("horizontal", "baseline"):
        found = (row for child in _children(part) for row in _rows(child))
        if row := "  ".join(found):
            yield row
    else:
        for child in _children(part):
            yield from _rows(child)


def _pressed(part: Json) -> Iterator[Button]:
    if "action" in part:
        label = part["action"].get("label") or " ".join(_texts(part))
        yield Button(label, part["action"])
    for child in _children(part):
        yield from _pressed(child)
