"""What goes wrong, as problem details: each error in the one form that programs can rely on."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from core.ids import new_id
from core.problems import MEDIA_TYPE, accepted_language, problem
from core.words import Language, Words, same

log = structlog.get_logger()

NOTHING = Words(ja="", en="", zh="")
NO_TOKEN = Words(
    ja="有効なトークンを Authorization: Bearer で送ってください。"
    "「miyabi people token」で作成できます。",
    en="Send a valid token as Authorization: Bearer. “miyabi people token” makes one.",
    zh="请用 Authorization: Bearer 发送有效的令牌。可用“miyabi people token”创建。",
)
AWAY = Words(
    ja="いまデータベースに接続できません。少し待ってから、同じ Idempotency-Key で"
    "もう一度送ってください。",
    en="The database can't be reached. Please send it again in a moment, with the same"
    " Idempotency-Key.",
    zh="目前无法连接数据库。请稍后用同一个 Idempotency-Key 重新发送。",
)
KEY_REUSED = Words(
    ja="この Idempotency-Key は別の内容で使われています。"
    "新しい依頼には新しいキーを付けてください。",
    en="This Idempotency-Key was used with other content. Give each new request a key of its own.",
    zh="此 Idempotency-Key 已用于其他内容。新的请求请使用新的键。",
)
NO_AGENT = Words(
    ja="「{agent}」というエージェントはありません。",
    en="There is no agent “{agent}”.",
    zh="没有名为“{agent}”的代理。",
)
CRASHED = Words(
    ja="管理者に番号 {error_id} を伝えてください。",
    en="Please tell your administrator the id {error_id}.",
    zh="请将编号 {error_id} 告知管理员。",
)
UNREADABLE = Words(
    ja="JSON として読めません。", en="It can't be read as JSON.", zh="无法作为JSON读取。"
)
_MISSING = Words(ja="必須です。", en="It is needed.", zh="必填。")
_UNKNOWN = Words(ja="この項目はありません。", en="There is no such field.", zh="没有此项目。")
_WRONG = Words(ja="この値は使えません。", en="It can't have this value.", zh="不能使用此值。")
_REASONS = {
    "missing": _MISSING,
    "extra_forbidden": _UNKNOWN,
    "text_or_form": Words(
        ja="text か form のどちらか一方を書いてください。form には agent も必要です。",
        en="Give either text or form; a form needs its agent, too.",
        zh="请填写 text 或 form 之一。使用 form 时还需要 agent。",
    ),
    "choice_or_text": Words(
        ja="choice か text のどちらか一方を書いてください。",
        en="Give either choice or text.",
        zh="请填写 choice 或 text 之一。",
    ),
}
_AGAIN_AFTER = "2"  # seconds: what an outage of the database is usually over in


class Problem(Exception):  # named as RFC 9457 names it
    """Ends a request with this status. `errors` are field names and what is wrong with each."""

    def __init__(
        self,
        status: int,
        detail: Words | str = NOTHING,
        *,
        code: str = "",
        errors: Mapping[str, Words] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.detail = detail if isinstance(detail, Words) else same(detail)
        self.code = code
        self.errors = errors or {}
        self.headers = headers
        super().__init__(f"{status} {self.detail.en}")


def no_token() -> Problem:
    """Whoever asks is nobody: no token, a wrong one, or one that was revoked."""
    return Problem(401, NO_TOKEN, headers={"WWW-Authenticate": "Bearer"})


def away(detail: Words | str = AWAY) -> Problem:
    """What is needed can't be reached; whether anything was done need not be known."""
    return Problem(503, detail, headers={"Retry-After": _AGAIN_AFTER})


def language_of(request: Request) -> Language:
    """What the program says it reads, else what its person does."""
    usual: Language = getattr(request.state, "language", "ja")
    return accepted_language(request.headers.get("accept-language"), usual)


async def on_problem(request: Request, error: Exception) -> JSONResponse:
    """The answer to a request that ended with a Problem."""
    assert isinstance(error, Problem)  # noqa: S101  # registered for these only
    language = language_of(request)
    more: dict[str, Any] = {}
    if error.errors:
        more["errors"] = [
            {"field": field, "detail": words.to(language)} for field, words in error.errors.items()
        ]
    content = problem(error.status, language, error.detail.to(language), error.code, **more)
    return JSONResponse(content, error.status, error.headers, MEDIA_TYPE)


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """What Starlette says: no such path, no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for these only
    return await on_problem(request, Problem(error.status_code, headers=error.headers))


async def on_crash(request: Request, error: Exception) -> JSONResponse:
    """Nothing of what went wrong goes outside but an id, under which the log has it all."""
    error_id = new_id().hex[-8:]
    log.error("api.crashed", path=request.url.path, error_id=error_id)
    language = language_of(request)
    content = problem(500, language, CRASHED.fill(error_id=error_id).to(language), id=error_id)
    return JSONResponse(content, 500, media_type=MEDIA_TYPE)


async def on_invalid(request: Request, error: Exception) -> JSONResponse:
    """What does not fit the schema: 400 where it is no JSON or a header, else 422."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for these only
    found: Sequence[Any] = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return await on_problem(request, Problem(400, UNREADABLE))
    errors = {_field(each["loc"]): _REASONS.get(each["type"], _WRONG) for each in found}
    status = 400 if any(each["loc"][0] == "header" for each in found) else 422
    return await on_problem(request, Problem(status, errors=errors))


def _field(place: Sequence[object]) -> str:
    """`form.lines.0.item`; of a header its name."""
    inside = place[1:] if place[0] in {"body", "header", "path", "query"} else place
    return ".".join(str(part) for part in inside) or "body"
