"""Text that our document font can show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.glyphs import printable


@pytest.mark.parametrize(
    "text",
    [
        "株式会社髙﨑組",
        "𠮷野家",
        "㈱①㍿ｶﾞ℡",
        "报价单 转账 兹",
        "한국어",
        "葛\U000e0100城",
        "a\nb",
        "αЖ",
    ],
)
def test_text_with_glyphs_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_character_without_a_glyph_becomes_a_geta() -> None:
    assert printable("緑茶😀\ue000ส") == "緑茶〓〓〓"


def test_what_would_turn_or_hide_text_is_left_out() -> None:
    assert printable("1\u202e00\u200b\x07円\ufeff\x00") == "100円"


def test_every_kind_of_line_end_becomes_one() -> None:
    assert printable("あ\r\nい\rう\u2028え\tお") == "あ\nい\nう\nえ お"


def test_half_of_a_surrogate_pair_becomes_a_geta() -> None:
    assert printable("\ud83d") == "〓"


@given(st.text())
def test_a_second_time_changes_nothing(text: str) -> None:
    once = printable(text)

    assert printable(once) == once
    once.encode()
