"""Times of day as people write them: `22:00`, `8am`, `22時半`, `午後9時`, `晚上10点`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time

_TIME = re.compile(
    r"(?P<half>午前|午後|上午|下午|朝|夜|晩|晚上|早上)?\s*"
    r"(?<![\d:])(?P<hour>\d{1,2})"
    r"(?:\s*(?::(?P<minute>\d{2})|(?:時|点)(?:(?P<minutes>\d{1,2})分|(?P<half_past>半))?))?"
    r"(?!\d)\s*(?P<english>am|pm|a\.m\.|p\.m\.)?(?![\d:a-z])"
)
_LATER = frozenset({"午後", "夜", "晩", "下午", "晚上", "pm", "p.m."})
_EARLIER = frozenset({"午前", "朝", "上午", "早上", "am", "a.m."})


@dataclass(frozen=True, slots=True)
class FoundTime:
    """A time of day, and where it stands. `bare`: it is a number and nothing else."""

    start: int
    end: int
    value: time
    bare: bool


def find_times(text: str) -> Iterator[FoundTime]:
    """The times of day in a folded text. 24:00 is midnight."""
    for match in _TIME.finditer(text):
        hour, minute = int(match["hour"]), int(match["minute"] or match["minutes"] or 0)
        half = match["half"] or match["english"]
        if match["half_past"]:
            minute = 30
        if half in _LATER and hour < 12:
            hour += 12
        if half in _EARLIER and hour == 12:
            hour = 0
        if hour == 24 and minute == 0:
            hour = 0
        if hour < 24 and minute < 60:
            bare = match[0].strip() == match["hour"]
            yield FoundTime(match.start(), match.end(), time(hour, minute), bare)
