"""A text says the same in its three languages: at least it has the same values to fill in."""

import ast
from string import Formatter

import pytest

from tests.lints.source import Source, called, sources

_LANGUAGES = ("ja", "en", "zh")


def unlike(source: Source) -> list[str]:
    """`Words(...)` whose languages are not all there or have different {placeholders}."""
    return [
        f"{source.name}:{node.lineno}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and called(node).split(".")[-1] == "Words"
        if not _alike(node)
    ]


def _alike(call: ast.Call) -> bool:
    given = dict(zip(_LANGUAGES, call.args, strict=False))
    given |= {keyword.arg or "**": keyword.value for keyword in call.keywords}
    if any(isinstance(value, ast.Starred) for value in call.args) or "**" in given:
        return True  # not a literal
    texts = [value.value for value in given.values() if isinstance(value, ast.Constant)]
    names = [_placeholders(str(text)) for text in texts]
    return set(given) == {*_LANGUAGES} and all(each == names[0] and each != {""} for each in names)


def _placeholders(text: str) -> set[str]:
    """The names to fill in; {""} for a text that `format` would refuse."""
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return {""}


def test_every_text_has_the_same_values_in_each_language() -> None:
    packages = ("core", "agents", "connectors", "bot", "notifier", "web", "miyabi")

    assert [line for source in sources(*packages) for line in unlike(source)] == []


@pytest.mark.parametrize(
    "bad",
    [
        "Words(ja='{a}', en='{a}', zh='{b}')",
        "Words('{a}', 'no value', '{a}')",
        "core.words.Words(ja='x', en='x')",
        "Words('{', '{', '{')",
        "Words('{}', '{}', '{}')",
    ],
)
def test_texts_that_differ_are_found(bad: str) -> None:
    assert unlike(Source.of(bad)) == ["bad.py:1"]


def test_texts_that_agree_are_fine() -> None:
    assert (
        unlike(Source.of("Words(ja='{a:,}円 {b}', en='{b} {a}', zh=('{a}' '{b}')); Words(*x)"))
        == []
    )
