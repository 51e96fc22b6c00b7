"""Errors as programs read them: the problem details of RFC 9457, in the reader's language.

`code` names the problem for programs; `title` and `detail` are for people.
"""

from http import HTTPStatus

from core.words import LANGUAGES, Language, Words, as_language

MEDIA_TYPE = "application/problem+json"

_KINDS: dict[int, tuple[str, Words]] = {
    400: (
        "bad_request",
        Words(ja="リクエストを読めません", en="The request can't be read", zh="无法读取请求"),
    ),
    401: (
        "unauthorized",
        Words(ja="認証が必要です", en="Authentication is needed", zh="需要认证"),
    ),
    403: ("forbidden", Words(ja="許可されていません", en="Not allowed", zh="不允许")),
    404: ("not_found", Words(ja="見つかりません", en="Not found", zh="未找到")),
    405: (
        "method_not_allowed",
        Words(ja="このメソッドは使えません", en="Method not allowed", zh="不支持该方法"),
    ),
    409: (
        "conflict",
        Words(ja="いまの状態ではできません", en="Not in this state", zh="当前状态下无法执行"),
    ),
    413: (
        "too_large",
        Words(ja="データが大きすぎます", en="The body is too large", zh="数据过大"),
    ),
    422: ("invalid", Words(ja="内容に誤りがあります", en="The content is wrong", zh="内容有误")),
    429: (
        "full",
        Words(ja="いまは受け付けられません", en="Too many at the moment", zh="目前请求过多"),
    ),
    500: ("internal", Words(ja="内部エラー", en="Internal error", zh="内部错误")),
    503: (
        "unavailable",
        Words(ja="いまは利用できません", en="Unavailable at the moment", zh="暂时不可用"),
    ),
}


def problem(
    status: int, language: Language, detail: str = "", code: str = "", **more: object
) -> dict[str, object]:
    """The JSON of a problem. `code` is by default the status's own."""
    usual, title = _KINDS.get(status, _other(status))
    return {
        "type": "about:blank",
        "title": title.to(language),
        "status": status,
        "code": code or usual,
        "detail": detail,
        **more,
    }


def _other(status: int) -> tuple[str, Words]:
    phrase = HTTPStatus(status).phrase
    return phrase.lower().replace(" ", "_").replace("-", "_"), Words(phrase, phrase, phrase)


def accepted_language(header: str | None, default: Language) -> Language:
    """The language that an Accept-Language header likes best of ours (RFC 9110, 12.5.4)."""
    best, liking = default, 0.0
    for part in (header or "").split(","):
        name, _, parameter = part.strip().partition(";")
        quality = _quality(parameter)
        spoken = as_language(name, default)
        known = name.lower().replace("_", "-").split("-")[0] in LANGUAGES
        if known and quality > liking:
            best, liking = spoken, quality
    return best


def _quality(parameter: str) -> float:
    """`q=0.8` as a number; 1 where nothing is said, 0 for nonsense."""
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
