"""Texts of notices as files: `notifier/templates/<topic>/<language>.toml`, and a company's own.

Each of its texts is Jinja2 (notifier/hub/sandbox.py). A topic without a folder takes its family's:
`alert.disk` that of `alert`.

    title = "…"
    body = "…"
    note = "…"
    [[fields]]        # also [[totals]] and [[sections]]; one without a value is left out
    label = "…"
    value = "…"
    [[lines]]
    each = "alerts"   # a list of the facts, of which each is `item`
    name = "{{ item.name }}"
    detail = "…"
    amount = "…"
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from core.errors import Refused
from core.words import Language, Words
from notifier.hub.sandbox import Expression, Text, Wrong

FOLDER = Path(__file__).parent.parent / "templates"
MOST_BYTES = 20_000
"""Of a file."""
_MOST_PARTS = 30

_TEXTS = ("title", "body", "note")
_PAIRS = ("fields", "totals", "sections")
_CELLS = ("name", "detail", "amount")

WRONG = Words(
    ja="テンプレートに誤りがあります（{where}）: {why}",
    en="The template is wrong ({where}): {why}",
    zh="模板有误（{where}）：{why}",
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A label and a value."""

    label: Text
    value: Text


@dataclass(frozen=True, slots=True)
class Rows:
    """A line for each item of a list."""

    each: Expression
    cells: Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class Template:
    """The words for a topic in one language."""

    texts: Mapping[str, Text]
    pairs: Mapping[str, Sequence[Pair]]
    lines: Sequence[Rows]

    def uses(self) -> Mapping[str, frozenset[str]]:
        """What each of its parts says of the facts."""
        return dict(self._uses())

    def _uses(self) -> Iterator[tuple[str, frozenset[str]]]:
        for name, text in self.texts.items():
            yield name, text.names
        for kind, pairs in self.pairs.items():
            for number, pair in enumerate(pairs):
                yield f"{kind}.{number}.label", pair.label.names
                yield f"{kind}.{number}.value", pair.value.names
        for number, rows in enumerate(self.lines):
            yield f"lines.{number}.each", rows.each.names
            for name, cell in rows.cells.items():
                yield f"lines.{number}.{name}", cell.names


@lru_cache(maxsize=2000)
def read(source: str) -> Template:
    """A template's file. Raises Refused with what is wrong and where."""
    if len(source.encode()) > MOST_BYTES:
        raise _refused("TOML", f"more than {MOST_BYTES:,} bytes")
    try:
        data = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise _refused("TOML", str(error)) from error
    for name in data:
        if name not in {*_TEXTS, *_PAIRS, "lines"}:
            raise _refused(name, "there is no such part")
    if "title" not in data:
        raise _refused("title", "it is missing")
    return Template(
        {name: _text(data[name], name) for name in _TEXTS if name in data},
        {kind: _pairs(data.get(kind, []), kind) for kind in _PAIRS if data.get(kind)},
        [
            _rows(each, f"lines.{number}")
            for number, each in _tables(data.get("lines", []), "lines")
        ],
    )


@cache
def exactly(topic: str, language: Language) -> Template | None:
    """What came with Miyabi for this topic, its family apart."""
    source = source_of(topic, language)
    return None if source is None else read(source)


def family(topic: str) -> Iterator[str]:
    """A topic and what it is of: `alert.disk.full`, `alert.disk`, `alert`."""
    parts = topic.split(".")
    return (".".join(parts[:length]) for length in range(len(parts), 0, -1))


@cache
def shipped() -> frozenset[str]:
    """The topics that have a folder."""
    return frozenset(folder.name for folder in FOLDER.iterdir() if folder.is_dir())


def source_of(topic: str, language: Language) -> str | None:
    """The text of what came with Miyabi for exactly this topic."""
    if topic not in shipped():  # a topic's name is a program's: it never becomes a path
        return None
    file = FOLDER / topic / f"{language}.toml"
    return file.read_text("utf-8") if file.is_file() else None


def _tables(value: Any, where: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if not isinstance(value, list) or len(value) > _MOST_PARTS:
        raise _refused(where, f"not a list of tables, {_MOST_PARTS} at most")
    for number, each in enumerate(value):
        if not isinstance(each, dict):
            raise _refused(f"{where}.{number}", "not a table")
        yield number, each


def _pairs(value: Any, kind: str) -> Sequence[Pair]:
    found = []
    for number, each in _tables(value, kind):
        where = f"{kind}.{number}"
        if set(each) != {"label", "value"}:
            raise _refused(where, "it has a label and a value")
        found.append(
            Pair(_text(each["label"], f"{where}.label"), _text(each["value"], f"{where}.value"))
        )
    return found


def _rows(value: Mapping[str, Any], where: str) -> Rows:
    if not {"each", "name"} <= set(value) <= {"each", *_CELLS}:
        raise _refused(where, "it has each and name, perhaps detail and amount")
    if not isinstance(value["each"], str):
        raise _refused(f"{where}.each", "not a text")
    try:
        each = Expression(value["each"])
    except Wrong as wrong:
        raise _refused(f"{where}.each", wrong.why) from wrong
    cells = {name: _text(value[name], f"{where}.{name}") for name in _CELLS if name in value}
    return Rows(each, cells)


def _text(value: Any, where: str) -> Text:
    if not isinstance(value, str):
        raise _refused(where, "not a text")
    try:
        return Text(value)
    except Wrong as wrong:
        raise _refused(f"{where}, {wrong.line}", wrong.why) from wrong


def _refused(where: str, why: str) -> Refused:
    return Refused(WRONG.fill(where=where, why=why))
