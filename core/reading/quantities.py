"""Quantities: how many, with which counter, and to which side of the item they belong."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from core.reading.numbers import ENGLISH_NUMBER, KANJI_NUMBER, NUMBER, parse_number
from core.reading.text import fold

# Above this it is a slip of the finger, and would overflow the sums.
MAX_QUANTITY = 99_999_999

_CJK_COUNTERS = """
    台 個 脚 式 月 ヶ月 ケ月 か月 カ月 ヵ月 箇月 ヶ月分 か月分 カ月分 箱 ケース 本 枚 セット 件
    点 冊 組 袋 缶 部 名 人 口 足 着 巻 束 機 基 面 体 回 泊 年 年間 日 日間 時間 週間 玉 把 丁
    杯 膳 ペア 双 株 輪 隻 卓 客 パック カートン ボトル ロール ユニット ライセンス アカウント
    ユーザー ユーザ 坪 人月 人日 つ コ こ ケ ヶ 個月 个 个月 張 张 套 盒 瓶 只 支 条 份 块 包 盏
    副 位 桶 卷 罐 架 箱子
"""
_ENGLISH_COUNTERS = """
    units unit pcs pc pieces piece sets set boxes box cases case cartons carton packs pack
    months month licenses license licences licence seats seat users user bottles bottle sheets
    sheet years year days day hours hour ea copies copy bags bag rolls roll crates crate pallets
    pallet
"""
_DOZENS = {"ダース": 12, "打": 12, "dozen": 12, "dozens": 12, "グロス": 144, "gross": 144}
_KANA_NUMBERS = {
    "ひとつ": 1, "ふたつ": 2, "みっつ": 3, "よっつ": 4, "いつつ": 5, "むっつ": 6, "ななつ": 7,
    "やっつ": 8, "ここのつ": 9, "ゼロ": 0, "zero": 0,
}  # fmt: skip

Direction = Literal["back", "forward"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """`value` is None where it is not a whole number above zero: `invalid`, else unclear (5〜10).

    `bare` has neither counter nor ×: it counts only right beside an item. `each` holds for every
    item named with it, `total` repeats a sum over all lines. `months` is what years come to, for
    what is sold by the month.
    """

    value: int | None
    counter: str = ""
    invalid: bool = False
    bare: bool = False
    each: bool = False
    total: bool = False
    side: Direction | None = None
    months: int | None = None


def counter_pattern(units: Iterable[str]) -> str:
    """A regular expression of all counters, those of a price list among them."""
    own = {fold(unit).text.strip() for unit in units} - {""}
    cjk = {word for word in own if not word.isascii()} | {
        fold(w).text for w in _CJK_COUNTERS.split()
    }
    ascii_ = {word for word in own if word.isascii()} | set(_ENGLISH_COUNTERS.split())
    first, second = ("|".join(map(re.escape, sorted(s, key=len)[::-1])) for s in (cjk, ascii_))
    return rf"(?:(?:{first})|(?:{second})(?:\(s\))?(?![a-z]))"


_YEARS = ("年", "年間", "year", "years")
_NOT_IN_A_CODE = r"(?<![a-z0-9_#/.])(?<![a-z0-9]-)"


@lru_cache(maxsize=64)
def quantity_pattern(units: frozenset[str]) -> re.Pattern[str]:
    """The regular expression of one quantity, for a price list's units."""
    counter = counter_pattern(units)
    dozen = r"(?:ダース|打|dozens?\b|グロス|gross\b)"
    several = rf"半(?=年)|(?:半|\bhalf (?:an? )?|\ban? )(?={dozen})|\ba (?:couple|pair) of\b"
    number = (
        rf"(?P<number>{several}|{'|'.join(_KANA_NUMBERS)}|{_NOT_IN_A_CODE}{ENGLISH_NUMBER}"
        rf"|{_NOT_IN_A_CODE}\d{{1,6}} ?/ ?\d{{1,6}}(?= ?{counter})"
        rf"|{_NOT_IN_A_CODE}{NUMBER}|(?<=[x×*]){NUMBER})"
    )
    other_end = (
        rf" ?{counter}? ?(?:~|→|から|ないし|\bto\b|至|到) ?\d{{1,9}}"
        rf"|-\d{{1,9}}(?= ?{counter})|(?<=\d)[、,] ?\d(?= ?{counter})"
    )
    return re.compile(
        r"(?P<total>(?:合計|総計|総数|全部で|全部|总共|\btotal(?: of)?|(?<![一-龯])[計共]) ?)?"
        r"(?P<each>(?:各々|各自|各|それぞれ|一律|\beach |分别)(?:[要に:の ]{1,2})?)?"
        r"(?P<times>(?:(?<![a-z])x|[×*]) ?)?"
        rf"(?P<sign>(?<![a-z0-9])-|(?:マイナス|▲|△|[负負]|\bminus|\bnegative) ?)?{number}"
        rf"(?P<range>{other_end})?"
        rf" ?(?P<dozen>{dozen})? ?(?P<counter>{counter})?(?P<half>半)?"
        r"(?P<after> ?(?:ずつ|づつ|each\b(?: of\b)?|apiece\b)"
        r"| ?(?:x(?![a-z0-9])|[×*])(?= ?[^\s\d])| ?の(?=\S)| ?of\b)?"
    )


def find_quantities(text: str, units: frozenset[str]) -> Iterable[tuple[int, int, Quantity]]:
    """All quantities of a folded text, as (start, end, quantity)."""
    for match in quantity_pattern(units).finditer(text):
        quantity = _quantity(match)
        if quantity is not None:
            end = match.start("after") if _is_particle(match["after"]) else match.end()
            yield match.start(), end - (text[end - 1] == " "), quantity


def _is_particle(after: str | None) -> bool:
    return after is not None and after.strip() == "の"


def _quantity(match: re.Match[str]) -> Quantity | None:
    number, counter, after = match["number"], match["counter"] or "", (match["after"] or "").strip()
    whole_word = number in _KANA_NUMBERS or number.endswith(" of")
    bare = not (counter or match["dozen"] or match["times"] or match["each"] or whole_word)
    bare = bare and after in ("", "の")
    behind = match.string[match.end("number") : match.end("number") + 1]
    if bare and not after and behind.isascii() and behind.isalpha():
        return None  # 5gb, 3d
    if bare and re.fullmatch(KANJI_NUMBER, number) and _inside_word(match):
        return None  # 三菱, 千代田
    each = bool(match["each"]) or after.startswith(("ずつ", "づつ", "each", "apiece"))
    side: Direction | None = None
    if match["times"]:
        side = "back"
    elif after and not each:
        side = "forward"
    shown = counter + (match["half"] or "")
    if match["range"]:
        return Quantity(None, shown, bare=bare, each=each, total=bool(match["total"]), side=side)
    value = _value(match)
    exact = value if value is not None and _is_whole(value) else None
    months = value * 12 if value is not None and counter in _YEARS else None
    months = months if months is not None and _is_whole(months) else None
    return Quantity(
        None if exact is None else int(exact),
        shown,
        invalid=exact is None and months is None,
        bare=bare,
        each=each,
        total=bool(match["total"]),
        side=side,
        months=None if months is None else int(months),
    )


def _is_whole(value: Decimal) -> bool:
    return value == value.to_integral_value() and 0 < value <= MAX_QUANTITY


def _inside_word(match: re.Match[str]) -> bool:
    before = match.string[match.start() - 1 : match.start()] if match.start() else ""
    after = match.string[match.end() : match.end() + 1]
    return any("一" <= c <= "龯" or "ァ" <= c <= "ー" for c in (before, after) if c)


def _value(match: re.Match[str]) -> Decimal | None:
    """The number that a match says, or None where it is negative or none at all."""
    number = match["number"]
    if number in _KANA_NUMBERS:
        value: Decimal | None = Decimal(_KANA_NUMBERS[number])
    elif number.startswith(("半", "half")):
        value = Decimal("0.5")
    elif number.endswith(" of"):
        value = Decimal(2)
    elif number.strip() in ("a", "an"):
        value = Decimal(1)
    elif "/" in number:
        return None
    else:
        value = parse_number(number)
    if value is None or match["sign"] or _thousands_with_a_point(number):
        return None
    if match["dozen"]:
        value = (value + (Decimal("0.5") if match["half"] else 0)) * _DOZENS[match["dozen"]]
    elif match["half"]:
        return None
    return value


def _thousands_with_a_point(number: str) -> bool:
    """1.000 is one to some and a thousand to others."""
    return re.search(r"\.\d{3}$", number) is not None
