"""In which language a request is written, so that the answer is in the same."""

import re

from core.reading.text import fold
from core.reading.variants import SIMPLIFIED
from core.words import Language

_KANA = re.compile(r"[ぁ-ゖァ-ヺｦ-ﾝ]")
_HAN = re.compile(r"[一-鿿]")
_CHINESE = re.compile(
    r"请|請您|给我|报价|報價|下周|下週[一二三四五六日]|周[一二三四五六]|星期|礼拜|月底|年底|明天|后天|後天|今天|\d天|天[后内內]|[0-9一二三四五六七八九十两]\s?[个件把]"
    r"|我们|我們|您|谢谢|謝謝|需要|号前|號前|日前|之前|多少|优惠|優惠|便宜|折|日元|一台|两|兩|客户|客戶|数量[:：]|单价|單價|滑鼠|顯示器|鍵盤|螢幕"
)
_COUNTED = re.compile(r"[\d一二三四五六七八九十百千] ?[台個脚式箱本枚冊組名件]")
_LETTER = re.compile(r"[a-z]")
_LONG_WORD = re.compile(r"[a-z]{5,}")
_WORD = re.compile(r"[a-z]{3,}")


def detect_language(text: str) -> Language:
    """The language of any text, without knowing the names in it."""
    folded = fold(text[:2000]).text
    return language_of(folded, folded, folded)


def language_of(text: str, asked: str, plain: str) -> Language:
    """The language of a request.

    `asked` is its text without names of customers and without codes, `plain` without any names:
    一番館 iPhone 5台 is Japanese, and 5 monitors for 海星贸易 is English.
    """
    if _KANA.search(text):
        return "ja"
    if _is_chinese(asked):
        return "zh"
    if _COUNTED.search(plain):
        return "zh" if any(character in SIMPLIFIED for character in text) else "ja"
    mostly_latin = len(_LETTER.findall(plain)) > len(_HAN.findall(plain))
    if _WORD.search(plain if mostly_latin else asked) and (mostly_latin or not _HAN.search(plain)):
        return "en"
    if any(character in SIMPLIFIED for character in text):
        return "zh"
    # Only a customer's name; one as short as ABC says nothing.
    return "en" if not _HAN.search(text) and _LONG_WORD.search(text) else "ja"


def _is_chinese(text: str) -> bool:
    return _CHINESE.search(text) is not None or any(c in SIMPLIFIED for c in text)
