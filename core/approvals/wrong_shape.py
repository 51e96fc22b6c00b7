"""What pydantic finds wrong with the shape of a route file, in words."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from core.approvals.toml_lines import Path
from core.words import Words

_MISSING = Words(
    ja="「{key}」がありません。", en="“{key}” is missing.", zh="缺少“{key}”。"
)  # fmt: skip
_NO_SUCH_KEY = Words(
    ja="「{key}」という項目はありません。",
    en="There is no such key as “{key}”.",
    zh="没有名为“{key}”的项目。",
)
_ONE_OF = Words(
    ja="「{key}」に使えるのは {known} です。",
    en="“{key}” may be {known}.",
    zh="“{key}”可以是 {known}。",
)
_KIND = Words(
    ja="「{key}」は{kind}で書いてください。",
    en="“{key}” has to be {kind}.",
    zh="“{key}”须为{kind}。",
)
_LIMIT = Words(
    ja="「{key}」の値が範囲外です（{limit}）。",
    en="“{key}” is out of its range ({limit}).",
    zh="“{key}”超出范围（{limit}）。",
)
_NAME = Words(
    ja="経路の名前「{key}」は使えません（文字・数字・_・-、60文字まで）。",
    en="“{key}” can't be the name of a route: letters, digits, _ and -, at most 60 of them.",
    zh="路线名称“{key}”不可用（文字、数字、_、-，最多60个字符）。",
)
_WRONG = Words(ja="「{key}」: {why}", en="“{key}”: {why}", zh="“{key}”: {why}")
_KINDS = {
    "string": Words(ja='文字列（"…"）', en='a text ("…")', zh='文本（"…"）'),
    "int": Words(ja="整数", en="a whole number", zh="整数"),
    "bool": Words(ja="true か false", en="true or false", zh="true 或 false"),
    "tuple": Words(ja="一覧（[…]）", en="a list ([…])", zh="列表（[…]）"),
    "dataclass": Words(ja="表（{…}）", en="a table ({…})", zh="表（{…}）"),
    "dict": Words(ja="表（{…}）", en="a table ({…})", zh="表（{…}）"),
}


def told(error: ValidationError) -> list[tuple[Path, Words]]:
    """One error for each place, the deepest: a list without its wrong elements is too short, and
    each alternative of `need` has a reason of its own."""
    found: dict[Path, Words] = {}
    for each in error.errors(include_input=False, include_url=False):
        path = _place(each["loc"])
        found.setdefault(path, _why(each, path))
    return [
        (path, why)
        for path, why in found.items()
        if not any(other != path and other[: len(path)] == path for other in found)
    ]


def _place(loc: Path) -> Path:
    """Where in the data: pydantic adds the alternative it tried, and of a key that it is one."""
    if "need" in loc:
        return loc[: loc.index("need") + 1]
    return loc[:-1] if loc and loc[-1] == "[key]" else loc


def _why(error: ErrorDetails, path: Path) -> Words:
    kind = error["type"]
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    if key == "need":
        return _ONE_OF.fill(key=key, known='"any", "all", 1, 2, 3 …')
    plain = _PLAIN.get(kind)
    return plain.fill(key=key) if plain else _unfit(error, kind, key)


def _unfit(error: ErrorDetails, kind: str, key: str) -> Words:
    """Of a value that is not among those that are known, of another kind, or out of range."""
    context = error.get("ctx", {})
    if kind == "literal_error":
        known = str(context.get("expected", "")).replace(" or ", ", ")
        return _ONE_OF.fill(key=key, known=known)
    said = _KINDS.get(kind.partition("_")[0])
    if said is not None and kind.endswith("_type"):
        return _KIND.fill(key=key, kind=said)
    limits = [f"{sign} {context[name]}" for name, sign in _SIGNS.items() if name in context]
    if limits:
        return _LIMIT.fill(key=key, limit=", ".join(limits))
    return _WRONG.fill(key=key, why=error["msg"])


_SIGNS = {"ge": ">=", "le": "<=", "min_length": ">=", "max_length": "<="}
_PLAIN = {
    "missing": _MISSING,
    "unexpected_keyword_argument": _NO_SUCH_KEY,
    "string_pattern_mismatch": _NAME,
}
