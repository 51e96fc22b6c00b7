"""Income tax withheld from fees to individuals."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from core.withholding import Fee, split_fee, withheld


@pytest.mark.parametrize(
    ("base", "tax"),
    [
        (0, 0),
        (9_999, 1_020),
        (12_345, 1_260),
        (111_111, 11_344),
        (999_999, 102_099),
        (1_000_000, 102_100),
        (1_000_005, 102_101),
        (1_234_567, 149_998),
        (3_000_000, 510_500),
    ],
)
def test_the_tax_of_a_fee(base: int, tax: int) -> None:
    assert withheld(base) == tax


def test_of_the_fee_alone_where_the_tax_is_shown_apart() -> None:
    assert split_fee(100_000, 10_000, shown_apart=True) == Fee(100_000, 10_210, 99_790)
    assert split_fee(100_000, 10_000, shown_apart=False) == Fee(110_000, 11_231, 98_769)


@given(st.integers(0, 10**12))
def test_it_is_the_exact_share_with_its_fraction_cut(base: int) -> None:
    upper = max(0, base - 1_000_000)
    exact = Fraction(1021, 10_000) * (base - upper) + Fraction(2042, 10_000) * upper

    assert withheld(base) <= exact < withheld(base) + 1


def test_nothing_is_withheld_from_less_than_nothing() -> None:
    with pytest.raises(Refused):
        withheld(-1)
    with pytest.raises(Refused):
        split_fee(1, -1, shown_apart=True)
