"""Numbers are read in figures, kanji and English words."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.reading.numbers import ENGLISH_NUMBER, NUMBER, parse_number, to_kanji


@given(st.integers(min_value=0, max_value=999_999_999_999))
def test_kanji_numbers_make_the_round_trip(number: int) -> None:
    kanji = to_kanji(number)

    assert number == parse_number(kanji)
    assert re.fullmatch(NUMBER, kanji) or len(kanji) > 16


@given(st.integers(min_value=0, max_value=10**15))
def test_grouped_figures_make_the_round_trip(number: int) -> None:
    assert re.fullmatch(NUMBER, f"{number:,}")
    assert number == parse_number(f"{number:,}")


@given(st.decimals(min_value=0, max_value=9999, places=2, allow_nan=False))
def test_man_multiplies_by_ten_thousand(number: Decimal) -> None:
    assert number * 10_000 == parse_number(f"{number}万")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("十二", 12),
        ("二十", 20),
        ("百二十", 120),
        ("千", 1000),
        ("二〇二六", 2026),
        ("二五", 25),
        ("1.5万", 15_000),
        ("1万5千", 15_000),
        ("3万2,800", 32_800),
        ("1億2000万", 120_000_000),
        ("5千", 5_000),
        ("两", 2),
        ("弐拾", 20),
        ("twelve", 12),
        ("twenty-five", 25),
        ("a hundred", 100),
        ("two hundred and five", 205),
        ("three thousand", 3000),
    ],
)
def test_each_way_of_writing_is_read(text: str, value: int) -> None:
    assert re.fullmatch(f"{NUMBER}|{ENGLISH_NUMBER}", text)
    assert value == parse_number(text)


@pytest.mark.parametrize("text", ["十百千", "万億", "5千千", "一十二三"])
def test_nonsense_is_no_number(text: str) -> None:
    assert parse_number(text) is None
