"""The journal for accounting programs: its columns, its letters, and what is neutral in it."""

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from core.journal import Line, render, tax_class

DAY = date(2026, 11, 20)


def rows(*lines: Line) -> list[list[str]]:
    return list(csv.reader(io.StringIO(render(lines).decode("cp932"), newline="")))


def test_a_line_has_the_columns_that_yayoi_imports() -> None:
    taxi = Line(DAY, "旅費交通費", "未払金", 2_340, tax_class(10), "#1001 品川〜新宿", "タクシー")

    [row] = rows(taxi)

    assert row == [
        "2000", "", "", "2026/11/20",
        "旅費交通費", "タクシー", "", "課対仕入込10%適格", "2340", "",
        "未払金", "", "", "対象外", "2340", "",
        "#1001 品川～新宿", "", "", "0", "", "", "0", "0", "no",
    ]  # fmt: skip


@pytest.mark.parametrize("memo", ['=HYPERLINK("http://x","y")', "+1", "-1", "@x", "＝1", "\t=1"])
def test_a_formula_is_neutral(memo: str) -> None:
    [row] = rows(Line(DAY, "会議費", "未払金", 1, memo=memo))

    assert row[16].startswith("'")


@given(st.text(max_size=100), st.text(max_size=40), st.integers(1, 10**10))
def test_any_text_is_one_line_of_25_columns_within_its_width(
    memo: str, account: str, amount: int
) -> None:
    [row] = rows(Line(DAY, account, "未払金", amount, memo=memo))

    assert len(row) == 25
    assert row[8] == row[14] == str(amount)
    assert len(row[4].encode("cp932")) <= 24
    assert len(row[16].encode("cp932")) <= 64


def test_tax_classes_are_called_as_there() -> None:
    called = [tax_class(10), tax_class(8), tax_class(10, 80), tax_class(8, 70), tax_class(10, 0)]

    assert called == [
        "課対仕入込10%適格", "課対仕入込軽減8%適格", "課対仕入込10%区分80%",
        "課対仕入込軽減8%区分70%", "課対仕入込10%控不",
    ]  # fmt: skip
    assert tax_class(0) == "対象外"


def test_an_amount_without_room_is_refused() -> None:
    for amount in (0, -1, 10**11):
        with pytest.raises(Refused):
            render([Line(DAY, "会議費", "未払金", amount)])
