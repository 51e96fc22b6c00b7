"""Tables for spreadsheets and programs: JSON Lines, and CSV of which Excel runs nothing."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence

BOM = "\ufeff"
"""Without it Excel takes UTF-8 for the code page of Windows."""

_STARTS = tuple("=+-@\t\r\n＝＋－＠")
"""What begins a formula, in Japanese Excel in full width as well; or is skipped before one."""

Cell = str | int | None


def defused(cell: Cell) -> str:
    """A cell that no spreadsheet takes for a formula: text that looks like one begins with `'`.

    A whole number stays one, even below zero: it comes from us, and adds up.
    """
    if cell is None:
        return ""
    if isinstance(cell, int):
        return str(cell)
    return f"'{cell}" if cell.lstrip(" \u3000").startswith(_STARTS) else cell


def csv_line(cells: Iterable[Cell]) -> str:
    """A line of CSV (RFC 4180) with its end."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow([defused(cell) for cell in cells])
    return written.getvalue()


def json_line(values: Mapping[str, object]) -> str:
    """A line of JSON Lines."""
    return json.dumps(values, ensure_ascii=False, default=str) + "\n"


def heading(names: Sequence[str]) -> str:
    """What a CSV file begins with."""
    return BOM + csv_line(names)
