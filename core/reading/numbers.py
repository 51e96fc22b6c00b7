"""Numbers as people write them: 1,000, 1.5万, 百二十, 二〇, 两, twenty-five."""

import re
from decimal import Decimal

_DIGITS = {"〇": 0, "零": 0} | {kanji: n for n, kanji in enumerate("一二三四五六七八九", start=1)}
_DIGITS |= {"壱": 1, "弐": 2, "参": 3, "両": 2, "两": 2, "兩": 2, "壹": 1, "贰": 2, "叁": 3}
_SMALL = {"十": 10, "拾": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10**4, "萬": 10**4, "億": 10**8, "亿": 10**8}

KANJI_DIGIT = "〇零一二三四五六七八九壱弐参壹贰叁两兩両"
KANJI_NUMBER = rf"[{KANJI_DIGIT}十拾百千万萬億亿]{{1,16}}"
# Starts only where a run of digits starts, so that long runs are looked at once.
PLAIN = r"(?<![\d.])(?<!\d,)(?:\d{1,3}(?:,\d{3}){1,5}(?!\d)|\d{1,16}(?!\d))(?:\.\d{1,6}(?!\d))?"
_REST = rf"(?:\d{{1,3}}(?:,\d{{3}})?|\d{{1,4}}|[{KANJI_DIGIT}十百千]{{1,7}})"
NUMBER = rf"(?:{PLAIN}(?:[十百千万億亿](?:{_REST}[千百]?)?){{0,3}}|{KANJI_NUMBER})"

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ENGLISH = {word: n for n, word in enumerate(_ONES)}
_ENGLISH |= {word: n for n, word in zip(range(20, 100, 10), _TENS, strict=True)}
_ONE_TO_NINE = "|".join(_ONES[1:10])
_BELOW_20 = "|".join(sorted(_ONES, key=len)[::-1])
_BELOW_100 = rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:{_ONE_TO_NINE}))?|{_BELOW_20})"
ENGLISH_NUMBER = (
    rf"\b(?:{_BELOW_100}|(?:an?|one))(?: (?:hundred|thousand)(?: (?:and )?{_BELOW_100})?)\b"
    rf"|\b{_BELOW_100}\b"
)

_TOKEN = re.compile(r"\d[\d,]*(?:\.\d+)?|.", re.DOTALL)
_PLACES = re.compile(rf"[{KANJI_DIGIT}]{{2,}}")


def parse_number(text: str) -> Decimal | None:
    """The value of a number of this module's patterns, or None where it makes no sense.

    >>> parse_number("1万5千"), parse_number("百二十"), parse_number("二〇")
    (Decimal('15000'), Decimal('120'), Decimal('20'))
    """
    if text[:1].isascii() and text[:1].isalpha():
        return _parse_english(text)
    if _PLACES.fullmatch(text):
        return Decimal("".join(str(_DIGITS[character]) for character in text))
    total = section = Decimal(0)
    pending: Decimal | None = None
    limit_small, limit_large = 10**4, 10**12  # each unit must be smaller than the one before
    for token in _TOKEN.findall(text):
        if token[0].isdecimal() or token in _DIGITS:
            if pending is not None:
                return None
            pending = Decimal(_DIGITS[token] if token in _DIGITS else token.replace(",", ""))
        elif token in _SMALL and _SMALL[token] < limit_small:
            limit_small = _SMALL[token]
            section += (Decimal(1) if pending is None else pending) * limit_small
            pending = None
        elif token in _LARGE and _LARGE[token] < limit_large:
            limit_large, limit_small = _LARGE[token], 10**4
            section += pending or 0
            total += (section if section or pending is not None else Decimal(1)) * limit_large
            section, pending = Decimal(0), None
        else:
            return None
    return total + section + (pending or 0)


def _parse_english(text: str) -> Decimal | None:
    total = 0
    for word in re.split(r"[ -]+", text):
        if word in ("a", "an"):
            total += 1
        elif word in _ENGLISH:
            total += _ENGLISH[word]
        elif word in ("hundred", "thousand"):
            total = max(total, 1) * (100 if word == "hundred" else 1000)
        elif word != "and":
            return None
    return Decimal(total)


def to_kanji(number: int) -> str:
    """A whole number from 0 to 9999億 in kanji, as parse_number reads it: 1205 is 千二百五."""
    if number == 0:
        return "零"
    words = ""
    for unit, size in (("億", 10**8), ("万", 10**4), ("", 1)):
        section, number = divmod(number, size)
        words += (_below_10000(section) + unit) if section else ""
    return words


def _below_10000(number: int) -> str:
    words = ""
    for unit, size in (("千", 1000), ("百", 100), ("十", 10), ("", 1)):
        digit, number = divmod(number, size)
        if digit:
            words += ("" if digit == 1 and unit else KANJI_DIGIT[digit + 1]) + unit
    return words
