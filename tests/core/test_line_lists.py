"""Lists of what is wanted: found in CSV and Excel files as people save them, or told row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.file_kinds import CSV, OTHER, TEXT, XLS, XLSX, any_kind_of
from core.line_lists import MOST_ROWS, NOT_READABLE, Listed, Row, Rows, latest, read_rows
from core.words import same
from tests.core.workbooks import workbook

LIST = (
    "株式会社ABC商事 見積明細\n\n商品コード,品名,数量（個）,単価\n"
    "MON-27,モニター,5,1\n,,,\nKB-JP,キーボード,１０,\n合計,,15,\n"
)
READ = Rows((Row(4, "MON-27", "5"), Row(6, "KB-JP", "１０")))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (LIST.encode(), "utf-8"),
        (LIST.encode("utf-8-sig"), "with a mark"),
        (LIST.encode("cp932"), "as a Japanese Excel saves it"),
        (LIST.replace(",", "\t").encode("utf-16"), "Unicode text of Excel"),
        (LIST.replace(",", ";").replace("\n", "\r\n").encode(), "as a German Excel saves it"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_list_is_found_however_it_is_saved(content: bytes, what: str) -> None:
    assert read_rows(content, CSV) == READ


def test_a_list_is_found_in_a_workbook_by_the_rows_that_excel_shows() -> None:
    rows = [["Item No.", None, "Qty"], ["MON-27", None, 5.0], ["KB-JP", None, 2.5], [None, None, 7]]
    content = workbook(rows, above=3)

    assert any_kind_of(content) == XLSX
    assert read_rows(content, XLSX) == Rows(
        (Row(5, "MON-27", "5"), Row(6, "KB-JP", "2.5"), Row(7, "", "7"))
    )
    assert read_rows(workbook(rows, hidden=True), XLSX) is None


def test_a_table_without_both_columns_is_no_list_and_a_broken_one_says_so() -> None:
    assert read_rows("商品コード,備考\nMON-27,急ぎ\n".encode(), CSV) is None
    assert read_rows(workbook([["数量"], [5]]), XLSX) is None
    assert read_rows(b"", CSV) is None
    for broken in (workbook([["code", "qty"]])[:300], b"PK\x03\x04xl/workbook.xml", b""):
        assert read_rows(broken, XLSX) == NOT_READABLE


def test_no_more_rows_are_read_than_somebody_checks() -> None:
    content = ("code,qty\n" + "MON-27,1\n" * (MOST_ROWS + 1)).encode()
    found = read_rows(content, CSV)
    assert isinstance(found, Rows)
    assert (len(found.rows), found.more) == (MOST_ROWS, True)


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_said_to_be_unreadable(content: bytes) -> None:
    any_kind_of(content)
    for kind in (CSV, XLS, XLSX):
        read_rows(content, kind)


def test_what_is_only_kept_is_known_for_what_it_is() -> None:
    assert any_kind_of("ただの文です。".encode("cp932")) == TEXT
    assert any_kind_of(b"PK\x03\x04 word/document.xml") == OTHER
    assert any_kind_of(b"\x00\x01") == OTHER
    assert any_kind_of(b"MZ\x90\x00") is None
    assert any_kind_of(b"#!/bin/sh\n") is None


def test_a_list_that_comes_again_takes_the_place_of_the_first() -> None:
    def made(name: str, *, wrong: bool = False) -> Listed:
        return Listed("", name, (), (same("x"),) if wrong else ())

    one, two, bad = made("1.csv"), made("2.csv"), made("3.csv", wrong=True)
    assert latest([one, two]) == [one, two]
    assert latest([bad, two]) == [two]
    assert latest([one, bad]) == [one, bad]
    assert latest([made("1.csv", wrong=True), bad, one]) == [one]
