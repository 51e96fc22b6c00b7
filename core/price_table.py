"""From two tables as people keep them to the price list and the customers, or what is wrong.

Pure: whoever has the rows (a CSV file, a spreadsheet) hands them over; nothing is read here.
"""

import difflib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from core import cells
from core.catalogue import Catalogue, Customer, Item
from core.cells import BadCell, Cell
from core.errors import Permanent
from core.words import LANGUAGES, Words

T = TypeVar("T")
Columns = Mapping[str, tuple[str, ...]]

ITEM_COLUMNS: Columns = {
    "code": ("code", "コード", "商品コード"),
    "name": ("name", "商品名", "品名", "名称"),
    "aliases": ("aliases", "別名"),
    "unit": ("unit", "単位"),
    "unit_price": ("unit_price", "単価"),
    "tax_rate": ("tax_rate", "税率"),
}
CUSTOMER_COLUMNS: Columns = {
    "code": ("code", "顧客コード", "コード"),
    "name": ("name", "顧客名", "会社名", "名称"),
    "aliases": ("aliases", "別名"),
    "language": ("language", "言語"),
    "email": ("email", "メール", "メールアドレス"),
}
"""Every column must be there: a misspelt one that is skipped would change prices unseen."""

MAX_PROBLEMS = 10
"""So many are listed in one error; the rest are counted."""

AT_CELL = Words(
    ja="「{table}」{row}行目・{letter}列「{column}」: {what}",
    en='"{table}", row {row}, column {letter} ({column}): {what}',
    zh="“{table}”第{row}行{letter}列“{column}”：{what}",
)
AT_ROW = Words(
    ja="「{table}」{row}行目: {what}",
    en='"{table}", row {row}: {what}',
    zh="“{table}”第{row}行：{what}",
)
AT_TABLE = Words(ja="「{table}」: {what}", en='"{table}": {what}', zh="“{table}”：{what}")

HEAD = Words(
    ja="価格表・顧客一覧に直すところが{count}件あります。",
    en="The price list or the customer list needs mending ({count}):",
    zh="价格表或客户表有{count}处需要修改：",
)
MORE = Words(ja="ほか{count}件", en="and {count} more", zh="另有{count}处")
NO_TABLE = Words(ja="中身がありません（空です）", en="is empty", zh="内容为空")
NO_ROWS = Words(
    ja="見出しの下に1行もありません",
    en="has no rows below its header",
    zh="标题行下没有任何数据",
)
NO_COLUMN = Words(
    ja="見出しに「{column}」（{japanese}）の列がありません。{seen}",
    en='the column "{column}" ({japanese}) is missing. {seen}',
    zh="标题行缺少“{column}”（{japanese}）列。{seen}",
)
NEAREST = Words(
    ja="{letter}列「{header}」のことでしょうか",
    en='Is it column {letter}, "{header}"?',
    zh="是指{letter}列“{header}”吗？",
)
HEADERS_SEEN = Words(
    ja="見出しにあるのは: {headers}", en="The header has: {headers}", zh="标题行现有：{headers}"
)
TWO_COLUMNS = Words(
    ja="{first}列「{header}」と同じ意味の列です。どちらか1つにしてください",
    en='means the same as column {first} ("{header}"); keep one of them',
    zh="与{first}列“{header}”含义相同，请只保留一列",
)
DUPLICATE = Words(
    ja="「{value}」は{row}行目にもあります",
    en='"{value}" is in row {row} already',
    zh="“{value}”在第{row}行已出现",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. `row` counts as the spreadsheet does, the header being row 1."""

    table: str
    what: Words
    row: int | None = None
    column: int | None = None
    header: str = ""

    @property
    def words(self) -> Words:
        """Where it is and what is wrong, in one line."""
        if self.row is None:
            return AT_TABLE.fill(table=self.table, what=self.what)
        if self.column is None:
            return AT_ROW.fill(table=self.table, row=self.row, what=self.what)
        return AT_CELL.fill(
            table=self.table,
            row=self.row,
            letter=column_letter(self.column),
            column=self.header,
            what=self.what,
        )


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet or file, by the name a person knows it by; `rows[0]` is the header.

    `problems` are what was found wrong while it was cut into rows.
    """

    name: str
    rows: Sequence[Sequence[Cell]]
    problems: tuple[Problem, ...] = ()


def build_catalogue(prices: Table, customers: Table, read_at: datetime) -> Catalogue:
    """Check both tables and make the catalogue of them.

    Raises `Permanent` that lists up to ten problems, each with table, row and column.
    """
    price_rows, customer_rows = _rows(prices, ITEM_COLUMNS), _rows(customers, CUSTOMER_COLUMNS)
    items = tuple(_item(row) for row in price_rows.rows)
    people = tuple(_customer(row) for row in customer_rows.rows)
    problems = (*_in_order(price_rows), *_in_order(customer_rows))
    if problems:
        raise Permanent(_told(problems))
    return Catalogue(items=items, customers=people, read_at=read_at)


def column_letter(index: int) -> str:
    """The letters a spreadsheet shows above a column; 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


@dataclass(slots=True)
class _Checked:
    """The rows of a table that hold something, and the problems found on the way."""

    table: Table
    columns: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    rows: list["_Row"] = field(default_factory=list)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, what: Words, row: int | None = None, column: int | None = None) -> None:
        header = "" if column is None else _shown(self.table.rows[0][column])
        self.problems.append(Problem(self.table.name, what, row, column, cells.cut(header)))


@dataclass(frozen=True, slots=True)
class _Row:
    """One row, read by the names of its columns."""

    sheet: _Checked
    number: int
    cells: Sequence[Cell]

    def take(self, column: str, read: Callable[[Cell], T], blank: T) -> T:
        """The cell's value; `blank` where it can't be read.

        A blank never gets out: with it goes a problem, and with any problem no catalogue is made.
        """
        try:
            return read(self.cell(column))
        except BadCell as bad:
            self.sheet.add(bad.words, self.number, self.sheet.columns[column])
            return blank

    def once(self, column: str, value: str, key: str) -> None:
        """Note a problem where an earlier row has the same value."""
        earlier = self.sheet.seen.setdefault((column, key), self.number)
        if key and earlier != self.number:
            what = DUPLICATE.fill(value=cells.cut(value), row=earlier)
            self.sheet.add(what, self.number, self.sheet.columns[column])

    def cell(self, column: str) -> Cell:
        index = self.sheet.columns[column]
        return self.cells[index] if index < len(self.cells) else None


def _item(row: _Row) -> Item:
    item = Item(
        code=row.take("code", cells.required, ""),
        name=row.take("name", cells.required, ""),
        aliases=row.take("aliases", cells.aliases, ()),
        unit=row.take("unit", cells.text, ""),
        unit_price=row.take("unit_price", cells.price, 0),
        tax_rate=row.take("tax_rate", cells.tax_rate, 0),
    )
    row.once("code", item.code, _folded(item.code))
    row.once("name", item.name, item.name)
    return item


def _customer(row: _Row) -> Customer:
    customer = Customer(
        code=row.take("code", cells.required, ""),
        name=row.take("name", cells.required, ""),
        aliases=row.take("aliases", cells.aliases, ()),
        language=row.take("language", cells.language, "ja"),
        email=row.take("email", cells.email, None),
    )
    row.once("code", customer.code, _folded(customer.code))
    row.once("name", customer.name, customer.name)
    return customer


def _rows(table: Table, columns: Columns) -> _Checked:
    """Find the columns, then the rows that have something in any of them."""
    sheet = _Checked(table, problems=list(table.problems))
    if not any(_shown(cell) for row in table.rows for cell in row):
        # Where the table could not even be cut into rows, that it is empty is no news.
        if not table.problems:
            sheet.add(NO_TABLE)
        return sheet
    _find_columns(sheet, columns)
    if sheet.columns.keys() != columns.keys():
        return sheet
    for number, row in enumerate(table.rows[1:], start=2):
        candidate = _Row(sheet, number, row)
        if any(_shown(candidate.cell(column)) for column in columns):
            sheet.rows.append(candidate)
    if not sheet.rows and not sheet.problems:
        sheet.add(NO_ROWS)
    return sheet


def _find_columns(sheet: _Checked, columns: Columns) -> None:
    meanings = {_folded(name): column for column, names in columns.items() for name in names}
    headers = [_shown(cell) for cell in sheet.table.rows[0]]
    unclaimed: list[int] = []
    for index, header in enumerate(headers):
        column = meanings.get(_folded(header))
        if column is None:
            unclaimed.append(index)
        elif column in sheet.columns:
            first = sheet.columns[column]
            what = TWO_COLUMNS.fill(first=column_letter(first), header=headers[first])
            sheet.add(what, 1, index)
        else:
            sheet.columns[column] = index
    for column, names in columns.items():
        if column not in sheet.columns:
            seen = _nearest(names, headers, unclaimed)
            sheet.add(NO_COLUMN.fill(column=column, japanese=names[1], seen=seen), 1)


def _nearest(names: tuple[str, ...], headers: list[str], unclaimed: list[int]) -> Words:
    """The header most like one of the names, else all the headers there are."""

    def likeness(index: int) -> float:
        header = _folded(headers[index])
        return max(difflib.SequenceMatcher(None, _folded(name), header).ratio() for name in names)

    nearest = max(unclaimed, key=likeness, default=None)
    if nearest is not None and likeness(nearest) >= 0.5:
        header = cells.cut(headers[nearest])
        return NEAREST.fill(letter=column_letter(nearest), header=header)
    shown = [cells.cut(header) for header in headers if header][:MAX_PROBLEMS]
    return HEADERS_SEEN.fill(headers=", ".join(shown) or "-")


def _shown(cell: Cell) -> str:
    try:
        return cells.text(cell)
    except BadCell:
        return str(cell)


def _folded(name: str) -> str:
    """What people take for the same: widths, capitals, blanks and underscores make no odds."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(folded.split()).replace("_", "")


def _in_order(sheet: _Checked) -> list[Problem]:
    """As someone meets them going down the sheet."""
    return sorted(
        sheet.problems,
        key=lambda p: (p.row or 0, -1 if p.column is None else p.column),
    )


def _told(problems: Sequence[Problem]) -> Words:
    lines = [HEAD.fill(count=len(problems)), *(p.words for p in problems[:MAX_PROBLEMS])]
    if len(problems) > MAX_PROBLEMS:
        lines.append(MORE.fill(count=len(problems) - MAX_PROBLEMS))
    return Words(*("\n".join(line.to(language) for line in lines) for language in LANGUAGES))
