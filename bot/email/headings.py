"""What stands above the text of a request: a mail's subject, and the heads of mails passed on."""

import re
import unicodedata
from collections.abc import Callable

from bot.email.reading.forwards import is_marker
from bot.email.reading.quotes import head, is_rule, is_separator

Adds = Callable[[str, str], str]
"""What a heading adds to the text below it."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def unless_repeated(heading: str, text: str) -> str:
    """A heading, unless the text says one of its numbers again: read as one text, what is asked
    twice would be wanted twice."""
    above, below = (set(_NUMBER.findall(unicodedata.normalize("NFKC", t))) for t in (heading, text))
    return "" if above & below else heading


def passed_on(text: str) -> str:
    """A text with mails passed on in it, without their heads (who wrote to whom, and when) and the
    marks in front of their lines. The stored mail keeps all of it."""
    lines = text.split("\n")
    kept: list[str] = []
    at, announced, inside = 0, False, False
    while at < len(lines):
        line = lines[at]
        if is_marker(line) or is_separator(line) or is_rule(line):
            announced = inside = True
            at += 1
            continue
        found = head(lines, at, surely=announced)
        if found is not None:
            at, announced, inside = max(found.end, at + 1), False, True
            continue
        if not (announced and not line.strip(" \t>＞")):
            announced = False
            kept.append(line.lstrip(" \t>＞") if inside else line)
        at += 1
    return "\n".join(kept).strip()
