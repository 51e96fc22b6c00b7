"""Lists of what is wanted as people keep them: a CSV or Excel file, a code and a quantity a row.

Reading one may take what its sender likes (a workbook of 50 KB can unpack to gigabytes), so it is
done in a child process with limits. What comes out is short: the rows as they were typed.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches

from core import cells
from core.agent import Attached
from core.catalogue import Catalogue
from core.cells import BadCell, Cell
from core.errors import Permanent, TryLater
from core.file_kinds import CSV, decoded
from core.order import OrderLine
from core.reading.order import match_items, read_quantity
from core.words import Words, same

_TIME, _CPU, _MEMORY = timedelta(seconds=20), timedelta(seconds=10), 768
"""What reading one may take: on the clock, of computing, in MiB."""

MOST_ROWS = 500
"""Rows of a list that are read; nobody checks more lines of a quotation."""
_LOOKED_FOR = 30
"""Rows in which the header is looked for: above it stand titles and addresses."""
_WIDEST = 200
_LONGEST = 100  # characters of a cell


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CODES = _names("""
    code itemcode productcode itemno itemnumber partno partnumber productno productnumber sku model
    コード 商品コード 品目コード 製品コード 品番 商品番号 製品番号 型番 型式 商品cd 品目cd
    编码 编号 代码 商品编码 商品编号 产品编码 产品编号 商品代码 产品代码 品目代码 型号 货号
""")
QUANTITIES = _names("""
    quantity qty orderquantity orderqty 数量 個数 員数 注文数 注文数量 発注数 発注数量 見積数量
    必要数 购买数量 订购数量 需求数量 件数
""")
_SUMS = _names("合計 小計 総計 計 total subtotal sum grandtotal 总计 合计 小计")

NOT_READABLE = Words(
    ja="ファイルを読み取れません（壊れている、パスワード付き、または大きすぎる可能性があります）",
    en="the file can't be read; it may be damaged, locked with a password, or too large",
    zh="无法读取文件（可能已损坏、有密码或过大）",
)
TOO_MANY = Words(
    ja="{most}行を超えています。分けて送ってください",
    en="has more than {most} rows; please send it in parts",
    zh="超过{most}行，请分开发送",
)
NO_ROWS = Words(
    ja="見出しの下に品目がありません", en="has nothing below its header", zh="标题行下没有品目"
)
NO_CODE = Words(ja="品目コードが空欄です", en="the code is missing", zh="品目代码为空")
UNKNOWN = Words(
    ja="「{code}」は価格表にありません",
    en="the price list has no “{code}”",
    zh="价目表中没有“{code}”",
)
PERHAPS = Words(
    ja="「{code}」は価格表にありません（{near} のことでしょうか）",
    en="the price list has no “{code}” (is it {near}?)",
    zh="价目表中没有“{code}”（是否为 {near}？）",
)
SEVERAL = Words(
    ja="「{code}」に当てはまる品目がいくつかあります（{near}）",
    en="“{code}” may be several items ({near})",
    zh="“{code}”对应多个品目（{near}）",
)
BAD_QUANTITY = Words(
    ja="数量「{quantity}」は使えません（1以上の整数にしてください）",
    en="“{quantity}” is no quantity; write a whole number of at least 1",
    zh="数量“{quantity}”无效（须为1以上的整数）",
)
NO_QUANTITY = Words(ja="数量が空欄です", en="the quantity is missing", zh="数量为空")
AT_ROW = Words(ja="{row}行目: {what}", en="row {row}: {what}", zh="第{row}行：{what}")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it was typed; `number` counts as the spreadsheet shows it, from 1."""

    number: int
    code: str
    quantity: str


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a list; `more`: there are others, beyond those that are read."""

    rows: tuple[Row, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list comes to: the lines that are certain, and in words what is not."""

    sha256: str
    name: str
    lines: tuple[OrderLine, ...]
    wrong: tuple[Words, ...]


async def listed(file: Attached, content: bytes, catalogue: Catalogue) -> Listed | None:
    """What a file lists; None for a table that is no list, as it has no such columns."""
    from core.child import Limits, run  # not before it is needed: it loads what forks processes

    asked = {"content": content, "media_type": file.media_type}
    try:
        rows = await run(read_rows, asked, Limits(_TIME, _CPU, _MEMORY))
    except (Permanent, TryLater):  # it needed more than it may, or took its process down
        return Listed(file.sha256, file.name, (), (NOT_READABLE,))
    if isinstance(rows, Words):
        return Listed(file.sha256, file.name, (), (rows,))
    return None if rows is None else _matched(file, rows, catalogue)


def latest(lists: Sequence[Listed]) -> list[Listed]:
    """The lists that count, of all in the order in which they came: of those of one name the last,
    and one with something wrong only until another came, which is the corrected one."""
    return [
        each
        for place, each in enumerate(lists)
        if not any(later.name == each.name or each.wrong for later in lists[place + 1 :])
    ]


def _matched(file: Attached, rows: Rows, catalogue: Catalogue) -> Listed:
    lines: list[OrderLine] = []
    wrong: list[Words] = []
    by_code = {_key(item.code): item.code for item in catalogue.items}
    for row in rows.rows:
        found = _line(row, by_code, catalogue)
        if isinstance(found, OrderLine):
            lines.append(found)
        else:
            wrong.append(AT_ROW.fill(row=row.number, what=found))
    if rows.more:
        wrong.append(TOO_MANY.fill(most=MOST_ROWS))
    if not rows.rows:
        wrong.append(NO_ROWS)
    return Listed(file.sha256, file.name, tuple(lines), tuple(wrong))


def _line(row: Row, by_code: dict[str, str], catalogue: Catalogue) -> OrderLine | Words:
    """A row's line, or what is wrong with it. Likeness alone names no item."""
    if not row.code:
        return NO_CODE
    exact = by_code.get(_key(row.code))
    codes = (exact,) if exact is not None else match_items(row.code, catalogue)
    shown = cells.cut(row.code)
    if len(codes) > 1:
        return SEVERAL.fill(code=shown, near=same(", ".join(codes[:3])))
    if not codes:
        near = get_close_matches(_key(row.code), by_code, n=3, cutoff=0.75)
        names = same(", ".join(by_code[key] for key in near))
        return PERHAPS.fill(code=shown, near=names) if near else UNKNOWN.fill(code=shown)
    if not row.quantity:
        return NO_QUANTITY
    quantity = read_quantity(row.quantity)
    if quantity is None:
        return BAD_QUANTITY.fill(quantity=cells.cut(row.quantity))
    return OrderLine(codes[0], quantity)


def _key(code: str) -> str:
    return unicodedata.normalize("NFKC", code).strip().casefold()


# In the child


def read_rows(content: bytes, media_type: str) -> Rows | Words | None:
    """The rows of a table below a header with a code and a quantity; None where it has none.

    Words where it can't be read at all.
    """
    tables = _of_text(content) if media_type == CSV else _of_workbook(content)
    if isinstance(tables, Words):
        return tables
    for first, table in tables:
        found = _rows(first, table)
        if found is not None:
            return found
    return None


Table = tuple[int, Sequence[Sequence[Cell]]]
"""Rows, and the number of the first of them."""


def _of_text(content: bytes) -> Iterator[Table] | Words:
    text = decoded(content)
    return NOT_READABLE if text is None else _cut(text)


def _cut(text: str) -> Iterator[Table]:
    """By each mark that may stand between cells: only with the right one there is such a header."""
    for mark in (",", "\t", ";"):
        rows: list[list[str]] = []
        try:
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark):
                rows.append(row[:_WIDEST])
        except csv.Error:  # a cell of more than 128 KB: what stands above it is read
            pass
        yield 1, rows


def _of_workbook(content: bytes) -> list[Table] | Words:
    from python_calamine import CalamineWorkbook, SheetVisibleEnum

    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        shown = [
            sheet.name
            for sheet in workbook.sheets_metadata
            if sheet.visible == SheetVisibleEnum.Visible
        ]
        tables: list[Table] = []
        for name in shown:
            sheet = workbook.get_sheet_by_name(name)
            above = sheet.start[0] if sheet.start else 0
            tables.append((above + 1, [_plain(row) for row in sheet.to_python()]))
    except (MemoryError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # also what stops a library in Rust, which is no Exception
        return NOT_READABLE
    return tables


def _plain(row: Iterable[object]) -> Sequence[Cell]:
    """Cells as texts and numbers: what is a date is no code and no quantity, but says so."""
    known = (str, int, float, bool)
    return [cell if isinstance(cell, known) else str(cell) for cell in row][:_WIDEST]


def _rows(first: int, table: Sequence[Sequence[Cell]]) -> Rows | None:
    columns = _header(table)
    if columns is None:
        return None
    header, code, quantity = columns
    found: list[Row] = []
    for place, cut in enumerate(table[header + 1 :], first + header + 1):
        row = Row(place, _text(cut, code), _text(cut, quantity))
        if not (row.code or row.quantity) or _is_sum(cut, row):
            continue
        if len(found) == MOST_ROWS:
            return Rows(tuple(found), more=True)
        found.append(row)
    return Rows(tuple(found))


def _header(table: Sequence[Sequence[Cell]]) -> tuple[int, int, int] | None:
    """Its place, and those of the two columns."""
    for place, row in enumerate(table[:_LOOKED_FOR]):
        names = [_heading(cell) for cell in row]
        codes = [n for n, name in enumerate(names) if name in CODES]
        quantities = [n for n, name in enumerate(names) if name in QUANTITIES]
        if codes and quantities:
            return place, codes[0], quantities[0]
    return None


def _heading(cell: Cell) -> str:
    """A heading without what people put around it: 「数量（個）」, `Item No.`, `part_number`."""
    if not isinstance(cell, str):
        return ""
    plain = re.sub(r"[(\[【].*", "", unicodedata.normalize("NFKC", cell[:_LONGEST])).casefold()
    return re.sub(r"[\s._\-:*#]", "", plain)


def _text(row: Sequence[Cell], column: int) -> str:
    try:
        return cells.text(row[column])[:_LONGEST] if column < len(row) else ""
    except BadCell:  # a formula that failed: what it shows is neither code nor quantity
        return str(row[column])[:_LONGEST]


def _is_sum(cut: Sequence[Cell], row: Row) -> bool:
    """Whether it is the line below a list that adds it up."""
    names = [row.code] if row.code else [cell for cell in cut if isinstance(cell, str)]
    return any(_heading(name) in _SUMS for name in names)
