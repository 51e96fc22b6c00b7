"""Promises of the check that every price list goes through, whatever its source."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.csv_files import csv_table
from core.catalogue import Catalogue, Customer, Item
from core.catalogue_cache import utc_now
from core.errors import Permanent
from core.price_table import Table, build_catalogue
from core.words import same

ITEMS = "code,name,aliases,unit,unit_price,tax_rate\n"
CUSTOMERS = "code,name,aliases,language,email\n"
ITEM = "MON,モニター,,台,32800,10\n"
CUSTOMER = "C1,株式会社ABC商事,ABC,ja,a@abc.example\n"


def built(items: str, customers: str = CUSTOMERS + CUSTOMER) -> Catalogue:
    return build_catalogue(
        csv_table("catalog.csv", items.encode()),
        csv_table("customers.csv", customers.encode()),
        utc_now(),
    )


def refusal(items: str = ITEMS + ITEM, customers: str = CUSTOMERS + CUSTOMER) -> Permanent:
    with pytest.raises(Permanent) as caught:
        built(items, customers)
    return caught.value


def test_japanese_headers_in_any_order_beside_columns_of_ones_own() -> None:
    catalogue = built(
        "備考,税率,単価,品名,ｺｰﾄﾞ, 単 位 ,別名,原価\n最新,8%,780,天然水,W,箱,水,300\n,,,,,,,999\n",
        "メール,言語,会社名,顧客コード,別名\nx@y.example,英語,Northwind,N,\n",
    )

    assert (Item("W", "天然水", ("水",), "箱", 780, 8),) == catalogue.items
    assert (Customer("N", "Northwind", (), "en", "x@y.example"),) == catalogue.customers


@pytest.mark.parametrize(
    ("cell", "yen"),
    [
        ("32800", 32800),
        ('"32,800"', 32800),
        ('"¥32,800"', 32800),
        ('"￥３２，８００"', 32800),
        ('"\\32,800"', 32800),
        ("３２８００円", 32800),
        (" 32800.00 ", 32800),
        ("0", 0),
        ('"1,234,567"', 1234567),
    ],
)
def test_prices_are_read_as_people_write_them(cell: str, yen: int) -> None:
    assert yen == built(f"{ITEMS}A,x,,,{cell},10\n").items[0].unit_price


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("", "is empty"),
        ("応相談", '"応相談" is not a price'),
        ("abc", "not a price"),
        ('"32,80"', "not a price"),  # a slip, or the decimal comma of another country
        ("3²", "not a price"),
        ("12/25", "not a price"),
        ("-100", "negative"),
        ("▲100", "negative"),
        ("¥-100", "negative"),
        ("（100）", "negative"),
        ("32.8", "fraction of a yen"),
        ("1000000000000", "too large"),
        ("9" * 5000, "not a price"),
        ("#REF!", "formula fails"),
    ],
)
def test_what_is_no_price_is_named_with_file_row_and_column(cell: str, why: str) -> None:
    words = refusal(f"{ITEMS}{ITEM}A,x,,,{cell},10\n").words

    assert '"catalog.csv", row 3, column E (unit_price): ' in words.en
    assert why in words.en
    assert "「catalog.csv」3行目・E列「unit_price」: " in words.ja
    assert "“catalog.csv”第3行E列“unit_price”：" in words.zh


@pytest.mark.parametrize(
    ("cell", "percent"),
    [("10", 10), ("10%", 10), ("８％", 8), ("8.0", 8), ("0.08", 8), ("0.1", 10), ("0", 0)],
)
def test_tax_rates_are_read_as_people_write_them(cell: str, percent: int) -> None:
    assert percent == built(f"{ITEMS}A,x,,,1,{cell}\n").items[0].tax_rate


@pytest.mark.parametrize("cell", ["", "5", "1", "0.1%", "1000%", "10.5", "ten", "-8", "軽減"])
def test_any_other_tax_rate_is_refused(cell: str) -> None:
    assert "row 2, column F (tax_rate)" in refusal(f"{ITEMS}A,x,,,1,{cell}\n").words.en


@pytest.mark.parametrize(
    ("header", "missing", "nearest"),
    [
        ("code,name,aliases,unit,price,tax_rate", "unit_price", 'column E, "price"'),
        ("コード,品名,別名,単位,単価（円）,税率", "unit_price", 'column E, "単価（円）"'),
        ("code,name,alias,unit,unit_price,tax_rate", "aliases", 'column C, "alias"'),
        ("code,name,aliases,unit,unit_price", "tax_rate", "The header has: code, name"),
    ],
)
def test_a_missing_column_is_named_with_the_header_most_like_it(
    header: str, missing: str, nearest: str
) -> None:
    words = refusal(f"{header}\nA,x\n").words.en

    assert f'"catalog.csv", row 1: the column "{missing}"' in words
    assert nearest in words
    assert len(words.splitlines()) == 2


def test_two_columns_of_one_meaning_are_refused() -> None:
    words = refusal("code,コード,name,aliases,unit,unit_price,tax_rate\nA,B,x,,,1,10\n").words.en

    assert 'row 1, column B (コード): means the same as column A ("code")' in words


@pytest.mark.parametrize("code", ["MON", "mon", "ＭＯＮ"])
def test_a_code_used_twice_is_refused_and_both_rows_are_named(code: str) -> None:
    words = refusal(f"{ITEMS}{ITEM}\n{code},Other,,台,1,10\n").words.en

    # Row 3 is blank, and counts as it does in the spreadsheet.
    assert f'row 4, column A (code): "{code}" is in row 2 already' in words


def test_a_name_used_twice_is_refused() -> None:
    assert "B (name)" in refusal(f"{ITEMS}{ITEM}X,モニター,,台,1,10\n").words.en
    twice = refusal(customers=f"{CUSTOMERS}{CUSTOMER}C2,株式会社ABC商事,,ja,\n").words.en
    assert '"customers.csv", row 3, column B (name)' in twice


def test_one_alias_for_two_items_is_fine_for_it_makes_us_ask_which() -> None:
    catalogue = built(f"{ITEMS}A,ノート14,PC;PC,台,1,10\nB,ノート16,PC,台,2,10\n")

    assert [item.aliases for item in catalogue.items] == [("PC",), ("PC",)]


@pytest.mark.parametrize(
    ("row", "where"),
    [
        (",x,ABC,ja,", "column A (code): is empty"),
        ("C9,　,ABC,ja,", "column B (name): is empty"),
        ("C9,x,ABC,fr,", 'column D (language): "fr"'),
        ("C9,x,ABC,ja,nobody", 'column E (email): "nobody"'),
        ("C9,x,#N/A,ja,", "column C (aliases): the formula fails (#N/A)"),
    ],
)
def test_what_is_wrong_with_a_customer_is_named(row: str, where: str) -> None:
    words = refusal(customers=f"{CUSTOMERS}{CUSTOMER}{row}\n").words.en

    assert f'"customers.csv", row 3, {where}' in words


@pytest.mark.parametrize(
    ("written", "language"),
    [("", "ja"), ("EN", "en"), ("zh-CN", "zh"), ("en_US", "en"), ("中国語", "zh")],
)
def test_languages_are_read_with_region_or_by_name(written: str, language: str) -> None:
    customer = built(ITEMS + ITEM, f"{CUSTOMERS}C1,x,,{written},\n").customers[0]

    assert language == customer.language


@pytest.mark.parametrize("text", ["", "\n\n", " , ,\n", "\ufeff"])
def test_an_empty_file_is_said_to_be_empty(text: str) -> None:
    assert '"catalog.csv": is empty' in refusal(text).words.en


def test_a_file_with_only_its_header_is_refused() -> None:
    assert '"customers.csv": has no rows below its header' in refusal(customers=CUSTOMERS).words.en


def test_up_to_ten_problems_are_listed_and_the_others_counted() -> None:
    rows = "".join(f"A{n},n{n},,,x,10\n" for n in range(25))
    error = refusal(ITEMS + rows, CUSTOMERS + "C1,x,,fr,\n")

    lines = error.words.ja.splitlines()

    assert lines[0] == "価格表・顧客一覧に直すところが26件あります。"
    assert sum("unit_price" in line for line in lines) == 10
    assert lines[-1] == "ほか16件"


CELL = st.text(max_size=12) | st.sampled_from(
    ["code", "コード", "name", "10", "¥1,000", "0.1", "-1", "ja", "#REF!", "x@y.z", "a;b"]
)
ROWS = st.lists(st.lists(CELL, max_size=7), max_size=6)


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_any_cells_below_good_headers_give_a_catalogue_or_one_clear_error(
    rows: list[list[str]],
) -> None:
    header = ITEMS.strip().split(",")
    _catalogue_or_permanent(Table("catalog.csv", [header, *rows]))


@settings(max_examples=100, deadline=None)
@given(st.from_regex(r"[ ¥\\-]{0,2}[0-9０-９,，.]{1,15}円?", fullmatch=True))
def test_a_price_that_is_read_is_the_number_that_is_written(cell: str) -> None:
    try:
        items = build_catalogue(
            Table("a", [ITEMS.strip().split(","), ["A", "x", "", "", cell, "10"]]),
            csv_table("c", (CUSTOMERS + CUSTOMER).encode()),
            utc_now(),
        ).items
    except Permanent:
        return
    whole = cell.replace("．", ".").split(".", maxsplit=1)[0]
    digits = "".join(c for c in whole if c.isdecimal())

    assert int(digits) == items[0].unit_price


def _catalogue_or_permanent(prices: Table) -> None:
    customers = csv_table("customers.csv", (CUSTOMERS + CUSTOMER).encode())
    try:
        items = build_catalogue(prices, customers, utc_now()).items
    except Permanent as error:
        items, said = (), error.words
    else:
        said = same("catalog.csv")

    assert "catalog.csv" in said.ja
    assert "catalog.csv" in said.en
    for item in items:
        assert item.code
        assert item.name
        assert item.unit_price >= 0
        assert item.tax_rate in (10, 8, 0)
