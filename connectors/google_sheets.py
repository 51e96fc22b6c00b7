"""Price list and customers from a Google Sheet, read with a service account that it is shared with.

Reading only, in one request for both worksheets. How copies are kept: core/catalogue_cache.py.
gspread is imported where it is used: it takes longer to load than the rest of Miyabi together,
and most installations and commands never need it.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError

from core.catalogue import Catalogue
from core.catalogue_cache import CatalogueCache, Policy, utc_now
from core.connector import Connector, needed, refuse_unknown, seconds, time_zone, wrong
from core.errors import Permanent, TryLater
from core.price_table import Table, build_catalogue
from core.words import Words

if TYPE_CHECKING:
    from gspread.http_client import HTTPClient
    from requests import Response

GOOGLE = "https://sheets.googleapis.com"
READ_ONLY = ("https://www.googleapis.com/auth/spreadsheets.readonly",)
KNOWN = frozenset(
    {
        "service_account",
        "spreadsheet",
        "catalog_sheet",
        "customers_sheet",
        "ttl",
        "timeout",
        "base_url",
    }
)

_KEY = re.compile(r"[A-Za-z0-9_-]{10,200}")
_KEY_IN_URL = re.compile(r"/spreadsheets/d/([A-Za-z0-9_-]{10,200})")
_CATALOG_SHEETS = ("価格表", "catalog")
_CUSTOMERS_SHEETS = ("顧客", "customers")

OUTAGE = Words(
    ja="Google に接続できないため、{at} 時点の価格表です",
    en="Google can't be reached: this is the price list as of {at}",
    zh="无法连接 Google，当前使用的是 {at} 的价格表",
)
DOWN = Words(
    ja="Google に接続できず、価格表をまだ一度も読めていません。"
    "しばらくしてからお試しください（{reason}）",
    en="Google can't be reached, and the price list was never read; try again later ({reason})",
    zh="无法连接 Google，且尚未读取过价格表，请稍后再试（{reason}）",
)
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
NOT_SHARED = Words(
    ja="スプレッドシート {key} を読む権限がありません。"
    "「共有」から {email} を閲覧者として追加してください",
    en="Not allowed to read the spreadsheet {key}. Share it with {email} as a viewer",
    zh="没有读取表格 {key} 的权限。请在“共享”中把 {email} 添加为查看者",
)
NOT_FOUND = Words(
    ja="スプレッドシート {key} が見つかりません。設定のキーを確かめ、"
    "「共有」から {email} を閲覧者として追加してください",
    en="The spreadsheet {key} is not found. Check the key in the settings, and share the sheet "
    "with {email} as a viewer",
    zh="找不到表格 {key}。请检查设置中的键，并在“共享”中把 {email} 添加为查看者",
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
REFUSED = Words(
    ja="Google が価格表の読み取りを断りました（{status}: {reason}）",
    en="Google refused to give the price list ({status}: {reason})",
    zh="Google 拒绝读取价格表（{status}：{reason}）",
)


@dataclass(frozen=True, slots=True)
class _Settings:
    """`service_account` is a path or the JSON itself; no sheet name means the usual ones."""

    service_account: str = field(repr=False)
    spreadsheet: str
    sheets: tuple[tuple[str, ...], tuple[str, ...]]
    timeout: float
    base_url: str


class _Answer(Exception):
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


class _ValueRange(BaseModel):
    values: list[list[str | int | float | bool | None]] = []


class _Values(BaseModel):
    ranges: tuple[_ValueRange, _ValueRange] = Field(alias="valueRanges")


class _Properties(BaseModel):
    title: str


class _Sheet(BaseModel):
    properties: _Properties


class _Metadata(BaseModel):
    sheets: list[_Sheet]


class _Connection:
    """A signed-in gspread client and the names of the two worksheets. Used in threads only."""

    def __init__(self, settings: _Settings) -> None:
        import gspread

        self._settings = settings
        self._titles = (settings.sheets[0][0], settings.sheets[1][0])
        info = _service_account(settings)
        self.email = str(info.get("client_email"))
        http_client = _http_client(settings.base_url)
        try:
            client = gspread.service_account_from_dict(info, READ_ONLY, http_client)
        except ValueError as error:
            raise Permanent(BAD_KEY_FILE.fill(reason=error)) from error
        client.set_timeout(settings.timeout)
        self._http = client.http_client

    def download(self) -> tuple[Table, Table]:
        """Both worksheets as they are now."""
        with _told_apart(self._settings.spreadsheet, self.email):
            try:
                return self._tables()
            except _Answer as answer:
                # What Google says of a worksheet that is not there. The names are looked up only
                # now: as long as they are right, each reading is one request.
                if answer.status != 400 or "parse range" not in answer.text:
                    raise
            self._titles = self._find_titles()
            return self._tables()

    def _tables(self) -> tuple[Table, Table]:
        from gspread.utils import DateTimeOption, ValueRenderOption, absolute_range_name

        # Unformatted, or a price of 32.8 shown as 33 would be taken for 33. Dates as text, or a
        # price that the spreadsheet took for a date would be read as its day number.
        answer = self._http.values_batch_get(
            self._settings.spreadsheet,
            [absolute_range_name(title) for title in self._titles],
            {
                "valueRenderOption": ValueRenderOption.unformatted,
                "dateTimeRenderOption": DateTimeOption.formatted_string,
            },
        )
        prices, customers = _Values.model_validate(answer).ranges
        return Table(self._titles[0], prices.values), Table(self._titles[1], customers.values)

    def _find_titles(self) -> tuple[str, str]:
        answer = self._http.fetch_sheet_metadata(
            self._settings.spreadsheet, {"fields": "sheets.properties.title"}
        )
        titles = [sheet.properties.title for sheet in _Metadata.model_validate(answer).sheets]
        catalog, customers = self._settings.sheets
        return _title(catalog, titles), _title(customers, titles)


class _GoogleSheet:
    """Asks Google for the two worksheets, in a thread, within the time limit."""

    def __init__(self, settings: _Settings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._connection: _Connection | None = None

    async def fetch(self) -> Catalogue:
        """Raises `TryLater` where Google is down, `Permanent` where something needs mending."""
        connection, self._connection = self._connection, None
        try:
            async with asyncio.timeout(self._settings.timeout):
                if connection is None:
                    connection = await asyncio.to_thread(_Connection, self._settings)
                prices, customers = await asyncio.to_thread(connection.download)
        except TimeoutError as error:
            # The thread may still hold the connection; the next time makes its own.
            raise TryLater(DOWN.fill(reason="timeout")) from error
        except TryLater:
            # Its access token may still be good. After `Permanent` the key is read anew.
            self._connection = connection
            raise
        self._connection = connection
        return build_catalogue(prices, customers, self._clock())


def open_sheet(
    settings: Mapping[str, str], clock: Callable[[], datetime] = utc_now
) -> CatalogueCache:
    """Open the spreadsheet that the settings name (see README.md); nothing is read yet.

    Raises `Permanent` for a setting that is missing, misspelt or wrong.
    """
    refuse_unknown(settings, KNOWN)
    read = _Settings(
        service_account=needed(settings, "service_account"),
        spreadsheet=_spreadsheet_key(needed(settings, "spreadsheet")),
        sheets=(
            _names(settings.get("catalog_sheet"), _CATALOG_SHEETS),
            _names(settings.get("customers_sheet"), _CUSTOMERS_SHEETS),
        ),
        timeout=seconds(settings, "timeout", 10),
        base_url=_base_url(settings.get("base_url") or GOOGLE),
    )
    policy = Policy(
        ttl=timedelta(seconds=seconds(settings, "ttl", 60)),
        zone=time_zone(settings),
        outage=OUTAGE,
        file=_copy_file(settings.get("cache_dir"), read),
    )
    return CatalogueCache(_GoogleSheet(read, clock).fetch, policy, clock)


@contextmanager
def _told_apart(key: str, email: str) -> Iterator[None]:
    """Turn every way in which Google or the network fails into `Permanent` or `TryLater`."""
    import requests
    from google.auth.exceptions import GoogleAuthError, RefreshError

    try:
        yield
    except _Answer as answer:
        raise _meaning(answer, key, email) from answer
    except RefreshError as error:
        # OAuth's own refusal is an object with `error`; anything else is a server in trouble.
        said = error.args[1] if len(error.args) > 1 else None
        if error.retryable or not isinstance(said, dict) or "error" not in said:
            raise TryLater(DOWN.fill(reason="token")) from error
        raise Permanent(KEY_REFUSED.fill(email=email, reason=error.args[0])) from error
    except (GoogleAuthError, requests.RequestException) as error:
        raise TryLater(DOWN.fill(reason=type(error).__name__)) from error
    except ValidationError as error:
        raise TryLater(DOWN.fill(reason="unexpected answer")) from error


def _meaning(answer: _Answer, key: str, email: str) -> Permanent | TryLater:
    quota = "RESOURCE_EXHAUSTED" in answer.named or "RATE_LIMIT" in answer.named
    if answer.status in (408, 429) or answer.status >= 500 or quota:
        return TryLater(DOWN.fill(reason=answer.status), after=answer.retry_after)
    if answer.status == 401:
        return Permanent(KEY_REFUSED.fill(email=email, reason=answer.text))
    if answer.status == 403:
        off = "SERVICE_DISABLED" in answer.named
        return Permanent((API_OFF if off else NOT_SHARED).fill(key=key, email=email))
    if answer.status == 404:
        return Permanent(NOT_FOUND.fill(key=key, email=email))
    if answer.status == 400 and "FAILED_PRECONDITION" in answer.named:
        return Permanent(NOT_A_SHEET.fill(key=key))
    return Permanent(REFUSED.fill(status=answer.status, reason=answer.text))


def _http_client(base_url: str) -> type["HTTPClient"]:
    from gspread.http_client import HTTPClient

    class Sheets(HTTPClient):
        """gspread's client with its constant address made a setting, and errors as `_Answer`.

        gspread's own APIError breaks on an error that is not in Google's form, e.g. a proxy's.
        """

        def request(self, method: str, endpoint: str, *args: Any, **named: Any) -> "Response":
            url = base_url + endpoint.removeprefix(GOOGLE)
            named["timeout"] = self.timeout
            response = self.session.request(method, url, *args, **named)
            if not response.ok:
                raise _Answer(response)
            return response

    return Sheets


def _service_account(settings: _Settings) -> dict[str, Any]:
    given = settings.service_account
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
    if settings.base_url != GOOGLE:
        info["token_uri"] = f"{settings.base_url}/token"
    return info


def _title(wanted: tuple[str, ...], titles: list[str]) -> str:
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
    return max(at - utc_now(), timedelta(0))


def _names(given: str | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    return (given.strip(),) if given and given.strip() else usual


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


def _copy_file(directory: str | None, settings: _Settings) -> Path | None:
    """One file per sheet and account: who lost the key must not get another's copy."""
    if not directory:
        return None
    what = json.dumps([settings.service_account, settings.spreadsheet, settings.sheets])
    return Path(directory) / f"google-sheets-{hashlib.sha256(what.encode()).hexdigest()[:16]}.json"


connector = Connector(name="google_sheets", open=open_sheet)
