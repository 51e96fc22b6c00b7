"""Amounts of yen in free text: discounts (10%引き, 1.5万円引き, 9折) and unit prices (@3万)."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from core.reading.numbers import ENGLISH_NUMBER, NUMBER, parse_number
from core.reading.text import fold

MOST_YEN = 10**12
_YEN = r"(?:円|yen\b|jpy\b|日元|日圆|日円|元)"
_MARK = r"(?:¥|\\|jpy ?|yen\s)"
_AMOUNT = rf"(?:{_MARK} ?(?P<a>{NUMBER})(?: ?{_YEN})?|(?P<b>{NUMBER}) ?{_YEN})"
# After a word for price or discount the yen may go unsaid.
_LOOSE = rf"(?:{_MARK} ?)?(?P<c>{NUMBER})(?![%割折台個脚式箱本枚月/\d]|日(?!元|圆|円))(?: ?{_YEN})?"
_PERCENT = rf"(?P<p>{NUMBER}|{ENGLISH_NUMBER}) ?(?:%|パーセント|percent\b|per cent\b|pct\b)"
_OFF_JA = r"(?:お?値?引き?(?:いて|く|いた)?|off\b|オフ|ディスカウント|割引き?|まけて|下げて|減額)"
_SHARE = r"(?P<w>[\d一二三四五六七八九]{1,2}(?:\.\d)?)割(?: ?(?P<bu>[\d一二三四五六七八九])分)?"
_WORD_JA = (
    r"(?:出精|特別|端数)?(?:お?値引き?|お?割引き?|ディスカウント)(?:率|額|金額)?(?:は|を|として|で|に|の)?"
    r" ?[:=]? ?(?:全体で|合計で|一律)?(?<!-)[-▲△]?"
)
_WORD_EN = (
    r"\b(?:discount(?:ed)?|less|minus|rebate|take)(?: of| by| is)? ?[:=]? ?(?:an? (?:extra )?)?-?"
)
_WORD_ZH = r"(?:优惠|優惠|立减|减免|减|減|便宜|降价|折扣|让利|扣)(?:了|为|是|价)? ?[:=]? ?"


@dataclass(frozen=True, slots=True)
class Discount:
    """On the whole order: a percentage or an amount of yen. Neither: it makes no sense (120%)."""

    percent: Decimal | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """Yen. `each` says it is for one; else it is only an amount beside the item.

    `of_one` has the one in its words (1台3万円), `of_all` is a total that was asked for.
    """

    yen: int
    each: bool = False
    of_one: bool = False
    of_all: bool = False


def _named(match: re.Match[str], *names: str) -> str | None:
    groups = match.groupdict()
    return next((groups[name] for name in names if groups.get(name)), None)


def yen(text: str | None) -> int | None:
    """A whole amount of yen from the words of a number, or None."""
    value = parse_number(text) if text else None
    if value is None or value != value.to_integral_value() or not 0 < value <= MOST_YEN:
        return None
    return int(value)


_ALONE = re.compile(rf"{_MARK}? ?(?P<n>{NUMBER}) ?{_YEN}?")


def read_amount(text: str) -> int | None:
    """The yen of a text that is an amount and nothing else (12,000円, ¥1.5万, 12000); else None."""
    match = _ALONE.fullmatch(fold(text[:100]).text.strip())
    return yen(match["n"]) if match else None


def _percent(match: re.Match[str]) -> Discount:
    value = parse_number(match["p"])
    return Discount(percent=_sensible(value))


def _sensible(percent: Decimal | None) -> Decimal | None:
    return percent if percent is not None and 0 < percent <= 100 else None


def _share(match: re.Match[str]) -> Discount:
    tenths, hundredths = parse_number(match["w"]), parse_number(match["bu"] or "0")
    if tenths is None or hundredths is None:
        return Discount()
    return Discount(percent=_sensible(tenths * 10 + hundredths))


def _hundredths(match: re.Match[str]) -> Discount:
    return Discount(percent=_sensible(parse_number(match["bu"])))


def _fold(match: re.Match[str]) -> Discount:
    """9折 is what remains: nine tenths. 85折 and 八五折 are 85 %."""
    text = match["z"]
    remains = parse_number(text)
    if remains is None:
        return Discount()
    remains = remains if remains >= 10 else remains * 10
    return Discount(percent=_sensible(100 - remains))


def _amount(match: re.Match[str]) -> Discount:
    return Discount(amount=yen(_named(match, "a", "b", "c")))


def _half(match: re.Match[str]) -> Discount:
    return Discount(percent=Decimal(50))


_DISCOUNTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Discount]], ...] = tuple(
    (re.compile(pattern), value)
    for pattern, value in (
        (rf"{_PERCENT} ?(?:の|を|分|ほど|くらい)? ?(?:お?{_OFF_JA}(?: ?お?値引き?)?)", _percent),
        (
            rf"{_PERCENT} ?(?:discount\b|off\b|less\b|rebate\b|reduction\b|优惠|優惠|折扣)",
            _percent,
        ),
        (rf"{_WORD_JA}{_PERCENT}", _percent),
        (rf"{_WORD_EN}{_PERCENT}(?: off\b| discount\b)?", _percent),
        (rf"{_WORD_ZH}{_PERCENT}", _percent),
        (rf"(?<![\d%])[-▲△] ?{_PERCENT}", _percent),
        (rf"(?<![\d.]){_SHARE} ?(?:の|を|ほど)? ?お?{_OFF_JA}", _share),
        (rf"{_WORD_JA}(?<![\d.]){_SHARE}", _share),
        (r"(?<![\d.割])(?P<bu>[1-9一二三四五六七八九])分 ?(?:引き?|オフ|off\b)", _hundredths),
        (r"打? ?(?<![\d.])(?P<z>\d{1,2}(?:\.\d)?|[一二三四五六七八九]{1,2}) ?折(?:优惠)?", _fold),
        (r"半額(?:引き?|で|に)?|\bhalf[ -]price\b|\bhalf off\b", _half),
        (rf"{_AMOUNT} ?(?:の|を|分|ほど)? ?お?{_OFF_JA}", _amount),
        (rf"{_AMOUNT} ?(?:discount\b|off\b|less\b|rebate\b|reduction\b|优惠|優惠)", _amount),
        (rf"{_WORD_JA}{_LOOSE}", _amount),
        (rf"{_WORD_EN}{_AMOUNT}(?: off\b| discount\b)?", _amount),
        (rf"\b(?:discount|rebate)(?: of)? ?[:=]? ?{_LOOSE}", _amount),
        (rf"{_WORD_ZH}{_AMOUNT}", _amount),
    )
)
_ONE = (
    r"(?:(?<!\d)[1一](?:台|個|脚|式|箱|ケース|本|枚|セット|つ|件|点|冊|月|ヶ月|か月"
    r"|个|個|把|套|盒|瓶)|[毎每][月台个個箱]|月額|月々)"
)
_PRICES: tuple[tuple[re.Pattern[str], bool, bool, bool], ...] = tuple(
    (re.compile(pattern), each, of_one, of_all)
    for pattern, each, of_one, of_all in (
        (
            r"(?:単価|单价|單價|\bunit price|\bprice each)"
            r"(?:は|を|が|で|:|=|为|是| of| is| at|[ ])*"
            rf"{_LOOSE} ?(?:で|に|とし\w)?",
            True, False, False,
        ),
        (rf"@ ?{_LOOSE}", True, False, False),
        (
            rf"{_ONE} ?(?:あたり|当たり|につき|=|:|は|が|を)? ?{_AMOUNT}(?:で)?",
            True, True, False,
        ),
        (
            rf"(?:\bat |\bfor )?{_AMOUNT} ?(?:each\b|apiece\b|ea\b"
            r"|per (?:unit|piece|item|pc|month|box|case|set)\b"
            r"|a piece\b|/ ?(?:台|個|脚|式|箱|ケース|本|枚|セット|つ|月|unit|pc|个|個|把|件)"
            r"|(?:一|每|1)(?:台|个|個|把|箱|件)|ずつ)",
            True, False, False,
        ),
        (rf"(?:各|それぞれ|\beach ) ?{_AMOUNT}(?:で)?", True, False, False),
        (
            r"(?:合計|総額|全部で|全体で|トータル|税込で?|税抜で?"
            r"|\btotal(?: of| price)?"
            rf"|总价|总共|一共)(?:を|は|で| )? ?{_AMOUNT}(?:で|に)?",
            False, False, True,
        ),
        (rf"(?:\bat )?{_AMOUNT}(?:で|にて)?", False, False, False),
    )
)  # fmt: skip
_NOT_A_PRICE = re.compile(r"(?:予算|定価|通常|市価|他社\w{0,2}|budget|预算|送料|税)[^\n。、]{0,6}$")


def find_discounts(text: str) -> Iterable[tuple[int, int, Discount]]:
    """All discounts of a folded text, as (start, end, discount); the longer of two holds."""
    if not _DISCOUNT_NEEDS.search(text):
        return
    for pattern, value in _DISCOUNTS:
        for match in pattern.finditer(text):
            yield match.start(), match.end(), value(match)


_DISCOUNT_NEEDS = re.compile(
    r"引|割|off|オフ|分|%|パーセント|折|额|額|half|discount|less|minus|rebate|ディスカウント|まけ|下げ|减|減|惠|便宜|降|扣|percent|take|让"
)
_PRICE_NEEDS = re.compile(r"円|yen|jpy|元|日圆|¥|\\|@|単価|单价|單價|price")


def find_prices(text: str) -> Iterable[tuple[int, int, Price | None]]:
    """All amounts that are no discounts, as (start, end, price); None is a budget or the like."""
    if not _PRICE_NEEDS.search(text):
        return
    for pattern, each, of_one, of_all in _PRICES:
        for match in pattern.finditer(text):
            value = yen(_named(match, "a", "b", "c"))
            before = text[max(0, match.start() - 12) : match.start()]
            aside = value is None or _NOT_A_PRICE.search(before)
            price = None if aside or value is None else Price(value, each, of_one, of_all)
            yield match.start(), match.end(), price
