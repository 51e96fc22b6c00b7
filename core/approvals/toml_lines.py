"""On which line of a TOML file something stands: `tomllib` says so of errors in the writing only.

A statement (a header, or a key with its value) is whole as soon as it can be read by itself, so
`tomllib` itself finds where each one ends.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
"""Where something stands within the data: keys, and places in lists counted from 0."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A header or a key with its value: `text` with the comments above it, `path` what it is of,
    `lines` the lines (counted from 1) of everything that it says."""

    text: str
    path: Path
    lines: Mapping[Path, int]


def line_of(source: str, path: Path) -> int | None:
    """The line where this stands; where it does not, that of what it would stand in.

    `source` is valid TOML. None where nothing around it has a line of its own.
    """
    lines: dict[Path, int] = {}
    for statement in statements(source):
        for place, line in statement.lines.items():
            lines.setdefault(place, line)
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def statements(source: str) -> Iterator[Statement]:
    """The statements of a valid TOML text, in order."""
    table: Path = ()
    counts: dict[Path, int] = {}
    chunk: list[str] = []
    for number, line in enumerate(source.split("\n"), 1):
        chunk.append(line)
        data = _read("\n".join(chunk))
        if not data:
            continue  # in the middle of a value, or a comment
        above = next(place for place, text in enumerate(chunk) if not _says_nothing(text))
        first = number - len(chunk) + 1 + above
        if chunk[above].lstrip().startswith("["):
            table = _header(data, counts)
            path, lines = table, {table[:length]: first for length in range(1, len(table) + 1)}
        else:
            path, lines = _key(data, table, chunk[above:], first)
        yield Statement("\n".join(chunk) + "\n", path, lines)
        chunk = []


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _says_nothing(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _header(data: Any, counts: dict[Path, int]) -> Path:
    """The path of a header that was read by itself; of `[[lists]]` each is counted."""
    path: Path = ()
    while isinstance(data, dict) and data:
        [(key, data)] = data.items()
        path += (key,)
        if isinstance(data, list):
            counts[path] = counts.get(path, 0) + 1
            data = data[0]
        if path in counts:
            path += (counts[path] - 1,)
    return path


def _key(data: Any, table: Path, chunk: list[str], first: int) -> tuple[Path, dict[Path, int]]:
    """What a key with its value says, all on its first line; but of a list each element where it
    begins to be there."""
    lines: dict[Path, int] = {}
    _mark(data, table, first, lines)
    path, value = table, data
    while isinstance(value, dict) and len(value) == 1:
        [(key, value)] = value.items()
        path += (key,)
    if isinstance(value, list):
        seen = 0
        for offset in range(len(chunk)):
            begun = _read("\n".join(chunk[: offset + 1]) + "\n]") or {}
            count = _length(begun)
            for place in range(seen, count):
                _mark(value[place], (*path, place), first + offset, lines)
            seen = max(seen, count)
    return path, lines


def _mark(data: Any, path: Path, line: int, lines: dict[Path, int]) -> None:
    if path:
        lines[path] = line
    if isinstance(data, dict):
        for key, value in data.items():
            _mark(value, (*path, key), line, lines)
    elif isinstance(data, list):
        for place, value in enumerate(data):
            _mark(value, (*path, place), line, lines)


def _length(data: Any) -> int:
    while isinstance(data, dict) and len(data) == 1:
        [data] = data.values()
    return len(data) if isinstance(data, list) else 0
