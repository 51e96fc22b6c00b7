"""Texts are counted as LINE counts and cut where a reader sees a boundary."""

import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.line.text import clean, cut, label, parts, units

TEXTS = st.text(max_size=200) | st.lists(
    st.sampled_from(["👨‍👩‍👧‍👦", "🇯🇵", "が", "葛󠄀", "👍🏽", "\n", "a", "語" * 9, "e\u0301"]),
    max_size=80,
).map("".join)


@settings(max_examples=80)
@given(TEXTS, st.integers(2, 60), st.integers(1, 6))
def test_parts_fit_lose_nothing_and_split_no_cluster(text: str, most: int, count: int) -> None:
    whole = clean(text)
    found, over = parts(text, most, count)

    assert 1 <= len(found) <= count
    assert all(0 < len(part.encode("utf-16-le")) // 2 <= most for part in found)
    flat = whole.replace("\n", "")
    told = "".join(found).replace("\n", "")
    if over == 0:
        assert told == flat or not whole.strip()
    else:
        assert flat.startswith(told)
    if max((units(each) for each in regex.findall(r"\X", whole)), default=0) <= most and over == 0:
        clusters = [c for part in found for c in regex.findall(r"\X", part)]
        kept = [c for c in clusters if c != "\n"]
        assert kept == [c for c in regex.findall(r"\X", whole) if c != "\n"] or not whole.strip()


@settings(max_examples=80)
@given(TEXTS, st.integers(2, 60))
def test_what_is_cut_says_so_and_is_whole_up_to_there(text: str, most: int) -> None:
    shown = cut(text, most)

    assert units(shown) <= most
    shown.encode("utf-16-le")
    if shown != clean(text):
        assert shown.endswith("…")
        assert clean(text).startswith(shown[:-1])


def test_a_family_is_shown_whole_or_not_at_all() -> None:
    assert cut("👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 21) == "👨‍👩‍👧‍👦…"
    assert cut("👨‍👩‍👧‍👦", 10) == "…"
    assert units("👨‍👩‍👧‍👦") == 11
    assert parts("🇯🇵🇨🇳🇬🇧", 9) == (["🇯🇵🇨🇳", "🇬🇧"], 0)


def test_lines_stay_together() -> None:
    assert parts("一行目\n二行目\n三行目", 8) == (["一行目\n二行目", "三行目"], 0)


def test_what_steers_a_reader_is_left_out() -> None:
    assert clean("請求\u202e0001\u202c円\x00\x1b") == "請求0001円"
    assert clean("a\r\nb\u2028c\td") == "a\nb\nc\td"
    assert label(" 一\n二 ", 20) == "一 二"
    assert label("\x00", 20) == "…"
