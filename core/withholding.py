"""Income tax withheld from fees to individuals (源泉徴収), in whole yen.

所得税法204条1項 and 205条1号, with the special income tax for reconstruction (復興財源確保法28条):
10.21 % of what is paid at once up to 1,000,000 yen, 20.42 % of what is above. Fractions of a yen
are cut (国税通則法119条2項).
"""

from dataclasses import dataclass

from core.errors import Refused
from core.words import Words

_LIMIT = 1_000_000
_LOWER, _UPPER, _PER = 1021, 2042, 10_000
_AT_THE_LIMIT = _LIMIT * _LOWER // _PER

_NEGATIVE = Words(
    ja="報酬と消費税は0円以上で入れてください。",
    en="A fee and its tax can't be negative.",
    zh="报酬和消费税不能为负数。",
)


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee in yen: what tax is withheld from, the tax, and what is paid out."""

    base: int
    withheld: int
    paid: int


def withheld(base: int) -> int:
    """The tax to withhold from a payment of so many yen. Raises Refused below zero."""
    if base < 0:
        raise Refused(_NEGATIVE)
    if base <= _LIMIT:
        return base * _LOWER // _PER
    return _AT_THE_LIMIT + (base - _LIMIT) * _UPPER // _PER


def split_fee(fee: int, tax: int, *, shown_apart: bool) -> Fee:
    """What is withheld of a fee and its consumption tax, and what is left to pay.

    Of the fee alone where the invoice shows the tax apart, else of both (通達 平元直法6-1). Raises
    Refused below zero.
    """
    if fee < 0 or tax < 0:
        raise Refused(_NEGATIVE)
    base = fee if shown_apart else fee + tax
    kept = withheld(base)
    return Fee(base, kept, fee + tax - kept)
