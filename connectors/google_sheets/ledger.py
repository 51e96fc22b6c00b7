"""The ledger of what was issued, in a worksheet of a Google Sheet: a line a document, at its end.

Google has no key for an append, so ours is written into the line's last column. It is looked for
before each append, and wherever nobody knows whether an append went through.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, Field

from connectors.google_sheets.api import (
    ACCOUNT_KEYS,
    Refusal,
    Saying,
    Session,
    Spreadsheet,
    TwoRanges,
    spreadsheet,
    title_of,
)
from core.connector import refuse_unknown, seconds, wrong
from core.errors import MiyabiError, OutcomeUnknown, Permanent, TryLater
from core.ledger import LedgerLine
from core.words import Words

READ_AND_WRITE = ("https://www.googleapis.com/auth/spreadsheets",)
KNOWN = ACCOUNT_KEYS | {"sheet", "timeout"}
TIMEOUT_AT_MOST = 10.0
"""Seconds. An append must be over, one way or the other, well before it is looked for."""

FRESH = 3.0
"""Seconds for which the looking before an append counts. A process that was frozen for longer may
have lost its task to another, whose line would then be doubled.
"""

COLUMNS = (
    ("見積番号", "number"),
    ("発行日", "issued_on"),
    ("顧客", "customer"),
    ("合計", "total"),
    ("担当", "person"),
    ("番号", "key"),
)
"""The first cells of row 1, in this order, by either name."""
_SHEETS = ("見積台帳", "ledger")
_HEADER, _KEYS = "A1:F1", "F:F"

DOWN = Words(
    ja="Google に接続できず、台帳に記入できません（{reason}）",
    en="Google can't be reached, and nothing can be entered in the ledger ({reason})",
    zh="无法连接 Google，无法登记台账（{reason}）",
)
NOT_SHARED = Words(
    ja="スプレッドシート {key} に書き込む権限がありません。"
    "「共有」から {email} を編集者として追加してください",
    en="Not allowed to write to the spreadsheet {key}. Share it with {email} as an editor",
    zh="没有写入表格 {key} 的权限。请在“共享”中把 {email} 添加为编辑者",
)
NOT_FOUND = Words(
    ja="スプレッドシート {key} が見つかりません。設定のキーを確かめ、"
    "「共有」から {email} を編集者として追加してください",
    en="The spreadsheet {key} is not found. Check the key in the settings, and share the sheet "
    "with {email} as an editor",
    zh="找不到表格 {key}。请检查设置中的键，并在“共享”中把 {email} 添加为编辑者",
)
REFUSED = Words(
    ja="Google が台帳への記入を断りました（{status}: {reason}）",
    en="Google refused the ledger's entry ({status}: {reason})",
    zh="Google 拒绝登记台账（{status}：{reason}）",
)
NO_ANSWER = Words(
    ja="Google の返事がなく、台帳に記入されたか分かりません（{reason}）",
    en="Google's answer is lost: the ledger may have the entry or not ({reason})",
    zh="未收到 Google 的答复，无法确认台账是否已登记（{reason}）",
)
WRONG_COLUMNS = Words(
    ja="台帳「{title}」の1行目は「{wanted}」の順にしてください。いまは: {found}",
    en="Row 1 of the ledger “{title}” has to read {wanted}, in this order. It reads: {found}",
    zh="台账“{title}”的第1行须依次为“{wanted}”。目前为：{found}",
)

SAYING = Saying(DOWN, NOT_SHARED, NOT_FOUND, REFUSED)

T = TypeVar("T")


class _Updates(BaseModel):
    range: str = Field(default="", alias="updatedRange")


class _Appended(BaseModel):
    updates: _Updates = _Updates()


@dataclass(frozen=True, slots=True)
class _Settings:
    spreadsheet: Spreadsheet
    sheets: tuple[str, ...]
    timeout: float


class _Connection:
    """A session and the name of the worksheet. Used in threads only, by one at a time."""

    def __init__(self, settings: _Settings) -> None:
        self._key = settings.spreadsheet.key
        self._sheets = settings.sheets
        self._title = settings.sheets[0]
        self._session = Session(settings.spreadsheet, READ_AND_WRITE, settings.timeout, SAYING)

    def look(self, key: str) -> str | None:
        """Where the line of that key stands, if there is one. Checks the columns on the way."""
        with self._session.told_apart():
            header, keys = self._session.with_titles(self._read, self._name)
        self._check(header)
        row = next((n for n, cells in enumerate(keys, 1) if cells and str(cells[0]) == key), None)
        return f"{self._title}!A{row}" if row is not None else None

    def write(self, line: LedgerLine, key: str, looked_at: float) -> str:
        """Append the line. Raises `OutcomeUnknown` where Google may have done so.

        Raises `TryLater` where the looking (a moment of time.monotonic()) is long ago.
        """
        import requests

        if time.monotonic() - looked_at > FRESH:
            raise TryLater(DOWN.fill(reason="late"))
        cells = [line.number, line.issued_on.isoformat(), line.customer, line.total, line.person]
        with self._session.told_apart():
            try:
                answer = self._session.http.values_append(
                    self._key,
                    self._range(_HEADER),
                    # Raw: a customer who is called "=1+1" is not to be reckoned.
                    {"valueInputOption": "RAW", "insertDataOption": "INSERT_ROWS"},
                    {"values": [[*cells, key]]},
                )
            except Refusal as refusal:
                if refusal.status < 500 and refusal.status != 408:
                    raise  # it said no
                raise OutcomeUnknown(NO_ANSWER.fill(reason=refusal.status)) from refusal
            except requests.RequestException as error:
                raise OutcomeUnknown(NO_ANSWER.fill(reason=type(error).__name__)) from error
        return _Appended.model_validate(answer).updates.range

    def _read(self) -> tuple[list[object], list[list[object]]]:
        answer = self._session.http.values_batch_get(
            self._key, [self._range(_HEADER), self._range(_KEYS)]
        )
        header, keys = TwoRanges.model_validate(answer).ranges
        first: list[object] = [*header.values[0]] if header.values else []
        return first, [[*row] for row in keys.values]

    def _name(self, titles: list[str]) -> None:
        self._title = title_of(self._sheets, titles)

    def _range(self, cells: str) -> str:
        from gspread.utils import absolute_range_name

        return str(absolute_range_name(self._title, cells))

    def _check(self, header: list[object]) -> None:
        found = [str(cell).strip() for cell in header]
        fits = len(found) == len(COLUMNS) and all(
            cell.lower() in names for cell, names in zip(found, COLUMNS, strict=True)
        )
        if not fits:
            wanted = ", ".join(names[0] for names in COLUMNS)
            shown = ", ".join(found) or "—"
            raise Permanent(WRONG_COLUMNS.fill(title=self._title, wanted=wanted, found=shown))


class GoogleLedger:
    """A worksheet as a ledger."""

    def __init__(self, settings: _Settings) -> None:
        self._settings = settings
        self._idle: list[_Connection] = []
        self.name = settings.sheets[0]

    async def append(self, line: LedgerLine, key: str) -> str:
        """Enter the line unless its key is there; see `core.ledger.Ledger`."""
        for _ in range(2):  # once more where signing in took its time
            looked_at = time.monotonic()
            found = await self.find(key)
            if found is not None:
                return found
            if time.monotonic() - looked_at < FRESH / 2:
                break
        late = OutcomeUnknown(NO_ANSWER.fill(reason="timeout"))
        return await self._with_connection(lambda one: one.write(line, key, looked_at), late)

    async def find(self, key: str) -> str | None:
        """Where the line of that key stands; see `core.ledger.Ledger`."""
        late = TryLater(DOWN.fill(reason="timeout"))
        return await self._with_connection(lambda one: one.look(key), late)

    async def _with_connection(self, do: Callable[[_Connection], T], late: MiyabiError) -> T:
        """Do it in a thread. A connection is given back only where all went well."""
        try:
            connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = await asyncio.to_thread(_Connection, self._settings)
            # A little more than the connection's own limit, so that its thread is over by then.
            async with asyncio.timeout(self._settings.timeout + 1):
                done = await asyncio.to_thread(do, connection)
        except TimeoutError as error:
            raise late from error
        self._idle.append(connection)
        return done


def open_ledger(settings: Mapping[str, str]) -> GoogleLedger:
    """The ledger that the settings name (see README.md); nothing is read yet.

    Raises `Permanent` for a setting that is missing, misspelt or wrong.
    """
    refuse_unknown(settings, KNOWN)
    timeout = seconds(settings, "timeout", TIMEOUT_AT_MOST)
    if timeout > TIMEOUT_AT_MOST:
        raise wrong("timeout", settings["timeout"])
    sheet = settings.get("sheet", "").strip()
    return GoogleLedger(_Settings(spreadsheet(settings), (sheet,) if sheet else _SHEETS, timeout))
