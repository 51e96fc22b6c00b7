"""Names as transfer files write them: half-width kana by the rules of the banks (全銀協).

Allowed are `ｱ`-`ﾝ` without small ones and without `ｦ`, the two marks, `A`-`Z`, `0`-`9`, `( ) - .`
and the space: what every bank takes. What has an allowed spelling gets it: hiragana and full-width
kana become half-width, small kana large, `ヲ` `ｵ`, `ー` and all dashes `-`, `・` a space, small
letters capitals. Kanji have none: how a name is read is never guessed. Only words of a legal form
are known, in kanji or kana, and abbreviated by where they stand: `ｶ)` before the name, `(ｶ` behind
it, `(ｶ)` within. A voiced mark is a byte of its own and goes with its letter.
"""

import re
import unicodedata
from collections.abc import Mapping

from core.errors import Refused
from core.words import Words

NOT_KANA = Words(
    ja="「{name}」の「{char}」は振込データに使えません。カナ（または英数字）で入れてください。",
    en="“{char}” of “{name}” can't stand in a transfer file. Write the name in kana (or Latin "
    "letters).",
    zh="“{name}”中的“{char}”不能用于汇款数据。请用假名（或英文字母、数字）填写。",
)
EMPTY = Words(ja="カナの名義が空です。", en="The kana name is empty.", zh="假名户名为空。")

# In half-width, so that position decides the brackets. By what banks publish; the longest first.
_FORMS: Mapping[str, str] = {
    "社会保険労務士法人": "ﾛｳﾑ", "特定非営利活動法人": "ﾄｸﾋ", "地方独立行政法人": "ﾁﾄﾞｸ",
    "独立行政法人": "ﾄﾞｸ", "一般社団法人": "ｼﾔ", "公益社団法人": "ｼﾔ", "一般財団法人": "ｻﾞｲ",
    "公益財団法人": "ｻﾞｲ", "社会医療法人": "ｲ", "医療法人社団": "ｲ", "医療法人財団": "ｲ",
    "社会福祉法人": "ﾌｸ", "更生保護法人": "ﾎｺﾞ", "行政書士法人": "ｷﾞﾖ", "司法書士法人": "ｼﾎｳ",
    "国立大学法人": "ﾀﾞｲ", "公立大学法人": "ﾀﾞｲ", "農事組合法人": "ﾉｳ", "管理組合法人": "ｶﾝﾘ",
    "弁護士法人": "ﾍﾞﾝ", "税理士法人": "ｾﾞｲ", "株式会社": "ｶ", "有限会社": "ﾕ", "合名会社": "ﾒ",
    "合資会社": "ｼ", "合同会社": "ﾄﾞ", "医療法人": "ｲ", "財団法人": "ｻﾞｲ", "社団法人": "ｼﾔ",
    "宗教法人": "ｼﾕｳ", "学校法人": "ｶﾞｸ", "相互会社": "ｿ", "NPO法人": "ﾄｸﾋ",
    "カブシキガイシャ": "ｶ", "カブシキガイシヤ": "ｶ", "カブシキカイシャ": "ｶ",
    "ユウゲンガイシャ": "ﾕ", "ユウゲンガイシヤ": "ﾕ", "ゴウドウガイシャ": "ﾄﾞ",
    "ゴウドウガイシヤ": "ﾄﾞ", "ゴウシガイシャ": "ｼ", "ゴウシガイシヤ": "ｼ",
    "ゴウメイガイシャ": "ﾒ", "ゴウメイガイシヤ": "ﾒ",
    "(株)": "ｶ", "(有)": "ﾕ", "(同)": "ﾄﾞ", "(資)": "ｼ", "(名)": "ﾒ", "(医)": "ｲ", "(財)": "ｻﾞｲ",
    "(社)": "ｼﾔ", "(宗)": "ｼﾕｳ", "(学)": "ｶﾞｸ", "(福)": "ﾌｸ", "(相)": "ｿ",
}  # fmt: skip
_FORM = re.compile(" ?(?:" + "|".join(map(re.escape, _FORMS)) + ") ?")

_FULL = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン"
_HALF = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝ"
_LARGE = str.maketrans("ァィゥェォッャュョヮヵヶヲヰヱ", "アイウエオツヤユヨワカケオイエ")
_DASHES = dict.fromkeys(map(ord, "ー‐‑‒–—―−─━﹣"), "-")
_MARKS = {"゛": "\u3099", "゜": "\u309a", "\u3099": "\u3099", "\u309a": "\u309a"}
_VOICED, _HALF_VOICED = "ﾞ", "ﾟ"
_TO_HALF = dict(zip(_FULL, _HALF, strict=True)) | {"\u3099": _VOICED, "\u309a": _HALF_VOICED}

ALLOWED = frozenset(_HALF + _VOICED + _HALF_VOICED + "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789()-. ")
_TAKES = {_VOICED: frozenset("ｳｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ"), _HALF_VOICED: frozenset("ﾊﾋﾌﾍﾎ")}


def zengin(name: str) -> str:
    """A name as it stands in a transfer file. Raises Refused for what has no spelling there.

    >>> zengin("株式会社エービーシーショウジ")
    'ｶ)ｴ-ﾋﾞ-ｼ-ｼﾖｳｼﾞ'
    """
    plain = _full_width(name)
    found = _FORM.search(plain)
    if found:  # one of them: a second is part of the name
        short = _FORMS[found[0].strip()]
        before, after = plain[: found.start()], plain[found.end() :]
        bracketed = f"{'(' if before else ''}{short}{')' if after or not before else ''}"
        spelled = _half_width(before, name) + bracketed + _half_width(after, name)
    else:
        spelled = _half_width(plain, name)
    if not spelled:
        raise Refused(EMPTY)
    _check_marks(spelled, name)
    return spelled


def is_zengin(text: str) -> bool:
    """Whether a text is spelled as transfer files have it, whatever its length."""
    return set(text) <= ALLOWED and all(_fits(text, place) for place in range(len(text)))


def cut(text: str, width: int) -> str:
    """As much as fits into so many bytes, never a letter without its mark."""
    if len(text) <= width:
        return text
    end = width - 1 if text[width] in _TAKES else width
    return text[:end].rstrip(" ")


def _full_width(name: str) -> str:
    """One spelling of all that means the same: composed full-width katakana, Latin capitals."""
    marked = "".join(_MARKS.get(char, char) for char in name)
    composed = unicodedata.normalize("NFKC", marked)
    katakana = "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in composed)
    dashed = katakana.replace("・", " ").upper()
    return " ".join(dashed.split())


def _half_width(text: str, name: str) -> str:
    split = unicodedata.normalize("NFD", text.translate(_DASHES)).translate(_LARGE)
    spelled = "".join(_TO_HALF.get(char, char) for char in split)
    for char in spelled:
        if char not in ALLOWED:
            raise Refused(NOT_KANA.fill(name=name[:80], char=char))
    return spelled


def _check_marks(spelled: str, name: str) -> None:
    for place, char in enumerate(spelled):
        if not _fits(spelled, place):
            raise Refused(NOT_KANA.fill(name=name[:80], char=char))


def _fits(text: str, place: int) -> bool:
    """Whether a mark stands behind a letter that takes it."""
    takes = _TAKES.get(text[place])
    return takes is None or (place > 0 and text[place - 1] in takes)
