"""Conditions of routes: `amount >= 100000`, a small part of CEL (the Common Expression Language).

They compare, and reckon nothing: whole yen are compared as the integers they are, and a percentage
of at most 15 digits as exactly as if it were written down (IEEE 754: both sides are rounded alike).
Whatever costs time is left out (patterns, building lists, more than two loops), so that one takes
microseconds; and `size`, which the library counts in bytes where CEL counts characters. CEL: https://github.com/google/cel-spec
"""

import itertools
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from core.agent import TermKind, Terms
from core.errors import Refused
from core.words import Words

if TYPE_CHECKING:
    from cel import Program

LONGEST = 500
"""Characters of a condition."""
_MOST_TERMS = 6
_MOST_LOOPS = 2
_MOST_ELEMENTS = 100
"""Of a list. Two loops over it, and a condition as long as one may be, take some 0.1 s then."""

TERMS: Mapping[str, TermKind] = {
    "amount": "number",
    "customer": "text",
    "discount": "number",
    "kind": "text",
    "department": "text",
    "post": "text",
    "grade": "text",
    "requester": "text",
}
"""What can be asked of any request; an agent's own come on top (`Agent.own_terms`)."""

_FUNCTIONS = {
    "_==_": "==", "_!=_": "!=", "_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">=", "@in": "in",
    "_&&_": "&&", "_||_": "||", "!_": "!", "-_": "-", "_?_:_": "? :",
    "contains": "contains", "startsWith": "startsWith", "endsWith": "endsWith",
    "@not_strictly_false": "exists, all",
}  # fmt: skip
_LOOP = re.compile(r"\b(?:all|exists|exists_one|map|filter)\b(?:\s*\(\s*(\w+)\s*,)?")
_TEXT = re.compile(r"'[^']*'|\"[^\"]*\"")
_NUMBER = re.compile(r"\b\d{1,15}\b")
_SAMPLES: Mapping[TermKind, tuple[object, ...]] = {
    "number": (0, 1_000_000_000),
    "text": ("", "x"),
    "list": ([], ["x"]),
}
_EXACT = 2**53
"""Beyond it neighbouring integers can't be told from one another where one side has a fraction."""

_TOO_LONG = Words(
    ja="条件が長すぎます（{most}文字まで）。",
    en="The condition is too long (at most {most} characters).",
    zh="条件过长（最多{most}个字符）。",
)
_TOO_COMPLEX = Words(
    ja="条件が複雑すぎます（項目は{terms}個まで、all・exists は{loops}回まで）。",
    en="The condition is too complex (at most {terms} terms, and {loops} of all and exists).",
    zh="条件过于复杂（最多{terms}个项目，all、exists 最多{loops}次）。",
)
_UNREADABLE = Words(
    ja="条件を読めません: {why}",
    en="The condition can't be read: {why}",
    zh="无法读取条件: {why}",
)
_UNKNOWN_TERM = Words(
    ja="条件の「{name}」は使えません。使えるもの: {known}",
    en="The condition asks for “{name}”, which there is not. Known: {known}",
    zh="条件中的“{name}”不可用。可用: {known}",
)
_UNKNOWN_FUNCTION = Words(
    ja="条件で「{name}」は使えません。使えるもの: {known}",
    en="“{name}” can't be used in a condition. Known: {known}",
    zh="条件中不能使用“{name}”。可用: {known}",
)
_WRONG_TYPES = Words(
    ja='条件の型が合いません（数は 100、文字は "…"、一覧は ["…"] または in で比べます）。',
    en='The condition compares what can\'t be compared: numbers are 100, texts "…", and whether '
    "a list has something is asked with “in”.",
    zh='条件的类型不匹配（数字写作 100，文本写作 "…"，列表请用 in 判断）。',
)
_NO_ANSWER = Words(
    ja="条件は「はい・いいえ」で答えられる式にしてください（例: amount >= 100000）。",
    en="A condition has to be true or false, such as amount >= 100000.",
    zh="条件必须能以“是/否”回答（例如: amount >= 100000）。",
)
_MISSING = Words(
    ja="この申請には {names} がありません。",
    en="This request has no {names}.",
    zh="该申请没有 {names}。",
)
_TOO_LARGE = Words(
    ja="{name} の値が大きすぎます。",
    en="{name} is too large to be compared.",
    zh="{name} 的值过大。",
)


class WrongCondition(Refused):
    """A condition that can't be read, or that can't be told of this request; the words say why."""


def check(source: str, kinds: Mapping[str, TermKind] | None) -> None:
    """Refuse a condition that could only fail later. Raises WrongCondition.

    `kinds` says which terms there are; None: that is not known here, and so not checked.
    """
    program = _compiled(source)
    names = _terms(source, program)
    if len(names) > _MOST_TERMS:
        raise WrongCondition(_TOO_COMPLEX.fill(terms=_MOST_TERMS, loops=_MOST_LOOPS))
    if kinds is None:
        return
    for name in names:
        if name not in kinds:
            raise WrongCondition(_UNKNOWN_TERM.fill(name=name, known=", ".join(kinds)))
    # CEL as this library has it knows types only while it runs; so it is run, on each combination
    # of small and large, empty and not: `||` and `&&` would hide their other side from one alone.
    for values in itertools.product(*(_samples(source, kinds[name]) for name in names)):
        try:
            answer = program.execute(dict(zip(names, values, strict=True)))
        except TypeError:
            raise WrongCondition(_WRONG_TYPES) from None
        except (RuntimeError, ValueError) as error:
            raise WrongCondition(_UNREADABLE.fill(why=_brief(error))) from None
        if not isinstance(answer, bool):
            raise WrongCondition(_NO_ANSWER)


def holds(source: str, terms: Terms) -> bool:
    """Whether a condition is true of a request.

    Raises WrongCondition where that can't be told: a term is missing, or of another kind.
    """
    program = _compiled(source)
    names = _terms(source, program)
    try:
        answer = program.execute({name: _value(name, terms) for name in names if name in terms})
    except TypeError:
        raise WrongCondition(_WRONG_TYPES) from None
    except (RuntimeError, ValueError) as error:
        missing = [name for name in names if name not in terms]
        if missing:
            raise WrongCondition(_MISSING.fill(names=", ".join(missing))) from None
        raise WrongCondition(_UNREADABLE.fill(why=_brief(error))) from None
    if not isinstance(answer, bool):
        raise WrongCondition(_NO_ANSWER)
    return answer


def _samples(source: str, kind: TermKind) -> list[object]:
    """Values to try a condition on: the usual ones, and the first two that it names itself."""
    found: dict[TermKind, list[object]] = {
        "number": [int(each) for each in _NUMBER.findall(source)],
        "text": [each[1:-1] for each in _TEXT.findall(source)],
    }
    found["list"] = [[each] for each in found["text"]]
    return [*_SAMPLES[kind], *found[kind][:2]]


def _value(name: str, terms: Terms) -> object:
    value = terms[name]
    if isinstance(value, tuple):
        if len(value) > _MOST_ELEMENTS:
            raise WrongCondition(_TOO_LARGE.fill(name=name))
        return list(value)
    digits = value.as_tuple().digits if isinstance(value, Decimal) else ()
    if len(digits) > 15 or (isinstance(value, int) and abs(value) >= _EXACT):
        raise WrongCondition(_TOO_LARGE.fill(name=name))
    return value


def load() -> None:
    """Load the library now: the first condition would take a quarter of a second to be read."""
    _compiled("true")


@lru_cache(maxsize=512)
def _compiled(source: str) -> "Program":
    if len(source) > LONGEST:
        raise WrongCondition(_TOO_LONG.fill(most=LONGEST))
    if len(_LOOP.findall(source)) > _MOST_LOOPS:
        raise WrongCondition(_TOO_COMPLEX.fill(terms=_MOST_TERMS, loops=_MOST_LOOPS))
    import cel  # it brings a command line along: a quarter of a second to load

    try:
        program = cel.compile(source)
    except ValueError as error:
        raise WrongCondition(_UNREADABLE.fill(why=_brief(error))) from None
    for name in program.functions():
        if name not in _FUNCTIONS:
            known = ", ".join(_FUNCTIONS.values())
            raise WrongCondition(_UNKNOWN_FUNCTION.fill(name=name.strip("_"), known=known))
    return program


def _terms(source: str, program: "Program") -> list[str]:
    """The terms that a condition asks for, without what its loops call their elements."""
    bound = set(_LOOP.findall(source))
    return [name for name in program.variables() if name not in bound]


def _brief(error: Exception) -> str:
    """The first thing the library found: `1:20: Syntax error: mismatched input '<EOF>'`."""
    text = str(error).partition("ERROR: <input>:")[2] or str(error)
    return text.splitlines()[0].partition(" expecting ")[0][:200]
