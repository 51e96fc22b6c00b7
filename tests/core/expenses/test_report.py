"""The month's report: what adds up, and that no cell of it is run by a spreadsheet."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from core.company import Company
from core.expenses.books import BookedLine
from core.expenses.report import Report, document, workbook
from core.words import Words

TRAVEL = Words(ja="旅費交通費", en="Travel", zh="差旅交通费")
LINE = BookedLine(
    "E-2026-0001", "田中 太郎", UUID(int=1), "営業部", date(2026, 11, 25), date(2026, 11, 20),
    "タクシー", "商談", "travel", TRAVEL, "6110", 2340, 2340, 0, 10, 212, 70, None, None,
)  # fmt: skip
FEE = replace(
    LINE, number="E-2026-0002", person="鈴木 花子", person_id=UUID(int=2), department="",
    category="fee", category_name=Words(ja="支払報酬", en="Fees", zh="支付报酬"), account="6190",
    payee='=HYPERLINK("http://x")', purpose="+1", amount=110_000, approved=100_000, withheld=10_210,
)  # fmt: skip
_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def report(lines: Sequence[BookedLine]) -> Report:
    return Report(Company("みやび"), date(2026, 11, 1), date(2026, 11, 30), lines)


def sheets(content: bytes) -> tuple[list[list[str]], str]:
    """The cells of the last sheet as texts, and the XML of all."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = {name: archive.read(name).decode() for name in archive.namelist()}
    shared = [
        "".join(part.itertext())
        for part in ElementTree.fromstring(xml["xl/sharedStrings.xml"])  # noqa: S314
    ]
    found: list[list[str]] = []
    for row in ElementTree.fromstring(xml["xl/worksheets/sheet3.xml"]).iter(f"{_NS}row"):  # noqa: S314
        cells = []
        for cell in row:
            value = cell.findtext(f"{_NS}v") or ""
            cells.append(shared[int(value)] if cell.get("t") == "s" else value)
        found.append(cells)
    return found, "".join(each for name, each in xml.items() if name.startswith("xl/worksheets"))


def test_sums_are_by_department_and_person_and_by_category() -> None:
    found = report((FEE, LINE, replace(LINE, payee="電車", amount=320, approved=320)))

    assert (found.total.claims, found.total.claimed, found.total.paid) == (2, 112_660, 92_450)
    assert [len(lines) for lines in found.by_person().values()] == [1, 2]
    assert list(found.by_category()) == ["travel", "fee"]


async def test_the_document_says_the_sums() -> None:
    content = await document(report((FEE, LINE)), "ja")
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)

    for said in (
        "経費月次報告",
        "2026-11",
        "営業部",
        "（部門なし）",
        "旅費交通費",
        "110,000",
        "89,790",
    ):
        assert said in text
    assert content == await document(report((FEE, LINE)), "ja")


def test_the_workbook_has_every_line_and_no_formula() -> None:
    rows, xml = sheets(workbook(report((FEE, LINE)), "ja"))

    assert len(rows) == 3
    assert '\'=HYPERLINK("http://x")' in rows[1]
    assert "'+1" in rows[1]
    assert "<f>" not in xml


@given(st.text(max_size=60))
def test_whatever_was_typed_is_a_text_in_the_workbook(typed: str) -> None:
    _, xml = sheets(workbook(report((replace(LINE, payee=typed, purpose=typed),)), "en"))

    assert "<f>" not in xml
    assert "<hyperlink" not in xml
