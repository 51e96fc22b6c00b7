"""A spreadsheet opens what we hand over, and runs nothing of it."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.sheets import BOM, csv_line, defused, heading, json_line

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
STARTS = "=+-@\t\r\n＝＋－＠"


@given(st.lists(st.one_of(ANY, ANY.map(lambda text: f"={text}")), min_size=1, max_size=6))
def test_every_cell_is_read_back_as_it_was_but_for_the_mark_before_a_formula(
    cells: list[str],
) -> None:
    [read] = csv.reader(io.StringIO(csv_line(cells), newline=""))

    assert [cell.removeprefix("'") for cell in read] == [cell.removeprefix("'") for cell in cells]


@given(ANY)
def test_no_cell_begins_as_a_formula_does_whatever_space_is_before_it(text: str) -> None:
    assert not defused(text).lstrip(" 　").startswith(tuple(STARTS))


@pytest.mark.parametrize("start", STARTS)
def test_each_beginning_of_a_formula_is_defused(start: str) -> None:
    assert defused(f"{start}1+1") == f"'{start}1+1"
    assert defused(f" 　{start}1+1") == f"' 　{start}1+1"
    assert defused(f"1{start}1") == f"1{start}1"


def test_a_cell_of_quotes_commas_and_lines_stays_one_cell() -> None:
    cells = ['=HYPERLINK("http://x","y")', "a,b", "c\r\nd", '"']

    [read] = csv.reader(io.StringIO(csv_line(cells), newline=""))

    assert read == ["'" + cells[0], *cells[1:]]


def test_an_amount_below_zero_stays_a_number() -> None:
    assert csv_line([-1200, None, 0]) == "-1200,,0\r\n"


def test_a_file_begins_so_that_excel_knows_its_code() -> None:
    assert heading(["取引先"]).encode()[:3] == b"\xef\xbb\xbf"
    assert heading(["取引先"]) == f"{BOM}取引先\r\n"


@given(st.dictionaries(ANY, ANY | st.integers() | st.none()))
def test_a_line_of_json_is_one_line(values: dict[str, object]) -> None:
    line = json_line(values)

    assert line.count("\n") == 1
    assert json.loads(line) == values
