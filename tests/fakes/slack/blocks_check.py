"""What messages and views made of Block Kit must look like, with the limits Slack publishes."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

from tests.fakes.slack.elements_check import (
    IN_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    SUGGESTIONS,
    check_element,
)
from tests.fakes.slack.limits import LIMITS, MESSAGE_CHARACTERS, VIEW_BYTES, Json
from tests.fakes.slack.shapes import (
    Check,
    Shape,
    anything,
    boolean,
    check_shape,
    check_typed,
    exactly_one,
    items,
    matching,
    plain,
    problem,
    string,
    text,
)

Surface = Literal["message", "modal", "home"]

_IMAGE: dict[str, Check] = {"alt_text": string("image.alt_text.max_length")}
_IMAGE_SOURCE: dict[str, Check] = {
    "image_url": matching(r"https?://\S+", "must be a valid URL"),
    "slack_file": lambda value, path, found: check_shape(
        value, Shape({}, {"id": string(), "url": string()}), path, found
    ),
}


def _image(value: Any, path: str, found: list[str], extra: dict[str, Check]) -> None:
    check_shape(value, Shape(_IMAGE, _IMAGE_SOURCE | extra), path, found)
    exactly_one(value, ("image_url", "slack_file"), path, found)


def _accessory(value: Any, path: str, found: list[str]) -> None:
    if isinstance(value, dict) and value.get("type") == "image":
        _image(value, path, found, {})
    else:
        check_element(value, path, found, IN_SECTION)


def _in_context(value: Any, path: str, found: list[str]) -> None:
    if isinstance(value, dict) and value.get("type") == "image":
        _image(value, path, found, {})
    else:
        text()(value, path, found)


def _rich_part(value: Any, path: str, found: list[str]) -> None:
    kinds = ("section", "list", "quote", "preformatted")
    parts: dict[str, Check] = {"elements": items(anything)}
    looks: dict[str, Check] = {"style": string(), "indent": anything, "border": anything}
    looks |= {"offset": anything, "language": string()}
    check_typed(value, {f"rich_text_{kind}": Shape(parts, looks) for kind in kinds}, path, found)


def _block(required: dict[str, Check], optional: dict[str, Check] | None = None) -> Shape:
    return Shape(required, {"block_id": string("block.block_id.max_length")} | (optional or {}))


BLOCKS: dict[str, Shape] = {
    "section": _block(
        {},
        {
            "text": text("section.text.max_length"),
            "fields": items(
                text("section.fields.item_text_max_length"), "section.fields.max_items"
            ),
            "accessory": _accessory,
            "expand": boolean,
        },
    ),
    "header": _block({"text": plain("header.text.max_length")}),
    "divider": _block({}),
    "context": _block({"elements": items(_in_context, "context.elements.max_items")}),
    "actions": _block(
        {
            "elements": items(
                lambda value, path, found: check_element(value, path, found, IN_ACTIONS),
                "actions.elements.max_items",
            )
        }
    ),
    "image": _block(_IMAGE, _IMAGE_SOURCE | {"title": plain("image.title.max_length")}),
    "input": _block(
        {
            "label": plain("input.label.max_length"),
            "element": lambda value, path, found: check_element(value, path, found, IN_INPUT),
        },
        {"hint": plain("input.hint.max_length"), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": _block({"elements": items(_rich_part)}),
    "markdown": _block({"text": string("markdown.text.max_length")}),
}


def check_blocks(blocks: Any, surface: Surface, path: str = "/blocks") -> list[str]:
    """All that is wrong with the blocks of a message or a view."""
    found: list[str] = []
    limit = "message.blocks.max_items" if surface == "message" else "view.blocks.max_items"
    items(_one_block, limit, least=0)(blocks, path, found)
    if found:
        return found
    names = Counter(block["block_id"] for block in blocks if block.get("block_id"))
    for name, times in names.items():
        if times > 1:
            problem(found, path, f"block_id already exists: {name}")
    for number, block in enumerate(blocks):
        actions = Counter(e["action_id"] for e in elements([block]) if e.get("action_id"))
        for name, times in actions.items():
            if times > 1:
                problem(found, f"{path}/{number}", f"action_id already exists: {name}")
        if block["type"] == "markdown" and surface != "message":
            problem(found, f"{path}/{number}/type", "unsupported type: markdown")
    return found


def _one_block(value: Any, path: str, found: list[str]) -> None:
    before = len(found)
    check_typed(value, BLOCKS, path, found)
    if len(found) > before:
        return
    if value["type"] == "section" and "text" not in value and "fields" not in value:
        problem(found, path, "missing required field: text or fields")
    if value["type"] == "image":
        exactly_one(value, ("image_url", "slack_file"), path, found)


def elements(blocks: list[Json]) -> Iterator[Json]:
    """Every interactive element, in order."""
    for block in blocks:
        if block["type"] == "actions":
            yield from block["elements"]
        elif block["type"] == "input":
            yield block["element"]
        elif block.get("accessory", {}).get("type", "image") != "image":
            yield block["accessory"]


def characters(part: Any) -> int:
    """How many characters of text are in blocks, all in all."""
    if isinstance(part, list):
        return sum(characters(each) for each in part)
    if not isinstance(part, dict):
        return 0
    own = len(part["text"]) if isinstance(part.get("text"), str) else 0
    return own + sum(characters(each) for each in part.values())


def slack_files(part: Any) -> Iterator[str]:
    """The ids of uploaded files that blocks show as images."""
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from slack_files(each)
    if isinstance(part, dict) and isinstance(part.get("slack_file"), dict):
        yield part["slack_file"].get("id", "")


def too_long(blocks: list[Json]) -> bool:
    """Whether a message's blocks add up to more than Slack takes."""
    return characters(blocks) > MESSAGE_CHARACTERS


_MODAL = Shape(
    {"title": plain("view.title.max_length"), "blocks": anything},
    {
        "submit": plain("view.submit.max_length"),
        "close": plain("view.close.max_length"),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
)
_ANY_VIEW: dict[str, Check] = {
    "private_metadata": string("view.private_metadata.max_length", least=0),
    "callback_id": string("view.callback_id.max_length", least=0),
    "external_id": string("view.callback_id.max_length", least=0),
}
_VIEWS = {
    "modal": Shape(_MODAL.required, {**_MODAL.optional, **_ANY_VIEW}),
    "home": Shape({"blocks": anything}, _ANY_VIEW),
}


def check_view(view: Any, kind: Literal["modal", "home"]) -> list[str]:
    """All that is wrong with a modal or a home view."""
    found: list[str] = []
    check_typed(view, _VIEWS, "/view", found, (kind,))
    if found:
        return found
    found += check_blocks(view["blocks"], kind, "/view/blocks")
    has_input = any(block.get("type") == "input" for block in view["blocks"])
    if not found and kind == "modal" and has_input and "submit" not in view:
        problem(found, "/view", "missing required field: submit, as there are input blocks")
    return found


def view_too_large(view: Json) -> bool:
    return len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES


def check_suggestions(answer: Any) -> list[str]:
    """All that is wrong with the answer to what someone typed into an external menu."""
    found: list[str] = []
    check_shape(answer, SUGGESTIONS, "", found)
    if not found:
        exactly_one(answer, ("options", "option_groups"), "", found)
    return found


def text_too_long(words: str) -> bool:
    return len(words) > LIMITS["message.text.truncated_after"]
