"""Discounts and unit prices are read in three languages."""

from decimal import Decimal

import pytest

from core.reading.money import Price, find_discounts, find_prices
from core.reading.text import fold


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        ("10%引き", "10"),
        ("10％OFF", "10"),
        ("5%割引", "5"),
        ("値引き10%", "10"),
        ("値引率は10%", "10"),
        ("10%お値引き", "10"),
        ("7.5%値引き", "7.5"),
        ("1割引", "10"),
        ("二割引き", "20"),
        ("1割5分引き", "15"),
        ("5分引き", "5"),
        ("半額", "50"),
        ("discount 10%", "10"),
        ("10% off", "10"),
        ("a 10 percent discount", "10"),
        ("ten percent off", "10"),
        ("9折", "10"),
        ("打九折", "10"),
        ("85折", "15"),
        ("八五折", "15"),
        ("8.5折", "15"),
        ("优惠10%", "10"),
    ],
)
def test_each_way_of_naming_a_share_is_read(text: str, percent: str) -> None:
    found = [discount.percent for _, _, discount in find_discounts(fold(text).text)]

    assert Decimal(percent) in found


@pytest.mark.parametrize(
    ("text", "yen"),
    [
        ("値引き1.5万円", 15_000),
        ("15,000円引き", 15_000),
        ("1万5千円値引き", 15_000),
        ("出精値引き 5,000円", 5_000),
        ("値引き：5000", 5_000),
        ("５千円引いて", 5_000),
        ("15000円OFF", 15_000),
        ("less 15,000 yen", 15_000),
        ("15,000 yen off", 15_000),
        ("¥15,000 discount", 15_000),
        ("discount of JPY 15,000", 15_000),
        ("优惠500日元", 500),
        ("优惠500元", 500),
        ("减3000日元", 3_000),
    ],
)
def test_each_way_of_naming_an_amount_off_is_read(text: str, yen: int) -> None:
    found = [discount.amount for _, _, discount in find_discounts(fold(text).text)]

    assert yen in found


@pytest.mark.parametrize("text", ["消費税10%", "120%引き", "0%引き", "10%増し", "値引きなし"])
def test_what_is_no_discount_takes_nothing_off(text: str) -> None:
    found = [discount for _, _, discount in find_discounts(fold(text).text)]

    assert all(discount.percent is None and discount.amount is None for discount in found)


@pytest.mark.parametrize(
    "text",
    [
        "単価は3万円で",
        "単価30,000円",
        "単価：30000",
        "@30000",
        "＠3万",
        "3万円/台",
        "1台3万円で",
        "1台あたり30,000円",
        "at 30,000 yen each",
        "¥30,000 each",
        "30,000 yen per unit",
        "unit price 30000",
        "单价30000日元",
        "每台30000日元",
    ],
)
def test_each_way_of_naming_a_unit_price_is_read(text: str) -> None:
    prices = [price for _, _, price in find_prices(fold(text).text) if price is not None]

    assert any(price.each and price.yen == 30_000 for price in prices)


def test_a_budget_is_no_price() -> None:
    assert all(price is None for _, _, price in find_prices("予算50万円"))


def test_a_total_is_known_for_one() -> None:
    assert Price(150_000, of_all=True) in [p for _, _, p in find_prices("合計15万円で")]
