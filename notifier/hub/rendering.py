"""A notice in words: its topic's template with its facts, in its reader's language. Pure.

The company's own words come before ours, the reader's language before Japanese. What has no words
is said plainly, with its facts (notifier/hub/plain.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from jinja2 import UndefinedError

from core.errors import Refused
from core.messages import Field, Line, Message
from core.words import Language
from notifier.hub import templates
from notifier.hub.plain import finished, plain
from notifier.hub.sandbox import Budget
from notifier.hub.spoken import said
from notifier.hub.templates import Template
from notifier.hub.told import Told

Own = Mapping[tuple[str, Language], str]
"""A company's own templates, as text, by topic and language."""

_NO_OWN: Own = {}
_Said = TypeVar("_Said")
_MOST_LINES = 100
_TITLE = 250


class Failed(Exception):
    """A template did not make its text. Says which part and what is missing there, no values."""

    def __init__(self, part: str, why: str) -> None:
        super().__init__(f"{part}: {why}")
        self.part = part
        self.why = why


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is said. `failed`: why the template was not used; `missing`: a template in the reader's
    language."""

    message: Message
    failed: str | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class _Reader:
    language: Language
    zone: str
    own: Own = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)


def render(told: Told, language: Language, zone: str, own: Own = _NO_OWN) -> Rendered:
    """What a reader is shown. Never raises: what fails is said plainly."""
    reader = _Reader(language, zone, own)
    try:
        template, written = _template(told.topic, reader)
        if template is None:
            return Rendered(plain(told, language, zone))
        message = fill(template, told, language, zone, own)
    except Failed as failed:
        return Rendered(plain(told, language, zone, failed=True), failed=str(failed))
    return Rendered(message, missing=written != language)


def fill(
    template: Template, told: Told, language: Language, zone: str, own: Own = _NO_OWN
) -> Message:
    """A template with these facts. Raises Failed."""
    values = _values(told, _Reader(language, zone, own))
    texts = {name: _said(name, text.said, values) for name, text in template.texts.items()}
    message = Message(
        "",
        title=_one_line(texts["title"]),
        body=texts.get("body", ""),
        fields=tuple(_pairs("fields", template, values)),
        lines=tuple(_lines(template, values)),
        totals=tuple(_pairs("totals", template, values)),
        sections=tuple(_pairs("sections", template, values)),
        note=texts.get("note", ""),
    )
    return finished(told, message, language, zone)


def headline(
    topic: str, facts: Mapping[str, Any], language: Language, zone: str, own: Own = _NO_OWN
) -> str:
    """A notice in one line: the title of its words."""
    return _headline({"topic": topic, "facts": facts}, _Reader(language, zone, own))


def _headline(item: Mapping[str, Any], reader: _Reader) -> str:
    topic, facts = str(item["topic"]), item.get("facts") or {}
    if topic == "digest":
        return topic
    given = {"at": None, "count": 1, "task": None, "importance": "normal", "resolved": False}
    notice = {name: item.get(name, other) for name, other in given.items()}
    try:
        template, _ = _template(topic, reader)
        if template is not None:
            values = _context(facts, {**notice, "topic": topic}, reader)
            if title := _one_line(_said("title", template.texts["title"].said, values)):
                return title
    except Failed:
        pass  # it is reported where it is told by itself
    return _one_line(said(facts.get("title") or facts.get("text"), reader.language)) or topic


def _template(topic: str, reader: _Reader) -> tuple[Template | None, Language]:
    """The template, and the language that it is written in."""
    languages: Sequence[Language] = (reader.language, "ja")
    for name in templates.family(topic):
        for language in dict.fromkeys(languages):
            if (source := reader.own.get((name, language))) is not None:
                return _own(source), language
            if (found := templates.exactly(name, language)) is not None:
                return found, language
    return None, reader.language


def _own(source: str) -> Template:
    try:
        return templates.read(source)
    except Refused as refused:  # it was checked when it was saved, perhaps by an older version
        raise Failed("template", refused.words.en) from refused


def _values(told: Told, reader: _Reader) -> Mapping[str, Any]:
    notice = {
        "topic": told.topic,
        "importance": told.importance,
        "at": told.at.isoformat(),
        "task": told.task,
        "count": told.count,
        "resolved": told.resolved,
    }
    return _context(told.facts, notice, reader)


def _context(
    facts: Mapping[str, Any], notice: Mapping[str, Any], reader: _Reader
) -> Mapping[str, Any]:
    return {
        **facts,
        "facts": facts,
        "notice": notice,
        "_language": reader.language,
        "_zone": reader.zone,
        "_budget": reader.budget,
        "_headline": lambda item: _headline(item, reader),
    }


def _pairs(kind: str, template: Template, values: Mapping[str, Any]) -> Iterator[Field]:
    for number, pair in enumerate(template.pairs.get(kind, ())):
        label = _one_line(_said(f"{kind}.{number}.label", pair.label.said, values))
        value = _said(f"{kind}.{number}.value", pair.value.said, values)
        if value:
            yield Field(label, value)


def _lines(template: Template, values: Mapping[str, Any]) -> Iterator[Line]:
    for number, rows in enumerate(template.lines):
        where = f"lines.{number}"
        found = _said(f"{where}.each", rows.each.of, values)
        if not isinstance(found, list | tuple):
            raise Failed(f"{where}.each", "not a list")
        for item in found[:_MOST_LINES]:
            cells = {
                name: _one_line(_said(f"{where}.{name}", cell.said, {**values, "item": item}))
                for name, cell in rows.cells.items()
            }
            yield Line(cells["name"], cells.get("detail", ""), cells.get("amount", ""))


def _said(
    where: str, make: Callable[[Mapping[str, Any]], _Said], values: Mapping[str, Any]
) -> _Said:
    try:
        return make(values)
    except UndefinedError as error:
        raise Failed(where, _missing(error, values)) from None
    except Exception as error:  # whatever a filter does with a value that does not fit it
        # Its text may quote a value, and a value may be a secret.
        raise Failed(where, type(error).__name__) from None


def _missing(error: UndefinedError, values: Mapping[str, Any]) -> str:
    """What is missing, by its name only where that can't be a value."""
    name = (error.message or "").partition("'")[2].partition("'")[0]
    if (error.message or "").endswith("is undefined") and name.isidentifier():
        return f"{name} is missing"
    return "something is missing"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_TITLE]
