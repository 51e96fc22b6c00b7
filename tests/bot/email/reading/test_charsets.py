"""What bytes become text: every spelling of Japanese, wrong labels, and what is left out."""

import pytest

from bot.email.reading.charsets import GETA, decode

ROW_13 = "①㈱Ⅱ㍻"
ASKED = "見積をお願いします"


@pytest.mark.parametrize(
    "label",
    ["cp932", "Windows-31J", "x-sjis", "SHIFT_JIS", "ms_kanji", '"shift-jis"', "cp943"],
)
def test_every_spelling_of_cp932_is_the_same(label: str) -> None:
    assert decode(f"{ASKED}{ROW_13}ﾃｽﾄ".encode("cp932"), label) == f"{ASKED}{ROW_13}ﾃｽﾄ"


def test_iso_2022_jp_has_the_vendors_rows_and_half_width_kana() -> None:
    assert decode(b'\x1b$B4]?t;z-"|r\x1b(B', "iso-2022-jp") == "丸数字②ⅱ"
    assert decode(b"(=\x1b(I_\x1b$B&X\x1b(I_\x1b(B)\x1b(II\x1b(B", "ISO-2022-JP") == "(=ﾟωﾟ)ﾉ"
    assert decode(b"\x0eC=D\x0f OK", "iso-2022-jp") == "ﾃｽﾄ OK"  # by SO and SI (CP50222)
    assert decode(b"\xc3\xbd\xc4 \x1b$B%F\x1b(J", "iso-2022-jp") == "ﾃｽﾄ テ"  # by its eighth bit
    assert decode(b'\x1b$(D0!\x1b(B\x1b$AO"\x1b(B', "iso-2022-jp-2") == "丂息"


def test_iso_2022_jp_that_is_broken_loses_only_what_is_broken() -> None:
    assert decode(b"\x1b$B%F%9%H\nabc", "iso-2022-jp") == "テスト\nabc"  # a line begins in ASCII
    assert decode(b"\x1b$B%F%\x1b(B.", "iso-2022-jp") == f"テ{GETA}."
    assert decode(b"\x1b$B%F\x7e\x7e%9\x1b(B", "iso-2022-jp") == f"テ{GETA}ス"
    assert decode(b"$B%F%9%H(B: 10", "iso-2022-jp") == "テスト: 10"  # its escapes were taken out
    assert decode(b"$B100 (B)", "us-ascii") == "$B100 (B)"


@pytest.mark.parametrize("label", ["euc-jp", "cp51932", "x-euc-jp", "eucJP-ms"])
def test_euc_jp_has_the_vendors_rows(label: str) -> None:
    raw = ASKED.encode("euc_jp") + b"\xad\xa1\xad\xea\x8e\xc3\x8e\xbd\x8e\xc4\x8f\xb0\xa1"

    assert decode(raw, label) == f"{ASKED}①㈱ﾃｽﾄ丂"


def test_one_table_for_a_wave_dash_and_a_minus_sign() -> None:
    raw = {
        "cp932": b"\x81`\x81|",
        "iso-2022-jp": b"\x1b$B!A!]\x1b(B",
        "euc-jp": b"\xa1\xc1\xa1\xdd",
    }

    assert {decode(data, label) for label, data in raw.items()} == {"～－"}


@pytest.mark.parametrize("label", [None, "us-ascii", "iso-8859-1", "unknown-8bit", "x-nonsense"])
@pytest.mark.parametrize("written", ["utf-8", "cp932", "euc_jp", "iso2022_jp"])
def test_japanese_is_found_under_a_wrong_label(label: str | None, written: str) -> None:
    assert decode(ASKED.encode(written), label) == ASKED


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("utf-8", "cp932"),
        ("utf-8", "euc_jp"),
        ("shift_jis", "utf-8"),
        ("shift_jis", "euc_jp"),
        ("euc-jp", "cp932"),
        ("iso-2022-jp", "cp932"),
        ("iso-2022-jp", "utf-8"),
        ("cp932", "iso2022_jp"),
    ],
)
def test_japanese_is_found_under_another_japanese_label(said: str, written: str) -> None:
    assert decode(ASKED.encode(written), said) == ASKED


def test_a_true_label_is_believed_where_the_text_is_odd() -> None:
    assert decode("ﾐﾂﾓﾘ".encode("cp932"), "cp932") == "ﾐﾂﾓﾘ"
    assert decode("見積".encode("euc_jp"), "euc-jp") == "見積"


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("GB2312", "gb18030", "报价单㈱𠮷"),
        ("big5", "cp950", "請提供報價"),
        ("ks_c_5601-1987", "cp949", "견적서"),
        ("hz-gb-2312", "hz", "报价"),
        ("iso-8859-1", "cp1252", "Grüße – “€5”"),
        ("ISO-8859-2", "iso8859-2", "Łódź"),
        ("koi8-r", "koi8-r", "смета"),
        ("windows-1251", "cp1251", "смета"),
        ("utf-7", "utf-7", "見積 A+B"),
        ("unicode-1-1-utf-7", "utf-7", "見積"),
        ("utf-16", "utf-16", "見積"),
    ],
)
def test_other_languages(label: str, codec: str, text: str) -> None:
    assert decode(text.encode(codec), label) == text


def test_without_a_label_accents_are_no_chinese() -> None:
    assert decode("Grüße aus Zürich, né à Genève".encode("cp1252")) == (
        "Grüße aus Zürich, né à Genève"
    )


def test_a_broken_byte_costs_itself() -> None:
    raw = "見積書を送ります".encode() + b"\xff" + "よろしく".encode()

    assert decode(raw, "utf-8") == "見積書を送ります�よろしく"
    assert decode("見積書".encode()[:-1], "utf-8") == "見積"  # cut by bytes


def test_what_only_one_makers_phones_show_is_a_geta_mark() -> None:
    assert decode(b"\x83e\x83X\x83g\xf9\x91", "shift_jis") == f"テスト{GETA}"


def test_pictures_by_web_codes_are_left_out() -> None:
    assert decode(b"\x1b$Gj!\x0f\x83e\x83X\x83g", "shift_jis") == "テスト"


def test_no_escape_control_or_half_character_is_left() -> None:
    raw = b"a\x1b[31mb\x00\x07c\x7f\xc2\x85d\r\ne\rf\tg"

    assert decode(raw, "utf-8") == "a[31mbcd\ne\nf\tg"
    assert decode(b"\xed\xa0\x80abc\xed\xb0\x80", "utf-8").isprintable()
    assert decode("報\u202egpj.exe\u2066".encode()) == "報gpj.exe"
    assert decode(b"+2AA- \\ud800", "utf-7").isprintable()


def test_labels_that_are_no_charsets_are_not_followed() -> None:
    for label in ("idna", "punycode", "unicode_escape", "rot13", "zlib", "base64", "x" * 500):
        assert decode(b"\\u0041 xn--a", label) == "\\u0041 xn--a"
