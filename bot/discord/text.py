"""Words as Discord shows them: what a person typed is neutral, and what is too long is split."""

import re

_MARKS = frozenset("\\*_~|`>#[]()<")
_HIDDEN = "\u200b"
"""A space of no width: it parts what Discord would join into a link or a mention."""
_AT_ALL = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_LINK = re.compile(r"(?i)(https?|discord|ftp|steam)(:)(?=//)")
_LIST = re.compile(r"(?m)^(\s*)([-+])(?=\s)|^(\s*\d+)(\.)(?=\s)")
_BAD = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_FENCE = "```"


def escape(words: str, ours: str = "") -> str:
    """What was typed, so that Discord reads no mark, mention, link or list in it.

    Addresses that begin with `ours` stay links: documents that we give out.
    """
    words = _BAD.sub("", words)
    if not ours or ours not in words:
        return _neutral(words)
    kept = re.split(rf"({re.escape(ours)}/[A-Za-z0-9_\-./~%?=&]*)", words)
    return "".join(each if n % 2 else _neutral(each) for n, each in enumerate(kept))


def _neutral(words: str) -> str:
    words = "".join(f"\\{each}" if each in _MARKS else each for each in words)
    words = _AT_ALL.sub(f"@{_HIDDEN}", words)
    words = _LINK.sub(rf"\1\2{_HIDDEN}", words)
    return _LIST.sub(lambda mark: f"{mark[1] or mark[3] or ''}\\{mark[2] or mark[4]}", words)


def cut(words: str, most: int, ours: str = "") -> str:
    """Escape, and end with … where it would be longer than `most` characters."""
    shown = escape(words, ours)
    if len(shown) <= most:
        return shown
    low, high = 0, min(len(words), most)
    while low < high:  # the longest beginning of the words that fits, as it is shown
        middle = (low + high + 1) // 2
        if len(escape(words[:middle], ours)) + 1 <= most:
            low = middle
        else:
            high = middle - 1
    return escape(words[:low], ours) + "…"


def plain(words: str, most: int) -> str:
    """For labels, in which Discord reads no marks: cut, never empty."""
    words = _BAD.sub("", words).strip() or "…"
    return words if len(words) <= most else words[: most - 1] + "…"


def split(words: str, most: int) -> list[str]:
    """A text in parts of at most `most` characters, between lines where that can be.

    A code block that a part ends in is closed there and opened again in the next.
    """
    parts: list[str] = []
    part, fence = "", ""
    for line in _pieces(words, most - 2 * (len(_FENCE) + 1) - _longest_opening(words)):
        closing = f"\n{_FENCE}" if fence else ""
        if part and len(part) + 1 + len(line) + len(closing) + len(_FENCE) + 1 > most:
            parts.append(part + closing)
            part = fence
        part = f"{part}\n{line}" if part else line
        if line.count(_FENCE) % 2:
            fence = "" if fence else line[line.rindex(_FENCE) :]
    return [*parts, part + (f"\n{_FENCE}" if fence else "")]


def _longest_opening(words: str) -> int:
    return max((len(each) for each in re.findall(r"(?m)```[^\n`]*$", words)), default=0)


def _pieces(words: str, most: int) -> list[str]:
    """Lines, and those that are too long in several; none ends with half of an escape."""
    most, found = max(most, 2), []
    for line in words.split("\n"):
        left = line
        while len(left) > most:
            at = left.rfind(" ", most // 2, most) + 1 or most
            if (at - len(left[:at].rstrip("\\"))) % 2:
                at -= 1
            found.append(left[:at])
            left = left[at:]
        found.append(left)
    return found
