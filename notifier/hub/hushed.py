"""What a provider says of a message, without what was in that message.

Many quote what they refuse. Their words are kept with the dispatch, stand in the list of dead
letters and are told to the admins: none of these are who the facts were for.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from core.words import LANGUAGES, Words
from notifier.hub.plain import secret

HIDDEN = "•••"
_SHORTEST, _SHORTEST_SECRET = 8, 3
"""Characters: a shorter fact may stand in any text by chance."""


def hushed(words: Words, facts: Mapping[str, Any]) -> Words:
    """These words, with the values of these facts hidden."""
    values = sorted(set(_values(facts, hidden=False)), key=len, reverse=True)
    return Words(*(_hushed(words.to(language), values) for language in LANGUAGES))


def _hushed(text: str, values: list[str]) -> str:
    for value in values:
        text = text.replace(value, HIDDEN)
        text = text[: len(text) - _begun(text, value)]
    return text


def _begun(text: str, value: str) -> int:
    """How much of it stands at the end of a text that was cut there."""
    lengths = range(min(len(value), len(text)), 3, -1)
    return next((length for length in lengths if text.endswith(value[:length])), 0)


def _values(value: object, *, hidden: bool) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _values(each, hidden=hidden or secret(str(name)))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _values(each, hidden=hidden)
    elif value is not None and not isinstance(value, bool):
        text = str(value)
        if len(text) >= (_SHORTEST_SECRET if hidden else _SHORTEST):
            yield text
            yield from (part for part in _escaped(text) if part != text)


def _escaped(text: str) -> Iterator[str]:
    """As it stands in JSON."""
    yield text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    yield " ".join(text.split())
