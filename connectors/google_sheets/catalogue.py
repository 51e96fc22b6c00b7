"""Price list and customers from a Google Sheet, read with a service account that it is shared with.

Reading only, in one request for both worksheets. How copies are kept: core/catalogue_cache.py.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from connectors.google_sheets.api import (
    ACCOUNT_KEYS,
    Saying,
    Session,
    Spreadsheet,
    TwoRanges,
    spreadsheet,
    title_of,
)
from core.catalogue import Catalogue
from core.catalogue_cache import CatalogueCache, Policy, utc_now
from core.connector import refuse_unknown, seconds, time_zone
from core.errors import TryLater
from core.price_table import Table, build_catalogue
from core.words import Words

READ_ONLY = ("https://www.googleapis.com/auth/spreadsheets.readonly",)
KNOWN = ACCOUNT_KEYS | {"catalog_sheet", "customers_sheet", "ttl", "timeout"}

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
REFUSED = Words(
    ja="Google が価格表の読み取りを断りました（{status}: {reason}）",
    en="Google refused to give the price list ({status}: {reason})",
    zh="Google 拒绝读取价格表（{status}：{reason}）",
)


SAYING = Saying(DOWN, NOT_SHARED, NOT_FOUND, REFUSED)


@dataclass(frozen=True, slots=True)
class _Settings:
    """No sheet name means the usual ones."""

    spreadsheet: Spreadsheet
    sheets: tuple[tuple[str, ...], tuple[str, ...]]
    timeout: float


class _Connection:
    """A session and the names of the two worksheets. Used in threads only."""

    def __init__(self, settings: _Settings) -> None:
        self._settings = settings
        self._titles = (settings.sheets[0][0], settings.sheets[1][0])
        self._session = Session(settings.spreadsheet, READ_ONLY, settings.timeout, SAYING)

    def download(self) -> tuple[Table, Table]:
        """Both worksheets as they are now."""
        with self._session.told_apart():
            return self._session.with_titles(self._tables, self._name)

    def _tables(self) -> tuple[Table, Table]:
        from gspread.utils import DateTimeOption, ValueRenderOption, absolute_range_name

        # Unformatted, or a price of 32.8 shown as 33 would be taken for 33. Dates as text, or a
        # price that the spreadsheet took for a date would be read as its day number.
        answer = self._session.http.values_batch_get(
            self._settings.spreadsheet.key,
            [absolute_range_name(title) for title in self._titles],
            {
                "valueRenderOption": ValueRenderOption.unformatted,
                "dateTimeRenderOption": DateTimeOption.formatted_string,
            },
        )
        prices, customers = TwoRanges.model_validate(answer).ranges
        return Table(self._titles[0], prices.values), Table(self._titles[1], customers.values)

    def _name(self, titles: list[str]) -> None:
        catalog, customers = self._settings.sheets
        self._titles = title_of(catalog, titles), title_of(customers, titles)


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
        spreadsheet=spreadsheet(settings),
        sheets=(
            _names(settings.get("catalog_sheet"), _CATALOG_SHEETS),
            _names(settings.get("customers_sheet"), _CUSTOMERS_SHEETS),
        ),
        timeout=seconds(settings, "timeout", 10),
    )
    policy = Policy(
        ttl=timedelta(seconds=seconds(settings, "ttl", 60)),
        zone=time_zone(settings),
        outage=OUTAGE,
        file=_copy_file(settings.get("cache_dir"), read),
    )
    return CatalogueCache(_GoogleSheet(read, clock).fetch, policy, clock)


def _names(given: str | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    return (given.strip(),) if given and given.strip() else usual


def _copy_file(directory: str | None, settings: _Settings) -> Path | None:
    """One file per sheet and account: who lost the key must not get another's copy."""
    if not directory:
        return None
    what = json.dumps(
        [settings.spreadsheet.service_account, settings.spreadsheet.key, settings.sheets]
    )
    return Path(directory) / f"google-sheets-{hashlib.sha256(what.encode()).hexdigest()[:16]}.json"
