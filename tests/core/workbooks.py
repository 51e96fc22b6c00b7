"""Workbooks of Excel, as small as they can be."""

import io
import zipfile
from collections.abc import Sequence
from html import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels"'
    ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)


def workbook(
    rows: Sequence[Sequence[str | float | None]], *, above: int = 0, hidden: bool = False
) -> bytes:
    """One sheet with these rows, so many empty ones above them."""
    body = "".join(_row(above + place, row) for place, row in enumerate(rows, 1))
    state = ' state="hidden"' if hidden else ""
    parts = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _relations(f"{_OFFICE}/officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name="明細" sheetId="1" r:id="r1"{state}/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(f"{_OFFICE}/worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{body}'
        "</sheetData></worksheet>",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def _relations(kind: str, target: str) -> str:
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    one = f'<Relationship Id="r1" Type="{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{space}">{one}</Relationships>'


def _row(number: int, row: Sequence[str | float | None]) -> str:
    cells = "".join(_cell(f"{chr(65 + n)}{number}", cell) for n, cell in enumerate(row))
    return f'<row r="{number}">{cells}</row>'


def _cell(place: str, cell: str | float | None) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    return f'<c r="{place}"><v>{cell}</v></c>'
