"""Yen and consumption tax: amounts, discounts on the whole, totals per tax rate.

Money is whole yen in `int`. A document's tax is rounded once per tax rate, never per line
(Consumption Tax Act enforcement order, art. 70-10).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from core.company import Rounding
from core.errors import Refused
from core.words import Language, Words

REDUCED_RATE = 8
"""The reduced rate for food and drink, in percent; its lines are marked with ※."""

_DISCOUNT_TOO_LARGE = Words(
    ja="値引き（{discount}）が小計（{subtotal}）を超えています。",
    en="The discount ({discount}) is more than the subtotal ({subtotal}).",
    zh="折扣（{discount}）超过了小计（{subtotal}）。",
)
_DISCOUNT_NEGATIVE = Words(
    ja="値引きは0円以上で指定してください。",
    en="A discount can't be negative.",
    zh="折扣不能为负数。",
)
_PERCENT_OUT_OF_RANGE = Words(
    ja="値引き率は0%から100%の間で指定してください。",
    en="A discount must be between 0% and 100%.",
    zh="折扣率必须在0%到100%之间。",
)
_TWO_DISCOUNTS = Words(
    ja="値引きは率か金額のどちらか一方で指定してください。",
    en="Give the discount either as a percentage or as an amount, not both.",
    zh="折扣请只用百分比或金额中的一种方式指定。",
)


@dataclass(frozen=True, slots=True)
class RateTotal:
    """What one tax rate (in percent) adds up to, in yen, after the discount.

    `base` is before tax, also where the prices include it.
    """

    rate: int
    base: int
    tax: int

    @property
    def gross(self) -> int:
        """Base and tax together."""
        return self.base + self.tax


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of one document, in yen.

    `subtotal` and `discount` are in the terms of the prices: with tax where the prices include
    it, else without. `rates` holds the rates that occur, the highest first.
    `total` is always with tax: the sum of all bases and taxes.
    """

    subtotal: int
    discount: int
    rates: tuple[RateTotal, ...]
    total: int

    @property
    def tax(self) -> int:
        """The tax of all rates together."""
        return sum(part.tax for part in self.rates)

    def at(self, rate: int) -> RateTotal:
        """What one rate adds up to; zeros where no line has it."""
        return next((part for part in self.rates if part.rate == rate), RateTotal(rate, 0, 0))


def amount(quantity: int, unit_price: int) -> int:
    """The amount of a line, in yen."""
    return quantity * unit_price


def totals(
    lines: Iterable[tuple[int, int]],
    *,
    discount_percent: Decimal | None = None,
    discount_amount: int | None = None,
    rounding: Rounding = "down",
    prices_include_tax: bool = False,
) -> Totals:
    """Add up a document from its lines' (tax rate in percent, amount in yen).

    A percentage discount is cut to whole yen. Raises `Refused` if the discount is negative,
    more than the subtotal, or given both ways.
    """
    by_rate: dict[int, int] = {}
    for rate, line_amount in lines:
        by_rate[rate] = by_rate.get(rate, 0) + line_amount
    subtotal = sum(by_rate.values())
    discount = _discount(subtotal, discount_percent, discount_amount)
    shares = share_out(discount, by_rate)
    rates = tuple(
        _rate_total(rate, by_rate[rate] - shares[rate], rounding, prices_include_tax)
        for rate in sorted(by_rate, reverse=True)
    )
    return Totals(subtotal, discount, rates, sum(part.gross for part in rates))


def share_out(discount: int, by_rate: Mapping[int, int]) -> dict[int, int]:
    """Share a discount over the rates in proportion to their amounts, in whole yen.

    The shares add up to the discount exactly (largest remainder; of equal remainders the
    higher rate comes first), and none is more than its rate's amount, given that the
    discount is not more than all of them.
    """
    subtotal = sum(by_rate.values())
    if subtotal == 0:
        return dict.fromkeys(by_rate, 0)
    parts = {rate: divmod(discount * base, subtotal) for rate, base in by_rate.items()}
    shares = {rate: whole for rate, (whole, _) in parts.items()}
    left = discount - sum(shares.values())
    by_remainder = sorted(parts, key=lambda rate: (-parts[rate][1], -rate))
    for rate in by_remainder[:left]:
        shares[rate] += 1
    return shares


def yen(value: int, language: Language = "ja") -> str:
    """An amount as said in a sentence: `244,200円`, `¥244,200`, `244,200日元`."""
    if language == "en":
        return f"-¥{-value:,}" if value < 0 else f"¥{value:,}"
    return f"{value:,}日元" if language == "zh" else f"{value:,}円"


def spoken_yen(value: int) -> Words:
    """An amount in every language, to be put into other words."""
    return Words(yen(value, "ja"), yen(value, "en"), yen(value, "zh"))


def _discount(subtotal: int, percent: Decimal | None, fixed: int | None) -> int:
    if percent is not None and fixed is not None:
        raise Refused(_TWO_DISCOUNTS)
    if percent is not None:
        if not percent.is_finite() or not 0 <= percent <= 100:
            raise Refused(_PERCENT_OUT_OF_RANGE)
        # Fraction: exact for any number of digits, where Decimal would round to its context.
        return int(subtotal * Fraction(percent) / 100)
    if fixed is None:
        return 0
    if fixed < 0:
        raise Refused(_DISCOUNT_NEGATIVE)
    if fixed > subtotal:
        raise Refused(
            _DISCOUNT_TOO_LARGE.fill(discount=spoken_yen(fixed), subtotal=spoken_yen(subtotal))
        )
    return fixed


def _rate_total(rate: int, value: int, rounding: Rounding, includes_tax: bool) -> RateTotal:
    if includes_tax:
        tax = _rounded(value * rate, 100 + rate, rounding)
        return RateTotal(rate, value - tax, tax)
    return RateTotal(rate, value, _rounded(value * rate, 100, rounding))


def _rounded(numerator: int, denominator: int, rounding: Rounding) -> int:
    """A non-negative quotient in whole yen; integers only, so it is exact."""
    if rounding == "up":
        return -(-numerator // denominator)
    if rounding == "half_up":
        return (2 * numerator + denominator) // (2 * denominator)
    return numerator // denominator
