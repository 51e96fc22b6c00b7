"""The bounds of a JSON schema that platforms' descriptions have alike."""

from collections.abc import Mapping
from typing import Any


def within(schema: Mapping[str, Any], what: str, size: int, at: str) -> list[str]:
    """What is wrong with a size: `what` is Length, Items or Properties."""
    low, high = schema.get(f"min{what}", 0), schema.get(f"max{what}", size)
    return [] if low <= size <= high else [f"{at}: {size} {what.lower()}, not {low}..{high}"]


def in_range(schema: Mapping[str, Any], value: object, at: str) -> list[str]:
    """What is wrong with a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    low, high = schema.get("minimum", value), schema.get("maximum", value)
    return [] if low <= value <= high else [f"{at}: {value} is not within {low}..{high}"]
