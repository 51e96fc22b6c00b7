"""The month's approved claims by department and person: as a workbook and as a document."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from xlsxwriter import Workbook  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from audit.sheets import defused
from core.company import Company
from core.expenses.books import BookedLine, booked_between
from core.paper import midnight
from core.reading import calendar
from core.typeset import typeset
from core.words import Language, Words

Cell = str | int | None

TITLE = Words(ja="経費月次報告", en="Monthly expense report", zh="费用月报")
BY_PERSON = Words(ja="部門・個人別", en="By person", zh="按部门和个人")
BY_CATEGORY = Words(ja="費目別", en="By category", zh="按费用类别")
LINES = Words(ja="明細", en="Lines", zh="明细")
TOTAL = Words(ja="合計", en="Total", zh="合计")
NO_DEPARTMENT = Words(ja="（部門なし）", en="(no department)", zh="（无部门）")
DEPARTMENT = Words(ja="部門", en="Department", zh="部门")
PERSON = Words(ja="氏名", en="Person", zh="姓名")
CATEGORY = Words(ja="費目", en="Category", zh="费用类别")
ACCOUNT = Words(ja="勘定科目", en="Account", zh="科目")
CLAIMS = Words(ja="件数", en="Claims", zh="单数")
CLAIMED = Words(ja="請求額", en="Claimed", zh="申请金额")
APPROVED = Words(ja="承認額", en="Approved", zh="批准金额")
WITHHELD = Words(ja="源泉徴収", en="Withheld", zh="代扣税")
PAID = Words(ja="支払額", en="To be paid", zh="支付金额")
NUMBER = Words(ja="精算番号", en="Claim No.", zh="报销编号")
APPROVED_ON = Words(ja="承認日", en="Approved on", zh="批准日")
DAY = Words(ja="日付", en="Day", zh="日期")
PAYEE = Words(ja="支払先", en="Paid to", zh="收款方")
PURPOSE = Words(ja="目的", en="Purpose", zh="用途")
RATE = Words(ja="税率%", en="Tax %", zh="税率%")
TAX = Words(ja="消費税", en="Tax", zh="消费税")
CREDIT = Words(ja="控除%", en="Credit %", zh="抵扣%")
REGISTRATION = Words(ja="登録番号", en="Registration No.", zh="登记编号")
EXEMPTION = Words(ja="インボイス不要", en="No invoice needed", zh="无需发票")


@dataclass(frozen=True, slots=True)
class Sums:
    """What lines add up to, in yen; `claims` are how many claims they are of."""

    claims: int
    claimed: int
    approved: int
    withheld: int

    @property
    def paid(self) -> int:
        return self.approved - self.withheld

    @property
    def cells(self) -> list[int]:
        return [self.claims, self.claimed, self.approved, self.withheld, self.paid]


@dataclass(frozen=True, slots=True)
class Report:
    """The lines of the claims that were approved in a month of the company's zone."""

    company: Company
    first: date
    last: date
    lines: Sequence[BookedLine]

    @property
    def month(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def total(self) -> Sums:
        return _sums(self.lines)

    def by_person(self) -> Mapping[tuple[str, UUID], Sequence[BookedLine]]:
        """By department, and in it by person."""
        found: dict[tuple[str, UUID], list[BookedLine]] = {}
        for line in self.lines:
            found.setdefault((line.department, line.person_id), []).append(line)
        return found

    def by_category(self) -> Mapping[str, Sequence[BookedLine]]:
        found: dict[str, list[BookedLine]] = {}
        for line in sorted(self.lines, key=lambda each: (each.account, each.category)):
            found.setdefault(line.category, []).append(line)
        return found


def _sums(lines: Iterable[BookedLine]) -> Sums:
    lines = list(lines)
    return Sums(
        claims=len({line.number for line in lines}),
        claimed=sum(line.amount for line in lines),
        approved=sum(line.approved for line in lines),
        withheld=sum(line.withheld for line in lines),
    )


async def report_of(
    connection: AsyncConnection, organisation_id: UUID, company: Company, first: date
) -> Report:
    """The report of the month that begins on that day."""
    last = calendar.month_end(first.year, first.month) or first
    lines = await booked_between(connection, organisation_id, first, last, company.time_zone)
    return Report(company, first, last, lines)


# Tables


def _person_rows(report: Report, language: Language) -> list[list[Cell]]:
    return [
        [lines[0].department or NO_DEPARTMENT.to(language), lines[0].person, *_sums(lines).cells]
        for lines in report.by_person().values()
    ]


def _category_rows(report: Report, language: Language) -> list[list[Cell]]:
    return [
        [lines[0].account, lines[0].category_name.to(language), *_sums(lines).cells]
        for lines in report.by_category().values()
    ]


_LINE_HEADS = (
    NUMBER, APPROVED_ON, DEPARTMENT, PERSON, DAY, PAYEE, PURPOSE, CATEGORY, ACCOUNT, CLAIMED,
    APPROVED, WITHHELD, RATE, TAX, CREDIT, REGISTRATION, EXEMPTION,
)  # fmt: skip
_SUM_HEADS = (CLAIMS, CLAIMED, APPROVED, WITHHELD, PAID)


def _line_cells(line: BookedLine, language: Language) -> list[Cell]:
    return [
        line.number, line.approved_on.isoformat(), line.department, line.person,
        line.day.isoformat(), line.payee, line.purpose, line.category_name.to(language),
        line.account, line.amount, line.approved, line.withheld, line.rate, line.tax, line.credit,
        line.registration, line.exemption,
    ]  # fmt: skip


# As a workbook


def workbook(report: Report, language: Language) -> bytes:
    """The report as XLSX. No cell is a formula: what looks like one is text, after a `'`."""
    written = io.BytesIO()
    book = Workbook(written, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"title": TITLE.to(language), "created": _at(report)})
    persons, categories = _person_rows(report, language), _category_rows(report, language)
    total: list[Cell] = [TOTAL.to(language), "", *report.total.cells]
    _sheet(book, BY_PERSON, (DEPARTMENT, PERSON, *_SUM_HEADS), [*persons, total], language)
    _sheet(book, BY_CATEGORY, (ACCOUNT, CATEGORY, *_SUM_HEADS), [*categories, total], language)
    rows = [_line_cells(line, language) for line in report.lines]
    _sheet(book, LINES, _LINE_HEADS, rows, language)
    book.close()
    return written.getvalue()


def _sheet(
    book: Workbook,
    name: Words,
    heads: Sequence[Words],
    rows: Iterable[Sequence[Cell]],
    language: Language,
) -> None:
    sheet: Worksheet = book.add_worksheet(name.to(language))
    bold, figures = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0"})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(heads) - 1, 14)
    for column, head in enumerate(heads):
        sheet.write_string(0, column, head.to(language), bold)
    for place, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            if isinstance(cell, int):
                sheet.write_number(place, column, cell, figures)
            elif cell:
                sheet.write_string(place, column, defused(cell))


# As a document


async def document(report: Report, language: Language) -> bytes:
    """The report as PDF: sums by person and by category."""
    template = resources.files(__package__).joinpath("report.typ").read_bytes()
    data = {
        "language": language,
        "title": TITLE.to(language),
        "company": report.company.name,
        "month": report.month,
        "tables": [
            _table(BY_PERSON, (DEPARTMENT, PERSON), _person_rows(report, language), language),
            _table(BY_CATEGORY, (ACCOUNT, CATEGORY), _category_rows(report, language), language),
        ],
        "total": [TOTAL.to(language), "", *_shown(report.total.cells)],
    }
    return await typeset(template, data, {}, at=_at(report))


def _table(
    title: Words, heads: Sequence[Words], rows: Iterable[Sequence[Cell]], language: Language
) -> dict[str, object]:
    return {
        "title": title.to(language),
        "heads": [head.to(language) for head in (*heads, *_SUM_HEADS)],
        "rows": [_shown(row) for row in rows],
    }


def _shown(row: Sequence[Cell]) -> list[str]:
    return [f"{cell:,}" if isinstance(cell, int) else str(cell or "") for cell in row]


def _at(report: Report) -> datetime:
    """The end of the month: the same report gives the same bytes."""
    return midnight(report.last)
