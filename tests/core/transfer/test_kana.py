"""Names in the letters of transfer files."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Refused
from core.transfer.kana import ALLOWED, cut, is_zengin, zengin

_KANA = st.text(
    st.sampled_from(
        "アイウガギパピヴァィッャュョーヲ゛゜あがぱっゃー・　 ｱｶﾞｯｰABcd０12()（）.-‐株㈱式会社有限"
    ),
    max_size=30,
)


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("株式会社エービーシーショウジ", "ｶ)ｴ-ﾋﾞ-ｼ-ｼﾖｳｼﾞ"),
        ("エービーシーショウジ（株）", "ｴ-ﾋﾞ-ｼ-ｼﾖｳｼﾞ(ｶ"),
        ("ｶ)ﾐﾔﾋﾞｼﾖｳｼﾞ", "ｶ)ﾐﾔﾋﾞｼﾖｳｼﾞ"),
        ("カブシキガイシャ　みやび", "ｶ)ﾐﾔﾋﾞ"),
        ("ケイヨウギンコウ株式会社チバシテン", "ｹｲﾖｳｷﾞﾝｺｳ(ｶ)ﾁﾊﾞｼﾃﾝ"),
        ("㈲やまだ", "ﾕ)ﾔﾏﾀﾞ"),
        ("合同会社アオ", "ﾄﾞ)ｱｵ"),
        ("一般社団法人ミドリ", "ｼﾔ)ﾐﾄﾞﾘ"),
        ("税理士法人スズキ", "ｾﾞｲ)ｽｽﾞｷ"),
        ("やまだ  たろう", "ﾔﾏﾀﾞ ﾀﾛｳ"),
        ("ヴァイオリン・ヲタ", "ｳﾞｱｲｵﾘﾝ ｵﾀ"),
        ("がっきゅう", "ｶﾞﾂｷﾕｳ"),
        ("か゛き", "ｶﾞｷ"),
        ("Ｎｏｒｔｈ Ｗｉｎｄ 21", "NORTH WIND 21"),
    ],
)
def test_what_has_a_spelling_gets_it(typed: str, spelled: str) -> None:
    assert zengin(typed) == spelled


@pytest.mark.parametrize("typed", ["山田太郎", "ヤマダ@", "A&B", "", "　", "゛ア", "アﾟ", "カ\nﾞ,"])
def test_kanji_are_never_guessed_and_other_signs_are_refused(typed: str) -> None:
    with pytest.raises(Refused):
        zengin(typed)


@given(_KANA)
def test_a_name_is_refused_or_in_letters_that_every_bank_takes(typed: str) -> None:
    try:
        spelled = zengin(typed)
    except Refused:
        return

    assert set(spelled) <= ALLOWED
    assert is_zengin(spelled)
    assert len(spelled.encode("cp932")) == len(spelled)
    assert zengin(spelled) == spelled


@settings(max_examples=30)
@given(st.text(max_size=20))
def test_any_text_is_spelled_or_refused(typed: str) -> None:
    with contextlib.suppress(Refused):
        assert is_zengin(zengin(typed))


def test_a_voiced_mark_is_never_cut_from_its_letter() -> None:
    assert [cut("ｱｶﾞﾊﾟ", width) for width in range(6)] == ["", "ｱ", "ｱ", "ｱｶﾞ", "ｱｶﾞ", "ｱｶﾞﾊﾟ"]
