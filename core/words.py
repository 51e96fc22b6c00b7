"""Short texts in the three languages Miyabi speaks: Japanese first, English and Chinese beside it.

A text travels with all its languages (in errors, questions and stored facts) and is turned into
one only at the edge, when it is known who reads it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Language = Literal["ja", "en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Words:
    """One text in every language; `{name}` marks a value that `fill` puts in."""

    ja: str
    en: str
    zh: str

    def fill(self, **values: object) -> "Words":
        """Put values in. A value that is `Words` itself is taken in each language."""
        return Words(*(self._filled(language, values) for language in LANGUAGES))

    def _filled(self, language: Language, values: dict[str, object]) -> str:
        spoken = {
            name: value.to(language) if isinstance(value, Words) else value
            for name, value in values.items()
        }
        return self.to(language).format(**spoken)

    def to(self, language: Language) -> str:
        """The text in one language."""
        if language == "en":
            return self.en
        return self.zh if language == "zh" else self.ja


def same(text: str) -> Words:
    """A text that is the same in every language (a name, a number)."""
    return Words(text, text, text)


def lines(texts: Sequence[Words]) -> Words:
    """Several texts, one below the other."""
    return Words(*("\n".join(text.to(language) for text in texts) for language in LANGUAGES))


def listed(texts: Iterable[str], language: Language) -> str:
    """Names in a row."""
    return (", " if language == "en" else "、").join(texts)


def as_language(value: str | None, default: Language = "ja") -> Language:
    """Read a language code such as `en-US`; what is not spoken here falls back to the default."""
    code = (value or "").lower().replace("_", "-").split("-")[0]
    for language in LANGUAGES:
        if code == language:
            return language
    return default
