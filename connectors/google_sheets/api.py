"""Google's Sheets API with a service account: sign in, ask, and tell apart how it fails.

gspread is imported where it is used: it takes longer to load than the rest of Miyabi together,
and most installations and commands never need it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from core.connector import needed, wrong
from core.errors import Permanent, TryLater
from core.words import Words

if TYPE_CHECKING:
    from gspread.http_client import HTTPClient
    from requests import Response

T = TypeVar("T")

GOOGLE = "https://sheets.googleapis.com"
ACCOUNT_KEYS = frozenset({"service_account", "spreadsheet", "base_url"})
"""The settings that `spreadsheet` reads."""

_KEY = re.compile(r"[A-Za-z0-9_-]{10,200}")
_KEY_IN_URL = re.compile(r"/spreadsheets/d/([A-Za-z0-9_-]{10,200})")

BAD_KEY_FILE = Words(
    ja="Google サービスアカウントの鍵（JSON）を読めません: {reason}",
    en="Can't read the Google service account's key (JSON): {reason}",
    zh="无法读取 Google 服务账号密钥（JSON）：{reason}",
)
KEY_REFUSED = Words(
    ja="Google がサービスアカウント {email} の鍵を受け付けません。"
    "鍵が無効になっていないか、サーバーの時計が合っているか確かめてください（{reason}）",
    en="Google refuses the key of the service account {email}. See whether the key was revoked "
    "and whether this machine's clock is right ({reason})",
    zh="Google 拒绝了服务账号 {email} 的密钥。请检查密钥是否已失效、服务器时间是否准确（{reason}）",
)
API_OFF = Words(
    ja="{email} の Google Cloud プロジェクトで Google Sheets API が無効です。有効にしてください",
    en="The Google Sheets API is off in the Google Cloud project of {email}. Enable it",
    zh="{email} 所在的 Google Cloud 项目未启用 Google Sheets API，请启用",
)
NOT_A_SHEET = Words(
    ja="{key} は Google スプレッドシートではありません。"
    "Excel ファイルなら「Google スプレッドシートとして保存」してください",
    en="{key} is not a Google Sheet. If it is an Excel file, save it as a Google Sheet",
    zh="{key} 不是 Google 表格。如果是 Excel 文件，请另存为 Google 表格",
)
NO_WORKSHEET = Words(
    ja="スプレッドシートにシート「{wanted}」がありません。あるのは: {titles}",
    en='The spreadsheet has no sheet "{wanted}". It has: {titles}',
    zh="表格中没有工作表“{wanted}”。现有：{titles}",
)


@dataclass(frozen=True, slots=True)
class Saying:
    """What is said of failures that mean another thing for each use of a spreadsheet.

    `down` knows {reason}; `not_shared` and `not_found` {key} and {email}; `refused` {status} and
    {reason}.
    """

    down: Words
    not_shared: Words
    not_found: Words
    refused: Words


@dataclass(frozen=True, slots=True)
class Spreadsheet:
    """Which spreadsheet, and as whom. `service_account` is a path or the JSON itself."""

    service_account: str = field(repr=False)
    key: str
    base_url: str


class Refusal(Exception):
    """Google answered, and not with what was asked for."""

    def __init__(self, response: "Response") -> None:
        self.status = response.status_code
        self.retry_after = _retry_after(response.headers.get("Retry-After"))
        try:
            body = response.json()
        except ValueError:
            body = None
        error = body.get("error") if isinstance(body, dict) else None
        error = error if isinstance(error, dict) else {}
        self.text = str(error.get("message") or response.reason or "")[:200]
        self.named = f"{error.get('status')} {error.get('details')}"
        super().__init__(f"{self.status} {self.text}")


def spreadsheet(settings: Mapping[str, str]) -> Spreadsheet:
    """What the settings name. Raises `Permanent` where one is missing or wrong."""
    return Spreadsheet(
        service_account=needed(settings, "service_account"),
        key=_spreadsheet_key(needed(settings, "spreadsheet")),
        base_url=_base_url(settings.get("base_url") or GOOGLE),
    )


class Session:
    """A signed-in gspread client for one spreadsheet. Used in threads only.

    Raises `Permanent` where the key can't be read.
    """

    def __init__(
        self, sheet: Spreadsheet, scopes: tuple[str, ...], timeout: float, saying: Saying
    ) -> None:
        import gspread

        self._key = sheet.key
        self._saying = saying
        info = _service_account(sheet)
        self._email = str(info.get("client_email"))
        try:
            client = gspread.service_account_from_dict(info, scopes, _http_client(sheet.base_url))
        except ValueError as error:
            raise Permanent(BAD_KEY_FILE.fill(reason=error)) from error
        client.set_timeout(timeout)
        self.http = client.http_client

    def titles(self) -> list[str]:
        """The names of the worksheets."""
        answer = self.http.fetch_sheet_metadata(self._key, {"fields": "sheets.properties.title"})
        return [sheet.properties.title for sheet in _Metadata.model_validate(answer).sheets]

    def with_titles(self, read: Callable[[], T], name: Callable[[list[str]], None]) -> T:
        """What `read` gives. Where Google knows no worksheet of the name it reads by, `name` is
        told which there are, and it is read once more.

        So the names are looked up only when they are wrong: else each reading is one request.
        """
        try:
            return read()
        except Refusal as answer:
            # What Google says of a worksheet that is not there.
            if answer.status != 400 or "parse range" not in answer.text:
                raise
        name(self.titles())
        return read()

    @contextmanager
    def told_apart(self) -> Iterator[None]:
        """Turn every way in which Google or the network fails into `Permanent` or `TryLater`."""
        import requests
        from google.auth.exceptions import GoogleAuthError, RefreshError

        try:
            yield
        except Refusal as answer:
            raise self._meaning(answer) from answer
        except RefreshError as error:
            # OAuth's own refusal is an object with `error`; anything else is a server in trouble.
            said = error.args[1] if len(error.args) > 1 else None
            if error.retryable or not isinstance(said, dict) or "error" not in said:
                raise TryLater(self._saying.down.fill(reason="token")) from error
            raise Permanent(KEY_REFUSED.fill(email=self._email, reason=error.args[0])) from error
        except (GoogleAuthError, requests.RequestException) as error:
            raise TryLater(self._saying.down.fill(reason=type(error).__name__)) from error
        except ValidationError as error:
            raise TryLater(self._saying.down.fill(reason="unexpected answer")) from error

    def _meaning(self, answer: Refusal) -> Permanent | TryLater:
        quota = "RESOURCE_EXHAUSTED" in answer.named or "RATE_LIMIT" in answer.named
        if answer.status in (408, 429) or answer.status >= 500 or quota:
            return TryLater(self._saying.down.fill(reason=answer.status), after=answer.retry_after)
        if answer.status == 401:
            return Permanent(KEY_REFUSED.fill(email=self._email, reason=answer.text))
        if answer.status == 403:
            off = "SERVICE_DISABLED" in answer.named
            return Permanent(
                (API_OFF if off else self._saying.not_shared).fill(key=self._key, email=self._email)
            )
        if answer.status == 404:
            return Permanent(self._saying.not_found.fill(key=self._key, email=self._email))
        if answer.status == 400 and "FAILED_PRECONDITION" in answer.named:
            return Permanent(NOT_A_SHEET.fill(key=self._key))
        return Permanent(self._saying.refused.fill(status=answer.status, reason=answer.text))


class _ValueRange(BaseModel):
    values: list[list[str | int | float | bool | None]] = []


class TwoRanges(BaseModel):
    """What Google gives where two ranges are asked for in one request."""

    ranges: tuple[_ValueRange, _ValueRange] = Field(alias="valueRanges")


class _Properties(BaseModel):
    title: str


class _Sheet(BaseModel):
    properties: _Properties


class _Metadata(BaseModel):
    sheets: list[_Sheet]


def _http_client(base_url: str) -> type["HTTPClient"]:
    from gspread.http_client import HTTPClient

    class Sheets(HTTPClient):
        """gspread's client with its constant address made a setting, and errors as `Refusal`.

        gspread's own APIError breaks on an error that is not in Google's form, e.g. a proxy's.
        """

        def request(self, method: str, endpoint: str, *args: Any, **named: Any) -> "Response":
            url = base_url + endpoint.removeprefix(GOOGLE)
            named["timeout"] = self.timeout
            response = self.session.request(method, url, *args, **named)
            if not response.ok:
                raise Refusal(response)
            return response

    return Sheets


def _service_account(sheet: Spreadsheet) -> dict[str, Any]:
    given = sheet.service_account
    try:
        text = given if given.startswith("{") else Path(given).read_text(encoding="utf-8")
        info = json.loads(text)
    except OSError as error:
        # Something longer than a path may be the key itself, which nobody is to be shown.
        shown = given if len(given) < 200 else "…"
        raise Permanent(BAD_KEY_FILE.fill(reason=f"{shown}: {error.strerror}")) from error
    except ValueError as error:
        raise Permanent(BAD_KEY_FILE.fill(reason=error)) from error
    if not isinstance(info, dict) or "client_email" not in info:
        raise Permanent(BAD_KEY_FILE.fill(reason="client_email?"))
    if sheet.base_url != GOOGLE:
        info["token_uri"] = f"{sheet.base_url}/token"
    return info


def title_of(wanted: tuple[str, ...], titles: list[str]) -> str:
    """The first of the names that a worksheet has. Raises `Permanent` where none has."""
    for name in wanted:
        if name in titles:
            return name
    shown = ", ".join(titles[:10])
    raise Permanent(NO_WORKSHEET.fill(wanted=" / ".join(wanted), titles=shown))


def _retry_after(header: str | None) -> timedelta | None:
    """Seconds or a date, as HTTP allows; what is neither is as good as nothing."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return timedelta(seconds=min(int(header.strip()[:9]), 86_400))
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(at - datetime.now(UTC), timedelta(0))


def _spreadsheet_key(value: str) -> str:
    """The key, also out of the address that the browser shows."""
    found = _KEY_IN_URL.search(value)
    key = found[1] if found else value
    if not _KEY.fullmatch(key):
        raise wrong("spreadsheet", value)
    return key


def _base_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/[^\s]*)?", value):
        raise wrong("base_url", value)
    return value.rstrip("/")
