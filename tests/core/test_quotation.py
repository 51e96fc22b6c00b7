"""Pricing an order, and the facts its document is laid out from."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import TypeAdapter

from core.catalogue import Catalogue, Customer, Item
from core.company import Company
from core.errors import Permanent, Refused
from core.order import Order, OrderLine
from core.quotation import Quote, honorific, price_order, quote_data
from core.words import Language, Words

MONITOR = Item("MON-27", "モニター 27型", ("モニター",), "台", 32_800, 10)
TEA = Item("TEA", "緑茶 500ml 24本", ("お茶",), "ケース", 2_160, 8)
ABC = Customer("C001", "株式会社ABC商事", (), "ja", "order@abc.example")
CATALOGUE = Catalogue((MONITOR, TEA), (ABC,), datetime(2026, 11, 25, tzinfo=UTC))
COMPANY = Company("株式会社みやび商会")
ORDER = Order(
    "C001",
    (OrderLine("MON-27", 5), OrderLine("TEA", 3)),
    due=date(2026, 12, 25),
    discount_percent=Decimal("12.5"),
    note="午前着",
)


def _data(quote: Quote, language: Language = "ja", number: str | None = None) -> dict[str, object]:
    return quote_data(
        quote,
        COMPANY,
        number=number,
        issued_on=date(2026, 11, 25),
        language=language,
        reference="#1042",
    )


def test_prices_come_from_the_catalogue() -> None:
    quote = price_order(ORDER, CATALOGUE, COMPANY)

    first = quote.lines[0]
    assert (first.name, first.unit, first.unit_price, first.amount) == (
        "モニター 27型",
        "台",
        32_800,
        164_000,
    )
    assert quote.totals.subtotal == 164_000 + 6_480
    assert quote.totals.discount == 21_310  # 12.5 % of 170,480


def test_price_named_in_the_order_wins() -> None:
    order = replace(ORDER, lines=(OrderLine("MON-27", 2, 30_000),))

    assert price_order(order, CATALOGUE, COMPANY).lines[0].amount == 60_000


def test_a_price_of_nothing_is_a_price() -> None:
    order = Order("C001", (OrderLine("MON-27", 2, 0),))

    assert price_order(order, CATALOGUE, COMPANY).totals.total == 0


def test_company_decides_rounding_and_whether_prices_include_tax() -> None:
    order = Order("C001", (OrderLine("MON-27", 1, 315),))
    up = replace(COMPANY, rounding="up")
    inclusive = replace(COMPANY, prices_include_tax=True)

    assert price_order(order, CATALOGUE, up).totals.tax == 32
    assert price_order(order, CATALOGUE, inclusive).totals.total == 315


def test_code_that_left_the_price_list_can_be_retried_after_a_fix() -> None:
    with pytest.raises(Permanent) as stopped:
        price_order(Order("C001", (OrderLine("GONE", 1),)), CATALOGUE, COMPANY)

    assert "GONE" in stopped.value.words.ja


def test_customer_that_left_the_list_can_be_retried_after_a_fix() -> None:
    with pytest.raises(Permanent) as stopped:
        price_order(replace(ORDER, customer="C999"), CATALOGUE, COMPANY)

    assert "C999" in stopped.value.words.zh


@pytest.mark.parametrize(
    "lines",
    [(), (OrderLine("MON-27", 0),), (OrderLine("MON-27", -1),), (OrderLine("MON-27", 1, -1),)],
)
def test_order_without_something_to_sell_is_refused(lines: tuple[OrderLine, ...]) -> None:
    with pytest.raises(Refused):
        price_order(Order("C001", lines), CATALOGUE, COMPANY)


def test_discount_above_the_subtotal_is_refused() -> None:
    order = Order("C001", (OrderLine("TEA", 1),), discount_amount=2_161)

    with pytest.raises(Refused):
        price_order(order, CATALOGUE, COMPANY)


def test_note_on_the_prices_goes_with_the_quote() -> None:
    stale = Words("昨日の価格表です", "yesterday's prices", "昨天的价目表")

    quote = price_order(ORDER, replace(CATALOGUE, note=stale), COMPANY)

    assert quote.price_note == stale


@pytest.mark.parametrize("note", [None, Words("a", "b", "c")])
def test_quote_survives_being_stored_as_json(note: Words | None) -> None:
    quote = price_order(ORDER, replace(CATALOGUE, note=note), COMPANY)
    adapter = TypeAdapter(Quote)

    stored = json.loads(json.dumps(adapter.dump_python(quote, mode="json")))

    assert adapter.validate_python(stored) == quote


def test_draft_and_issued_facts_differ_only_by_number_and_date_of_issue() -> None:
    quote = price_order(ORDER, CATALOGUE, COMPANY)
    draft = _data(quote)
    issued = quote_data(
        quote,
        COMPANY,
        number="Q-2026-0001",
        issued_on=date(2026, 11, 27),
        language="ja",
        reference="#1042",
    )

    differing = {key for key in draft if draft[key] != issued[key]}
    assert differing == {"number", "issued_on"}
    assert draft.keys() == issued.keys()


def test_facts_are_json_and_written_out_in_the_language() -> None:
    quote = price_order(ORDER, CATALOGUE, COMPANY)
    ja, en, zh = (_data(quote, language) for language in ("ja", "en", "zh"))

    assert json.loads(json.dumps(ja)) == ja
    assert ja["issued_on"] == "2026年11月25日"
    assert en["due"] == "December 25, 2026"
    assert zh["due"] == "2026年12月25日"
    assert ja["subject"] == "モニター 27型 ほか1点"
    assert en["subject"] == "モニター 27型 and 1 more item"
    assert ja["discount"] == {"amount": "21,310", "percent": "12.5"}


def test_whole_percentage_is_written_without_a_point() -> None:
    quote = price_order(replace(ORDER, discount_percent=Decimal("10.0")), CATALOGUE, COMPANY)

    assert _data(quote)["discount"] == {"amount": "17,048", "percent": "10"}


@pytest.mark.parametrize(
    "name",
    [
        "株式会社ABC商事",
        "株式会社山川製作所",
        "合同会社みなと企画",
        "Northwind Trading K.K.",
        "医療法人社団さくら会",
        "㈱髙﨑組",
        "（有）田中商店",
        "山川製作所",
        "東京都庁",
        "海星貿易有限公司",
        "Acme Inc.",
        "さくらクリニック",
        "渋谷区役所",
        "経理部",
    ],
)
def test_organisation_is_addressed_as_onchu(name: str) -> None:
    assert honorific(name, "ja") == "御中"


@pytest.mark.parametrize("name", ["山田太郎", "田中 花子", "John Smith", "社本一郎", "𠮷田"])
def test_person_is_addressed_as_sama(name: str) -> None:
    assert honorific(name, "ja") == "様"


def test_honorific_in_the_name_is_kept_and_not_doubled() -> None:
    customer = replace(ABC, name="株式会社ABC商事 営業部 山田太郎様")
    quote = replace(price_order(ORDER, CATALOGUE, COMPANY), customer=customer)

    assert _data(quote)["customer"] == {
        "name": "株式会社ABC商事 営業部 山田太郎",
        "honorific": "様",
    }


def test_other_languages_use_no_honorific() -> None:
    assert honorific("株式会社ABC商事", "en") == honorific("海星有限公司", "zh") == ""
