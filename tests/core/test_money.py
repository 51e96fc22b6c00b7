"""What a document adds up to."""

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.company import Rounding
from core.errors import Refused
from core.money import RateTotal, Totals, amount, share_out, totals, yen

Line = tuple[int, int]

VECTORS: list[tuple[list[Line], dict[str, object], tuple[int, int, int, int, int]]] = [
    ([(10, 5 * 32_800), (10, 10 * 5_800)], {}, (222_000, 22_200, 0, 0, 244_200)),
    ([(10, 12 * 2_380), (8, 3 * 2_160)], {}, (28_560, 2_856, 6_480, 518, 38_414)),
    ([(8, 50 * 780), (8, 20 * 2_160)], {}, (0, 0, 82_200, 6_576, 88_776)),
    ([(10, 105)] * 3, {}, (315, 31, 0, 0, 346)),
    ([(8, 108)] * 3, {}, (0, 0, 324, 25, 349)),
    (
        [(10, 10 * 32_800)],
        {"discount_percent": Decimal(10)},
        (295_200, 29_520, 0, 0, 324_720),
    ),
    ([(10, 5 * 24_800)], {"discount_amount": 15_000}, (109_000, 10_900, 0, 0, 119_900)),
    (
        [(10, 30_000), (8, 20_000)],
        {"discount_amount": 5_000},
        (27_000, 2_700, 18_000, 1_440, 49_140),
    ),
]


@pytest.mark.parametrize(("lines", "discount", "sums"), VECTORS)
def test_agreed_vectors(
    lines: list[Line], discount: dict[str, object], sums: tuple[int, int, int, int, int]
) -> None:
    got = totals(lines, **discount)  # type: ignore[arg-type]

    assert (got.at(10).base, got.at(10).tax, got.at(8).base, got.at(8).tax, got.total) == sums


def test_no_agreed_vector_is_left_out(shared: Path) -> None:
    text = (shared / "quotes" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|[^|]*\d[^|]*\|" + r" *([\d,]+) *\|" * 5 + r" *$", text, re.M)

    assert [tuple(int(cell.replace(",", "")) for cell in row) for row in rows] == [
        sums for _, _, sums in VECTORS
    ]


def test_rates_come_highest_first_and_only_those_that_occur() -> None:
    got = totals([(8, 100), (10, 200)])

    assert got == Totals(
        subtotal=300,
        discount=0,
        rates=(RateTotal(10, 200, 20), RateTotal(8, 100, 8)),
        total=328,
    )
    assert [part.rate for part in totals([(8, 100)]).rates] == [8]


@pytest.mark.parametrize(("rounding", "tax"), [("down", 31), ("half_up", 32), ("up", 32)])
def test_half_a_yen_goes_where_the_company_says(rounding: Rounding, tax: int) -> None:
    assert totals([(10, 315)], rounding=rounding).tax == tax


@pytest.mark.parametrize(("rounding", "tax"), [("down", 31), ("half_up", 31), ("up", 32)])
def test_a_tenth_of_a_yen_goes_up_only_with_up(rounding: Rounding, tax: int) -> None:
    assert totals([(10, 311)], rounding=rounding).tax == tax


def test_prices_that_include_tax_are_the_total() -> None:
    got = totals([(10, 1_100), (8, 1_000)], prices_include_tax=True)

    assert got.total == 2_100
    assert got.at(10) == RateTotal(10, 1_000, 100)
    assert got.at(8) == RateTotal(8, 926, 74)  # 74.07 of tax within


def test_discount_on_prices_that_include_tax_lowers_the_total_by_itself() -> None:
    got = totals([(10, 3_300), (8, 2_160)], discount_amount=460, prices_include_tax=True)

    assert (got.subtotal, got.discount, got.total) == (5_460, 460, 5_000)


def test_percentage_is_cut_to_whole_yen() -> None:
    assert totals([(10, 999)], discount_percent=Decimal("12.5")).discount == 124  # 124.875


def test_equal_remainders_go_to_the_higher_rate() -> None:
    assert share_out(1, {8: 500, 10: 500}) == {8: 0, 10: 1}


def test_discount_of_everything_leaves_nothing_to_pay() -> None:
    assert totals([(10, 500), (8, 33)], discount_percent=Decimal(100)).total == 0
    assert totals([(10, 500), (8, 33)], discount_amount=533).total == 0


def test_discount_above_the_subtotal_is_refused_with_both_figures() -> None:
    with pytest.raises(Refused) as refused:
        totals([(10, 1_000)], discount_amount=1_001)

    assert "1,001円" in refused.value.words.ja
    assert "¥1,000" in refused.value.words.en


@pytest.mark.parametrize("percent", ["-1", "100.01", "NaN", "Infinity"])
def test_percentage_out_of_range_is_refused(percent: str) -> None:
    with pytest.raises(Refused):
        totals([(10, 1_000)], discount_percent=Decimal(percent))


def test_negative_discount_is_refused() -> None:
    with pytest.raises(Refused):
        totals([(10, 1_000)], discount_amount=-1)


def test_two_discounts_are_refused() -> None:
    with pytest.raises(Refused):
        totals([(10, 1_000)], discount_amount=1, discount_percent=Decimal(1))


def test_nothing_costs_nothing() -> None:
    assert totals([]) == Totals(0, 0, (), 0)
    assert amount(3, 0) == 0


def test_amounts_are_said_in_each_language() -> None:
    assert [yen(244_200, "ja"), yen(244_200, "en"), yen(244_200, "zh")] == [
        "244,200円",
        "¥244,200",
        "244,200日元",
    ]
    assert yen(-500, "en") == "-¥500"


lines_of_a_document = st.lists(
    st.tuples(st.sampled_from([10, 8, 0]), st.integers(0, 10**12)), max_size=30
)
roundings = st.sampled_from(["down", "half_up", "up"])


@given(lines_of_a_document, st.fractions(0, 1), roundings, st.booleans())
def test_any_document_adds_up(
    lines: Sequence[Line], part: Fraction, rounding: Rounding, includes_tax: bool
) -> None:
    """Shares sum to the discount, parts sum to the total, nothing is negative."""
    subtotal = sum(value for _, value in lines)
    discount = int(subtotal * part)
    got = totals(
        lines, discount_amount=discount, rounding=rounding, prices_include_tax=includes_tax
    )

    assert got.subtotal == subtotal
    assert got.total == sum(part.base + part.tax for part in got.rates)
    assert all(part.base >= 0 and part.tax >= 0 for part in got.rates)
    kept = sum(part.gross if includes_tax else part.base for part in got.rates)
    assert kept == subtotal - discount
    assert got.rates == tuple(sorted(got.rates, key=lambda part: -part.rate))


@given(lines_of_a_document, st.randoms(use_true_random=False), roundings, st.booleans())
def test_order_of_lines_changes_nothing(
    lines: list[Line], shuffler: object, rounding: Rounding, includes_tax: bool
) -> None:
    other = list(lines)
    shuffler.shuffle(other)  # type: ignore[attr-defined]
    discount = sum(value for _, value in lines) // 3

    assert totals(
        other, discount_amount=discount, rounding=rounding, prices_include_tax=includes_tax
    ) == totals(lines, discount_amount=discount, rounding=rounding, prices_include_tax=includes_tax)


@given(lines_of_a_document, roundings, st.booleans())
def test_tax_is_within_a_yen_of_the_exact_one_for_each_rate(
    lines: Sequence[Line], rounding: Rounding, includes_tax: bool
) -> None:
    got = totals(lines, rounding=rounding, prices_include_tax=includes_tax)

    for part in got.rates:
        exact = (
            Fraction(part.gross * part.rate, 100 + part.rate)
            if includes_tax
            else Fraction(part.base * part.rate, 100)
        )
        error = part.tax - exact
        assert abs(error) < 1
        assert error <= 0 if rounding == "down" else True
        assert error >= 0 if rounding == "up" else True
        assert abs(error) <= Fraction(1, 2) if rounding == "half_up" else True


@given(
    st.dictionaries(st.sampled_from([10, 8, 5, 0]), st.integers(0, 10**15)),
    st.fractions(0, 1),
)
def test_shares_sum_to_the_discount_and_lie_within_a_yen_of_proportion(
    by_rate: dict[int, int], part: Fraction
) -> None:
    subtotal = sum(by_rate.values())
    discount = int(subtotal * part)
    shares = share_out(discount, by_rate)

    assert sum(shares.values()) == discount
    for rate, share in shares.items():
        assert 0 <= share <= by_rate[rate]
        if subtotal:
            assert abs(share - Fraction(discount * by_rate[rate], subtotal)) < 1


@given(st.integers(0, 10**14), st.decimals(0, 100, places=3))
def test_percentage_discount_is_the_exact_one_cut_to_yen(subtotal: int, percent: Decimal) -> None:
    got = totals([(10, subtotal)], discount_percent=percent).discount
    exact = subtotal * Fraction(percent) / 100

    assert 0 <= exact - got < 1
