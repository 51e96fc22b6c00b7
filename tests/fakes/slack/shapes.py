"""Small parts to write down what a piece of JSON must look like, and to say where it does not.

A check is a function of (value, path, found): it adds one line per problem to `found`, in the
words and with the JSON pointers that Slack uses.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack.limits import LIMITS, Json

Check = Callable[[Any, str, list[str]], None]


def problem(found: list[str], path: str, words: str) -> None:
    found.append(f"[ERROR] {words} [json-pointer:{path}]")


@dataclass(frozen=True, slots=True)
class Shape:
    """An object with its keys. What is in neither list may not be there."""

    required: Mapping[str, Check]
    optional: Mapping[str, Check] = field(default_factory=dict)


def check_shape(value: Any, shape: Shape, path: str, found: list[str]) -> None:
    """Check an object's keys, then each value. The key `type` is left to the caller."""
    if not isinstance(value, dict):
        problem(found, path, "must be an object")
        return
    for name in shape.required.keys() - value.keys():
        problem(found, path, f"missing required field: {name}")
    for name, part in value.items():
        check = shape.required.get(name) or shape.optional.get(name)
        if check is not None:
            check(part, f"{path}/{name}", found)
        elif name != "type":
            problem(found, path, f"invalid additional property: {name}")


def check_typed(
    value: Any,
    shapes: Mapping[str, Shape],
    path: str,
    found: list[str],
    allowed: Sequence[str] = (),
) -> None:
    """Check an object against the shape that its `type` names."""
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in shapes or (allowed and kind not in allowed):
        problem(found, f"{path}/type", f"unsupported type: {kind}")
        return
    check_shape(value, shapes[kind], path, found)


def string(limit: str = "", *, least: int = 1) -> Check:
    """A string of at least `least` characters, at most what `LIMITS` says for that path."""

    def check(value: Any, path: str, found: list[str]) -> None:
        if not isinstance(value, str):
            problem(found, path, "must be a string")
        elif len(value) < least:
            problem(found, path, f"must be more than {least - 1} characters")
        elif limit and len(value) > LIMITS[limit]:
            problem(found, path, f"must be less than {LIMITS[limit] + 1} characters")

    return check


def matching(pattern: str, words: str) -> Check:
    """A string of one form, such as a date."""

    def check(value: Any, path: str, found: list[str]) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            problem(found, path, words)

    return check


def one_of(*choices: str) -> Check:
    def check(value: Any, path: str, found: list[str]) -> None:
        if value not in choices:
            problem(found, path, f"must be one of {', '.join(choices)}")

    return check


def boolean(value: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, bool):
        problem(found, path, "must be a boolean")


def integer(limit: str = "", *, least: int = 0) -> Check:
    def check(value: Any, path: str, found: list[str]) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            problem(found, path, f"must be an integer of at least {least}")
        elif limit and value > LIMITS[limit]:
            problem(found, path, f"must be at most {LIMITS[limit]}")

    return check


def anything(value: Any, path: str, found: list[str]) -> None:
    """For parts that are not looked into."""


def items(each: Check, limit: str = "", *, least: int = 1) -> Check:
    """A list of at least `least` elements, at most what `LIMITS` says for that path."""

    def check(value: Any, path: str, found: list[str]) -> None:
        if not isinstance(value, list):
            problem(found, path, "must be an array")
            return
        if len(value) < least:
            problem(found, path, f"must have at least {least} items")
        if limit and len(value) > LIMITS[limit]:
            problem(found, path, f"no more than {LIMITS[limit]} items allowed")
        for number, part in enumerate(value):
            each(part, f"{path}/{number}", found)

    return check


_TEXTS = {
    "plain_text": Shape({"text": string("text_object.text.max_length")}, {"emoji": boolean}),
    "mrkdwn": Shape({"text": string("text_object.text.max_length")}, {"verbatim": boolean}),
}


def text(limit: str = "text_object.text.max_length", *, plain: bool = False) -> Check:
    """A text object (`plain`: plain_text only), at most as long as `LIMITS` says for that path."""
    allowed = ("plain_text",) if plain else ("plain_text", "mrkdwn")

    def check(value: Any, path: str, found: list[str]) -> None:
        before = len(found)
        check_typed(value, _TEXTS, path, found, allowed)
        if len(found) == before and len(value["text"]) > LIMITS[limit]:
            problem(found, f"{path}/text", f"must be less than {LIMITS[limit] + 1} characters")

    return check


def plain(limit: str) -> Check:
    """A plain_text object."""
    return text(limit, plain=True)


def exactly_one(value: Json, names: Sequence[str], path: str, found: list[str]) -> None:
    """One and only one of these keys must be there."""
    if sum(name in value for name in names) != 1:
        problem(found, path, f"needs exactly one of {', '.join(names)}")
